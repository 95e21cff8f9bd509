//! Contract 11: deadlines and timers fire at their time, never early, in order, also on a busy loop.

use crate::recorder::{Event, Recorder};
use crate::rig::Rig;
use crate::stage::{LIMIT, Stage, stuff, take};
use sockman::{Bytes, Config, SockMan};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Some milliseconds.
fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The keys of the timers that fired, in order.
fn fired(recorder: &Recorder) -> Vec<u64> {
    let keys = recorder.log.iter().filter_map(|(_, event)| match event {
        Event::Timer(key) => Some(*key),
        _ => None,
    });
    keys.collect()
}

/// A recorder that fails the script when the timer `key`, due at `due[key]`, fires early.
fn punctual(due: &Rc<RefCell<Vec<Instant>>>) -> Recorder {
    let due = due.clone();
    Recorder::new().on_timer(move |net, key| {
        let due = due.borrow()[key as usize];
        assert!(net.now() >= due, "timer {key} fired {:?} early", due - net.now());
    })
}

/// Timers set in any order fire in the order of their times, and none before its time.
pub fn timers_fire_in_order_and_never_early<R: Rig>() {
    let due = Rc::new(RefCell::new(Vec::new()));
    let mut stage = Stage::<R>::new(punctual(&due));
    let after = [40_u64, 7, 93, 7, 0, 61, 12, 100, 3];
    stage.driver.with(|_, net| {
        for (key, after) in after.iter().enumerate() {
            // Not whole milliseconds: a wait that rounds down would be early.
            let at = net.now() + ms(*after) + Duration::from_micros(499);
            due.borrow_mut().push(at);
            net.set_timer(at, key as u64);
        }
    });
    let turns = stage.stats().turns;
    while fired(stage.seen()).len() < after.len() {
        stage.driver.turn(Some(LIMIT)).expect("a turn");
    }
    assert_eq!(fired(stage.seen()), [4, 8, 1, 3, 6, 0, 5, 2, 7]);
    assert!(
        stage.stats().turns - turns < 30,
        "the loop spins while it waits for timers"
    );
    stage.idle();
    assert_eq!(fired(stage.seen()).len(), after.len(), "each fires once");
    assert_eq!(stage.driver.next_deadline(), None);
}

/// A cancelled timer does not fire, whoever cancels it: another timer of the same moment may.
pub fn cancelled_timers_do_not_fire<R: Rig>() {
    let later = Rc::new(Cell::new(None));
    let victim = later.clone();
    let recorder = Recorder::new().on_timer(move |net, key| {
        assert_ne!(key, 9, "cancelled");
        if let Some(timer) = victim.take() {
            net.cancel(timer);
        }
    });
    let mut stage = Stage::<R>::new(recorder);
    stage.driver.with(|_, net| {
        let at = net.now() + ms(10);
        let first = net.set_timer(at, 9);
        net.set_timer(at, 1);
        later.set(Some(net.set_timer(at, 9)));
        net.set_timer(at + ms(20), 2);
        net.cancel(first);
    });
    stage.until("the last timer", |s| fired(s.seen()).contains(&2));
    assert_eq!(fired(stage.seen()), [1, 2]);
}

/// A timer set inside a timer's callback fires too, also at once, and does not keep the turn from ending.
pub fn a_timer_may_set_the_next<R: Rig>() {
    let recorder = Recorder::new().on_timer(|net, key| {
        net.set_timer(net.now(), key + 1);
    });
    let mut stage = Stage::<R>::new(recorder);
    stage.driver.with(|_, net| net.set_timer(net.now(), 0));
    stage.until("a few rounds", |s| fired(s.seen()).len() >= 5);
    let keys = fired(stage.seen());
    assert!(keys.iter().copied().eq(0..keys.len() as u64), "{keys:?}");
}

/// A connection's deadline fires once, not early, and by default disconnects.
pub fn a_deadline_fires_once_and_disconnects<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, _peer) = stage.connect();
    let at = stage.driver.with(|_, net| {
        let at = net.now() + ms(50);
        net.set_deadline(conn, Some(at));
        at
    });
    stage.until("the deadline", |s| s.of(conn).contains(&Event::Deadline));
    assert!(stage.driver.with(|_, net| net.now()) >= at, "early");
    assert_eq!(stage.closing(conn).name(), "disconnected");
}

/// A deadline that is moved again and again fires at the last time only, wherever it was moved to.
pub fn a_deadline_rewritten_often_fires_at_the_last_time<R: Rig>() {
    let due = Rc::new(Cell::new(None));
    let at = due.clone();
    let recorder = Recorder::new().on_deadline(move |net, _| {
        let due: Option<Instant> = at.get();
        assert!(due.is_some_and(|due| net.now() >= due), "early, or cleared");
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, _peer) = stage.connect();
    for (from, to) in [(20, 60), (500, 30)] {
        let before = stage.seen().count(|e| *e == Event::Deadline);
        stage.driver.with(|_, net| {
            let now = net.now();
            for step in 0..10_000_u64 {
                let after = ms(from) + (ms(to).saturating_sub(ms(from))) * (step as u32 % 7) / 7;
                net.set_deadline(conn, Some(now + after));
            }
            net.set_deadline(conn, Some(now + ms(to)));
            due.set(Some(now + ms(to)));
        });
        stage.until("the deadline", |s| {
            s.seen().count(|e| *e == Event::Deadline) == before + 1
        });
        stage.idle();
        assert_eq!(stage.seen().count(|e| *e == Event::Deadline), before + 1);
    }
    due.set(None);
    stage.driver.with(|_, net| {
        net.set_deadline(conn, Some(net.now() + ms(10)));
        net.set_deadline(conn, None);
    });
    stage.rig.pass(ms(20));
    stage.idle();
    assert_eq!(stage.seen().count(|e| *e == Event::Deadline), 2, "cleared");
}

/// A deadline pushed back with each request never fires while requests come.
pub fn a_deadline_pushed_back_in_time_never_fires<R: Rig>() {
    let recorder = Recorder::echo().on_deadline(|net, conn| {
        // The time is an hour ahead of the latest request.
        panic!("{conn}: fired at {:?}", net.now());
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    stage
        .driver
        .with(|_, net| net.set_deadline(conn, Some(net.now() + ms(40))));
    for _ in 0..8 {
        stage
            .driver
            .with(|_, net| net.set_deadline(conn, Some(net.now() + ms(3_600_000))));
        assert_eq!(stuff(&mut peer, b"x"), 1);
        assert_eq!(stage.read(&mut peer, 1), b"x");
        stage.rig.pass(ms(10));
        stage.poll();
    }
}

/// A loop that always has something to do still fires timers and deadlines, neither early nor out of order.
pub fn timers_and_deadlines_fire_on_a_busy_loop<R: Rig>() {
    let due = Rc::new(RefCell::new(Vec::new()));
    let over = Rc::new(Cell::new(false));
    let stop = over.clone();
    let recorder = punctual(&due)
        .on_deadline(|_, _| ())
        .on_posted(move |net, conn, data| {
            // Each post makes the next: there is work in every turn.
            if !stop.get() {
                net.post(conn, data);
            }
        });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, _peer) = stage.connect();
    let at = stage.driver.with(|_, net| {
        net.post(conn, Bytes::from_static(b"x"));
        for key in 0..5 {
            let at = net.now() + ms(20 * key + 5);
            due.borrow_mut().push(at);
            net.set_timer(at, key);
        }
        let at = net.now() + ms(50);
        net.set_deadline(conn, Some(at));
        at
    });
    stage.until("all timers", |s| fired(s.seen()).len() == 5);
    assert_eq!(fired(stage.seen()), [0, 1, 2, 3, 4]);
    assert!(stage.driver.with(|_, net| net.now()) >= at);
    assert_eq!(stage.seen().count(|e| *e == Event::Deadline), 1);
    assert!(
        stage.seen().count(|e| matches!(e, Event::Posted(_))) > 20,
        "it was busy"
    );
    over.set(true);
}

/// Against a peer that floods, a timer that is due fires while bytes are still waiting.
pub fn timers_fire_beside_a_flood<R: Rig>() {
    let config = Config {
        read_buffer: 4 << 10,
        byte_budget: 4 << 10,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::echo());
    let (conn, mut peer) = stage.connect();
    let flood = vec![1; 1 << 20];
    stuff(&mut peer, &flood);
    stage.driver.with(|_, net| {
        net.set_timer(net.now(), 0);
    });
    let before = stage.seen().bytes(conn).len();
    while fired(stage.seen()).is_empty() {
        stage.poll();
        take(&mut peer, &mut Vec::new(), usize::MAX).expect("the peer's read");
    }
    let taken = stage.seen().bytes(conn).len() - before;
    assert!(
        taken <= 2 * (4 << 10),
        "{taken} bytes were taken before the timer that was due"
    );
}

/// `next_deadline` is when the next timer is due, so that a foreign loop sleeps no longer.
pub fn next_deadline_is_the_next_timers_time<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    stage.idle();
    assert_eq!(stage.driver.next_deadline(), None);
    let at = stage.driver.with(|_, net| {
        net.set_timer(net.now() + ms(70), 1);
        let at = net.now() + ms(30);
        net.set_timer(at, 0);
        at
    });
    let next = stage.driver.next_deadline().expect("a timer is set");
    assert!(next <= at && at - next < ms(1), "{:?} too early", at - next);
    stage.until("the timers", |s| fired(s.seen()) == [0, 1]);
}
