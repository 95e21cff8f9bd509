//! Scenarios about dials.

use super::play::Play;
use super::trace::Trace;
use crate::recorder::Recorder;
use crate::rig::{Host, Rig};
use sockman::{DialOptions, Disconnect, SockMan};
use std::time::Duration;

/// Nobody listens, and there is no way; then once more from where that is learnt.
pub fn refused_and_unreachable<R: Rig>(trace: &Trace) {
    let to = std::rc::Rc::new(std::cell::RefCell::new(None));
    let again = to.clone();
    let recorder = Recorder::new().on_dial_failed(move |net, key| {
        if key == 1 {
            let to = again.borrow().clone().expect("just dialled");
            net.dial(&to, &DialOptions::key(2))
                .expect("the options are right");
        }
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (nowhere, unreachable) = (play.stage.rig.nowhere(), play.stage.rig.unreachable());
    *to.borrow_mut() = Some(nowhere.clone());
    for (key, to, what) in [(1, nowhere, "nowhere"), (3, unreachable, "where no way leads")] {
        play.act(&format!("we dial {what}"), |net| {
            net.dial(&to, &DialOptions::key(key))
                .expect("the options are right");
        });
        play.step("and wait");
    }
    play.end();
}

/// We dial, speak first, are answered, and each side ends one connection.
pub fn a_dial_and_a_talk<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_open(|net, conn, _| {
        net.send(conn, b"hello").expect("open");
        true
    });
    let mut play = Play::<R>::new(trace, recorder);
    let mut host = play.stage.rig.host();
    for key in [7, 8] {
        let conn = play.act("we dial", |net| {
            net.dial(&host.at(), &DialOptions::key(key))
                .expect("the options are right")
        });
        play.comes(&format!("open: dialed, key {key}"));
        let mut peer = None;
        play.stage.until("accepted", |_| {
            peer = host.accept();
            peer.is_some()
        });
        let mut peer = peer.expect("just accepted");
        play.hears(&mut peer, 5);
        play.says(&mut peer, b"how do you do");
        play.consumes(conn, 13);
        if key == 7 {
            play.leaves(peer);
            play.comes("closed: flushed");
        } else {
            play.act("we disconnect", |net| net.disconnect(conn, Disconnect::flush()));
            play.hears_the_end(&mut peer);
            play.leaves(peer);
        }
    }
    play.end();
}

/// To a host that does not answer: out of time, and taken back in each way; and at once, to one that does.
pub fn unanswered_and_cancelled<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let deaf = play.stage.rig.deaf_host();
    play.act("we dial a deaf host", |net| {
        let how = DialOptions {
            timeout: Duration::from_millis(100),
            ..DialOptions::key(1)
        };
        net.dial(&deaf.at(), &how).expect("the options are right");
    });
    play.comes("dial_failed: timed_out, key 1");
    for (key, how) in [
        (2, Disconnect::Now),
        (3, Disconnect::Reset),
        (4, Disconnect::flush()),
    ] {
        let conn = play.act("we dial a deaf host", |net| {
            net.dial(&deaf.at(), &DialOptions::key(key))
                .expect("the options are right")
        });
        play.act("and take it back", |net| net.disconnect(conn, how));
        play.comes(&format!("dial_failed: cancelled, key {key}"));
    }
    let host = play.stage.rig.host();
    play.act("we dial and take it back", |net| {
        let conn = net
            .dial(&host.at(), &DialOptions::key(5))
            .expect("the options are right");
        net.disconnect(conn, Disconnect::Now);
    });
    play.comes("dial_failed: cancelled, key 5");
    play.end();
}

/// A host with a full backlog, until it accepts.
pub fn a_full_backlog<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let mut host = play.stage.rig.deaf_host();
    let conn = play.act("we dial", |net| {
        net.dial(&host.at(), &DialOptions::key(1))
            .expect("the options are right")
    });
    play.step("the host accepts");
    let mut accepted = Vec::new();
    play.stage.until("open", |stage| {
        accepted.extend(host.accept());
        stage.seen().opened() == [conn]
    });
    play.act("we disconnect", |net| net.disconnect(conn, Disconnect::Now));
    play.comes("closed: disconnected");
    play.end();
}
