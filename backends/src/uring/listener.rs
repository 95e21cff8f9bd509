//! Accepting.

use super::interface::Multishot;
use super::ring::{Ring, kind};
use crate::socket::{self, UnixFile};
use io_uring::{opcode, types};
use rustix::event::PollFlags;
use sockman::{Endpoint, ListenOptions, RawId, Syscall, Syscalls};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

/// A listener.
///
/// While there is room for twice its backlog, it accepts by one operation that goes on; the kernel then may accept a whole
/// backlog before we know. With less room it asks only to be told, and accepts by calls as far as there is room, so that
/// the rest waits in the backlog.
pub struct Listening {
    fd: OwnedFd,
    file: Option<UnixFile>,
    backlog: usize,
    pub(super) id: Option<RawId>,
    /// It is to accept.
    pub(super) on: bool,
    accepting: Multishot,
    /// A poll is under way.
    polled: bool,
    /// The poll said that something waits.
    ready: bool,
    /// What was accepted and not been taken, or the error that ended accepting.
    accepted: VecDeque<io::Result<OwnedFd>>,
}

impl Listening {
    pub(super) fn new(fd: OwnedFd, file: Option<UnixFile>, how: &ListenOptions) -> Listening {
        Listening {
            fd,
            file,
            backlog: how.backlog.max(1) as usize,
            id: None,
            on: false,
            accepting: Multishot::Idle,
            polled: false,
            ready: false,
            accepted: VecDeque::new(),
        }
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Has the kernel accept, or say when there is something to accept, or neither.
    pub(super) fn watch(&mut self, ring: &mut Ring, room: usize) {
        let Some(id) = self.id else { return };
        let room = room.saturating_sub(self.accepted.len());
        let ample = room > 2 * self.backlog;
        let fd = types::Fd(self.fd.as_raw_fd());
        match self.accepting {
            Multishot::Armed if !(self.on && ample) => {
                self.accepting = Multishot::Ending;
                ring.cancel(id, kind::ACCEPT);
            }
            Multishot::Idle if self.on && ample => {
                self.accepting = Multishot::Armed;
                let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
                ring.start(
                    opcode::AcceptMulti::new(fd).flags(flags).build(),
                    id,
                    kind::ACCEPT,
                );
            }
            _ => self.watch_least(ring),
        }
    }

    fn watch_least(&mut self, ring: &mut Ring) {
        if let Some(id) = self.id
            && self.on
            && self.accepting == Multishot::Idle
            && !self.polled
            && !self.ready
        {
            self.polled = true;
            let what = u32::from(PollFlags::IN.bits());
            let fd = types::Fd(self.fd.as_raw_fd());
            ring.start(opcode::PollAdd::new(fd, what).build(), id, kind::ACCEPTABLE);
        }
    }

    /// The operation that goes on has accepted one, or has ended.
    pub(super) fn completed(&mut self, result: i32, goes_on: bool) {
        if !goes_on {
            self.accepting = Multishot::Idle;
        }
        match result {
            // SAFETY: the kernel made this descriptor for this completion, and nobody else knows of it.
            fd if fd >= 0 => self.accepted.push_back(Ok(unsafe { OwnedFd::from_raw_fd(fd) })),
            // We ended it, or it could not go on; it is started again as the state wants.
            error if matches!(-error, libc::ECANCELED | libc::EAGAIN | libc::EINTR) => {}
            error => self.accepted.push_back(Err(io::Error::from_raw_os_error(-error))),
        }
    }

    /// The poll has an answer.
    pub(super) fn polled(&mut self) {
        self.polled = false;
        self.ready = true;
    }

    /// The next connection, and who is at its other end.
    pub(super) fn accept(
        &mut self,
        ring: &mut Ring,
        calls: &mut Syscalls,
    ) -> io::Result<(OwnedFd, Endpoint)> {
        if let Some(accepted) = self.accepted.pop_front() {
            let fd = accepted?;
            calls[Syscall::Option] += 1;
            // A peer that has reset the connection by now has no address any more.
            let peer = rustix::net::getpeername(&fd).map_err(|_| io::ErrorKind::ConnectionAborted)?;
            return Ok((fd, socket::endpoint(peer)));
        }
        if self.ready {
            calls[Syscall::Accept] += 1;
            let accepted = socket::accept(&self.fd);
            match &accepted {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.ready = false,
                _ => return accepted,
            }
        }
        // Whatever has ended is started again, unless the listener rests; more than a poll when that has an answer.
        self.watch_least(ring);
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Closes it, and resets what was accepted and not taken.
    pub(super) fn close(self, ring: &mut Ring) {
        drop(self.file);
        ring.close(self.fd.into_raw_fd());
    }
}

/// The completion of a listener that has gone, or of something else: if a connection was accepted, it is closed.
pub(super) fn discard(id: RawId, result: i32) {
    if id.kind() == kind::ACCEPT && result >= 0 {
        // SAFETY: the kernel made this descriptor for this completion, and nobody else knows of it.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
}
