//! A loop and its remotes, through every order of events that loom finds: what is checked is the code of `Mailbox` and
//! `Remote` itself, on loom's mutex and atomics.
//!
//! `turns`: the loop, which does with its mailbox what a turn of the engine does, and the mistakes that it can be told to
//! make. `threads`: the others. `bell`: what a backend waits on. `closing`: what is posted while the loop goes. Here: what
//! holds for a loop that stays, and that the model notices each mistake.

mod bell;
mod closing;
mod threads;
mod turns;

use bell::Bell;
use bytes::Bytes;
use loom::model::Builder;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use threads::Ask::{self, Disconnect, Post, Stop, Wake};
use threads::{Label, Outcome};
use turns::{Loop, Mistake};

/// What happened, in all runs together.
#[derive(Default)]
struct Seen {
    runs: AtomicUsize,
    /// Runs with one system call in all, and with more.
    one_ring: AtomicUsize,
    several_rings: AtomicUsize,
    full: AtomicUsize,
}

/// Who there is.
#[derive(Clone, Copy)]
struct Scene {
    threads: &'static [&'static [Ask]],
    limit: usize,
    mistake: Mistake,
    /// How often a thread may lose the processor while it could go on; everything that is possible with `None`.
    preemptions: Option<usize>,
}

const ENOUGH: usize = 1 << 20;

/// Any order of events.
fn scene(threads: &'static [&'static [Ask]]) -> Scene {
    Scene {
        threads,
        limit: ENOUGH,
        mistake: Mistake::None,
        preemptions: None,
    }
}

fn explore(preemptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(run);
}

fn add(counter: &AtomicUsize, count: usize) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Scene {
    fn check(self) -> Arc<Seen> {
        let seen = Arc::new(Seen::default());
        let result = seen.clone();
        explore(self.preemptions, move || self.run(&seen));
        result
    }

    /// One order of events.
    fn run(self, seen: &Seen) {
        let bell = Bell::new(self.threads.len());
        let mut turns = Loop::new(&bell, self.limit, self.mistake);
        let start = |(thread, asks): (usize, &&'static [Ask])| {
            let data = |bytes| Bytes::from(vec![0; bytes]);
            threads::start(thread, asks, turns.mailbox.remote(), bell.clone(), data)
        };
        let threads: Vec<_> = self.threads.iter().enumerate().map(start).collect();
        turns.run();
        let outcomes: Vec<Outcome> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();

        let (taken, woken) = (turns.taken().count(), turns.woken);
        turns.take();
        let left = turns.taken().count() - taken;
        assert_eq!(left, 0, "the loop sleeps for ever, and commands wait");
        assert_eq!(
            turns.woken, woken,
            "the loop sleeps for ever, and `wake` was called"
        );
        assert_eq!(bell.too_many(), 0, "a system call that no sleep asked for");
        for (thread, outcome) in outcomes.iter().enumerate() {
            let taken: Vec<Label> = turns.taken().filter(|label| label.thread == thread).collect();
            assert_eq!(
                taken, outcome.accepted,
                "each command once, in its thread's order"
            );
            assert_eq!(outcome.gone, 0, "the loop is there");
            add(&seen.full, outcome.full);
        }
        let wakes = self.threads.iter().flat_map(|asks| asks.iter());
        let wakes = wakes.filter(|ask| matches!(ask, Wake)).count();
        assert!(turns.woken <= wakes, "`woken` without `wake`");
        assert!(turns.woken > 0 || wakes == 0, "`wake` without `woken`");
        assert!(turns.most_bytes <= self.limit, "more is waiting than may");
        add(&seen.runs, 1);
        add(
            if bell.rings() == 1 {
                &seen.one_ring
            } else {
                &seen.several_rings
            },
            1,
        );
    }
}

/// Up to so many preemptions. With a second thread all orders are too many to try, and each preemption more makes them five
/// to ten times as many; what goes wrong between threads nearly always does with two.
fn bounded(preemptions: usize, threads: &'static [&'static [Ask]]) -> Scene {
    Scene {
        preemptions: Some(preemptions),
        ..scene(threads)
    }
}

#[test]
fn nothing_is_lost_of_one_thread() {
    let seen = scene(&[&[Post(1), Wake]]).check();
    assert!(
        seen.one_ring.load(Ordering::Relaxed) > 0,
        "two commands in one sleep"
    );
    assert!(
        seen.several_rings.load(Ordering::Relaxed) > 0,
        "a sleep between them"
    );
    bounded(4, &[&[Post(1), Disconnect, Wake, Stop]]).check();
}

#[test]
fn nothing_is_lost_of_two_threads() {
    bounded(4, &[&[Wake], &[Wake]]).check();
    bounded(3, &[&[Post(1), Wake], &[Disconnect, Stop]]).check();
}

#[test]
fn nothing_is_lost_of_three_threads() {
    bounded(2, &[&[Post(1)], &[Wake], &[Stop]]).check();
}

#[test]
fn the_bound_holds_whoever_posts() {
    let seen = Scene {
        limit: 10,
        ..bounded(3, &[&[Post(6)], &[Post(6)]])
    };
    let seen = seen.check();
    let (runs, full) = (&seen.runs, seen.full.load(Ordering::Relaxed));
    let runs = runs.load(Ordering::Relaxed);
    assert!(
        0 < full && full < runs,
        "{full} refusals in {runs} runs: some and not all"
    );
}

/// That the model passes means something, since with the mistake it does not.
fn make(mistake: Mistake, threads: &'static [&'static [Ask]]) {
    Scene {
        mistake,
        ..scene(threads)
    }
    .check();
}

#[test]
#[should_panic(expected = "the loop sleeps for ever, and commands wait")]
fn without_asking_before_it_sleeps_commands_are_lost() {
    make(Mistake::NotAsking, &[&[Post(1), Post(1)]]);
}

#[test]
#[should_panic(expected = "the loop sleeps for ever, and `wake` was called")]
fn without_asking_before_it_sleeps_wakes_are_lost() {
    make(Mistake::NotAsking, &[&[Wake, Wake]]);
}

#[test]
#[should_panic(expected = "the loop sleeps for ever, and commands wait")]
fn falling_asleep_blindly_loses_commands() {
    make(Mistake::BlindSleep, &[&[Post(1), Post(1)]]);
}

#[test]
#[should_panic(expected = "the loop sleeps for ever, and `wake` was called")]
fn falling_asleep_blindly_loses_wakes() {
    make(Mistake::BlindSleep, &[&[Wake, Wake]]);
}

#[test]
#[should_panic(expected = "the loop sleeps for ever, and commands wait")]
fn taking_the_queue_before_being_awake_loses_commands() {
    make(Mistake::TakingFirst, &[&[Post(1), Post(1)]]);
}
