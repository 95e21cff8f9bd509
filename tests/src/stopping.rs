//! Stopping: told to the handler, graceful within its limit, and final after it.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff};
use sockman::{Closed, DialOptions, Disconnect, ListenOptions, SockMan};
use std::time::Duration;

/// What is still open when the limit has passed is closed with a reason of its own; dials are cancelled.
pub fn stop_closes_what_is_left_after_its_limit<R: Rig>() {
    let recorder = Recorder::new().on_stopping(|_| ());
    let mut stage = Stage::<R>::new(recorder);
    let (conn, _peer) = stage.connect();
    let deaf = stage.rig.deaf_host();
    let to = crate::rig::Host::at(&deaf);
    stage.dial(&to, &DialOptions::key(5));
    let from = stage.driver.with(|_, net| net.now());
    stage
        .driver
        .remote()
        .stop(Duration::from_millis(100))
        .expect("the loop is there");
    stage.driver.run().expect("the loop runs");
    let took = stage.driver.with(|_, net| net.now()) - from;
    assert!(took >= Duration::from_millis(100), "closed early, after {took:?}");
    assert_eq!(stage.seen().count(|e| matches!(e, Event::Stopping(_))), 1);
    assert!(matches!(stage.seen().reason(conn), Some(Closed::Stopped)));
    let failed = Event::DialFailed {
        key: 5,
        why: "cancelled",
    };
    assert_eq!(stage.seen().count(|e| *e == failed), 1);
}

/// The longest limits there are neither overflow nor pass.
pub fn limits_may_be_endless<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, peer) = stage.connect();
    let to = stage.at.clone();
    let endless = DialOptions {
        timeout: Duration::MAX,
        ..DialOptions::key(5)
    };
    stage.dial(&to, &endless);
    stage.until("both ends of the dial are open", |s| {
        s.seen().count(|e| matches!(e, Event::Open { .. })) == 3
    });
    stage.driver.with(|_, net| {
        net.disconnect(
            conn,
            Disconnect::Flush {
                within: Duration::MAX,
            },
        );
    });
    stage
        .driver
        .remote()
        .stop(Duration::MAX)
        .expect("the loop is there");
    stage.idle();
    assert!(!stage.driver.is_stopped(), "the peer has not closed yet");
    drop(peer);
    stage.until("stopped", |s| s.driver.is_stopped());
    assert!(matches!(stage.closing(conn), Closed::Flushed));
}

/// By default stopping stops listening and flushes every connection.
pub fn stop_flushes_connections_and_closes_listeners<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(10 << 20, 1);
    stage.send(conn, &data).expect("open");
    stage.driver.remote().stop(LIMIT).expect("the loop is there");
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard == data && end.is_ok(), "{} bytes, {end:?}", heard.len());
    assert!(!stage.driver.is_stopped(), "the peer has not closed yet");
    drop(peer);
    stage.until("stopped", |s| s.driver.is_stopped());
    assert!(matches!(stage.closing(conn), Closed::Flushed));
    let (listener, at) = (stage.listener, stage.at.clone());
    stage.driver.with(|_, net| {
        assert_eq!(net.local_addr(listener), None);
        net.listen(&at, &ListenOptions::default())
            .expect("the address is free again");
    });
}

/// A handler may finish its requests first and disconnect each connection itself.
pub fn a_handler_may_stop_in_its_own_way<R: Rig>() {
    let recorder = Recorder::echo().on_stopping(|_| ());
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    stage.driver.remote().stop(LIMIT).expect("the loop is there");
    stage.idle();
    assert_eq!(stuff(&mut peer, b"one more"), 8);
    assert_eq!(stage.read(&mut peer, 8), b"one more");
    stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now));
    let from = stage.rig.now();
    stage.driver.run().expect("the loop runs");
    assert!(
        stage.rig.now() - from < LIMIT,
        "it slept to its limit with nothing open"
    );
    assert!(matches!(stage.closing(conn), Closed::Disconnected));
}

/// `unlisten` ends listening and nothing else: what was accepted goes on, and the address is free again.
pub fn unlisten_leaves_accepted_connections_alone<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let (_, mut peer) = stage.connect();
    let (listener, at) = (stage.listener, stage.at.clone());
    stage.driver.with(|_, net| {
        net.unlisten(listener);
        assert_eq!(net.local_addr(listener), None);
    });
    assert_eq!(stuff(&mut peer, b"still"), 5);
    assert_eq!(stage.read(&mut peer, 5), b"still");
    stage
        .driver
        .with(|_, net| net.listen(&at, &ListenOptions::key(3)))
        .expect("free again");
    let (conn, mut second) = stage.connect();
    assert!(matches!(stage.of(conn)[0], Event::Open { key: 3, .. }));
    second.finish();
    assert_eq!(stage.closing(conn).name(), "flushed");
}
