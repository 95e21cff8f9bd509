//! Reaching a loop from other threads.
//!
//! Commands go into a queue; a three-valued state says whether somebody must wake the loop. Whoever finds the loop
//! asleep, and only that one, pays the system call; a loop that is awake finds the state changed when it goes to sleep
//! and does not sleep. Between turns a loop counts as asleep, so that one driven from a foreign poll loop is woken too.

use crate::id::Conn;
use crate::reason::{Disconnect, RemoteError};
use bytes::Bytes;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// The loop runs and will look at the queue before it sleeps.
const AWAKE: u8 = 0;
/// The loop sleeps, or is between turns: it must be woken.
const ASLEEP: u8 = 1;
/// Something is in the queue, and the loop is awake or has been woken.
const NOTIFIED: u8 = 2;

/// A handle through which other threads reach a loop: clone it and send it anywhere.
///
/// Every command takes effect at once, waking the loop if it sleeps; commands of one thread are carried out in their
/// order. A command for a connection that is gone does nothing.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    state: AtomicU8,
    woken: AtomicBool,
    waker: Waker,
}

struct Queue {
    commands: Vec<Command>,
    bytes: usize,
    limit: usize,
    closed: bool,
}

/// What a [`Remote`] asks of the loop.
#[derive(Debug)]
pub(crate) enum Command {
    Post(Conn, Bytes),
    Disconnect(Conn, Disconnect),
    Pause(Conn),
    Resume(Conn),
    Stop(Duration),
}

impl Remote {
    /// Hands `data` to the connection's handler, by [`posted`](crate::Handler::posted): by default it is sent. Fails when
    /// the loop is gone or has not taken [`Config::remote_queue`](crate::Config::remote_queue) bytes posted before.
    pub fn post(&self, conn: Conn, data: impl Into<Bytes>) -> Result<(), RemoteError> {
        self.push(Command::Post(conn, data.into()))
    }

    /// As [`SockMan::disconnect`](crate::SockMan::disconnect).
    pub fn disconnect(&self, conn: Conn, how: Disconnect) -> Result<(), RemoteError> {
        self.push(Command::Disconnect(conn, how))
    }

    /// As [`SockMan::pause`](crate::SockMan::pause).
    pub fn pause(&self, conn: Conn) -> Result<(), RemoteError> {
        self.push(Command::Pause(conn))
    }

    /// As [`SockMan::resume`](crate::SockMan::resume).
    pub fn resume(&self, conn: Conn) -> Result<(), RemoteError> {
        self.push(Command::Resume(conn))
    }

    /// Calls [`woken`](crate::Handler::woken) on the loop: once for several calls that come before it runs.
    pub fn wake(&self) {
        self.shared.woken.store(true, Ordering::SeqCst);
        self.shared.notify();
    }

    /// Stops the loop: the handler is told by [`stopping`](crate::Handler::stopping), and what is still open after
    /// `within` is closed. [`Driver::run`](crate::Driver::run) returns when nothing is open any more.
    pub fn stop(&self, within: Duration) -> Result<(), RemoteError> {
        self.push(Command::Stop(within))
    }

    fn push(&self, command: Command) -> Result<(), RemoteError> {
        let size = if let Command::Post(_, data) = &command {
            data.len()
        } else {
            0
        };
        {
            let mut queue = self.shared.queue();
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
        self.shared.notify();
        Ok(())
    }

    /// Swaps the waiting commands into `into`, which must be empty, and tells whether `wake` was called.
    pub(crate) fn take(&self, into: &mut Vec<Command>) -> bool {
        let mut queue = self.shared.queue();
        mem::swap(&mut queue.commands, into);
        queue.bytes = 0;
        drop(queue);
        self.shared.woken.swap(false, Ordering::SeqCst)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

impl Shared {
    fn notify(&self) {
        if self.state.swap(NOTIFIED, Ordering::SeqCst) == ASLEEP {
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
    remote: Remote,
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
        let state = AtomicU8::new(ASLEEP);
        let shared = Shared {
            queue,
            state,
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
        queue.commands.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, RawId};
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn mailbox(limit: usize) -> (Arc<Count>, Mailbox) {
        let count = Arc::new(Count::default());
        (count.clone(), Mailbox::new(count.into(), limit))
    }

    fn conn() -> Conn {
        Conn::from_raw(RawId::new(0, 0, 1).expect("in range"))
    }

    #[test]
    fn one_system_call_per_sleep() {
        let (wakes, mailbox) = mailbox(1 << 20);
        let remote = mailbox.remote();
        for _ in 0..5 {
            remote.wake();
            remote.post(conn(), "x").expect("room");
        }
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert!(mailbox.pending() && mailbox.awake() && !mailbox.pending());
        remote.wake();
        mailbox.sleep();
        assert!(
            mailbox.pending(),
            "what came while awake keeps the loop from sleeping"
        );
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1, "and costs no system call");
        assert!(mailbox.awake());
        mailbox.sleep();
        assert!(!mailbox.pending());
        remote.wake();
        assert_eq!(wakes.0.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn commands_come_in_order_and_once() {
        let (_, mailbox) = mailbox(1 << 20);
        let remote = mailbox.remote();
        remote.post(conn(), "a").expect("room");
        remote.disconnect(conn(), Disconnect::Now).expect("open");
        let mut commands = Vec::new();
        assert!(!remote.take(&mut commands), "nobody called wake");
        assert!(matches!(
            commands[..],
            [Command::Post(..), Command::Disconnect(..)]
        ));
        commands.clear();
        remote.wake();
        assert!(remote.take(&mut commands) && commands.is_empty());
        assert!(!remote.take(&mut commands));
    }

    #[test]
    fn posted_bytes_are_bounded_and_other_commands_are_not() {
        let (_, mailbox) = mailbox(10);
        let remote = mailbox.remote();
        assert_eq!(
            remote.post(conn(), vec![0; 20]),
            Ok(()),
            "an empty queue takes anything"
        );
        assert_eq!(remote.post(conn(), "x"), Err(RemoteError::Full));
        assert_eq!(remote.stop(Duration::ZERO), Ok(()));
        remote.take(&mut Vec::new());
        assert_eq!(remote.post(conn(), "x"), Ok(()));
    }

    #[test]
    fn a_dropped_loop_says_so() {
        let (_, mailbox) = mailbox(10);
        let remote = mailbox.remote();
        drop(mailbox);
        assert_eq!(remote.post(conn(), "x"), Err(RemoteError::Gone));
        remote.wake();
    }
}
