//! Deadlines of connections and timers of handlers.
//!
//! One heap of wake-up times, kept lazily. A connection's deadline is a number in a table; the heap holds at most one
//! entry for it that counts, at or before that number. Moving a deadline later, which is what happens on every request,
//! therefore writes one word and leaves the heap alone; when the entry comes up early it is put back at the time that
//! holds by then, at most once per period. Moving it earlier pushes an entry. Entries that no longer count are dropped
//! when they come up, and swept when they are the larger part of the heap.

use crate::id::{Conn, Id, RawId, Timer};
use crate::shared::slots::Slots;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// What has come due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A connection's deadline.
    Deadline(Conn),
    /// A timer, with its key.
    Timer(u64),
}

/// Nanoseconds since the structure was made.
type Nanos = u64;

const NEVER: Nanos = Nanos::MAX;

#[derive(Clone, Copy)]
struct Deadline {
    generation: u32,
    /// When the connection is due.
    at: Nanos,
    /// The heap's entry for it that counts.
    armed: Nanos,
}

const UNSET: Deadline = Deadline {
    generation: 0,
    at: NEVER,
    armed: NEVER,
};

/// Time, then order of arrival, then whom it is for.
type Entry = Reverse<(Nanos, u64, RawId)>;

/// The timers of a loop.
pub struct Timers {
    base: Instant,
    heap: BinaryHeap<Entry>,
    sequence: u64,
    deadlines: Vec<Deadline>,
    timers: Slots<Timer, u64>,
    /// The length at which the heap is swept: twice what the last sweep left.
    sweep_at: usize,
    due: Vec<RawId>,
}

/// An id that no timer has.
const DEAD: Timer = Timer::dead();

/// A shorter heap is not worth sweeping.
const SWEEP_MIN: usize = 128;

impl Timers {
    /// None set. Times before `base` count as `base`.
    pub fn new(base: Instant) -> Self {
        Timers {
            base,
            heap: BinaryHeap::new(),
            sequence: 0,
            deadlines: Vec::new(),
            timers: Slots::new(),
            sweep_at: SWEEP_MIN,
            due: Vec::new(),
        }
    }

    fn nanos(&self, at: Instant) -> Nanos {
        let since = at.saturating_duration_since(self.base).as_nanos();
        // 584 years; a deadline beyond that is none, but must not equal NEVER.
        u64::try_from(since).unwrap_or(NEVER - 1)
    }

    fn push(&mut self, at: Nanos, id: RawId) {
        if self.heap.len() >= self.sweep_at {
            self.sweep();
        }
        self.sequence += 1;
        self.heap.push(Reverse((at, self.sequence, id)));
    }

    fn sweep(&mut self) {
        let mut heap = std::mem::take(&mut self.heap);
        heap.retain(|Reverse((at, _, id))| self.counts(*at, *id));
        self.sweep_at = SWEEP_MIN.max(2 * heap.len());
        self.heap = heap;
    }

    /// Whether a heap entry is the one that counts for its id.
    fn counts(&self, at: Nanos, id: RawId) -> bool {
        if id.kind() == Timer::KIND {
            self.timers.get(Timer::from_raw(id)).is_some()
        } else {
            self.deadlines
                .get(id.slot())
                .is_some_and(|d| d.generation == id.generation() && d.armed == at && d.at != NEVER)
        }
    }

    /// Sets or clears a connection's deadline. Constant time unless it is earlier than any set for it before.
    pub fn set_deadline(&mut self, conn: Conn, at: Option<Instant>) {
        let id = conn.raw();
        if id.slot() >= self.deadlines.len() {
            if at.is_none() {
                return;
            }
            self.deadlines.resize(id.slot() + 1, UNSET);
        }
        let at = at.map_or(NEVER, |at| self.nanos(at));
        let deadline = &mut self.deadlines[id.slot()];
        if deadline.generation != id.generation() {
            *deadline = Deadline {
                generation: id.generation(),
                ..UNSET
            };
        }
        deadline.at = at;
        if at < deadline.armed {
            deadline.armed = at;
            self.push(at, id);
        }
    }

    /// The connection's deadline.
    pub fn deadline(&self, conn: Conn) -> Option<Instant> {
        let id = conn.raw();
        let deadline = self
            .deadlines
            .get(id.slot())
            .filter(|d| d.generation == id.generation())?;
        (deadline.at != NEVER).then(|| self.base + Duration::from_nanos(deadline.at))
    }

    /// Sets a timer. Beyond [`MAX_SLOTS`](crate::MAX_SLOTS) timers at once (6 GB of them) it is not set.
    pub fn insert(&mut self, at: Instant, key: u64) -> Timer {
        let at = self.nanos(at);
        let Ok(timer) = self.timers.insert(key) else {
            return DEAD;
        };
        self.push(at, timer.raw());
        timer
    }

    /// Takes a timer back; whether it was still there.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        self.timers.remove(timer).is_some()
    }

    /// When the loop must look again, at the latest. Drops entries that no longer count from the front.
    pub fn next_time(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, _, id))) = self.heap.peek() {
            if self.counts(*at, *id) {
                break;
            }
            let (at, id) = (*at, *id);
            self.heap.pop();
            self.disarm(at, id);
        }
        self.peek()
    }

    /// As [`next_time`](Timers::next_time), but may name the time of an entry that no longer counts.
    pub fn peek(&self) -> Option<Instant> {
        self.heap
            .peek()
            .map(|Reverse((at, _, _))| self.base + Duration::from_nanos(*at))
    }

    /// The entry has left the heap: if it was the deadline's own, there is none now.
    fn disarm(&mut self, at: Nanos, id: RawId) {
        if id.kind() == Conn::KIND
            && let Some(deadline) = self.deadlines.get_mut(id.slot())
            && deadline.generation == id.generation()
            && deadline.armed == at
        {
            deadline.armed = NEVER;
        }
    }

    /// Collects what is due at `now`, to be taken one by one with [`take_due`](Timers::take_due). What becomes due while
    /// these are carried out waits for the next call.
    pub fn collect(&mut self, now: Instant) {
        let now = self.nanos(now);
        while let Some(Reverse((at, _, id))) = self.heap.peek().copied() {
            if at > now {
                break;
            }
            self.heap.pop();
            let counts = self.counts(at, id);
            self.disarm(at, id);
            if !counts {
                continue;
            }
            if id.kind() == Conn::KIND {
                let due = self.deadlines[id.slot()].at;
                if due > now {
                    // Moved later since: this is the one wake-up per period that laziness costs.
                    self.deadlines[id.slot()].armed = due;
                    self.push(due, id);
                    continue;
                }
            }
            self.due.push(id);
        }
        self.due.reverse();
    }

    /// The next of what [`collect`](Timers::collect) found, if nobody has cancelled or moved it in the meantime.
    pub fn take_due(&mut self, now: Instant) -> Option<Due> {
        let now = self.nanos(now);
        while let Some(id) = self.due.pop() {
            if id.kind() == Timer::KIND {
                if let Some(key) = self.timers.remove(Timer::from_raw(id)) {
                    return Some(Due::Timer(key));
                }
                continue;
            }
            let deadline = &mut self.deadlines[id.slot()];
            if deadline.generation == id.generation() && deadline.at <= now {
                if deadline.armed != NEVER {
                    // Set again, to a time that has passed as well: that entry stands for it, and fires next time.
                    continue;
                }
                deadline.at = NEVER;
                return Some(Due::Deadline(Conn::from_raw(id)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
