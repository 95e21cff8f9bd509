//! What is entered and what is under way.

use super::batch::Batch;
use super::listener;
use super::pool::{Memory, Pool};
use super::queues::Queues;
use super::setup::{self, Found};
use io_uring::{cqueue, opcode, squeue, types};
use sockman::{Config, RawId};
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

/// What a completion is about: the kind in the id that is its user data. (0 and 1 are those of `Conn` and `Listener`.)
pub(super) mod kind {
    /// Bytes received, or the end.
    pub(in super::super) const RECEIVE: u8 = 0;
    /// Connections accepted.
    pub(in super::super) const ACCEPT: u8 = 1;
    /// A listener has something to accept.
    pub(in super::super) const ACCEPTABLE: u8 = 3;
    /// A connection can be written, or a dial has been answered.
    pub(in super::super) const WRITABLE: u8 = 4;
    /// A connection whose peer has finished has failed, or both sides have finished.
    pub(in super::super) const HANGUP: u8 = 5;
    /// A send of a batch was cut short or has failed.
    pub(in super::super) const SEND: u8 = 6;
    /// A remote woke the loop.
    pub(in super::super) const WAKE: u8 = 7;
    /// Nobody waits for it: it failed to cancel or to close.
    pub(in super::super) const NOTHING: u8 = 8;
    /// A connection that is read from directly has bytes.
    pub(in super::super) const READABLE: u8 = 9;
}

/// An id for completions that are about no connection.
pub(super) fn nobody(kind: u8) -> u64 {
    (u64::from(kind) << 60) | 1
}

/// A send of a batch that was cut short or failed.
pub(super) struct Unsent {
    pub(super) conn: RawId,
    pub(super) why: io::Error,
    /// What was not taken.
    pub(super) rest: Vec<u8>,
}

/// Enters operations, submits them and waits; knows what is under way, and when dropped waits for its end.
pub(super) struct Ring {
    queues: Queues,
    batch: Batch,
    /// Counts batches, so that a connection knows whether it has a send in the one that is put together.
    pub(super) batch_number: u32,
    /// Operations to be submitted after the batch.
    others: Vec<squeue::Entry>,
    /// What batches left unsent.
    pub(super) unsent: Vec<Unsent>,
    /// Operations whose last completion has not come.
    under_way: usize,
    /// The memory that received bytes come in.
    memory: Rc<Memory>,
    pub(super) found: Found,
}

/// Bytes put together before a batch is submitted.
const BATCH: usize = 128 << 10;

/// How long dropping waits for the kernel to end what was cancelled; that takes microseconds.
const LAST_WAIT: Duration = Duration::from_secs(5);

impl Ring {
    /// Sets it up and tries what is needed. Fails with an [`Unavailable`](setup::Unavailable).
    pub(super) fn new(config: &Config) -> io::Result<Ring> {
        let (uring, memory, found) = setup::set_up(config)?;
        Ok(Ring {
            queues: Queues::new(uring),
            batch: Batch::new(BATCH),
            batch_number: 1,
            others: Vec::new(),
            unsent: Vec::new(),
            under_way: 0,
            memory,
            found,
        })
    }

    /// The pool of buffers, after a try whether it serves. To be called once.
    pub(super) fn try_out(&mut self) -> io::Result<Pool> {
        let mut pool = Pool::new(self.memory.clone());
        setup::try_receiving(&mut self.queues.uring, &mut pool)?;
        Ok(pool)
    }

    /// Whether `pool` is the one that was made by [`try_out`](Ring::try_out).
    #[inline]
    pub(super) fn owns(&self, pool: &Pool) -> bool {
        pool.is_of(&self.memory)
    }

    /// Has the kernel signal `fd` with every completion.
    pub(super) fn signal(&self, fd: RawFd) -> io::Result<()> {
        self.queues.uring.submitter().register_eventfd(fd)
    }

    /// Enters an operation that will have a last completion, which must be told to [`ended`](Ring::ended).
    ///
    /// `entry` must not point to memory.
    pub(super) fn start(&mut self, entry: squeue::Entry, about: RawId, kind: u8) {
        self.under_way += 1;
        self.others.push(entry.user_data(about.with_kind(kind).to_bits()));
    }

    /// As [`start`](Ring::start), about no connection.
    pub(super) fn start_own(&mut self, entry: squeue::Entry, kind: u8) {
        self.under_way += 1;
        self.others.push(entry.user_data(nobody(kind)));
    }

    /// An operation's last completion has come.
    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    #[cfg(feature = "uring-faults")]
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    #[cfg(feature = "uring-faults")]
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    #[cfg(feature = "uring-faults")]
    pub(super) fn fd(&self) -> RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&self.queues.uring)
    }

    /// Enters the end of one operation; it still has its last completion.
    pub(super) fn cancel(&mut self, about: RawId, kind: u8) {
        let builder = types::CancelBuilder::user_data(about.with_kind(kind).to_bits());
        self.quietly(opcode::AsyncCancel2::new(builder).build());
    }

    /// Enters the closing of `fd`, with the end of every operation on it. The descriptor's number is in use until this
    /// has been submitted, so that nothing that was entered before can go to another socket.
    pub(super) fn close(&mut self, fd: RawFd) {
        let all = types::CancelBuilder::fd(types::Fd(fd)).all();
        self.quietly(opcode::AsyncCancel2::new(all).build());
        self.quietly(opcode::Close::new(types::Fd(fd)).build());
    }

    fn quietly(&mut self, entry: squeue::Entry) {
        let entry = entry
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(nobody(kind::NOTHING));
        self.others.push(entry);
    }

    /// Puts a send into the batch, submitting the batch before if there is no room. What is not taken in the end is in
    /// [`unsent`](Ring::unsent) some time.
    pub(super) fn send<'a>(
        &mut self,
        conn: RawId,
        fd: RawFd,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
        len: usize,
        calls: &mut u64,
    ) -> bool {
        if self.batch.len() >= self.found.entries || !self.batch.add(conn, fd, pieces.clone(), len) {
            self.submit(calls);
            if self.is_unsent(conn) {
                return false;
            }
            return self.batch.add(conn, fd, pieces, len);
        }
        true
    }

    /// Whether a send of `conn` was cut short, which has not been taken account of.
    #[inline]
    pub(super) fn is_unsent(&self, conn: RawId) -> bool {
        self.unsent.iter().any(|unsent| unsent.conn == conn)
    }

    /// Whether the last send of the batch is of `conn`.
    pub(super) fn ends_with(&self, conn: RawId) -> bool {
        self.batch.ends_with(conn)
    }

    /// The next completion, of those that the last call brought or that have come since.
    #[inline]
    pub(super) fn next(&mut self) -> Option<cqueue::Entry> {
        self.queues.reaped.pop_front()
    }

    /// Takes what has been completed off the queue; how many completions there are.
    #[inline]
    pub(super) fn reap(&mut self) -> usize {
        self.queues.reap();
        self.queues.reaped.len()
    }

    /// Whether the kernel has completions for us.
    #[inline]
    pub(super) fn has_events(&self) -> bool {
        self.queues.has_events()
    }

    /// Whether the kernel says that it has put work off. It may say so when that is done; see
    /// [`may_have_more`](Ring::may_have_more).
    pub(super) fn has_put_off(&mut self) -> bool {
        self.queues.uring.submission().taskrun()
    }

    /// Whether the last call may not have brought all that there was.
    pub(super) fn may_have_more(&self) -> bool {
        self.queues.may_have_more
    }

    /// Whether anything waits to be submitted.
    #[inline]
    pub(super) fn has_entries(&self) -> bool {
        self.batch.len() > 0 || !self.others.is_empty()
    }

    /// Submits everything that was entered, and lets the kernel finish what it can.
    pub(super) fn submit(&mut self, calls: &mut u64) {
        self.enter(0, None, calls);
    }

    /// Submits everything that was entered, and waits for a completion, at most for `timeout`.
    pub(super) fn wait(&mut self, timeout: Option<Duration>, calls: &mut u64) {
        self.enter(1, timeout, calls);
    }

    /// Fails when the kernel has refused to go on, with its error.
    #[inline]
    pub(super) fn check(&self) -> io::Result<()> {
        match self.queues.broken {
            None => Ok(()),
            Some(error) => Err(io::Error::from_raw_os_error(error)),
        }
    }

    fn enter(&mut self, want: u32, timeout: Option<Duration>, calls: &mut u64) {
        for entry in self.batch.entries(kind::SEND).chain(self.others.drain(..)) {
            self.queues.push(&entry, calls);
        }
        self.queues.enter(want, timeout, calls);
        for (conn, result) in self.queues.sends.drain(..) {
            let (sent, why) = match usize::try_from(result) {
                Ok(sent) => (sent, io::ErrorKind::WouldBlock.into()),
                Err(_) => (0, io::Error::from_raw_os_error(-result)),
            };
            let rest = self.batch.rest(conn, sent).to_vec();
            self.unsent.push(Unsent { conn, why, rest });
        }
        self.batch.clear();
        self.batch_number = self.batch_number.wrapping_add(1);
    }
}

/// Everything ends, and the kernel lets go of all memory, before that is freed.
impl Drop for Ring {
    fn drop(&mut self) {
        let mut calls = 0;
        self.quietly(opcode::AsyncCancel2::new(types::CancelBuilder::any()).build());
        self.submit(&mut calls);
        let began = std::time::Instant::now();
        loop {
            self.reap();
            while let Some(entry) = self.next() {
                let Some(id) = RawId::from_bits(entry.user_data()) else {
                    continue;
                };
                if !cqueue::more(entry.flags()) && id.kind() != kind::NOTHING {
                    self.ended();
                }
                listener::discard(id, entry.result());
            }
            if self.under_way == 0 {
                return;
            }
            if self.queues.broken.is_some() || began.elapsed() > LAST_WAIT {
                break;
            }
            self.wait(Some(LAST_WAIT / 50), &mut calls);
        }
        tracing::error!(
            operations = self.under_way,
            "the kernel has not ended operations: their memory is not freed"
        );
        std::mem::forget(self.memory.clone());
    }
}
