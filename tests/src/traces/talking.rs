//! Scenarios about bytes and half-closes.

use super::play::Play;
use super::trace::Trace;
use crate::recorder::Recorder;
use crate::rig::Rig;
use crate::stage::pattern;
use sockman::{Bytes, Disconnect, SockMan};

/// Words of several sizes, and a clean end.
pub fn an_echo<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::echo());
    let (_, mut peer) = play.connect();
    for data in [&b"one"[..], b"two words", &pattern(100_000, 1)] {
        play.says(&mut peer, data);
        play.hears(&mut peer, data.len());
    }
    play.finishes(&mut peer);
    play.comes("closed: flushed");
    play.hears_the_end(&mut peer);
    play.end();
}

/// Three peers, one after the other, and each once more.
pub fn an_echo_for_three<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::echo());
    let mut peers = [play.connect().1, play.connect().1, play.connect().1];
    for word in [b"one", b"two"] {
        for peer in &mut peers {
            play.says(peer, word);
            play.hears(peer, word.len());
        }
    }
    let [first, second, third] = peers;
    play.leaves(second);
    play.comes("closed: flushed");
    // Takes the place of the second.
    let (_, mut fourth) = play.connect();
    play.says(&mut fourth, b"four");
    play.hears(&mut fourth, 4);
    for peer in [first, third, fourth] {
        play.leaves(peer);
        play.comes("closed: flushed");
    }
    play.end();
}

/// A peer speaks and half-closes at once, waits for its answer, which comes later, and closes.
pub fn a_peer_half_closes_and_waits<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new().on_eof(|_, _| ()));
    let (conn, mut peer) = play.connect();
    play.says(&mut peer, b"request");
    crate::rig::Peer::finish(&mut peer);
    play.comes("eof");
    play.act("we answer", |net| net.send(conn, b"answer").expect("open"));
    play.hears(&mut peer, 6);
    play.act("and once more", |net| {
        net.send_bytes(conn, Bytes::from(pattern(100_000, 2)))
            .expect("open")
    });
    play.hears(&mut peer, 100_000);
    play.act("we finish", |net| net.finish(conn));
    play.hears_the_end(&mut peer);
    play.act("we disconnect", |net| net.disconnect(conn, Disconnect::flush()));
    play.comes("closed: flushed");
    play.end();
}

/// We half-close; the peer reads to the end, goes on, and closes.
pub fn we_half_close_and_listen<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    play.act("we send and finish", |net| {
        net.send(conn, b"all there is").expect("open");
        net.finish(conn);
        assert!(net.send(conn, b"more").is_err());
    });
    play.hears_the_end(&mut peer);
    play.says(&mut peer, b"I go on");
    play.consumes(conn, 7);
    play.says(&mut peer, b" and on");
    play.consumes(conn, 14);
    play.leaves(peer);
    play.comes("closed: flushed");
    play.end();
}

/// Words and the end in one go, long and short.
pub fn words_and_the_end_together<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    for size in [1, 1000, 65_536, 150_000] {
        let (_, mut peer) = play.connect();
        play.says(&mut peer, &pattern(size, 3));
        drop(peer);
        play.comes("closed: flushed");
    }
    play.end();
}

/// What one callback sends in pieces, copied and shared, large and small, and its disconnecting.
pub fn a_callback_sends_and_disconnects<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.send(conn, data).expect("open");
        net.send_bytes(conn, Bytes::from(pattern(50_000, 4)))
            .expect("open");
        net.send(conn, b"the last").expect("open");
        net.disconnect(conn, Disconnect::flush());
        assert!(net.send(conn, b"too late").is_err());
        data.len()
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (_, mut peer) = play.connect();
    play.says(&mut peer, b"go");
    play.hears_the_end(&mut peer);
    play.says(&mut peer, b"nobody hears this");
    play.leaves(peer);
    play.comes("closed: flushed");
    play.end();
}
