//! Contract 14: one flooding peer starves nobody.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Rig};
use crate::stage::{LIMIT, Stage, stuff, take};
use sockman::{Bytes, Config, SockMan};
use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

const BUDGET: usize = 16 << 10;

fn config() -> Config {
    Config {
        read_buffer: 4 << 10,
        byte_budget: BUDGET,
        ..Config::default()
    }
}

/// A hundred peers that ping are answered while a flooding one is read a budget at a time.
pub fn a_flood_does_not_starve_the_pings<R: Rig>() {
    let mut stage = Stage::<R>::with(&config(), Recorder::echo());
    let (flooder, mut flood) = stage.connect();
    let mut pings: Vec<_> = (0..100).map(|_| stage.connect()).collect();
    let block = vec![0xff; 1 << 20];
    for round in 1..=3 {
        stuff(&mut flood, &block);
        for (_, peer) in &mut pings {
            assert_eq!(stuff(peer, b"ping"), 4);
        }
        let by = stage.rig.now() + LIMIT;
        let mut turns = 0;
        let from = stage.seen().bytes(flooder).len();
        while pings
            .iter()
            .any(|(conn, _)| stage.seen().bytes(*conn).len() < 4 * round)
        {
            assert!(stage.rig.now() < by, "starved");
            let before = stage.seen().bytes(flooder).len();
            stage.poll();
            turns += 1;
            let taken = stage.seen().bytes(flooder).len() - before;
            assert!(taken <= BUDGET, "{taken} bytes of one connection in one turn");
            stuff(&mut flood, &block);
            take(&mut flood, &mut Vec::new(), usize::MAX).expect("the peer's read");
        }
        let taken = stage.seen().bytes(flooder).len() - from;
        assert!(taken <= turns * BUDGET);
        for (_, peer) in &mut pings {
            assert_eq!(stage.hear(peer, 4), b"ping");
        }
    }
}

/// What the budget leaves is read in the next turn without a new event: a long stream goes on to its end.
pub fn what_the_budget_leaves_is_not_forgotten<R: Rig>() {
    let mut stage = Stage::<R>::with(&config(), Recorder::new());
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, &vec![1; 100_000]), 100_000);
    let by = stage.rig.now() + LIMIT;
    while stage.seen().bytes(conn).len() < 100_000 {
        let before = stage.seen().bytes(conn).len();
        stage.driver.turn(Some(LIMIT)).expect("a turn");
        assert!(
            stage.rig.now() < by,
            "the loop slept over {} bytes",
            100_000 - before
        );
        assert!(stage.seen().bytes(conn).len() - before <= BUDGET);
        if stage.seen().bytes(conn).len() < 100_000 && stage.seen().bytes(conn).len() - before == BUDGET {
            let due = stage.driver.next_deadline();
            assert!(due.is_some(), "a foreign loop would sleep over what is left");
        }
    }
}

/// A peer that sends faster than the budget lets its bytes be delivered is held back: what waits on our side does not grow.
pub fn what_the_budget_leaves_waits_with_the_peer<R: Rig>() {
    let config = Config {
        // Every send is offered to the kernel at once, while there is more to deliver.
        direct_write: 1,
        ..config()
    };
    let answering = Recorder::new().on_received(|net, conn, data| {
        let _ = net.send(conn, b".");
        data.len()
    });
    let mut stage = Stage::<R>::with(&config, answering);
    let (conn, mut peer) = stage.connect();
    let block = vec![1; 1 << 20];
    let mut sent = 0;
    let mut waiting = |turns: usize| {
        for _ in 0..turns {
            sent += stuff(&mut peer, &block);
            stage.poll();
            take(&mut peer, &mut Vec::new(), usize::MAX).expect("the peer's read");
        }
        sent - stage.seen().bytes(conn).len()
    };
    // By then the kernel's buffers are full.
    let before = waiting(100);
    let after = waiting(300);
    assert!(after < before + (4 << 20), "{before} bytes waited, then {after}");
}

/// A handler that posts to itself for ever, or sends to a peer that always reads, keeps nobody waiting.
pub fn a_handler_that_posts_for_ever_starves_nobody<R: Rig>() {
    let over = Rc::new(Cell::new(false));
    let stop = over.clone();
    let recorder = Recorder::echo().on_posted(move |net, conn, data| {
        if !stop.get() {
            net.post(conn, data);
        }
    });
    let mut stage = Stage::<R>::new(recorder);
    let (busy, _peer) = stage.connect();
    stage
        .driver
        .with(|_, net| net.post(busy, Bytes::from_static(b"x")));
    let (_, mut other) = stage.connect();
    assert_eq!(stuff(&mut other, b"ping"), 4);
    assert_eq!(stage.read(&mut other, 4), b"ping");
    over.set(true);
}

/// A handler that resumes for ever without consuming gets its bytes offered again and again, and keeps nobody waiting.
pub fn a_handler_that_resumes_for_ever_starves_nobody<R: Rig>() {
    let greedy = Rc::new(Cell::new(None));
    let who = greedy.clone();
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        if who.get() == Some(conn) {
            net.resume(conn);
            return 0;
        }
        let _ = net.send(conn, data);
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    greedy.set(Some(conn));
    assert_eq!(stuff(&mut peer, b"x"), 1);
    stage.until("offered", |s| s.seen().count(Event::is_received) > 2);
    let (_, mut other) = stage.connect();
    assert_eq!(stuff(&mut other, b"ping"), 4);
    assert_eq!(stage.read(&mut other, 4), b"ping");
}

/// Peers on another thread, all of them busy, then resting, then busy again: every message is answered.
pub fn busy_peers_on_another_thread_are_all_answered<R: Machine>() {
    const BURSTS: usize = 30;
    const EACH: usize = 8;
    let mut stage = Stage::<R>::new(Recorder::echo());
    let mut peers: Vec<_> = (0..50).map(|_| stage.connect().1).collect();
    let remote = stage.driver.remote();
    let thread = thread::spawn(move || {
        let message = [7; 64];
        let by = Instant::now() + LIMIT;
        for _ in 0..BURSTS {
            let mut left: Vec<_> = peers.iter_mut().map(|peer| (peer, 0, 0)).collect();
            while left.iter().any(|(_, _, answered)| *answered < EACH) {
                assert!(Instant::now() < by, "a message is not answered");
                for (peer, sent, answered) in &mut left {
                    if sent == answered && *sent < EACH {
                        assert_eq!(stuff(*peer, &message), message.len());
                        *sent += 1;
                    }
                    let mut heard = Vec::new();
                    let ended = take(*peer, &mut heard, message.len()).expect("the peer's read");
                    assert!(!ended && (heard.is_empty() || heard.len() == message.len()));
                    *answered += usize::from(!heard.is_empty());
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
        remote.wake();
        peers
    });
    while !thread.is_finished() {
        stage
            .driver
            .turn(Some(Duration::from_millis(100)))
            .expect("a turn");
    }
    drop(thread.join().expect("every message is answered"));
}
