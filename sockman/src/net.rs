//! What a protocol is given.

use crate::config::Limits;
use crate::endpoint::Endpoint;
use crate::id::{Conn, Listener, Timer};
use crate::options::{AdoptOptions, DialOptions, ListenOptions};
use crate::reason::{Disconnect, Gone, Sent, WantError};
use crate::remote::Remote;
use crate::stats::Stats;
use bytes::Bytes;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// The operations of a socket manager, as a protocol sees them. They cannot run the loop, so a handler that holds this
/// cannot be re-entered.
///
/// An operation on an id that is dead does nothing, or says [`Gone`].
pub trait SockMan: Sized {
    /// Listens at `at`. Fails as `bind` and `listen` do, and with [`io::ErrorKind::InvalidInput`] for limits that
    /// contradict each other.
    fn listen(&mut self, at: &Endpoint, how: &ListenOptions) -> io::Result<Listener>;

    /// Stops listening. Connections accepted before go on; those in the backlog are reset by the kernel.
    fn unlisten(&mut self, listener: Listener);

    /// Where `listener` listens: the port the kernel chose, when 0 was asked for.
    fn local_addr(&self, listener: Listener) -> Option<Endpoint>;

    /// Connects to `to`. Never blocks, and never calls back from within: the outcome is exactly one of
    /// [`open`](crate::Handler::open) and [`dial_failed`](crate::Handler::dial_failed), later. Fails only for options
    /// that contradict each other ([`io::ErrorKind::InvalidInput`]), and then nothing follows.
    fn dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn>;

    /// Queues a copy of `data`. What one callback queues leaves together when it returns; what the kernel does not take
    /// leaves as soon as it does. Large pieces are offered to the kernel at once.
    fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone>;

    /// As [`send`](SockMan::send), but a large `data` is shared, not copied: one block to a hundred peers is one buffer.
    fn send_bytes(&mut self, conn: Conn, data: Bytes) -> Result<Sent, Gone>;

    /// Hands `data` to the connection's own handler, by [`posted`](crate::Handler::posted), after the current callback:
    /// the way to reach another connection through whatever layers it has.
    fn post(&mut self, conn: Conn, data: Bytes);

    /// Ends a connection; only [`closed`](crate::Handler::closed) follows. Ends a dial with
    /// [`DialError::Cancelled`](crate::DialError::Cancelled).
    fn disconnect(&mut self, conn: Conn, how: Disconnect);

    /// Half-closes our side once what is queued is sent. We may still receive, and send no more.
    fn finish(&mut self, conn: Conn);

    /// Stops delivery: no `received`, no `eof`, no `closed` of the peer's doing until [`resume`](SockMan::resume). The
    /// peer is held up by its window.
    fn pause(&mut self, conn: Conn);

    /// Ends a pause, and offers unread bytes again (also when there was no pause) without waiting for more.
    fn resume(&mut self, conn: Conn);

    /// Delivers nothing until `unread` bytes are there, or the peer has finished. Holds for one delivery.
    fn want(&mut self, conn: Conn, unread: usize) -> Result<(), WantError>;

    /// Sets or clears the connection's one deadline; cheap enough to do on every request.
    fn set_deadline(&mut self, conn: Conn, at: Option<Instant>);

    /// Calls [`timer`](crate::Handler::timer) with `key` once, at `at` or as soon after as the loop can.
    fn set_timer(&mut self, at: Instant, key: u64) -> Timer;

    /// Takes a timer back.
    fn cancel(&mut self, timer: Timer);

    /// Takes over a connected stream socket; [`open`](crate::Handler::open) follows. With [`detach`](SockMan::detach) it
    /// hands connections from loop to loop. Fails when `socket` is no such thing, or the backend cannot, and with
    /// [`io::ErrorKind::InvalidInput`] for limits that contradict each other; `socket` is closed then.
    fn adopt(&mut self, socket: OwnedFd, how: &AdoptOptions) -> io::Result<Conn>;

    /// Gives the socket away. Only inside `open`, of this very connection, before anything was sent; otherwise fails with
    /// [`io::ErrorKind::InvalidInput`]. `open` then returns `None`.
    fn detach(&mut self, conn: Conn) -> io::Result<OwnedFd>;

    /// Closes every listener, cancels every dial and disconnects every connection with
    /// [`Disconnect::Flush`] (with [`Closed::Stopped`](crate::Closed::Stopped) at once when `within` is zero).
    fn shut_down(&mut self, within: Duration);

    /// Whether the connection is open: it has been opened and not been disconnected.
    fn is_open(&self, conn: Conn) -> bool;

    /// How many connections there are, in whatever state, dials included.
    fn connections(&self) -> usize;

    /// The time, once per turn; virtual in the simulation.
    fn now(&self) -> Instant;

    /// What is known of a connection.
    fn info(&self, conn: Conn) -> Option<ConnInfo>;

    /// What connections may hold that have no limits of their own ([`Config::limits`](crate::Config::limits)).
    fn limits(&self) -> &Limits;

    /// The loop's counters.
    fn stats(&self) -> &Stats;

    /// A handle through which other threads reach this loop.
    fn remote(&self) -> Remote;
}

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnInfo {
    /// The other end.
    pub peer: Endpoint,
    /// Our end; `None` when the kernel does not say.
    pub local: Option<Endpoint>,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes given to the kernel.
    pub bytes_out: u64,
    /// When it was accepted, dialled or adopted.
    pub since: Instant,
    /// When the first byte came.
    pub first_byte: Option<Instant>,
    /// When the last byte came.
    pub last_byte: Option<Instant>,
    /// Bytes that wait to be sent.
    pub queued: usize,
    /// Bytes that the handler has not consumed.
    pub unread: usize,
    /// Whether it is paused.
    pub paused: bool,
    /// What it may hold: its listener's, its dial's or its adoption's limits, or the loop's.
    pub limits: Limits,
}
