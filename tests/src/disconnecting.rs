//! Contract 6: `Flush` delivers what was queued and then closes, within its limit; `Reset` resets; reasons are told apart.

use crate::recorder::{Event, Recorder};
use crate::rig::{Family, Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff, take};
use sockman::{Closed, Config, Conn, Disconnect, Limits, SockMan};
use std::io::ErrorKind;
use std::time::Duration;

/// More than the kernel takes at once is delivered to a slow reader, to the last byte, and the end is a clean one.
pub fn flush_delivers_everything_queued<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(12 << 20, 1);
    stage.driver.with(|_, net| {
        net.send(conn, &data).expect("open");
        net.disconnect(conn, Disconnect::Flush { within: LIMIT });
    });
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard == data && end.is_ok(), "{} bytes, {end:?}", heard.len());
    drop(peer);
    assert!(matches!(stage.closing(conn), Closed::Flushed));
}

/// Also when the peer has sent input that we never read: closing on it would send RST and destroy the response.
pub fn flush_survives_unread_input<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.pause(conn));
    stuff(&mut peer, &vec![9; 100_000]);
    stage.idle();
    let data = pattern(300_000, 2);
    stage.driver.with(|_, net| {
        net.send(conn, &data).expect("open");
        net.disconnect(conn, Disconnect::Flush { within: LIMIT });
    });
    // The peer begins to read only when the loop has done all it can, and goes on writing.
    stage.idle();
    stuff(&mut peer, &[9; 1000]);
    stage.idle();
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard == data && end.is_ok(), "{} bytes, {end:?}", heard.len());
    drop(peer);
    assert!(matches!(stage.closing(conn), Closed::Flushed));
    assert!(
        stage.seen().bytes(conn).is_empty(),
        "disconnected, it hears nothing"
    );
}

/// A peer that never reads does not hold the connection beyond the limit, and the reason tells how much was not sent.
pub fn flush_gives_up_at_its_limit<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let (from, queued) = stage.driver.with(|_, net| {
        net.send(conn, &pattern(20 << 20, 3)).expect("open");
        let within = Duration::from_millis(200);
        net.disconnect(conn, Disconnect::Flush { within });
        (net.now(), net.info(conn).map_or(0, |info| info.queued))
    });
    assert!(queued > 0, "the kernel does not take everything");
    let Closed::FlushTimeout { unsent } = *stage.closing(conn) else {
        panic!("{:?}", stage.of(conn));
    };
    assert!((1..=20 << 20).contains(&unsent), "{unsent}");
    let took = stage.driver.with(|_, net| net.now()) - from;
    assert!(
        took >= Duration::from_millis(200),
        "gave up early, after {took:?}"
    );
    // The peer sees that something is missing. (Unix sockets know no reset.)
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard.len() < 20 << 20);
    assert_eq!(end.is_err(), R::FAMILY == Family::Tcp, "{end:?}");
}

/// A peer that has read everything but never closes does not hold the connection either: all was sent.
pub fn a_peer_that_never_closes_does_not_hold_a_flush<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| {
        net.send(conn, b"bye").expect("open");
        let within = Duration::from_millis(100);
        net.disconnect(conn, Disconnect::Flush { within });
    });
    let (heard, end) = stage.read_end(&mut peer);
    assert_eq!((&heard[..], end.is_ok()), (&b"bye"[..], true));
    assert!(matches!(stage.closing(conn), Closed::Flushed));
}

/// A second disconnect may cut a flush short.
pub fn now_cuts_a_flush_short<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, _peer) = stage.connect();
    stage.driver.with(|_, net| {
        net.send(conn, &pattern(20 << 20, 4)).expect("open");
        net.disconnect(conn, Disconnect::Flush { within: LIMIT });
    });
    stage.idle();
    assert_eq!(stage.of(conn).len(), 1, "still flushing");
    stage.driver.with(|_, net| {
        net.disconnect(conn, Disconnect::Flush { within: LIMIT });
        net.disconnect(conn, Disconnect::Now);
    });
    assert!(matches!(stage.closing(conn), Closed::Disconnected));
}

/// `Now` closes in the turn it is called in, with whatever was queued.
pub fn now_closes_at_once<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now));
    stage.poll();
    assert_eq!(stage.of(conn).last(), Some(&Event::Closed("disconnected")));
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard.is_empty() && end.is_ok(), "{end:?}");
}

/// `Reset` discards what is queued, and the peer is told by RST. On Unix sockets it is as `Now`.
pub fn reset_sends_rst<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage
        .driver
        .with(|_, net| net.disconnect(conn, Disconnect::Reset));
    assert!(matches!(stage.closing(conn), Closed::Disconnected));
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard.is_empty());
    match R::FAMILY {
        Family::Tcp => assert!(end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)),
        Family::Unix => assert!(end.is_ok()),
    }
}

/// Each way to end has its own reason, told to the handler and counted.
pub fn reasons_are_told_apart<R: Rig>() {
    let limits = Limits {
        unread: 1000,
        high: 1000,
        low: 1000,
        queued: 30 << 20,
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new().on_received(|_, _, _| 0));
    let mut kinds = [0; Closed::KINDS];
    let mut note = |stage: &mut Stage<R>, conn: Conn, name: &str| {
        assert_eq!(stage.closing(conn).name(), name);
        kinds[stage.closing(conn).kind()] += 1;
        let counted = stage.stats().closes;
        assert_eq!(counted, kinds, "after {name}");
    };

    let (conn, _peer) = stage.connect();
    stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now));
    note(&mut stage, conn, "disconnected");

    let (conn, peer) = stage.connect();
    drop(peer);
    note(&mut stage, conn, "flushed");

    let (conn, _peer) = stage.connect();
    stage.driver.with(|_, net| {
        net.send(conn, &vec![0; 20 << 20]).expect("open");
        let within = Duration::from_millis(10);
        net.disconnect(conn, Disconnect::Flush { within });
    });
    note(&mut stage, conn, "flush_timeout");

    if R::FAMILY == Family::Tcp {
        let (conn, peer) = stage.connect();
        peer.reset();
        note(&mut stage, conn, "reset");
    }

    let (conn, mut peer) = stage.connect();
    stuff(&mut peer, &[0; 2000]);
    note(&mut stage, conn, "unread_limit");

    let (conn, _peer) = stage.connect();
    assert!(stage.send(conn, &vec![0; 60 << 20]).is_err());
    note(&mut stage, conn, "send_limit");

    let (conn, _peer) = stage.connect();
    stage.driver.with(|_, net| net.shut_down(Duration::ZERO));
    note(&mut stage, conn, "stopped");
}

/// What was sent before `Now` in the same callback may be lost, but never comes in part out of order.
pub fn what_now_lets_through_is_a_prefix<R: Rig>() {
    let data = pattern(8 << 20, 5);
    let sent = data.clone();
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        let _ = net.send(conn, &sent);
        net.disconnect(conn, Disconnect::Now);
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    stuff(&mut peer, b"x");
    stage.closing(conn);
    let mut heard = Vec::new();
    let mut over = false;
    stage.until("the end", |_| {
        over |= take(&mut peer, &mut heard, usize::MAX).unwrap_or(true);
        over
    });
    assert!(data.starts_with(&heard));
}

/// A peer that goes away in the middle of a flush ends it, with the kernel's error as the reason.
pub fn a_flush_ends_when_its_peer_goes<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, peer) = stage.connect();
    let within = 100 * LIMIT;
    stage.driver.with(|_, net| {
        net.send(conn, &pattern(20 << 20, 6)).expect("open");
        net.disconnect(conn, Disconnect::Flush { within });
    });
    stage.idle();
    assert_eq!(stage.of(conn).len(), 1, "still flushing");
    peer.reset();
    assert!(matches!(stage.closing(conn), Closed::Reset(_)));
}
