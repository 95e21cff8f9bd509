//! Scenarios about pauses, unread bytes and send queues.

use super::play::Play;
use super::trace::Trace;
use crate::recorder::Recorder;
use crate::rig::{Peer, Rig};
use crate::stage::pattern;
use sockman::{Config, Disconnect, Limits, SockMan};
use std::time::Duration;

/// Data, more data, the end and a deadline come while paused; all but the deadline wait.
pub fn a_pause_with_data_and_the_end_waiting<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new().on_deadline(|_, _| ()));
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"before");
    play.consumes(conn, 6);
    play.act("we pause", |net| net.pause(conn));
    play.says(&mut peer, b"during");
    play.says(&mut peer, b" and still");
    play.act("we set a deadline", |net| {
        net.set_deadline(conn, Some(net.now() + Duration::from_millis(5)));
    });
    play.comes("deadline");
    play.finishes(&mut peer);
    play.act("we send", |net| net.send(conn, b"ours leaves").expect("open"));
    play.hears(&mut peer, 11);
    play.act("we resume", |net| net.resume(conn));
    play.comes("closed: flushed");
    play.end();
}

/// A handler that pauses after each piece, resumed for each.
pub fn a_handler_pauses_after_each_piece<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.pause(conn);
        data.len()
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"1");
    play.consumes(conn, 1);
    for count in 2..5 {
        play.says(&mut peer, count.to_string().as_bytes());
        play.act("we resume", |net| net.resume(conn));
        play.consumes(conn, count);
    }
    play.leaves(peer);
    play.act("we resume", |net| net.resume(conn));
    play.comes("closed: flushed");
    play.end();
}

/// A reset, with words before it, comes while paused.
pub fn a_reset_while_paused<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    play.act("we pause", |net| net.pause(conn));
    play.says(&mut peer, b"words");
    play.resets(peer);
    play.act("we resume", |net| net.resume(conn));
    play.stage.closing(conn);
    play.end();
}

/// Disconnecting in the middle of a pause, in each way.
pub fn disconnected_while_paused<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    for how in [Disconnect::flush(), Disconnect::Now, Disconnect::Reset] {
        let (conn, mut peer) = play.connect();
        play.act("we pause", |net| net.pause(conn));
        play.says(&mut peer, b"nobody will hear this");
        play.act(&format!("we send and disconnect, {how:?}"), |net| {
            net.send(conn, b"bye").expect("open");
            net.disconnect(conn, how);
        });
        if how == Disconnect::flush() {
            play.hears_the_end(&mut peer);
        }
        play.leaves(peer);
        play.stage.closing(conn);
    }
    play.end();
}

/// Whole lines are consumed; the rest comes back in front of the next, at `resume`, and for the last time at the end.
pub fn unread_bytes_come_back<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_received(|_, _, data| {
        data.iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1)
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (conn, mut peer) = play.connect();
    for piece in [&b"on"[..], b"e", b"\ntw", b"o\nthree\nf"] {
        play.says(&mut peer, piece);
        play.comes("received");
    }
    play.act("we resume", |net| net.resume(conn));
    play.comes("received");
    play.finishes(&mut peer);
    play.comes("closed: flushed");
    play.end();
}

/// `want` holds back, once; then gives way to the end.
pub fn wanting_more<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    play.act("we want 5", |net| net.want(conn, 5).expect("within the bound"));
    play.says(&mut peer, b"123");
    play.says(&mut peer, b"456");
    play.consumes(conn, 6);
    play.says(&mut peer, b"7");
    play.consumes(conn, 7);
    play.act("we want 100", |net| {
        net.want(conn, 100).expect("within the bound");
    });
    play.says(&mut peer, b"short");
    play.act("we resume", |net| net.resume(conn));
    play.finishes(&mut peer);
    play.comes("closed: flushed");
    play.end();
}

/// A handler that takes a byte at a time and asks for the rest with `resume`.
pub fn byte_by_byte<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_received(|net, conn, _| {
        net.resume(conn);
        1
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"abcdef");
    play.consumes(conn, 6);
    play.says(&mut peer, b"gh");
    peer.finish();
    play.comes("closed: flushed");
    play.end();
}

/// Above the high-water mark twice, read down in between: `drained` once for each.
pub fn drained_after_high<R: Rig>(trace: &Trace) {
    let data = pattern(12 << 20, 5);
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    for _ in 0..2 {
        play.act("we send much", |net| {
            assert!(net.send(conn, &data).expect("open").is_high());
        });
        play.act("and a little more", |net| {
            assert!(net.send(conn, b"x").expect("open").is_high());
        });
        play.hears(&mut peer, data.len() + 1);
    }
    play.leaves(peer);
    play.comes("closed: flushed");
    play.end();
}

/// A peer that sends more than may be unread, and one that takes less than may be queued.
pub fn limits_are_exceeded<R: Rig>(trace: &Trace) {
    let limits = Limits {
        unread: 1000,
        high: 100_000,
        low: 50_000,
        queued: 200_000,
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let mut play = Play::<R>::with(trace, &config, Recorder::new().on_received(|_, _, _| 0));
    let (_, mut peer) = play.connect();
    play.says(&mut peer, &[7; 999]);
    play.comes("received");
    play.says(&mut peer, b"one too many");
    play.comes("closed: unread_limit");
    let (conn, _peer) = play.connect();
    play.act("we send more than may wait", |net| {
        assert!(net.send(conn, &vec![0; 30 << 20]).is_err());
    });
    play.comes("closed: send_limit");
    play.end();
}
