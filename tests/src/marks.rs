//! Contract 8: `drained` is called once each time the queue falls below the low-water mark.

use crate::recorder::{self, Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, take};
use sockman::{Config, Conn, Limits, Sent, SockMan};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

fn limits() -> Config {
    let limits = Limits {
        high: 200_000,
        low: 50_000,
        ..Limits::default()
    };
    Config {
        limits,
        ..Config::default()
    }
}

/// Once per crossing, and only when the queue is below the low mark.
pub fn drained_comes_once_per_high<R: Rig>() {
    let recorder = Recorder::new().on_drained(|net, conn| {
        let queued = net.info(conn).map(|info| info.queued);
        assert!(
            queued.is_some_and(|queued| queued < 50_000),
            "drained with {queued:?} queued"
        );
    });
    let mut stage = Stage::<R>::with(&limits(), recorder);
    let (conn, mut peer) = stage.connect();
    let data = pattern(16 << 20, 1);
    for round in 1..=3 {
        assert!(stage.send(conn, &data).expect("open").is_high());
        // A second crossing before it has drained is the same one.
        assert!(stage.send(conn, b"x").expect("open").is_high());
        stage.idle();
        assert_eq!(
            stage.seen().count(|e| *e == Event::Drained),
            round - 1,
            "nothing was read"
        );
        let heard = stage.read(&mut peer, data.len() + 1);
        assert!(heard[..data.len()] == data);
        stage.until("drained", |s| s.seen().count(|e| *e == Event::Drained) == round);
        stage.idle();
        assert_eq!(stage.seen().count(|e| *e == Event::Drained), round);
    }
}

/// A queue that never crossed the high mark drains without a word.
pub fn drained_does_not_come_without_high<R: Rig>() {
    let mut stage = Stage::<R>::with(&limits(), Recorder::new());
    let (conn, mut peer) = stage.connect();
    let mut sent = 0;
    // Fills the kernel's buffers until something waits, below the mark.
    let waits = loop {
        match stage.send(conn, &[1; 1000]).expect("open") {
            Sent::Queued(_) => sent += 1000,
            Sent::High(queued) => panic!("high with {queued} queued"),
        }
        let waits = stage
            .driver
            .with(|_, net| net.info(conn))
            .map_or(0, |info| info.queued);
        if waits > 60_000 {
            break waits;
        }
    };
    assert!(waits < 200_000);
    assert_eq!(stage.read(&mut peer, sent).len(), sent);
    stage.idle();
    assert_eq!(stage.seen().count(|e| *e == Event::Drained), 0);
}

/// A producer that sends until `High` and goes on at `drained` delivers everything, and holds little.
pub fn a_producer_led_by_drained_delivers_everything<R: Rig>() {
    const TOTAL: usize = 30 << 20;
    let expected = pattern(100_000, 2);
    let data = expected.clone();
    let (mut sent, most) = (0, Rc::new(Cell::new(0)));
    let seen = most.clone();
    let produce = Rc::new(RefCell::new(move |net: &mut dyn recorder::Ops, conn: Conn| {
        while sent < TOTAL {
            let piece = &data[..data.len().min(TOTAL - sent)];
            sent += piece.len();
            let answer = net.send(conn, piece).expect("open");
            seen.set(answer.queued().max(seen.get()));
            if answer.is_high() {
                return;
            }
        }
    }));
    let again = produce.clone();
    let recorder = Recorder::new()
        .on_received(move |net, conn, data| {
            (produce.borrow_mut())(net, conn);
            data.len()
        })
        .on_drained(move |net, conn| (again.borrow_mut())(net, conn));
    let mut stage = Stage::<R>::with(&limits(), recorder);
    let (_, mut peer) = stage.connect();
    stage.write_all(&mut peer, b"go");
    let mut heard = 0;
    stage.until("everything", |_| {
        let mut piece = Vec::new();
        take(&mut peer, &mut piece, usize::MAX).expect("the peer's read");
        for byte in piece {
            assert_eq!(byte, expected[heard % expected.len()], "byte {heard}");
            heard += 1;
        }
        heard == TOTAL
    });
    assert!(most.get() <= 300_000, "{} bytes queued", most.get());
}

/// A handler that pauses above the mark, until drained, hears of the end of a peer that resets meanwhile: what was queued is
/// discarded, which is below any mark.
pub fn a_peer_that_resets_does_not_hold_who_waits_for_drained<R: Rig>() {
    let recorder = Recorder::new()
        .on_received(|net, conn, data| {
            if net.send(conn, data).is_ok_and(Sent::is_high) {
                net.pause(conn);
            }
            data.len()
        })
        .on_drained(|net, conn| net.resume(conn));
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    let data = pattern(1 << 16, 5);
    stage.until("it is paused", |s| {
        let _ = peer.write(&data);
        s.driver.with(|_, net| net.info(conn)).expect("open").paused
    });
    peer.reset();
    assert_eq!(stage.closing(conn).name(), "reset");
    let events = stage.of(conn);
    assert_eq!(
        events.iter().filter(|e| **e == Event::Drained).count(),
        1,
        "{events:?}"
    );
}
