//! Hand-over between loops: `detach` inside `open`, `adopt` in another loop.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Peer, Rig};
use crate::stage::{Stage, stuff};
use sockman::{AdoptOptions, Closed, Driver, Limits, OriginKind, SockMan};
use std::cell::RefCell;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::rc::Rc;

type Caught = Rc<RefCell<Vec<OwnedFd>>>;

/// A loop that gives every connection away; `keep` is what its `open` then answers.
fn giving<R: Rig>(keep: bool) -> (Stage<R>, Caught) {
    let caught = Caught::default();
    let list = caught.clone();
    let recorder = Recorder::new().on_open(move |net, conn, _| {
        list.borrow_mut().push(net.detach(conn).expect("inside open"));
        assert_eq!(
            net.detach(conn).expect_err("once").kind(),
            ErrorKind::InvalidInput
        );
        keep
    });
    (Stage::new(recorder), caught)
}

/// One loop accepts, another serves; bytes that the peer had sent before are not lost.
pub fn a_connection_may_be_handed_to_another_loop<R: Machine>() {
    let (mut first, caught) = giving::<R>(false);
    let at = first.at.clone();
    let mut peer = first.rig.connect(&at);
    assert_eq!(stuff(&mut peer, b"early"), 5);
    first.until("caught", |_| caught.borrow().len() == 1);
    let mut second = Stage::<R>::new(Recorder::echo());
    let socket = caught.borrow_mut().pop().expect("just caught");
    let conn = second
        .driver
        .with(|_, net| net.adopt(socket, &AdoptOptions::key(42)))
        .expect("a connected socket");
    assert!(second.seen().log.is_empty(), "called back from within adopt");
    assert_eq!(second.read(&mut peer, 5), b"early");
    let open = Event::Open {
        key: 42,
        how: OriginKind::Adopted,
    };
    assert_eq!(second.of(conn)[0], open);
    first.idle();
    assert_eq!(stuff(&mut peer, b"later"), 5);
    assert_eq!(second.read(&mut peer, 5), b"later");
    peer.finish();
    assert_eq!(second.closing(conn).name(), "flushed");
    first.idle();
    assert_eq!(first.seen().log.len(), 1, "{:?}", first.seen().log);
    assert_eq!(first.driver.with(|_, net| net.connections()), 0);
}

/// A handler that gives the socket away and yet keeps a session is told that it has none.
pub fn a_detached_connection_that_is_kept_is_closed_with_its_reason<R: Machine>() {
    let (mut stage, caught) = giving::<R>(true);
    let (conn, mut peer) = stage.connect();
    assert!(matches!(stage.closing(conn), Closed::Detached));
    let socket = caught.borrow_mut().pop().expect("just caught");
    rustix::io::write(&socket, b"alive").expect("the socket lives on");
    assert_eq!(stage.hear(&mut peer, 5), b"alive");
}

/// Anywhere but inside the connection's own `open`, and after something was sent, `detach` is refused.
pub fn detach_is_refused_outside_open<R: Machine>() {
    fn refused<T: std::fmt::Debug>(result: std::io::Result<T>) {
        assert_eq!(result.expect_err("refused").kind(), ErrorKind::InvalidInput);
    }
    let first = Rc::new(RefCell::new(None));
    let known = first.clone();
    let recorder = Recorder::new()
        .on_open(move |net, conn, _| {
            if let Some(silent) = *known.borrow() {
                refused(net.detach(silent));
                net.send(conn, b"hi").expect("open");
                refused(net.detach(conn));
            }
            known.borrow_mut().get_or_insert(conn);
            true
        })
        .on_received(|net, conn, data| {
            refused(net.detach(conn));
            data.len()
        });
    let mut stage = Stage::<R>::new(recorder);
    let (silent, mut peer) = stage.connect();
    stage.driver.with(|_, net| refused(net.detach(silent)));
    let (_, mut greeted) = stage.connect();
    assert_eq!(stage.read(&mut greeted, 2), b"hi");
    assert_eq!(stuff(&mut peer, b"!"), 1);
    stage.until("received", |s| s.seen().bytes(silent) == b"!");
    stage.send(silent, b"still ours").expect("open");
    assert_eq!(stage.hear(&mut peer, 10), b"still ours");
}

/// What is no connected stream socket is refused at once.
pub fn adopting_what_is_no_connection_is_refused<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let file = std::fs::File::open("/dev/null").expect("it is everywhere");
    let datagram = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    for socket in [OwnedFd::from(file), datagram.into(), listener.into()] {
        assert!(
            stage
                .driver
                .with(|_, net| net.adopt(socket, &AdoptOptions::key(1)))
                .is_err()
        );
    }
    stage.idle();
    assert!(stage.seen().log.is_empty());
    assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
}

/// An adopted connection has the limits it is given, and the loop's without; such as contradict each other are refused.
pub fn an_adopted_connection_may_have_its_own_limits<R: Machine>() {
    let (mut first, caught) = giving::<R>(false);
    let at = first.at.clone();
    let mut second = Stage::<R>::new(Recorder::new().on_received(|_, _, _| 0));
    let mut adopt = |limits| {
        let peer = first.rig.connect(&at);
        first.until("caught", |_| !caught.borrow().is_empty());
        let socket = caught.borrow_mut().pop().expect("just caught");
        let how = AdoptOptions { key: 1, limits };
        (peer, second.driver.with(|_, net| net.adopt(socket, &how)))
    };
    let unread = |unread| Limits {
        unread,
        ..Limits::default()
    };
    let (_, refused) = adopt(Some(unread(0)));
    assert_eq!(
        refused.expect_err("nothing could be received").kind(),
        ErrorKind::InvalidInput
    );
    let (mut strict_peer, strict) = adopt(Some(unread(100)));
    let (mut lax_peer, lax) = adopt(None);
    let (strict, lax) = (strict.expect("connected"), lax.expect("connected"));
    let mut told = |conn| second.driver.with(|_, net| net.info(conn)).expect("there").limits;
    assert_eq!([told(strict), told(lax)], [unread(100), Limits::default()]);
    stuff(&mut lax_peer, &[1; 1000]);
    stuff(&mut strict_peer, &[1; 1000]);
    assert!(matches!(
        second.closing(strict),
        Closed::UnreadLimit { limit: 100 }
    ));
    assert!(second.seen().reason(lax).is_none());
}

/// A blocking socket is made non-blocking: a send that does not fit does not stop the loop.
pub fn an_adopted_blocking_socket_does_not_block<R: Machine>() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let backend = R::new()
        .backend(&sockman::Config::default())
        .expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Recorder::new());
    driver.with(|_, net| {
        let conn = net
            .adopt(ours.into(), &AdoptOptions::key(1))
            .expect("a connected socket");
        assert!(net.send(conn, b"too early").is_err());
    });
    driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
    let conn = driver.handler().opened()[0];
    let sent = driver
        .with(|_, net| net.send(conn, &vec![0; 16 << 20]))
        .expect("open");
    assert!(sent.is_high());
    drop(theirs);
}
