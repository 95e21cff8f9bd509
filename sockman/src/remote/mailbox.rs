//! The queue, and who wakes the loop.
//!
//! Commands go into a queue; a three-valued state says whether somebody must wake the loop. Whoever finds the loop
//! asleep, and only that one, pays the system call; a loop that is awake finds the state changed when it goes to sleep
//! and does not sleep. Between turns a loop counts as asleep, so that one driven from a foreign poll loop is woken too.

use super::{Command, Remote};
use crate::mutant::{Mutant, planted};
use crate::reason::RemoteError;
use crate::sync::{AtomicBool, AtomicU8, Mutex, MutexGuard, Ordering};
use std::mem;
use std::sync::{Arc, PoisonError};
use std::task::Waker;

/// The loop runs and will look at the queue before it sleeps.
pub(super) const AWAKE: u8 = 0;
/// The loop sleeps, or is between turns: it must be woken.
pub(super) const ASLEEP: u8 = 1;
/// Something is in the queue, and the loop is awake or has been woken.
pub(super) const NOTIFIED: u8 = 2;

/// What a loop and its remotes have in common.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    pub(super) state: AtomicU8,
    woken: AtomicBool,
    waker: Waker,
}

struct Queue {
    commands: Vec<Command>,
    bytes: usize,
    limit: usize,
    closed: bool,
}

impl Shared {
    pub(super) fn push(&self, command: Command) -> Result<(), RemoteError> {
        let size = if let Command::Post(_, data) = &command {
            data.len()
        } else {
            0
        };
        {
            let mut queue = self.queue();
            if queue.closed {
                return Err(RemoteError::Gone);
            }
            // An empty queue takes anything: a post larger than the limit is late, never stuck.
            if size > 0 && queue.bytes > 0 && queue.bytes + size > queue.limit {
                return Err(RemoteError::Full);
            }
            queue.bytes += size;
            queue.commands.push(command);
        }
        self.notify();
        Ok(())
    }

    pub(super) fn wake(&self) {
        // A swap, as everywhere here: loom takes a store that comes after another thread's swap for one that may have come
        // before it. On x86-64 it costs no more.
        self.woken.swap(true, Ordering::SeqCst);
        self.notify();
    }

    pub(super) fn take(&self, into: &mut Vec<Command>) -> bool {
        let mut queue = self.queue();
        mem::swap(&mut queue.commands, into);
        queue.bytes = 0;
        drop(queue);
        self.woken.swap(false, Ordering::SeqCst)
    }

    fn notify(&self) {
        if self.state.swap(NOTIFIED, Ordering::SeqCst) == ASLEEP && !planted(Mutant::WakeDropped) {
            self.waker.wake_by_ref();
        }
    }

    /// The queue holds plain data that no panic can leave half-changed, so poisoning says nothing.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop's side of its [`Remote`]s; each backend has one. When it goes, remotes learn that the loop is gone.
#[derive(Debug)]
pub struct Mailbox {
    pub(super) remote: Remote,
}

impl Mailbox {
    /// `waker` must end the backend's wait, also one that begins after the call. At most `limit` posted bytes wait.
    pub fn new(waker: Waker, limit: usize) -> Mailbox {
        let queue = Mutex::new(Queue {
            commands: Vec::new(),
            bytes: 0,
            limit,
            closed: false,
        });
        let shared = Shared {
            queue,
            state: AtomicU8::new(ASLEEP),
            woken: AtomicBool::new(false),
            waker,
        };
        Mailbox {
            remote: Remote {
                shared: Arc::new(shared),
            },
        }
    }

    /// A handle for other threads.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Whether commands wait, so that the loop must not sleep.
    #[inline]
    pub fn pending(&self) -> bool {
        self.remote.shared.state.load(Ordering::SeqCst) == NOTIFIED
    }

    /// To be called when the wait is over: whether there are commands to take.
    #[inline]
    pub fn awake(&self) -> bool {
        self.remote.shared.state.swap(AWAKE, Ordering::SeqCst) == NOTIFIED
    }

    /// To be called at the end of a turn: from here on posting wakes. If something came during the turn the state stays
    /// notified, and [`pending`](Mailbox::pending) keeps the next turn from sleeping.
    #[inline]
    pub fn sleep(&self) {
        let _ = self
            .remote
            .shared
            .state
            .compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let mut queue = self.remote.shared.queue();
        queue.closed = true;
        let commands = mem::take(&mut queue.commands);
        // Data may be of a type whose end does anything, such as calling a remote, which locks the queue.
        drop(queue);
        drop(commands);
    }
}
