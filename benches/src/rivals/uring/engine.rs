//! The ring: what is submitted to it, and what it says has come of that.

use super::client::Owed;
use super::pool::{GROUP, Pool};
use crate::serve::Tally;
use io_uring::squeue::{self, Flags};
use io_uring::types::{Fd, Fixed};
use io_uring::{IoUring, cqueue, opcode};
use rustix::process::{Resource, getrlimit};
use std::io;
use std::os::fd::RawFd;
use std::ptr::from_ref;

/// A turn submits some twenty sends; when more are queued, the queue is submitted early. Short queues stay in the cache.
const SUBMISSIONS: u32 = 128;
/// The kernel keeps what does not fit, at a price.
const COMPLETIONS: u32 = 1024;
/// Direct descriptors, if the limit of descriptors allows so many: they are what bounds the connections.
const SLOTS: u64 = 32 << 10;

static ON: libc::c_int = 1;

/// What kind of operation has completed; the upper half of its user data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A multishot accept.
    Accept,
    /// A multishot receive; the index is the slot.
    Receive,
    /// A send from a receive buffer; the index is that into the turn's answers.
    Send,
    /// A send of what is owed; the index is the slot.
    Flush,
    /// Reported only when it failed.
    Other,
}

impl Kind {
    fn data(self, index: u32) -> u64 {
        (self as u64) << 32 | u64::from(index)
    }
}

/// A completion.
#[derive(Clone, Copy)]
pub(super) struct Event {
    data: u64,
    /// As the operation returns it: a negative error number, or what it has done.
    pub(super) result: i32,
    /// The completion's flags.
    pub(super) flags: u32,
}

impl Event {
    /// Of what.
    pub(super) fn kind(self) -> Kind {
        [Kind::Accept, Kind::Receive, Kind::Send, Kind::Flush]
            .get((self.data >> 32) as usize)
            .copied()
            .unwrap_or(Kind::Other)
    }

    /// Of which.
    pub(super) fn index(self) -> u32 {
        self.data as u32
    }

    /// The buffer that it has filled.
    pub(super) fn buffer(self) -> Option<u16> {
        cqueue::buffer_select(self.flags)
    }
}

/// A send from a receive buffer.
struct Answer {
    slot: u32,
    buffer: u16,
    length: u32,
}

/// The ring, its buffers, and the sends of the turn.
pub(super) struct Engine {
    ring: IoUring,
    pub(super) pool: Pool,
    pub(super) tally: Tally,
    /// Submitted with the next enter, and done when that returns.
    answers: Vec<Answer>,
    /// Connections whose answer the kernel took in part, and the rest of it; or not at all.
    pub(super) short: Vec<(u32, io::Result<Vec<u8>>)>,
}

impl Engine {
    /// A ring with its buffers and a table of descriptors.
    pub(super) fn new(tally: Tally) -> io::Result<Engine> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_no_sqarray()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)?;
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(SLOTS);
        ring.submitter().register_files_sparse(limit.min(SLOTS) as u32)?;
        let pool = Pool::new(&ring.submitter())?;
        Ok(Engine {
            ring,
            pool,
            tally,
            answers: Vec::new(),
            short: Vec::new(),
        })
    }

    /// Submits everything, waits if `idle` until something has completed, and appends what has. The turn's sends are done
    /// then: what is left of them is in `short`, and their buffers are the kernel's again.
    pub(super) fn turn(&mut self, idle: bool, events: &mut Vec<Event>) -> io::Result<()> {
        loop {
            let wait = idle && events.is_empty() && self.short.is_empty();
            self.enter(usize::from(wait))?;
            self.reap(events);
            // An interrupted or refused enter may have left submissions where they were.
            if self.ring.submission().is_empty() {
                break;
            }
        }
        for answer in self.answers.drain(..) {
            self.pool.give(answer.buffer);
        }
        self.pool.publish();
        Ok(())
    }

    /// Takes the completions there are.
    #[inline]
    fn reap(&mut self, events: &mut Vec<Event>) {
        for entry in self.ring.completion() {
            let event = Event {
                data: entry.user_data(),
                result: entry.result(),
                flags: entry.flags(),
            };
            if event.buffer().is_some() {
                self.pool.taken();
            }
            match event.kind() {
                Kind::Send => self.short.extend(rest(&self.answers, &self.pool, event)),
                _ => events.push(event),
            }
        }
    }

    fn enter(&mut self, want: usize) -> io::Result<()> {
        self.tally.call();
        match self.ring.submit_and_wait(want) {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // Busy: completions must be reaped first.
                Some(libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
                _ => Err(error),
            },
        }
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: what the entries built below refer to outlives their operations: statics; the pool, which is never
            // freed and whose buffers are given back only when the send from them is done; and what is owed, which stays
            // in its box, unchanged, until its operation has completed. Callers say how.
            if unsafe { self.ring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.enter(0)?;
        }
    }

    /// Accepts, into direct descriptors of the kernel's choice, until told otherwise.
    pub(super) fn accept(&mut self, listener: RawFd) -> io::Result<()> {
        let accept = opcode::AcceptMulti::new(Fd(listener)).allocate_file_index(true);
        self.push(&accept.build().user_data(Kind::Accept.data(0)))
    }

    /// Lets a connection's segments leave without delay.
    pub(super) fn set_nodelay(&mut self, slot: u32) -> io::Result<()> {
        let option = opcode::SetSockOpt::new(
            Fixed(slot),
            libc::IPPROTO_TCP.unsigned_abs(),
            libc::TCP_NODELAY.unsigned_abs(),
            from_ref(&ON).cast(),
            size_of_val(&ON) as u32,
        );
        self.push(&quiet(option.build()))
    }

    /// Receives into buffers of the pool until told otherwise.
    pub(super) fn receive(&mut self, slot: u32) -> io::Result<()> {
        let receive = opcode::RecvMulti::new(Fixed(slot), GROUP).build();
        self.push(&receive.user_data(Kind::Receive.data(slot)))
    }

    /// Ends that, which its last completion will say.
    pub(super) fn stop_receiving(&mut self, slot: u32) -> io::Result<()> {
        let cancel = opcode::AsyncCancel::new(Kind::Receive.data(slot)).build();
        self.push(&quiet(cancel))
    }

    /// Sends from a receive buffer. The answers of a turn leave with the enter that waits for the next, each as if by a
    /// non-blocking send(2): `DONTWAIT` makes it complete as it is submitted, and a completion is posted only if it was
    /// not sent whole (which `WAITALL` makes a failure).
    #[inline]
    pub(super) fn send(&mut self, slot: u32, buffer: u16, length: u32) -> io::Result<()> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        let send = opcode::Send::new(Fixed(slot), self.pool.start(buffer), length).flags(flags);
        let data = Kind::Send.data(self.answers.len() as u32);
        // The buffer is given back in `turn`, when the send is done.
        self.answers.push(Answer { slot, buffer, length });
        self.push(&send.build().user_data(data).flags(Flags::SKIP_SUCCESS))
    }

    /// Sends what is owed, as soon as there is room. It must not change until the completion is there.
    pub(super) fn flush(&mut self, slot: u32, owed: &Owed) -> io::Result<()> {
        let bytes = owed.bytes();
        let flags = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
        let send = opcode::Send::new(Fixed(slot), bytes.as_ptr(), bytes.len() as u32).flags(flags);
        self.push(&send.build().user_data(Kind::Flush.data(slot)))
    }

    /// Closes a direct descriptor.
    pub(super) fn close(&mut self, slot: u32) -> io::Result<()> {
        self.push(&quiet(opcode::Close::new(Fixed(slot)).build()))
    }
}

/// An operation of which only a failure is reported.
fn quiet(entry: squeue::Entry) -> squeue::Entry {
    entry.user_data(Kind::Other.data(0)).flags(Flags::SKIP_SUCCESS)
}

/// What a send that was not whole has left over, and whose.
#[cold]
fn rest(answers: &[Answer], pool: &Pool, event: Event) -> Option<(u32, io::Result<Vec<u8>>)> {
    let answer = answers.get(event.index() as usize)?;
    let rest = match -event.result {
        libc::EAGAIN => Ok(0),
        error if error > 0 => Err(io::Error::from_raw_os_error(error)),
        sent => Ok(sent.unsigned_abs()),
    };
    Some((
        answer.slot,
        rest.map(|sent| pool.bytes(answer.buffer, sent..answer.length).to_vec()),
    ))
}
