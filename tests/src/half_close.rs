//! Contract 4: `eof` comes once, and we may still send after it.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff};
use sockman::{Disconnect, Gone, SockMan};

/// One `eof`, however often the loop looks again.
pub fn eof_comes_once<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new().on_eof(|_, _| ()));
    let (conn, mut peer) = stage.connect();
    peer.finish();
    stage.until("eof", |s| s.seen().count(Event::is_eof) == 1);
    stage.idle();
    stage.driver.with(|_, net| {
        net.pause(conn);
        net.resume(conn);
    });
    stage.send(conn, b"still here").expect("we may still send");
    stage.idle();
    assert_eq!(stage.hear(&mut peer, 10), b"still here");
    drop(peer);
    stage.idle();
    assert_eq!(stage.seen().count(Event::is_eof), 1);
}

/// A client may send its request, half-close, and wait for the answer.
pub fn a_half_closed_client_gets_its_answer<R: Rig>() {
    let answer = pattern(500_000, 1);
    let sent = answer.clone();
    let recorder = Recorder::new().on_eof(move |net, conn| {
        net.send(conn, &sent).expect("we may still send");
        net.disconnect(conn, Disconnect::Flush { within: LIMIT });
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"request"), 7);
    peer.finish();
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard == answer && end.is_ok(), "{} bytes, {end:?}", heard.len());
    assert_eq!(stage.closing(conn).name(), "flushed");
    assert_eq!(stage.seen().bytes(conn), b"request");
}

/// The answer may come much later than `eof`, and the loop does not spin in between.
pub fn an_answer_may_come_long_after_eof<R: Rig>() {
    let recorder = Recorder::new().on_eof(|net, _| {
        net.set_timer(net.now() + std::time::Duration::from_millis(100), 1);
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    peer.finish();
    stage.until("eof", |s| s.seen().count(Event::is_eof) == 1);
    let before = stage.stats().turns;
    while stage.seen().count(|e| matches!(e, Event::Timer(_))) == 0 {
        stage.driver.turn(Some(LIMIT)).expect("a turn");
    }
    assert!(
        stage.stats().turns - before < 10,
        "a half-closed connection keeps the loop busy"
    );
    stage.send(conn, b"answer").expect("we may still send");
    assert_eq!(stage.hear(&mut peer, 6), b"answer");
}

/// Our half-close ends our stream, after what was queued; the peer's goes on.
pub fn finish_sends_what_is_queued_and_leaves_reading_open<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(8 << 20, 2);
    stage.driver.with(|_, net| {
        net.send(conn, &data).expect("open");
        net.finish(conn);
        assert_eq!(net.send(conn, b"more"), Err(Gone), "our side is finished");
    });
    let (heard, end) = stage.read_end(&mut peer);
    assert!(heard == data && end.is_ok(), "{} bytes, {end:?}", heard.len());
    stage.write_all(&mut peer, b"I go on");
    stage.until("received", |s| s.seen().bytes(conn) == b"I go on");
    assert_eq!(stage.seen().count(Event::is_closed), 0);
    peer.finish();
    assert_eq!(stage.closing(conn).name(), "flushed");
}
