//! What a server allows, and for how long.

use super::date::Clock;
use crate::limits::Limits;
use std::io;
use std::time::Duration;

/// Limits and deadlines of a server. Every field has a default. Each server counts for itself: of several loops, each allows as
/// much. What a connection may hold in bytes (unread, queued) is
/// [`sockman::Limits`], with the listener or the loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What a request may be.
    pub limits: Limits,
    /// A head must be complete so long after its first byte; otherwise 408 (Request Timeout), and the connection closes. Default
    /// 30 s.
    pub head_within: Duration,
    /// While a body is being received, [`body_least`](Settings::body_least) bytes must come in each period of this length;
    /// otherwise 408, and the connection closes. Default 60 s.
    pub body_stall: Duration,
    /// See [`body_stall`](Settings::body_stall). Default 1.
    pub body_least: u64,
    /// How long the application may take to answer; after it the server answers 503 (Service Unavailable) in its place, and the
    /// application's answer goes nowhere. Default: as long as it wants.
    pub answer_within: Option<Duration>,
    /// A client that takes nothing of what is queued for it for so long is reset. That is looked at four times in this time, so
    /// that it may be a quarter longer. Default 60 s.
    pub response_stall: Duration,
    /// A connection on which no request is under way, before the first one or between two, is closed after so long. Default 60 s.
    pub idle: Duration,
    /// Requests on one connection; the answer to the last says `Connection: close`. Default: any number.
    pub requests: Option<u64>,
    /// Connections at once; those above are closed at once, without an answer. Default: what
    /// [`sockman::Config::max_connections`] allows.
    pub connections: Option<usize>,
    /// The same for each address of TCP clients. Default: any number.
    pub connections_per_address: Option<usize>,
    /// Requests of one connection that may wait for their answers; above it nothing more is read from it. (Those behind a request
    /// whose method is not safe wait for its answer in any case: RFC 9112 section 9.3.2.) Default 64.
    pub pipeline: usize,
    /// Bytes of answers that may wait for an earlier answer of the same connection; above it nothing more is read from it. (Bytes
    /// that wait for the client itself: [`sockman::Limits::high`].) Default 256 KiB.
    pub held: usize,
    /// Bytes of bodies that are being collected, of all connections of this server together; a request that would exceed it is
    /// answered 503 (Service Unavailable), and its connection closes. Default 256 MiB.
    pub bodies: usize,
    /// Bytes of a body that nobody wants, which are read and thrown away to keep the connection; above it the connection closes
    /// after the answer. Default 64 KiB.
    pub discard: u64,
    /// After the last answer of a connection, how long the client has to close, once no more of it is queued than
    /// [`sockman::Limits::low`]. What it still sends is thrown away, so that it can read an answer that came before it had sent
    /// all (RFC 9112 section 9.6). Default 5 s.
    pub linger: Duration,
    /// When the server is stopped, how long connections without a request may still begin one. Default 100 ms.
    pub last_call: Duration,
    /// Whether answers carry the request's number as `x-request-id`. Default false.
    pub request_ids: bool,
    /// The number of the first request. Servers of several loops that begin far apart have different numbers. Default 0.
    pub first_id: u64,
    /// What `Date` is made from. Default the system's clock.
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            limits: Limits::default(),
            head_within: Duration::from_secs(30),
            body_stall: Duration::from_secs(60),
            body_least: 1,
            answer_within: None,
            response_stall: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            requests: None,
            connections: None,
            connections_per_address: None,
            pipeline: 64,
            held: 256 << 10,
            bodies: 256 << 20,
            discard: 64 << 10,
            linger: Duration::from_secs(5),
            last_call: Duration::from_millis(100),
            request_ids: false,
            first_id: 0,
            clock: Clock::System,
        }
    }
}

impl Settings {
    /// How often it is looked whether a client takes what is queued for it. (One that has taken all may be idle.)
    pub(super) fn look(&self) -> Duration {
        (self.response_stall / 4).min(self.idle)
    }

    /// Refuses, with [`io::ErrorKind::InvalidInput`], what could not work on connections with these limits.
    pub fn check(&self, connection: &sockman::Limits) -> io::Result<()> {
        let wrong = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        let zero = [
            (self.pipeline == 0, "pipeline"),
            (self.requests == Some(0), "requests"),
            (self.connections == Some(0), "connections"),
            (self.connections_per_address == Some(0), "connections_per_address"),
            (self.head_within.is_zero(), "head_within"),
            (self.body_stall.is_zero(), "body_stall"),
            (self.response_stall.is_zero(), "response_stall"),
            (self.idle.is_zero(), "idle"),
        ];
        if let Some((_, name)) = zero.iter().find(|(is_zero, _)| *is_zero) {
            return wrong(format!("Settings::{name} is 0"));
        }
        // An incomplete head is unread, and so is the line of a chunk's size or a trailer section.
        let largest = (self.limits.head)
            .max(self.limits.trailers)
            .max(self.limits.chunk_line);
        if largest + 4 > connection.unread {
            return wrong(format!(
                "heads of {largest} bytes do not fit into {} unread bytes",
                connection.unread
            ));
        }
        Ok(())
    }
}
