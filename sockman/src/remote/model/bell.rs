//! What a backend waits on: an eventfd, and the waker that writes to it.

use loom::sync::atomic::AtomicUsize;
use loom::thread::{self, Thread};
use std::sync::Arc;
use std::sync::atomic::{self, AtomicBool, Ordering};
use std::task::Wake;

/// The bell was rung and nobody has taken note of it. The rest of [`Bell::state`] counts, in steps of two, the threads that
/// may still ring.
const RUNG: usize = 1;
const THREAD: usize = 2;

pub(super) struct Bell {
    /// Loom lets others run before each operation on this. It orders nothing (`Relaxed`): what the mailbox needs ordered is
    /// the mailbox's to order.
    state: AtomicUsize,
    sleeper: Thread,
    // Of the standard library, and so no part of what loom looks at.
    parked: AtomicBool,
    sleeps: atomic::AtomicUsize,
    rings: atomic::AtomicUsize,
    too_many: atomic::AtomicUsize,
}

impl Bell {
    /// To be made by the thread that waits.
    pub(super) fn new(threads: usize) -> Arc<Bell> {
        Arc::new(Bell {
            state: AtomicUsize::new(threads * THREAD),
            sleeper: thread::current(),
            parked: AtomicBool::new(false),
            // A loop that has not turned yet is asleep.
            sleeps: atomic::AtomicUsize::new(1),
            rings: atomic::AtomicUsize::new(0),
            too_many: atomic::AtomicUsize::new(0),
        })
    }

    /// Waits until the bell is rung; the ring remains to be taken. False when it never will be, since nobody is left who
    /// could.
    pub(super) fn wait(&self) -> bool {
        loop {
            // Not a load, which may give an old value.
            let state = self.state.fetch_or(0, Ordering::Relaxed);
            if state & RUNG != 0 || state == 0 {
                return state != 0;
            }
            // No other thread runs between the look and this.
            self.parked.store(true, Ordering::Relaxed);
            thread::park();
        }
    }

    /// Takes the ring if there is one.
    pub(super) fn take(&self) {
        self.state.fetch_and(!RUNG, Ordering::Relaxed);
    }

    /// A thread has done all that it does.
    pub(super) fn leave(&self) {
        self.state.fetch_sub(THREAD, Ordering::Relaxed);
        self.unpark();
    }

    fn unpark(&self) {
        // Loom would also go on with a thread that waits for something else.
        if self.parked.swap(false, Ordering::Relaxed) {
            self.sleeper.unpark();
        }
    }

    /// From here on the loop may be woken once more.
    pub(super) fn sleep(&self) {
        self.sleeps.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rings(&self) -> usize {
        self.rings.load(Ordering::Relaxed)
    }

    /// How many rings came that no sleep asked for: each is a system call too many.
    pub(super) fn too_many(&self) -> usize {
        self.too_many.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.state.fetch_or(RUNG, Ordering::Relaxed);
        let rings = self.rings.fetch_add(1, Ordering::Relaxed) + 1;
        if rings > self.sleeps.load(Ordering::Relaxed) {
            self.too_many.fetch_add(1, Ordering::Relaxed);
        }
        self.unpark();
    }
}
