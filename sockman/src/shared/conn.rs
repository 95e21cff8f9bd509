//! What a connection is.

use crate::config::Limits;
use crate::endpoint::Endpoint;
use crate::handler::{Origin, OriginKind};
use crate::mutant::{Mutant, planted};
use crate::reason::{Closed, DialError};
use crate::shared::send_queue::SendQueue;
use std::io;
use std::rc::Rc;

/// How far along a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Dialled, no answer yet.
    Dialing,
    /// Connected; `open` is still to be called.
    Opening,
    /// The handler has it.
    Open,
    /// Disconnected by us; what is queued is still to be sent.
    Flushing,
    /// All sent and our side half-closed; what the peer still sends is discarded until it closes too.
    Lingering,
    /// To be closed and reported; nothing happens to it any more.
    Doomed,
}

/// Why a connection ends, and so how the handler is told.
#[derive(Debug)]
pub enum Ending {
    /// It was opened: `closed`.
    Closed(Closed),
    /// It was a dial: `dial_failed`.
    Dial(DialError),
    /// The handler never had it, or refused it: nothing.
    Silent,
}

/// A connection, `Io` being what its backend keeps for it.
pub struct ConnState<Io> {
    /// The backend's own part.
    pub io: Io,
    /// How far along it is.
    pub phase: Phase,
    /// The listener it came from, or whether it was dialled or adopted.
    pub how: OriginKind,
    /// The key of its listener, dial or adoption.
    pub key: u64,
    /// The other end.
    pub peer: Endpoint,
    /// What it may hold.
    pub limits: Rc<Limits>,
    /// The send queue, while there is something in it.
    pub out: Option<Box<SendQueue>>,
    /// The kernel took less than it was offered; the backend says when it takes more.
    pub blocked: bool,
    /// Bytes handed to the kernel for sending that it has not taken: they stand in front of the queue. (Completion
    /// interfaces only.)
    pub in_flight: usize,
    /// Bytes the handler has not consumed; the bytes are kept by [`Delivery`](super::Delivery).
    pub unread: usize,
    /// Deliver nothing below this many unread bytes.
    pub want: usize,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes given to the kernel.
    pub bytes_out: u64,
    /// When it was accepted, dialled or adopted; this and the next two as nanoseconds of the [`Core`](super::Core)'s clock.
    pub since: u64,
    /// When the first byte came; 0 before that.
    pub first_byte: u64,
    /// When the last byte came; 0 before that.
    pub last_byte: u64,
    /// No delivery until resumed.
    pub paused: bool,
    /// The unread bytes are to be offered again although nothing new has come.
    pub offer: bool,
    /// The peer has finished, and the handler knows.
    pub eof: bool,
    /// Our side is to be half-closed once the queue is sent, or has been.
    pub finishing: bool,
    /// Our side has been half-closed.
    pub finished: bool,
    /// The high-water mark was crossed, and `drained` not called since.
    pub high: bool,
    /// `drained` is to be called.
    pub drain_due: bool,
    /// It is to be closed by RST.
    pub reset: bool,
    /// The socket has been given away.
    pub detached: bool,
    /// It is in the list of those with unsent bytes.
    pub dirty: bool,
    /// It is in the list of those with work.
    pub queued: bool,
    /// Writing has failed; reading goes on, and `closed` will say this.
    pub write_error: Option<io::Error>,
}

impl<Io> ConnState<Io> {
    /// A connection that is just beginning.
    pub fn new(io: Io, phase: Phase, origin: Origin, limits: Rc<Limits>, now: u64) -> Self {
        ConnState {
            io,
            phase,
            how: origin.how,
            key: origin.key,
            peer: origin.peer,
            limits,
            out: None,
            blocked: false,
            in_flight: 0,
            unread: 0,
            want: 0,
            bytes_in: 0,
            bytes_out: 0,
            since: now,
            first_byte: 0,
            last_byte: 0,
            paused: false,
            offer: false,
            eof: false,
            finishing: false,
            finished: false,
            high: false,
            drain_due: false,
            reset: false,
            detached: false,
            dirty: false,
            queued: false,
            write_error: None,
        }
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        Origin {
            key: self.key,
            how: self.how,
            peer: self.peer.clone(),
        }
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub fn unsent(&self) -> usize {
        self.in_flight + self.out.as_ref().map_or(0, |out| out.len())
    }

    /// How many bytes more the handler has said it wants before it is called.
    #[inline]
    pub fn awaited(&self) -> usize {
        self.want.saturating_sub(self.unread)
    }

    /// How much to receive behind the unread bytes at once, where there may be as much as `room`, and elsewhere `piece` bytes
    /// would be received at once.
    ///
    /// When more is awaited, no more than that: a large message ends there then, so that nothing of the next one has
    /// to be moved to where that begins.
    #[inline]
    pub(super) fn most_behind(&self, room: usize, piece: usize) -> usize {
        match self.awaited() {
            awaited if awaited >= piece => room.min(awaited),
            _ => room,
        }
    }

    /// Whether bytes may be queued.
    #[inline]
    pub fn takes_bytes(&self) -> bool {
        self.phase == Phase::Open
            && !self.finishing
            && self.write_error.is_none()
            && !(planted(Mutant::EndSilences) && self.eof)
    }

    /// Whether a pause holds bytes back.
    #[inline]
    fn holds(&self) -> bool {
        self.paused && !(planted(Mutant::PauseLeaks) && self.first_byte == 0)
    }

    /// Whether bytes from the peer are to be read: to be delivered, or to be discarded.
    #[inline]
    pub fn wants_reading(&self) -> bool {
        !self.eof && (self.phase == Phase::Open && !self.holds() || self.phase == Phase::Lingering)
    }

    /// `count` bytes were received.
    #[inline]
    pub fn received(&mut self, count: usize, now: u64) {
        self.bytes_in += count as u64;
        if self.first_byte == 0 {
            self.first_byte = now;
        }
        self.last_byte = now;
    }
}
