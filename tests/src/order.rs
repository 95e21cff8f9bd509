//! Contract 1: for each connection `open`, then any of the others, then `closed`, once, and nothing after it.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{LIMIT, Stage};
use sockman::{Bytes, Config, Disconnect, OriginKind, SockMan};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// The plain life of a connection, callback by callback.
pub fn a_life_is_open_received_eof_closed<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.write_all(&mut peer, b"hello");
    stage.until("received", |s| s.seen().bytes(conn) == b"hello");
    drop(peer);
    stage.closing(conn);
    stage.idle();
    let open = Event::Open {
        key: 0,
        how: OriginKind::Accepted(stage.listener),
    };
    let expected = [open, Event::Received(5), Event::Eof(0), Event::Closed("flushed")];
    assert_eq!(stage.of(conn), expected);
    assert_eq!(stage.seen().log.len(), 4, "nothing else happened");
    assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
    assert!(stage.driver.session(conn).is_none());
}

/// After `disconnect` only `closed` follows, whatever else is due: bytes, posts, a deadline, `drained`.
pub fn only_closed_follows_disconnect<R: Rig>() {
    let config = Config {
        read_buffer: 16,
        ..Config::default()
    };
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.post(conn, Bytes::from_static(b"posted before"));
        net.set_deadline(conn, Some(net.now()));
        net.disconnect(conn, Disconnect::flush());
        net.post(conn, Bytes::from_static(b"posted after"));
        assert!(!net.is_open(conn));
        data.len()
    });
    let mut stage = Stage::<R>::with(&config, recorder);
    let (conn, mut peer) = stage.connect();
    stage.write_all(&mut peer, &[7; 1000]);
    stage.until("received", |s| !s.seen().bytes(conn).is_empty());
    stage.write_all(&mut peer, &[8; 1000]);
    stage.idle();
    assert_eq!(stage.seen().count(Event::is_received), 1, "{:?}", stage.of(conn));
    let (heard, _) = stage.read_end(&mut peer);
    assert!(!heard.ends_with(b"posted after"));
    drop(peer);
    stage.closing(conn);
    let events = stage.of(conn);
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(events[2], Event::Closed("flushed"));
}

/// A handler may end its connection inside `received`, with more bytes waiting behind.
pub fn a_handler_may_disconnect_itself_inside_received<R: Rig>() {
    for how in [Disconnect::Now, Disconnect::Reset, Disconnect::flush()] {
        let config = Config {
            read_buffer: 8,
            ..Config::default()
        };
        let mut stage = Stage::<R>::with(
            &config,
            Recorder::new().on_received(move |net, conn, _| {
                net.disconnect(conn, how);
                0
            }),
        );
        let (conn, mut peer) = stage.connect();
        stage.write_all(&mut peer, &[1; 100]);
        stage.until("received", |s| s.seen().count(Event::is_received) == 1);
        peer.finish();
        drop(peer);
        stage.closing(conn);
        stage.idle();
        assert_eq!(stage.seen().count(Event::is_received), 1);
        assert_eq!(stage.seen().count(Event::is_eof), 0);
    }
}

/// A handler may end its connection inside `open`; having taken it, it is told `closed`.
pub fn a_handler_may_disconnect_itself_inside_open<R: Rig>() {
    for how in [Disconnect::Now, Disconnect::Reset, Disconnect::flush()] {
        let recorder = Recorder::new().on_open(move |net, conn, _| {
            let _ = net.send(conn, b"bye");
            net.disconnect(conn, how);
            true
        });
        let mut stage = Stage::<R>::new(recorder);
        let (conn, mut peer) = stage.connect();
        // May fail, for the connection may be gone already.
        let _ = peer.write(b"never delivered");
        let (heard, end) = stage.read_end(&mut peer);
        if how == Disconnect::flush() {
            assert_eq!((&heard[..], end.is_ok()), (&b"bye"[..], true));
        }
        drop(peer);
        stage.closing(conn);
        assert_eq!(stage.of(conn).len(), 2, "{:?}", stage.of(conn));
    }
}

/// A refused connection is closed without `closed`, after what `open` sent was tried.
pub fn a_connection_refused_in_open_is_closed_silently<R: Rig>() {
    let recorder = Recorder::new().on_open(|net, conn, _| {
        let _ = net.send(conn, b"full");
        false
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    let (heard, end) = stage.read_end(&mut peer);
    assert_eq!((&heard[..], end.is_ok()), (&b"full"[..], true));
    drop(peer);
    stage.idle();
    assert_eq!(stage.of(conn).len(), 1, "{:?}", stage.of(conn));
    assert!(stage.driver.session(conn).is_none());
    assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
    assert_eq!(stage.stats().refusals, 1);
}

/// `closed` comes after the callback that caused it has returned, also for another connection.
pub fn closings_are_reported_after_the_callback<R: Rig>() {
    let inside = Rc::new(Cell::new(false));
    let (flag, seen) = (inside.clone(), inside);
    let recorder = Recorder::new()
        .on_received(move |net, conn, data| {
            flag.set(true);
            net.disconnect(conn, Disconnect::Now);
            net.shut_down(Duration::ZERO);
            flag.set(false);
            data.len()
        })
        .on_closed(move |_, _| assert!(!seen.get(), "re-entered"));
    let mut stage = Stage::<R>::new(recorder);
    let (one, mut peer) = stage.connect();
    let (two, _other) = stage.connect();
    stage.write_all(&mut peer, b"x");
    stage.closing(one);
    stage.closing(two);
}

/// A turn that had something to deliver does not then sleep: whoever waits for it by taking turns gets on.
pub fn a_turn_that_delivered_does_not_sleep<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, _peer) = stage.connect();
    let (other, _other) = stage.connect();
    stage.idle();
    for act in 0..4 {
        match act {
            0 => stage
                .driver
                .with(|_, net| net.post(conn, Bytes::from_static(b"x"))),
            1 => stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now)),
            2 => stage
                .driver
                .remote()
                .disconnect(other, Disconnect::Now)
                .expect("the loop is there"),
            _ => stage.driver.remote().wake(),
        }
        let before = stage.seen().log.len();
        let from = stage.rig.now();
        while stage.seen().log.len() == before {
            stage.driver.turn(Some(LIMIT)).expect("a turn");
        }
        assert!(stage.rig.now() - from < LIMIT, "it slept after act {act}");
    }
}
