//! What a backend provides, and what it is given.

use crate::config::Config;
use crate::handler::Origin;
use crate::id::Conn;
use crate::net::SockMan;
use crate::reason::{Closed, DialError};
use bytes::Bytes;
use std::io;
use std::time::{Duration, Instant};

/// A backend: owns the kernel interface and the buffers, and runs one turn of the loop at a time.
pub trait Backend: Sized {
    /// The name by which users choose it.
    const NAME: &'static str;

    /// What handlers are given.
    type SockMan: SockMan;

    /// Makes one. Fails when the kernel lacks what it needs, saying what, and for settings that contradict each other.
    fn new(config: &Config) -> io::Result<Self>;

    /// The operations, for use outside callbacks.
    fn sockets(&mut self) -> &mut Self::SockMan;

    /// Lets what was sent outside a callback leave. Calls no callback.
    fn flush(&mut self);

    /// When the next turn is due at the latest: in the past while anything is undelivered, unflushed or unregistered,
    /// `None` when only the kernel or a [`Remote`](crate::Remote) can bring work.
    fn next_deadline(&self) -> Option<Instant>;

    /// Waits for the kernel, at most for `timeout` (`None`: until something happens), and delivers to `sink` all that it
    /// reports. Fails only when the kernel interface itself does.
    fn turn(&mut self, sink: &mut impl Sink<Self::SockMan>, timeout: Option<Duration>) -> io::Result<Turn>;
}

/// What one turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Events that the kernel reported.
    pub events: usize,
    /// Whether work is left, so that the next turn will not wait.
    pub more: bool,
}

/// Where a backend delivers to: the [`Driver`](crate::Driver)'s handler and sessions. Each call is the callback of the
/// same name of [`Handler`](crate::Handler).
pub trait Sink<S: SockMan> {
    /// See [`Handler::open`](crate::Handler::open). Whether the handler took the connection.
    fn open(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> bool;
    /// See [`Handler::received`](crate::Handler::received).
    fn received(&mut self, net: &mut S, conn: Conn, data: &mut [u8]) -> usize;
    /// See [`Handler::posted`](crate::Handler::posted).
    fn posted(&mut self, net: &mut S, conn: Conn, data: Bytes);
    /// See [`Handler::drained`](crate::Handler::drained).
    fn drained(&mut self, net: &mut S, conn: Conn);
    /// See [`Handler::eof`](crate::Handler::eof).
    fn eof(&mut self, net: &mut S, conn: Conn, unread: &mut [u8]);
    /// See [`Handler::deadline`](crate::Handler::deadline).
    fn deadline(&mut self, net: &mut S, conn: Conn);
    /// See [`Handler::timer`](crate::Handler::timer).
    fn timer(&mut self, net: &mut S, key: u64);
    /// Commands wait in the [`Remote`](crate::Remote)'s queue: take and carry them out.
    fn commands(&mut self, net: &mut S);
    /// See [`Handler::dial_failed`](crate::Handler::dial_failed).
    fn dial_failed(&mut self, net: &mut S, key: u64, why: DialError);
    /// See [`Handler::closed`](crate::Handler::closed).
    fn closed(&mut self, net: &mut S, conn: Conn, why: Closed);
}
