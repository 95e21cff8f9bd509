//! Contract 7: a paused connection delivers nothing until it is resumed, and loses nothing.

use crate::recorder::{Event, Recorder};
use crate::rig::{Family, Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff};
use sockman::{Config, Limits, SockMan};
use std::time::Duration;

/// With data in flight before, during and after the pause.
pub fn a_paused_connection_delivers_nothing_until_resumed<R: Rig>() {
    let config = Config {
        read_buffer: 1 << 10,
        byte_budget: 2 << 10,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(90_000, 1);
    assert_eq!(stuff(&mut peer, &data[..30_000]), 30_000);
    stage.until("some bytes", |s| !s.seen().bytes(conn).is_empty());
    stage.driver.with(|_, net| net.pause(conn));
    let before = stage.seen().bytes(conn).len();
    assert!(before < 30_000, "the budget leaves some in flight");
    assert_eq!(stuff(&mut peer, &data[30_000..60_000]), 30_000);
    stage.idle();
    assert_eq!(stage.seen().bytes(conn).len(), before, "delivered while paused");
    assert!(
        stage
            .driver
            .with(|_, net| net.info(conn))
            .is_some_and(|info| info.paused)
    );
    stage.driver.with(|_, net| net.resume(conn));
    assert_eq!(stuff(&mut peer, &data[60_000..]), 30_000);
    stage.until("the rest", |s| s.seen().bytes(conn).len() >= data.len());
    assert!(stage.seen().bytes(conn) == data);
}

/// A pause inside `received` holds from then on, though the loop has more of the same turn to deliver.
pub fn a_pause_inside_received_holds_at_once<R: Rig>() {
    let config = Config {
        read_buffer: 100,
        ..Config::default()
    };
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.pause(conn);
        data.len()
    });
    let mut stage = Stage::<R>::with(&config, recorder);
    let (conn, mut peer) = stage.connect();
    let data = pattern(1000, 2);
    assert_eq!(stuff(&mut peer, &data), data.len());
    peer.finish();
    stage.until("received", |s| s.seen().count(Event::is_received) == 1);
    let mut rounds = 1;
    while stage.seen().count(Event::is_eof) == 0 {
        stage.idle();
        assert_eq!(
            stage.seen().count(Event::is_received),
            rounds,
            "delivered while paused"
        );
        rounds += 1;
        stage.driver.with(|_, net| net.resume(conn));
        stage.until("the next piece", |s| {
            s.seen().count(|e| e.is_received() || e.is_eof()) >= rounds
        });
    }
    assert!(stage.seen().bytes(conn) == data);
}

/// The peer's end and its reset wait for the end of the pause, and so does what came before them.
pub fn a_paused_connection_hears_of_no_end<R: Rig>() {
    for reset in [false, true] {
        let mut stage = Stage::<R>::new(Recorder::new());
        let (conn, mut peer) = stage.connect();
        stage.driver.with(|_, net| net.pause(conn));
        assert_eq!(stuff(&mut peer, b"words"), 5);
        if reset {
            peer.reset();
        } else {
            drop(peer);
        }
        stage.idle();
        assert_eq!(stage.of(conn).len(), 1, "{:?}", stage.of(conn));
        let turns = stage.stats().turns;
        stage
            .driver
            .turn(Some(Duration::from_millis(50)))
            .expect("a turn");
        assert!(
            stage.stats().turns - turns <= 2 && stage.driver.next_deadline().is_none(),
            "the loop spins"
        );
        stage.driver.with(|_, net| net.resume(conn));
        let reason = stage.closing(conn).name();
        assert_eq!(
            reason,
            if reset && R::FAMILY == Family::Tcp {
                "reset"
            } else {
                "flushed"
            }
        );
        assert_eq!(stage.seen().bytes(conn), b"words");
    }
}

/// A write that fails while paused is told when the pause ends, after what the peer had sent.
pub fn a_write_error_waits_for_the_end_of_the_pause<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.pause(conn));
    assert_eq!(stuff(&mut peer, b"words"), 5);
    match R::FAMILY {
        Family::Tcp => peer.reset(),
        Family::Unix => drop(peer),
    }
    let by = stage.rig.now() + LIMIT;
    while stage.send(conn, b"x").is_ok() {
        assert!(stage.rig.now() < by, "writing goes on");
        stage.idle();
    }
    stage.idle();
    assert_eq!(stage.of(conn).len(), 1, "{:?}", stage.of(conn));
    stage.driver.with(|_, net| net.resume(conn));
    assert_eq!(stage.closing(conn).name(), "reset");
    assert_eq!(stage.seen().bytes(conn), b"words");
}

/// `deadline` and `drained` are not the peer's doing, and run; what is sent leaves.
pub fn deadline_and_drained_run_while_paused<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new().on_deadline(|_, _| ()));
    let (conn, mut peer) = stage.connect();
    let data = pattern(16 << 20, 3);
    stage.driver.with(|_, net| {
        net.pause(conn);
        assert!(net.send(conn, &data).expect("open").is_high());
        net.set_deadline(conn, Some(net.now() + Duration::from_millis(10)));
    });
    stage.until("the deadline", |s| s.of(conn).contains(&Event::Deadline));
    assert!(stage.read(&mut peer, data.len()) == data);
    stage.until("drained", |s| s.of(conn).contains(&Event::Drained));
    assert_eq!(stage.of(conn).len(), 3);
}

/// What is parked while paused never counts against the bound on unread bytes.
pub fn parked_bytes_are_no_offence<R: Rig>() {
    let limits = Limits {
        unread: 1000,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.pause(conn));
    let data = pattern(100_000, 4);
    assert_eq!(stuff(&mut peer, &data), data.len());
    stage.idle();
    stage.driver.with(|_, net| net.resume(conn));
    stage.until("everything", |s| s.seen().bytes(conn).len() == data.len());
    assert!(stage.seen().bytes(conn) == data);
    assert_eq!(stage.seen().count(Event::is_closed), 0);
}

/// `resume` offers unread bytes again, also without a pause, and without sleeping or more from the peer.
pub fn resume_offers_unread_bytes_without_sleeping<R: Rig>() {
    let mut first = true;
    let recorder = Recorder::new().on_received(move |_, _, data| {
        let hold = std::mem::take(&mut first);
        if hold { 2 } else { data.len() }
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"abcdef"), 6);
    stage.until("received", |s| s.seen().bytes(conn) == b"ab");
    stage.idle();
    assert_eq!(
        stage.seen().count(Event::is_received),
        1,
        "not offered again by itself"
    );
    assert!(stage.driver.next_deadline().is_none(), "and nothing is due");
    stage.driver.with(|_, net| net.resume(conn));
    assert!(stage.driver.next_deadline().is_some(), "now something is");
    let from = stage.rig.now();
    stage.driver.turn(Some(LIMIT)).expect("a turn");
    assert!(stage.rig.now() - from < LIMIT, "it slept");
    assert_eq!(stage.seen().bytes(conn), b"abcdef");
}

/// A `resume` inside `received` that leaves something counts: what is left is offered again, without more from the peer.
pub fn a_resume_inside_received_offers_the_rest_again<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, _| {
        net.resume(conn);
        1
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"abc"), 3);
    stage.until("all of it, byte by byte", |s| s.seen().bytes(conn) == b"abc");
    assert_eq!(stage.seen().count(Event::is_received), 3);
}
