//! `Mux`: two protocols on one loop, and two of those on one; who asked gets what comes of it.

use crate::recorder::{Event, Recorder};
use crate::rig::{Host, Machine, Peer, Rig};
use crate::stage::{LIMIT, take};
use sockman::{
    AdoptOptions, Bytes, Config, Conn, DialOptions, Driver, Endpoint, ListenOptions, Mux, MuxSession, Side,
    SockMan,
};
use std::time::Duration;

type Four = Mux<Mux<Recorder, Recorder>, Mux<Recorder, Recorder>>;

/// Echoes what comes, with its own letter in front.
fn lettered(letter: u8) -> Recorder {
    Recorder::new().on_received(move |net, conn, data| {
        net.send(conn, &[letter]).expect("open");
        net.send(conn, data).expect("open");
        data.len()
    })
}

/// Takes turns until `done`.
fn until<R: Rig, H: sockman::Handler>(
    rig: &R,
    driver: &mut Driver<R::Backend, H>,
    mut done: impl FnMut(&mut Driver<R::Backend, H>) -> bool,
) {
    let by = rig.now() + LIMIT;
    while !done(driver) {
        assert!(rig.now() < by, "it did not happen");
        driver.turn(Some(Duration::from_millis(5))).expect("a turn");
    }
}

fn ask<R: Rig, H: sockman::Handler>(
    rig: &R,
    driver: &mut Driver<R::Backend, H>,
    peer: &mut R::Peer,
) -> Vec<u8> {
    assert_eq!(crate::stage::stuff(peer, b"?"), 1);
    let mut heard = Vec::new();
    until(rig, driver, |_| {
        take(peer, &mut heard, 2).expect("the peer's read");
        heard.len() == 2
    });
    heard
}

/// Listens on behalf of one side, and gives the address.
fn listen<S: SockMan>(net: &mut S, side: Side, at: &Endpoint, key: u64) -> Endpoint {
    let net = &mut Mux::<(), ()>::on(net, side);
    let listener = net.listen(at, &ListenOptions::key(key)).expect("free");
    net.local_addr(listener).expect("it listens")
}

/// Listeners, dials and failed dials, timers, sessions, `woken` and `stopping` reach the side they belong to, and only it.
pub fn each_side_of_a_mux_gets_its_own<R: Rig>() {
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Mux::new(lettered(b'a'), lettered(b'b')));
    let (at_a, at_b) = (rig.address(), rig.address());
    let mut host = rig.host();
    let nowhere = rig.nowhere();
    let (at_a, at_b) = driver.with(|_, net| {
        let at = (listen(net, Side::A, &at_a, 11), listen(net, Side::B, &at_b, 12));
        let mut b = Mux::<(), ()>::on(net, Side::B);
        b.dial(&host.at(), &DialOptions::key(13))
            .expect("the options are right");
        b.set_timer(b.now() + Duration::from_millis(1), u64::MAX >> 1);
        let mut a = Mux::<(), ()>::on(net, Side::A);
        a.dial(&nowhere, &DialOptions::key(14))
            .expect("the options are right");
        a.set_timer(a.now() + Duration::from_millis(1), 15);
        at
    });
    let (mut to_a, mut to_b) = (rig.connect(&at_a), rig.connect(&at_b));
    assert_eq!(ask(&rig, &mut driver, &mut to_a), b"a?");
    assert_eq!(ask(&rig, &mut driver, &mut to_b), b"b?");
    driver.remote().wake();
    until(&rig, &mut driver, |driver| {
        let (a, b) = (&driver.handler().a, &driver.handler().b);
        b.opened().len() == 2 && a.failed_dials.len() == 1 && b.count(|e| *e == Event::Woken) == 1
    });
    let mut dialled = host.accept().expect("it was opened");
    assert_eq!(ask(&rig, &mut driver, &mut dialled), b"b?");
    until(&rig, &mut driver, |driver| {
        let (a, b) = (&driver.handler().a, &driver.handler().b);
        a.count(|e| matches!(e, Event::Timer(_))) + b.count(|e| matches!(e, Event::Timer(_))) == 2
    });
    let (a, b) = (&driver.handler().a, &driver.handler().b);
    assert_eq!(keys(a), [11]);
    let mut keys_b = keys(b);
    keys_b.sort_unstable();
    assert_eq!(keys_b, [12, 13]);
    assert_eq!((a.failed_dials[0].0, b.failed_dials.len()), (14, 0));
    assert_eq!(
        (
            a.count(|e| *e == Event::Timer(15)),
            b.count(|e| *e == Event::Timer(u64::MAX >> 1))
        ),
        (1, 1)
    );
    assert_eq!(a.count(|e| *e == Event::Woken), 1);
    assert!(matches!(driver.session(a.opened()[0]), Some(MuxSession::A(_))));
    assert!(matches!(driver.session(b.opened()[0]), Some(MuxSession::B(_))));
    driver.remote().stop(LIMIT).expect("the loop is there");
    until(&rig, &mut driver, |driver| {
        driver.handler().b.count(|e| matches!(e, Event::Stopping(_))) == 1
    });
    assert_eq!(driver.handler().a.count(|e| matches!(e, Event::Stopping(_))), 1);
    to_a.finish();
    drop((to_a, to_b, dialled));
    driver.run().expect("the loop runs");
    assert_eq!(
        (
            driver.handler().a.closings.len(),
            driver.handler().b.closings.len()
        ),
        (1, 2)
    );
}

fn keys(recorder: &Recorder) -> Vec<u64> {
    let keys = recorder.log.iter().filter_map(|(_, event)| match event {
        Event::Open { key, .. } => Some(*key),
        _ => None,
    });
    keys.collect()
}

/// A side reaches a connection of the other by `post`, which goes to that connection's own handler.
pub fn a_post_across_a_mux_goes_to_the_owner<R: Rig>() {
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let other = std::rc::Rc::new(std::cell::Cell::new(None::<Conn>));
    let target = other.clone();
    let a = Recorder::new().on_received(move |net, _, data| {
        net.post(target.get().expect("b is open"), Bytes::copy_from_slice(data));
        data.len()
    });
    let b = Recorder::new().on_posted(|net, conn, data| {
        let framed = [b"b:", &data[..]].concat();
        net.send(conn, &framed).expect("open");
    });
    let mut driver = Driver::with_backend(backend, Mux::new(a, b));
    let (at_a, at_b) = (rig.address(), rig.address());
    let (at_a, at_b) = driver.with(|_, net| (listen(net, Side::A, &at_a, 1), listen(net, Side::B, &at_b, 2)));
    let (mut to_a, mut to_b) = (rig.connect(&at_a), rig.connect(&at_b));
    until(&rig, &mut driver, |driver| driver.handler().b.opened().len() == 1);
    other.set(Some(driver.handler().b.opened()[0]));
    assert_eq!(crate::stage::stuff(&mut to_a, b"hello"), 5);
    let mut heard = Vec::new();
    until(&rig, &mut driver, |_| {
        take(&mut to_b, &mut heard, 7).expect("the peer's read");
        heard.len() == 7
    });
    assert_eq!(heard, b"b:hello");
}

/// Four protocols, a `Mux` of two of `Mux`: each gets its own, and too large a key is refused where it is given.
pub fn a_mux_of_muxes_routes_four_ways<R: Rig>() {
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let pair = |one, two| Mux::new(lettered(one), lettered(two));
    let four: Four = Mux::new(pair(b'a', b'b'), pair(b'c', b'd'));
    let mut driver = Driver::with_backend(backend, four);
    let mut peers = Vec::new();
    for (outer, inner) in [
        (Side::A, Side::A),
        (Side::A, Side::B),
        (Side::B, Side::A),
        (Side::B, Side::B),
    ] {
        let at = rig.address();
        let at = driver.with(|_, net| {
            let net = &mut Mux::<(), ()>::on(net, outer);
            let error = Mux::<(), ()>::on(net, inner).listen(&at, &ListenOptions::key(1 << 62));
            assert_eq!(
                error.expect_err("two bits are taken").kind(),
                std::io::ErrorKind::InvalidInput
            );
            let sided = &mut Mux::<(), ()>::on(net, inner);
            sided.set_timer(sided.now(), 77);
            listen(net, inner, &at, (1 << 62) - 1)
        });
        peers.push(rig.connect(&at));
    }
    for (peer, expected) in peers.iter_mut().zip([b"a?", b"b?", b"c?", b"d?"]) {
        assert_eq!(ask(&rig, &mut driver, peer), expected);
    }
    let four = driver.handler();
    for recorder in [&four.a.a, &four.a.b, &four.b.a, &four.b.b] {
        assert_eq!(keys(recorder), [(1 << 62) - 1]);
        assert_eq!(recorder.count(|e| *e == Event::Timer(77)), 1);
    }
}

/// An adopted socket belongs to the side that adopted it.
pub fn an_adopted_socket_belongs_to_the_side_that_adopted_it<R: Machine>() {
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Mux::new(lettered(b'a'), lettered(b'b')));
    let mut host = rig.host();
    let mut peer = rig.connect(&host.at());
    let ours = host.accept().expect("it waits");
    driver.with(|_, net| {
        let mut b = Mux::<(), ()>::on(net, Side::B);
        b.adopt(ours.into(), &AdoptOptions::key(21))
            .expect("a connected socket")
    });
    assert_eq!(ask(&rig, &mut driver, &mut peer), b"b?");
    assert_eq!(keys(&driver.handler().b), [21]);
}
