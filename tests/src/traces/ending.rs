//! Scenarios about how connections end.

use super::play::Play;
use super::trace::Trace;
use crate::recorder::Recorder;
use crate::rig::{Family, Peer, Rig};
use crate::stage::{LIMIT, pattern};
use sockman::{Conn, Disconnect, SockMan};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The peer resets: silent, after words, and after we have half-closed.
pub fn reset_by_the_peer<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, peer) = play.connect();
    play.resets(peer);
    play.stage.closing(conn);
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"words");
    peer.reset();
    play.stage.closing(conn);
    let (conn, mut peer) = play.connect();
    play.act("we finish", |net| net.finish(conn));
    play.hears_the_end(&mut peer);
    play.resets(peer);
    play.stage.closing(conn);
    play.end();
}

/// Each way to disconnect, with and without something queued, and what the peer hears of it.
pub fn disconnected_in_each_way<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    for how in [Disconnect::flush(), Disconnect::Now, Disconnect::Reset] {
        for words in [&b""[..], b"last words"] {
            let (conn, mut peer) = play.connect();
            // What `Now` and `Reset` destroy of what was just sent is the kernel's to say: it has left before.
            play.act("we send", |net| {
                if !words.is_empty() {
                    net.send(conn, words).expect("open");
                }
            });
            play.hears(&mut peer, words.len());
            play.act(&format!("we disconnect, {how:?}"), |net| {
                net.disconnect(conn, how);
                net.disconnect(conn, Disconnect::flush());
            });
            play.hears_the_end(&mut peer);
            play.leaves(peer);
            play.stage.closing(conn);
        }
    }
    play.end();
}

/// More than the kernel takes: read to the end, cut short, out of time, and deserted.
pub fn flushing_much<R: Rig>(trace: &Trace) {
    let data = pattern(12 << 20, 6);
    let mut play = Play::<R>::new(trace, Recorder::new());
    let begin = |play: &mut Play<R>, within| {
        let (conn, peer) = play.connect();
        play.act("we send much and flush", |net| {
            net.send(conn, &data).expect("open");
            net.disconnect(conn, Disconnect::Flush { within });
        });
        (conn, peer)
    };
    let (_, mut peer) = begin(&mut play, LIMIT);
    play.hears_the_end(&mut peer);
    play.leaves(peer);
    play.comes("closed: flushed");
    let (conn, peer) = begin(&mut play, LIMIT);
    play.act("we cut it short", |net| net.disconnect(conn, Disconnect::Now));
    play.comes("closed: disconnected");
    drop(peer);
    let (_, peer) = begin(&mut play, Duration::from_millis(100));
    play.comes("closed: flush_timeout");
    drop(peer);
    let (_, peer) = begin(&mut play, LIMIT);
    play.resets(peer);
    play.comes("closed: reset");
    play.end();
}

/// All was sent, but the peer never closes: the limit ends the wait.
pub fn flushed_to_a_peer_that_stays<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    play.act("we send and flush", |net| {
        net.send(conn, b"bye").expect("open");
        let within = Duration::from_millis(100);
        net.disconnect(conn, Disconnect::Flush { within });
    });
    play.comes("closed: flushed");
    play.hears_the_end(&mut peer);
    play.end();
}

/// We write to a peer that is gone: writing stops, and what it had sent is read to the end.
pub fn a_write_error<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new().on_eof(|_, _| ()));
    let (conn, mut peer) = play.connect();
    play.act("we pause", |net| net.pause(conn));
    play.says(&mut peer, b"words");
    match R::FAMILY {
        Family::Tcp => peer.reset(),
        Family::Unix => drop(peer),
    }
    send_until_gone(&mut play, conn);
    play.act("we resume", |net| net.resume(conn));
    play.comes("closed: reset");
    play.end();
}

/// The same after the peer's end was told: there is nothing left to be read, so the end of the pause tells it.
pub fn a_write_error_after_the_end<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new().on_eof(|_, _| ()));
    for paused in [false, true] {
        let (conn, peer) = play.connect();
        play.leaves(peer);
        play.comes("eof");
        if paused {
            play.act("we pause", |net| net.pause(conn));
        }
        send_until_gone(&mut play, conn);
        if paused {
            play.act("we resume", |net| net.resume(conn));
        }
        play.comes("closed: reset");
    }
    play.end();
}

/// The peer finishes, and later resets; whether that or our next send tells is not said (libuv does not watch a stream that
/// has ended), so these are one step.
pub fn a_reset_after_the_end<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new().on_eof(|_, _| ()));
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"request");
    play.finishes(&mut peer);
    play.comes("eof");
    play.resets(peer);
    play.stage.until("gone", |stage| stage.send(conn, b"x").is_err());
    play.comes("closed: reset");
    play.end();
}

fn send_until_gone<R: Rig>(play: &mut Play<R>, conn: Conn) {
    play.step("we send until we may not");
    play.stage.until("gone", |stage| stage.send(conn, b"x").is_err());
}

/// `open` refuses, after having sent something, or not.
pub fn refused_in_open<R: Rig>(trace: &Trace) {
    let mut count = 0;
    let recorder = Recorder::new().on_open(move |net, conn, _| {
        count += 1;
        if count % 2 == 0 {
            net.send(conn, b"go away").expect("open");
        }
        count > 2
    });
    let mut play = Play::<R>::new(trace, recorder);
    for _ in 0..3 {
        let (_, mut peer) = play.connect();
        play.step("and looks");
        if play.stage.seen().opened().len() < 3 {
            play.hears_the_end(&mut peer);
        }
    }
    play.comes("closed: flushed");
    play.end();
}

/// Handlers that disconnect in each callback: only `closed` follows.
pub fn disconnecting_inside_callbacks<R: Rig>(trace: &Trace) {
    for how in [Disconnect::Now, Disconnect::flush()] {
        let recorder = Recorder::new()
            .on_open(move |net, conn, origin| {
                if origin.key == 1 {
                    net.disconnect(conn, how);
                }
                true
            })
            .on_received(move |net, conn, _| {
                net.disconnect(conn, how);
                1
            })
            .on_eof(move |net, conn| net.disconnect(conn, how))
            .on_deadline(move |net, conn| net.disconnect(conn, how));
        let mut play = Play::<R>::new(trace, recorder);
        let (_, mut peer) = play.connect();
        play.says(&mut peer, b"more than is read");
        peer.finish();
        play.step("read");
        drop(peer);
        let (_, peer) = play.connect();
        play.leaves(peer);
        let (conn, mut peer) = play.connect();
        play.act("a deadline", |net| net.set_deadline(conn, Some(net.now())));
        play.hears_the_end(&mut peer);
        play.leaves(peer);
        let at = play.stage.rig.address();
        let at = play.act("we listen with another key", |net| {
            let how = sockman::ListenOptions::key(1);
            let listener = net.listen(&at, &how).expect("free");
            net.local_addr(listener).expect("it listens")
        });
        play.step("a peer connects there");
        let mut peer = play.stage.rig.connect(&at);
        play.hears_the_end(&mut peer);
        play.leaves(peer);
        play.end();
    }
}

/// What handlers do in `closed`: send to another, disconnect a third.
pub fn closed_reaches_others<R: Rig>(trace: &Trace) {
    let all = Rc::new(RefCell::new(Vec::new()));
    let list = all.clone();
    let recorder = Recorder::new().on_closed(move |net, conn| {
        let list = list.borrow();
        let Some(place) = list.iter().position(|other| *other == conn) else {
            return;
        };
        if let Some(next) = list.get(place + 1) {
            let _ = net.send(*next, b"it is closed");
        }
        if let Some(next) = list.get(place + 2) {
            net.disconnect(*next, Disconnect::Now);
        }
    });
    let mut play = Play::<R>::new(trace, recorder);
    let mut peers: Vec<_> = (0..4)
        .map(|_| {
            let (conn, peer) = play.connect();
            all.borrow_mut().push(conn);
            peer
        })
        .collect();
    let first = peers.remove(0);
    play.leaves(first);
    play.comes("closed: disconnected");
    for mut peer in peers {
        play.step("the next peer looks");
        if let Ok(false) = crate::stage::take(&mut peer, &mut Vec::new(), usize::MAX) {
            play.leaves(peer);
        }
    }
    play.end();
}
