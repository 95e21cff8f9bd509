//! Scenarios about what is more than one connection: posts, remotes, timers, listeners, stopping, two protocols, two loops.

use super::play::{Play, comes, settle};
use super::trace::{Trace, quoted};
use crate::recorder::Recorder;
use crate::rig::{Machine, Peer, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff, take};
use sockman::{AdoptOptions, Bytes, Config, Disconnect, Driver, ListenOptions, Mux, Side, SockMan};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What one hears is posted to all others, and one of them posts back.
pub fn posts_across_connections<R: Rig>(trace: &Trace) {
    let all = Rc::new(RefCell::new(Vec::new()));
    let (list, known) = (all.clone(), all.clone());
    let recorder = Recorder::new()
        .on_open(move |_, conn, _| {
            list.borrow_mut().push(conn);
            true
        })
        .on_received(move |net, conn, data| {
            for other in known.borrow().iter().filter(|other| **other != conn) {
                net.post(*other, Bytes::copy_from_slice(data));
                net.post(*other, Bytes::from_static(b"!"));
            }
            data.len()
        });
    let mut play = Play::<R>::new(trace, recorder);
    let mut peers: Vec<_> = (0..3).map(|_| play.connect().1).collect();
    for place in 0..3 {
        play.says(&mut peers[place], b"news");
        play.comes("posted");
        for (hearer, peer) in peers.iter_mut().enumerate() {
            if hearer != place {
                play.hears(peer, 5);
            }
        }
    }
    let dead = all.borrow()[0];
    play.act("we disconnect the first", |net| {
        net.disconnect(dead, Disconnect::Now);
        net.post(dead, Bytes::from_static(b"nobody"));
    });
    play.comes("closed: disconnected");
    play.says(&mut peers[1], b"more");
    play.comes("posted");
    play.hears(&mut peers[2], 5);
    play.end();
}

/// Posts, a pause and its end, wakes and a disconnect come from a remote.
pub fn commands_of_a_remote<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (conn, mut peer) = play.connect();
    let (other, _silent) = play.connect();
    let remote = play.stage.driver.remote();
    play.step("three posts");
    for (conn, word) in [(conn, "one "), (other, "other"), (conn, "two")] {
        remote.post(conn, word).expect("the loop is there");
    }
    play.comes("posted");
    play.hears(&mut peer, 7);
    play.step("a pause");
    remote.pause(conn).expect("the loop is there");
    play.says(&mut peer, b"held");
    play.step("its end");
    remote.resume(conn).expect("the loop is there");
    play.consumes(conn, 4);
    play.step("three wakes and a post");
    for _ in 0..3 {
        remote.wake();
    }
    remote.post(conn, "awake").expect("the loop is there");
    play.comes("posted");
    play.step("a post, a disconnect, and a post");
    remote.post(conn, "bye").expect("the loop is there");
    remote
        .disconnect(conn, Disconnect::flush())
        .expect("the loop is there");
    remote.post(conn, "never").expect("the loop is there");
    play.hears_the_end(&mut peer);
    play.leaves(peer);
    play.comes("closed: flushed");
    play.end();
}

/// Timers in the order of their times, one that sets the next, one that was taken back; deadlines moved.
pub fn timers_and_deadlines<R: Rig>(trace: &Trace) {
    let ms = Duration::from_millis;
    let recorder = Recorder::new().on_timer(move |net, key| {
        if key == 1 {
            net.set_timer(net.now() + ms(60), 4);
        }
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (conn, mut peer) = play.connect();
    play.act("we set timers", |net| {
        let now = net.now();
        net.set_timer(now + ms(30), 3);
        net.set_timer(now + ms(10), 1);
        let never = net.set_timer(now + ms(15), 5);
        net.set_timer(now + ms(20), 2);
        net.cancel(never);
    });
    play.comes("timer 4");
    play.act("a timer in the past", |net| {
        net.set_timer(net.now(), 6);
    });
    play.comes("timer 6");
    play.act("a deadline, moved twice", |net| {
        let now = net.now();
        net.set_deadline(conn, Some(now + LIMIT));
        net.set_deadline(conn, Some(now + ms(20)));
        net.set_deadline(conn, Some(now + ms(40)));
        net.set_timer(now + ms(30), 7);
    });
    play.comes("closed: disconnected");
    play.hears_the_end(&mut peer);
    let (conn, mut peer) = play.connect();
    play.act("a deadline, taken back", |net| {
        let now = net.now();
        net.set_deadline(conn, Some(now + ms(5)));
        net.set_deadline(conn, None);
        net.set_timer(now + ms(10), 8);
    });
    play.comes("timer 8");
    play.finishes(&mut peer);
    play.comes("closed: flushed");
    play.end();
}

/// A second listener with its own key, closed; its connection goes on, and the address is taken again.
pub fn listeners_come_and_go<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::echo());
    let at = play.stage.rig.address();
    let (listener, at) = play.act("we listen with key 5", |net| {
        let listener = net.listen(&at, &ListenOptions::key(5)).expect("free");
        (listener, net.local_addr(listener).expect("it listens"))
    });
    let (_, mut first) = play.connect();
    play.step("a peer connects there");
    let mut second = play.stage.rig.connect(&at);
    play.comes("open: accepted, key 5");
    play.act("we unlisten", |net| net.unlisten(listener));
    for peer in [&mut second, &mut first] {
        play.says(peer, b"still");
        play.hears(peer, 5);
    }
    play.act("we listen with key 6", |net| {
        net.listen(&at, &ListenOptions::key(6)).expect("free again");
    });
    play.step("a peer connects there");
    let third = play.stage.rig.connect(&at);
    play.comes("open: accepted, key 6");
    for peer in [third, first, second] {
        play.leaves(peer);
        play.comes("closed: flushed");
    }
    play.end();
}

/// Stopped with two connections that end by themselves, one after the other, and one dial on its way.
pub fn stopping_gracefully<R: Rig>(trace: &Trace) {
    let mut play = Play::<R>::new(trace, Recorder::new());
    let (_, mut first) = play.connect();
    let (conn, mut second) = play.connect();
    play.act("we send", |net| net.send(conn, b"some words").expect("open"));
    play.step("we stop");
    play.stage.driver.remote().stop(LIMIT).expect("the loop is there");
    play.comes(&format!("stopping within {LIMIT:?}"));
    play.hears_the_end(&mut second);
    play.hears_the_end(&mut first);
    play.leaves(second);
    play.comes("closed: flushed");
    play.leaves(first);
    play.stage.until("stopped", |stage| stage.driver.is_stopped());
    play.end();
}

/// Stopped by a handler that leaves its connection to the limit; then again, at once.
pub fn stopping_at_the_limit<R: Rig>(trace: &Trace) {
    for within in [Duration::from_millis(100), Duration::ZERO] {
        let mut play = Play::<R>::new(trace, Recorder::new().on_stopping(|_| ()));
        let (_, mut peer) = play.connect();
        play.step("we stop");
        play.stage
            .driver
            .remote()
            .stop(within)
            .expect("the loop is there");
        play.comes("closed: stopped");
        play.hears_the_end(&mut peer);
        play.end();
    }
}

/// `shut_down` from a callback, with something queued.
pub fn shut_down_inside_a_callback<R: Rig>(trace: &Trace) {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.send(conn, &pattern(50_000, 7)).expect("open");
        net.shut_down(LIMIT);
        data.len()
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (_, mut peer) = play.connect();
    play.says(&mut peer, b"enough");
    play.hears_the_end(&mut peer);
    play.leaves(peer);
    play.comes("closed: flushed");
    play.end();
}

/// Two protocols on one loop: each has its own listener, timer and dial, and one posts to the other's connection.
pub fn two_protocols_on_one_loop<R: Rig>(trace: &Trace) {
    let all = Rc::new(RefCell::new(Vec::new()));
    let target = all.clone();
    let a = Recorder::echo().on_received(move |net, conn, data| {
        net.send(conn, b"a heard").expect("open");
        if let Some(other) = target.borrow().first() {
            net.post(*other, Bytes::copy_from_slice(data));
        }
        data.len()
    });
    let b = Recorder::new().on_open(move |_, conn, _| {
        all.borrow_mut().push(conn);
        true
    });
    let mut rig = R::new();
    let backend = rig.backend(&Config::default()).expect("the backend works here");
    let mut driver = Driver::with_backend(backend, Mux::new(a.traced(trace, "a"), b.traced(trace, "b")));
    let mut ats = [(Side::A, 1), (Side::B, 2)].map(|(side, key)| {
        let at = rig.address();
        driver.with(|_, net| {
            let net = &mut Mux::<(), ()>::on(net, side);
            let listener = net.listen(&at, &ListenOptions::key(key)).expect("free");
            net.local_addr(listener).expect("it listens")
        })
    });
    // Calls `play` after it has let come what came before.
    macro_rules! step {
        ($what:expr, $play:expr, $call:expr) => {{
            settle(&rig, &mut driver);
            trace.script($what);
            let result = $play;
            comes(&rig, &mut driver, trace, $call);
            result
        }};
    }
    let mut to_a = step!(
        "a peer connects to a",
        rig.connect(&ats[0]),
        "open: accepted, key 1"
    );
    let mut to_b = step!(
        "a peer connects to b",
        rig.connect(&ats[1]),
        "open: accepted, key 2"
    );
    step!("the peer of a speaks", stuff(&mut to_a, b"hello"), "posted");
    step!(
        "b sets a timer",
        driver.with(|_, net| {
            let mut b = Mux::<(), ()>::on(net, Side::B);
            b.set_timer(b.now(), 77);
        }),
        "timer 77"
    );
    ats[0] = rig.nowhere();
    step!(
        "a dials nowhere",
        driver.with(|_, net| {
            let how = sockman::DialOptions::key(3);
            let mut a = Mux::<(), ()>::on(net, Side::A);
            a.dial(&ats[0], &how).expect("the options are right");
        }),
        "dial_failed: refused, key 3"
    );
    step!("a wake", driver.remote().wake(), "woken");
    // Else their closing would be a reset.
    for (peer, count) in [(&mut to_a, 7), (&mut to_b, 5)] {
        settle(&rig, &mut driver);
        let mut heard = Vec::new();
        take(peer, &mut heard, count).expect("the peer's read");
        trace.script(format!("the peer heard {}", quoted(&heard)));
    }
    step!("the peer of b closes", drop(to_b), "closed: flushed");
    step!("the peer of a closes", drop(to_a), "closed: flushed");
    settle(&rig, &mut driver);
}

/// One loop accepts and gives away, another serves; bytes and the end may be there before.
pub fn handed_from_loop_to_loop<R: Machine>(trace: &Trace) {
    let caught = Rc::new(RefCell::new(Vec::new()));
    let list = caught.clone();
    let recorder = Recorder::new().on_open(move |net, conn, origin| {
        list.borrow_mut().push(net.detach(conn).expect("inside open"));
        origin.key == 1
    });
    let mut first = Stage::<R>::new(recorder.traced(trace, "first "));
    let mut second = Play::<R>::new(trace, Recorder::echo());
    for (key, early) in [(10, &b"early"[..]), (11, b""), (12, b"and over")] {
        second.step("a peer connects, speaks perhaps, and is caught");
        let mut peer = first.rig.connect(&first.at);
        assert_eq!(stuff(&mut peer, early), early.len());
        if key == 12 {
            peer.finish();
        }
        first.until("caught", |_| !caught.borrow().is_empty());
        settle(&first.rig, &mut first.driver);
        let socket = caught.borrow_mut().pop().expect("just caught");
        second.act("the second loop adopts it", |net| {
            net.adopt(socket, &AdoptOptions::key(key))
                .expect("a connected socket");
        });
        second.comes(&format!("open: adopted, key {key}"));
        second.hears(&mut peer, early.len());
        if key != 12 {
            second.says(&mut peer, b"later");
            second.hears(&mut peer, 5);
            second.leaves(peer);
        }
        settle(&first.rig, &mut first.driver);
    }
    second.end();
}

/// Given away and yet kept: closed with its reason.
pub fn given_away_and_kept<R: Machine>(trace: &Trace) {
    let recorder = Recorder::new().on_open(|net, conn, _| {
        drop(net.detach(conn).expect("inside open"));
        true
    });
    let mut play = Play::<R>::new(trace, recorder);
    let (_, mut peer) = play.connect();
    play.comes("closed: detached");
    play.hears_the_end(&mut peer);
    play.end();
}
