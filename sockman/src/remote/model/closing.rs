//! A loop that goes while others still ask.

use super::bell::Bell;
use super::threads::Ask::{self, Post, Stop, Wake};
use super::threads::{self, Label, Outcome};
use super::turns::{Loop, Mistake};
use super::{ENOUGH, add, explore};
use crate::id::{Conn, Id, RawId};
use crate::reason::RemoteError;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Posted data that is counted while it exists.
struct Counted {
    data: Vec<u8>,
    living: Arc<AtomicUsize>,
}

impl Counted {
    fn make(length: usize, living: &Arc<AtomicUsize>) -> Bytes {
        living.fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Counted {
            data: vec![0; length],
            living: living.clone(),
        })
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What happened, in all runs together.
#[derive(Default)]
struct Seen {
    taken: AtomicUsize,
    dropped: AtomicUsize,
    gone: AtomicUsize,
}

/// One order of events: the loop takes what there is, and goes.
fn run(asks: &[&'static [Ask]], seen: &Seen) {
    let living = Arc::new(AtomicUsize::new(0));
    let bell = Bell::new(asks.len());
    let mut turns = Loop::new(&bell, ENOUGH, Mistake::None);
    let start = |(thread, asks): (usize, &&'static [Ask])| {
        let living = living.clone();
        let data = move |length| Counted::make(length, &living);
        threads::start(thread, asks, turns.mailbox.remote(), bell.clone(), data)
    };
    let threads: Vec<_> = asks.iter().enumerate().map(start).collect();
    turns.begin();
    let Loop { mailbox, batches, .. } = turns;
    drop(mailbox);
    let outcomes: Vec<Outcome> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();

    assert_eq!(
        living.load(Ordering::Relaxed),
        0,
        "what was posted outlives the loop"
    );
    assert_eq!(bell.too_many(), 0, "a system call that no sleep asked for");
    for (thread, outcome) in outcomes.iter().enumerate() {
        let commands = asks[thread].iter().filter(|ask| !matches!(ask, Wake)).count();
        assert_eq!(
            outcome.accepted.len() + outcome.gone,
            commands,
            "each has its answer"
        );
        let places = outcome.accepted.iter().map(|label| label.place);
        assert!(
            places.eq(1..=outcome.accepted.len() as u32),
            "after one refusal, all"
        );
        let taken = batches.iter().flatten().filter(|label| label.thread == thread);
        let taken: Vec<Label> = taken.copied().collect();
        assert!(outcome.accepted.starts_with(&taken), "the first ones, in order");
        let conn = Conn::from_raw(RawId::new(0, 0, 1).expect("in range"));
        assert_eq!(outcome.remote.post(conn, "x"), Err(RemoteError::Gone));
        add(&seen.taken, taken.len());
        add(&seen.dropped, outcome.accepted.len() - taken.len());
        add(&seen.gone, outcome.gone);
    }
}

fn check(preemptions: Option<usize>, asks: &'static [&'static [Ask]]) {
    let seen = Arc::new(Seen::default());
    let all = seen.clone();
    explore(preemptions, move || run(asks, &seen));
    for (count, what) in [
        (&all.taken, "taken"),
        (&all.dropped, "dropped"),
        (&all.gone, "refused"),
    ] {
        assert!(
            count.load(Ordering::Relaxed) > 0,
            "no command was {what} in any order"
        );
    }
}

#[test]
fn what_is_posted_while_the_loop_goes_is_taken_or_dropped_or_refused() {
    check(None, &[&[Post(1), Post(1)]]);
    check(Some(3), &[&[Post(1), Wake], &[Post(1), Stop]]);
}
