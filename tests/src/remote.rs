//! Contract 10: a `Remote` takes effect at once; wakes are never lost, and are coalesced. Threads appear only here.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Rig};
use crate::stage::{LIMIT, Stage, pattern, stuff};
use sockman::{Bytes, Config, Disconnect, RemoteError, SockMan};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Many wakes between two turns are one `woken`.
pub fn wakes_are_coalesced<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    stage.idle();
    let remote = stage.driver.remote();
    let before = stage.stats();
    for _ in 0..1000 {
        remote.wake();
    }
    stage.driver.turn(Some(LIMIT)).expect("a turn");
    stage.idle();
    assert_eq!(stage.seen().count(|e| *e == Event::Woken), 1);
    let after = stage.stats();
    assert_eq!(after.remote_wakeups - before.remote_wakeups, 1);
    assert!(
        after.events - before.events <= 1,
        "one event for a thousand wakes"
    );
    remote.wake();
    stage.driver.turn(Some(LIMIT)).expect("a turn");
    assert_eq!(
        stage.seen().count(|e| *e == Event::Woken),
        2,
        "and the next is another"
    );
}

/// What a remote asks for while the loop is awake, here from within its own callbacks, is done without a sleep before it.
pub fn a_wake_during_a_turn_is_not_lost<R: Rig>() {
    let mut left = 5;
    let recorder = Recorder::new().on_woken(move |net| {
        left -= 1;
        if left > 0 {
            net.remote().wake();
        }
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    stage.driver.remote().wake();
    let from = stage.rig.now();
    while stage.seen().count(|e| *e == Event::Woken) < 5 {
        stage.driver.turn(Some(LIMIT)).expect("a turn");
    }
    assert!(stage.rig.now() - from < LIMIT, "the loop slept over a wake");
    stage.idle();
    let remote = stage.driver.remote();
    stage
        .driver
        .with(|_, _| remote.post(conn, "posted"))
        .expect("the loop is there");
    stage.driver.turn(Some(LIMIT)).expect("a turn");
    assert_eq!(stage.hear(&mut peer, 6), b"posted");
    assert!(stage.rig.now() - from < LIMIT, "the loop slept over a post");
}

/// Commands are carried out in the order in which they were given: post, pause, resume, disconnect.
pub fn commands_are_carried_out_in_order<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let remote = stage.driver.remote();
    remote.post(conn, "one ").expect("the loop is there");
    remote
        .post(conn, Bytes::from_static(b"two"))
        .expect("the loop is there");
    remote
        .disconnect(conn, Disconnect::flush())
        .expect("the loop is there");
    remote.post(conn, "never").expect("the loop is there");
    let (heard, end) = stage.read_end(&mut peer);
    assert_eq!((&heard[..], end.is_ok()), (&b"one two"[..], true));
    drop(peer);
    assert_eq!(stage.closing(conn).name(), "flushed");
    assert_eq!(stage.seen().count(|e| matches!(e, Event::Posted(_))), 2);
}

/// A remote pauses and resumes.
pub fn a_remote_pauses_and_resumes<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let remote = stage.driver.remote();
    remote.pause(conn).expect("the loop is there");
    stage.idle();
    assert_eq!(stuff(&mut peer, b"held"), 4);
    stage.idle();
    assert_eq!(stage.seen().count(Event::is_received), 0);
    remote.resume(conn).expect("the loop is there");
    stage.until("received", |s| s.seen().bytes(conn) == b"held");
}

/// Posts above the bound are refused until the loop has taken what waits, and nothing accepted is lost.
pub fn posts_beyond_the_queue_are_refused<R: Rig>() {
    let config = Config {
        remote_queue: 1000,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, mut peer) = stage.connect();
    let remote = stage.driver.remote();
    assert_eq!(remote.post(conn, vec![1; 600]), Ok(()));
    assert_eq!(remote.post(conn, vec![2; 600]), Err(RemoteError::Full));
    assert_eq!(remote.post(conn, vec![3; 400]), Ok(()));
    assert_eq!(stage.read(&mut peer, 1000), [vec![1; 600], vec![3; 400]].concat());
    assert_eq!(remote.post(conn, vec![4; 1000]), Ok(()));
    assert_eq!(stage.read(&mut peer, 1000), [4; 1000]);
}

/// A remote outlives the loop and says that it is gone.
pub fn a_remote_of_a_dropped_loop_says_so<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, _peer) = stage.connect();
    let remote = stage.driver.remote();
    drop(stage);
    assert_eq!(remote.post(conn, "x"), Err(RemoteError::Gone));
    assert_eq!(remote.disconnect(conn, Disconnect::Now), Err(RemoteError::Gone));
    assert_eq!(remote.stop(Duration::ZERO), Err(RemoteError::Gone));
    remote.wake();
}

/// How many writes this thread has made that are no sends, where the kernel counts them.
fn writes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/io").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("syscw:"))?;
    line.trim().parse().ok()
}

/// Of a thousand commands that find the loop asleep, one writes to the kernel.
pub fn wakes_between_turns_cost_one_system_call<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, _peer) = stage.connect();
    stage.idle();
    let remote = stage.driver.remote();
    let before = writes();
    for _ in 0..500 {
        remote.wake();
        remote.post(conn, "x").expect("the loop is there");
    }
    match (before, writes()) {
        (Some(before), Some(after)) => assert!(after - before <= 1, "{} writes", after - before),
        _ => eprintln!("the kernel does not count system calls: only the delivery is checked"),
    }
    stage.until("all posts", |s| s.seen().count(|e| *e == Event::Posted(1)) == 500);
}

/// A post from another thread ends the sleep of a loop that has nothing else to do, and does it once: one wait of the
/// kernel from before the post to the bytes on the wire, with no tick in between.
pub fn a_post_wakes_a_sleeping_loop_without_a_tick<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.idle();
    for _ in 0..3 {
        let remote = stage.driver.remote();
        let before = stage.stats();
        let thread = thread::spawn(move || {
            // Long enough for the loop to be asleep, and for several ticks of a loop that has them.
            thread::sleep(Duration::from_millis(200));
            remote.post(conn, "news")
        });
        let turns = stage.seen().count(|e| matches!(e, Event::Posted(_)));
        while stage.seen().count(|e| matches!(e, Event::Posted(_))) == turns {
            let from = stage.rig.now();
            stage.driver.turn(Some(LIMIT)).expect("a turn");
            assert!(stage.rig.now() - from < LIMIT, "the wake was lost");
        }
        thread.join().expect("no panic").expect("the loop is there");
        assert_eq!(stage.hear(&mut peer, 4), b"news");
        let after = stage.stats();
        assert!(
            after.turns - before.turns <= 2,
            "{} turns for one post",
            after.turns - before.turns
        );
        assert!(after.wakeups - before.wakeups <= 2);
    }
}

/// 10⁵ wakes racing from several threads with the loop's going to sleep: none is lost, and most cost nothing.
pub fn racing_wakes_are_never_lost<R: Machine>() {
    const THREADS: usize = 4;
    const EACH: usize = 25_000;
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(AtomicUsize::new(0));
    let (counter, noted) = (count.clone(), seen.clone());
    let recorder =
        Recorder::new().on_woken(move |_| noted.store(counter.load(Ordering::SeqCst), Ordering::SeqCst));
    let mut stage = Stage::<R>::new(recorder);
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (remote, count) = (stage.driver.remote(), count.clone());
            thread::spawn(move || {
                for _ in 0..EACH {
                    count.fetch_add(1, Ordering::SeqCst);
                    remote.wake();
                }
            })
        })
        .collect();
    // The last wake of all must still be seen: a lost one leaves the loop asleep with the count short.
    while seen.load(Ordering::SeqCst) < THREADS * EACH {
        let from = stage.rig.now();
        stage.driver.turn(Some(LIMIT)).expect("a turn");
        assert!(
            stage.rig.now() - from < LIMIT,
            "a wake was lost at {seen:?} of {count:?}"
        );
    }
    for thread in threads {
        thread.join().expect("no panic");
    }
    stage.idle();
    let stats = stage.stats();
    assert!(
        stats.remote_wakeups <= stats.turns && stats.events <= stats.turns,
        "one event per sleep"
    );
    // A wake-up may find that the turn before has already answered the wake.
    let woken = stage.seen().count(|e| *e == Event::Woken) as u64;
    assert!(woken <= stats.remote_wakeups, "more answers than wake-ups");
}

/// 10⁵ posts racing from several threads arrive all, once, and in each thread's order.
pub fn racing_posts_arrive_once_and_in_order<R: Machine>() {
    const THREADS: usize = 4;
    const EACH: u32 = 25_000;
    let mut stage = Stage::<R>::new(Recorder::new());
    let mut ends = Vec::new();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (conn, peer) = stage.connect();
            ends.push((peer, Vec::new()));
            let remote = stage.driver.remote();
            thread::spawn(move || {
                for number in 0..EACH {
                    let data = Bytes::copy_from_slice(&number.to_be_bytes());
                    while remote.post(conn, data.clone()) == Err(RemoteError::Full) {
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    let whole = EACH as usize * 4;
    stage.until("every post", |_| {
        ends.iter_mut().fold(true, |all, (peer, heard)| {
            crate::stage::take(peer, heard, usize::MAX).expect("the peer's read");
            all && heard.len() == whole
        })
    });
    for thread in threads {
        thread.join().expect("no panic");
    }
    for (_, heard) in &ends {
        let numbers = heard
            .chunks(4)
            .map(|four| u32::from_be_bytes(four.try_into().expect("four")));
        assert!(numbers.eq(0..EACH), "posts were lost or changed places");
    }
    let posted = stage.seen().count(|e| *e == Event::Posted(4));
    assert_eq!(posted, THREADS * EACH as usize);
}

/// `run` ends when another thread stops the loop, once everything open has been flushed.
pub fn stop_ends_run_once_everything_is_flushed<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(50_000, 1);
    stage.driver.with(|_, net| net.send(conn, &data)).expect("open");
    let remote = stage.driver.remote();
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        remote.stop(LIMIT).expect("the loop is there");
        // The loop waits for the peer to read to the end and close.
        let mut heard = Vec::new();
        let by = std::time::Instant::now() + LIMIT;
        while !crate::stage::take(&mut peer, &mut heard, usize::MAX).expect("the peer's read") {
            assert!(std::time::Instant::now() < by, "no end of the stream");
            thread::sleep(Duration::from_millis(1));
        }
        drop(peer);
        heard
    });
    stage.driver.run().expect("the loop runs");
    assert!(thread.join().expect("no panic") == data);
    assert_eq!(
        stage.seen().reason(conn).map(sockman::Closed::name),
        Some("flushed")
    );
    assert!(stage.driver.is_stopped());
}
