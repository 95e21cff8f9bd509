//! Several loops: connections that one accepts go to whichever has the fewest; loops that end, by whatever, among others.

use crate::group::{FAIL, Group, HOLD, HOLD_WAKE, PANIC, UNREAD, ended, hear, join, outcome};
use crate::recorder::Recorder;
use crate::rig::{Machine, Peer};
use crate::stage::LIMIT;
use sockman::{
    AdoptOptions, Backend, Config, Conn, Driver, Endpoint, Handler, Limits, ListenOptions, Origin, Seat,
    Shards, SockMan, Spread,
};
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Does nothing.
struct Idle(#[expect(dead_code, reason = "its drop counts")] Arc<()>);

impl Handler for Idle {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        None
    }

    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), data: &mut [u8]) -> usize {
        data.len()
    }
}

/// A few connections are spread evenly, whoever has accepted them, and all are served; places that become free are given
/// again.
pub fn connections_go_to_the_loop_with_the_fewest<R: Machine>() {
    let mut group = Group::<R>::start(3);
    assert_eq!(group.connect(9), [3, 3, 3]);
    for (number, (_, peer)) in (0..).zip(&mut group.peers) {
        assert_eq!(peer.write(&[number]).expect("room"), 1);
        assert_eq!(hear(peer, 1), [number]);
    }

    // All of the second loop's go: the next three are its own.
    let (gone, rest): (Vec<_>, Vec<_>) = group.peers.into_iter().partition(|(on, _)| *on == 1);
    group.peers = rest;
    for (_, mut peer) in gone {
        peer.finish();
        // Its end says that the loop has closed it.
        ended(&mut peer);
    }
    assert_eq!(group.connect(3), [3, 3, 3]);
    drop(group.peers);
    group.shards.stop(Duration::from_secs(5));
    let stats = outcome(&join(group.shards)).expect("no backend fails");
    let accepts: Vec<bool> = stats.iter().map(|stats| stats.accepts > 0).collect();
    assert_eq!(accepts, [true, false, false], "each has counted for itself");
}

/// Limits of a listener hold for its connections on whichever loop they are.
pub fn a_listeners_limits_hold_on_every_loop<R: Machine>() {
    let limits = Limits {
        unread: 12_345,
        ..Limits::default()
    };
    let how = ListenOptions {
        limits: Some(limits),
        ..ListenOptions::key(7)
    };
    let mut group = Group::<R>::with(3, how, |_, _| ());
    assert_eq!(group.connect(3), [1, 1, 1]);
    for (_, peer) in &mut group.peers {
        assert_eq!(peer.write(&[UNREAD]).expect("room"), 1);
        assert_eq!(hear(peer, 8), 12_345_u64.to_le_bytes());
    }
}

/// What a handler adopts by itself counts as what it was given does, so that its end does not upset the counting.
pub fn a_loops_own_adoptions_are_counted<R: Machine>() {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    theirs.set_nonblocking(true).expect("a socket");
    let own = Mutex::new(Some(ours));
    let mut group = Group::<R>::with(3, ListenOptions::key(7), move |shard, net| {
        if shard == 1 {
            let socket = own.lock().expect("no panic").take().expect("one second loop");
            net.adopt(socket.into(), &AdoptOptions::key(7))
                .expect("a connected socket");
        }
    });
    let mut greeting = [0; 2];
    let (mut heard, end) = (0, Instant::now() + LIMIT);
    while heard < greeting.len() {
        match io::Read::read(&mut theirs, &mut greeting[heard..]) {
            Ok(count) => heard += count,
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
        assert!(Instant::now() < end, "not served");
    }
    assert_eq!(greeting, [1, 1]);
    assert_eq!(group.connect(5), [2, 1, 2], "it has one more");
    theirs.shutdown(std::net::Shutdown::Write).expect("connected");
    while io::Read::read(&mut theirs, &mut greeting).is_err() {
        assert!(Instant::now() < end, "not closed");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(group.connect(4), [3, 3, 3]);
}

/// A loop that was stopped, whose backend failed or whose handler panicked gets no more connections: the others serve them.
pub fn a_loop_that_is_gone_is_given_no_connections<R: Machine>() {
    for told in [None, Some(FAIL), Some(PANIC)] {
        let mut group = Group::<R>::start(2);
        assert_eq!(group.connect(2), [1, 1, 0]);
        match told {
            None => group.remote(1).stop(Duration::ZERO).expect("it runs"),
            Some(how) => group.tell(1, &[how]),
        }
        assert_eq!(group.gone(), 1);
        assert_eq!(group.connect(6), [7, 1, 0]);
    }
}

/// A loop of the script's own, on a seat.
fn seated<R: Machine>(seat: &Seat, recorder: Recorder) -> Driver<R::Backend, Spread<Recorder>> {
    let backend = R::Backend::new(&Config::default()).expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Spread::new(recorder, seat.clone()));
    driver.with(|spread, net| spread.join(net));
    driver
}

fn listen<R: Machine>(rig: &mut R, first: &mut Driver<R::Backend, Spread<Recorder>>) -> Endpoint {
    let at = rig.address();
    first.with(|_, net| {
        let listener = net.listen(&at, &ListenOptions::default()).expect("free");
        net.local_addr(listener).expect("it listens")
    })
}

/// Runs loops until so many connections have been opened on each.
fn opened<B: Backend>(loops: &mut [Driver<B, Spread<Recorder>>], expected: [usize; 2]) {
    let end = Instant::now() + LIMIT;
    let mut now = Vec::new();
    while now != expected {
        assert!(Instant::now() < end, "{now:?}, not {expected:?}");
        now.clear();
        for one in &mut *loops {
            one.turn(Some(Duration::from_millis(1))).expect("a turn");
            now.push(one.handler().handler().opened().len());
        }
    }
}

/// A seat that was left is free for another loop, which begins with no connections.
pub fn a_seat_may_be_taken_again<R: Machine>() {
    let mut rig = R::new();
    let seats = Seat::group(2);
    // As when a backend cannot be made and another is tried.
    drop(Spread::new(Recorder::new(), seats[1].clone()));
    let mut loops: Vec<_> = seats
        .iter()
        .map(|seat| seated::<R>(seat, Recorder::new()))
        .collect();
    let at = listen(&mut rig, &mut loops[0]);
    let mut peers = Vec::new();
    for expected in [[1, 0], [1, 1], [2, 1], [2, 2], [2, 1], [2, 2], [3, 2]] {
        if peers.len() == 4 {
            loops.pop();
            loops.push(seated::<R>(&seats[1], Recorder::new()));
        }
        peers.push(rig.connect(&at));
        opened(&mut loops, expected);
    }
}

/// A connection that a loop shuts down before it has opened it is no load of that loop any more.
pub fn what_is_shut_down_before_it_opens_does_not_count<R: Machine>() {
    let mut rig = R::new();
    let seats = Seat::group(2);
    let mut is_first = true;
    let shuts_down = Recorder::new().on_woken(move |net| {
        if std::mem::take(&mut is_first) {
            net.shut_down(Duration::ZERO);
        }
    });
    let mut loops = [
        seated::<R>(&seats[0], Recorder::new()),
        seated::<R>(&seats[1], shuts_down),
    ];
    let at = listen(&mut rig, &mut loops[0]);
    let mut peers = vec![rig.connect(&at)];
    opened(&mut loops, [1, 0]);
    let mut given = rig.connect(&at);
    let end = Instant::now() + LIMIT;
    while given.read(&mut [0]).is_err() {
        assert!(Instant::now() < end, "it is not closed");
        opened(&mut loops, [1, 0]);
    }
    loops[1].remote().wake();
    opened(&mut loops, [1, 0]);
    for expected in [[1, 1], [2, 1], [2, 2]] {
        peers.push(rig.connect(&at));
        opened(&mut loops, expected);
    }
}

/// Has the second of two loops hold when a connection is given to it; the loops, and that connection's peer.
fn give_while_held<R: Machine>(told: &[u8]) -> (Group<R>, R::Peer) {
    let mut group = Group::<R>::start(2);
    assert_eq!(group.connect(2), [1, 1, 0]);
    group.tell(1, told);
    group.held();
    if told[0] == HOLD_WAKE {
        // Both come in the same turn, and waking is first.
        let remote = group.remote(1);
        remote.stop(Duration::ZERO).expect("it runs");
        remote.wake();
        group.release();
        group.held();
    }
    assert_eq!(group.connect(1), [2, 1, 0]);
    let given = group.rig.connect(&group.at);
    // When the next is served, this one was accepted before it.
    assert_eq!(group.connect(1), [3, 1, 0]);
    group.release();
    (group, given)
}

/// A connection that is on its way to a loop when this one stops, or panics, is closed: its peer does not wait for ever.
pub fn what_is_on_its_way_to_a_loop_that_goes_is_closed<R: Machine>() {
    for told in [[HOLD_WAKE, HOLD], [HOLD, PANIC]] {
        let (mut group, mut given) = give_while_held::<R>(&told);
        ended(&mut given);
        assert_eq!(group.gone(), 1);
        assert_eq!(group.connect(3), [6, 1, 0]);
    }
}

/// A backend's failure or a handler's panic on one loop stops the others, whichever it is; the first to come is told.
pub fn the_first_loop_that_fails_stops_the_others<R: Machine>() {
    for (told, outcome_is) in [(FAIL, "told to fail"), (PANIC, "panic of 2")] {
        let mut group = Group::<R>::start(3);
        assert_eq!(group.connect(3), [1, 1, 1]);
        group.tell(1, &[HOLD, PANIC]);
        group.held();
        group.tell(2, &[told]);
        assert_eq!(group.gone(), 2);
        let joined = join(group.shards);
        // Only when the first has been stopped, and so the failure been noticed, may the second panic.
        assert_eq!(group.gone.recv_timeout(LIMIT), Ok(0), "the others are stopped");
        group.go.send(()).expect("the loop is there");
        assert_eq!(outcome(&joined).expect_err("one failed"), outcome_is);
        for (_, peer) in &mut group.peers {
            ended(peer);
        }
    }
}

/// A loop that is stopped by itself, while others are still being made or when all run, does not stop them.
pub fn a_loop_that_is_stopped_leaves_the_others_running<R: Machine>() {
    let first = Mutex::new(None);
    let mut group = Group::<R>::with(3, ListenOptions::key(7), move |shard, net| {
        if shard == 1 {
            *first.lock().expect("no panic") = Some(net.remote());
        } else if let Some(remote) = first.lock().expect("no panic").take() {
            remote.stop(Duration::ZERO).expect("it runs");
        }
    });
    assert_eq!(group.gone(), 1);
    assert_eq!(group.connect(4), [2, 0, 2]);
    group.remote(2).stop(Duration::ZERO).expect("it runs");
    assert_eq!(group.gone(), 2);
    let accepting = group.remote(0);
    let joined = join(group.shards);
    let mut peer = group.rig.connect(&group.at);
    assert_eq!(hear(&mut peer, 2), [0, 0]);
    joined.try_recv().expect_err("one runs");
    accepting.stop(Duration::ZERO).expect("it runs");
    let stats = outcome(&joined).expect("none failed");
    let accepts: Vec<u64> = stats.iter().map(|stats| stats.accepts).collect();
    assert_eq!(accepts, [5, 0, 0], "in their order, whichever ended first");
}

/// Whoever drops them without joining leaves no thread behind.
pub fn dropped_shards_are_stopped<R: Machine>() {
    // Whatever thread stops them, or drops them.
    fn is_shared(_: &(impl Send + Sync)) {}
    let mut group = Group::<R>::start(2);
    assert_eq!(group.connect(2), [1, 1, 0]);
    is_shared(&group.shards);
    drop(group.shards);
    let mut gone: Vec<usize> = group.gone.try_iter().collect();
    gone.sort_unstable();
    assert_eq!(gone, [0, 1], "all have ended when the drop is over");
    for (_, peer) in &mut group.peers {
        ended(peer);
    }
}

/// What fails while they are started, by an error or a panic, stops those that run already, and is told.
pub fn shards_that_cannot_start_say_why<R: Machine>() {
    for panics in [false, true] {
        let started = Arc::new(Mutex::new(Vec::new()));
        let list = started.clone();
        let ended = Arc::new(());
        let alive = Arc::downgrade(&ended);
        let start = move || {
            Shards::start(3, move |shard| {
                if shard == 1 {
                    assert!(!panics, "told to panic");
                    return Err(io::Error::other("no second"));
                }
                let driver = Driver::<R::Backend, _>::new(&Config::default(), Idle(ended.clone()))?;
                list.lock().expect("no panic").push(driver.remote());
                Ok(driver)
            })
        };
        match catch_unwind(AssertUnwindSafe(start)) {
            Ok(shards) => assert_eq!(shards.expect_err("the second fails").to_string(), "no second"),
            Err(panic) => assert_eq!(panic.downcast_ref(), Some(&"told to panic")),
        }
        let started = started.lock().expect("no panic");
        assert_eq!(started.len(), 1, "no third is made");
        assert!(started[0].stop(Duration::ZERO).is_err(), "the first has ended");
        assert!(alive.upgrade().is_none(), "nothing is left");
    }
}
