//! Why things end, and what operations answer.

use std::io;
use std::time::Duration;

/// Why a connection was closed. Given to [`Handler::closed`](crate::Handler::closed), once per opened connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// Our [`disconnect`](crate::SockMan::disconnect) with [`Disconnect::Now`] or [`Disconnect::Reset`].
    #[error("disconnected by us")]
    Disconnected,
    /// Our [`disconnect`](crate::SockMan::disconnect) with [`Disconnect::Flush`]: all that was queued went to the kernel.
    #[error("disconnected by us, all that was queued was sent")]
    Flushed,
    /// [`Disconnect::Flush`] ran into its time limit first.
    #[error("disconnected by us, {unsent} queued bytes were not sent within the limit")]
    FlushTimeout {
        /// Bytes that had not reached the kernel.
        unsent: usize,
    },
    /// The peer reset the connection, or sent nothing back to what we wrote after it had closed.
    #[error("reset by the peer")]
    Reset(#[source] io::Error),
    /// The kernel gave another error: keep-alive ran out, the route is gone.
    #[error("connection failed: {0}")]
    Failed(#[source] io::Error),
    /// The handler was offered [`Limits::unread`](crate::Limits::unread) bytes and consumed none of them.
    #[error("more than {limit} bytes unread")]
    UnreadLimit {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More than [`Limits::queued`](crate::Limits::queued) bytes waited to be sent after the kernel was tried.
    #[error("more than {limit} bytes queued to send")]
    SendLimit {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The handler took the socket out with [`detach`](crate::SockMan::detach) and yet returned a session.
    #[error("detached")]
    Detached,
    /// The loop was stopped and its time limit ran out.
    #[error("the loop was stopped")]
    Stopped,
}

impl Closed {
    /// How many kinds of reason there are.
    pub const KINDS: usize = 9;

    /// A short name of each kind, in the order of [`kind`](Closed::kind); for counters.
    pub const NAMES: [&'static str; Closed::KINDS] = [
        "disconnected",
        "flushed",
        "flush_timeout",
        "reset",
        "failed",
        "unread_limit",
        "send_limit",
        "detached",
        "stopped",
    ];

    /// Which kind of reason this is: an index into [`NAMES`](Closed::NAMES) and [`Stats::closes`](crate::Stats::closes).
    pub fn kind(&self) -> usize {
        match self {
            Closed::Disconnected => 0,
            Closed::Flushed => 1,
            Closed::FlushTimeout { .. } => 2,
            Closed::Reset(_) => 3,
            Closed::Failed(_) => 4,
            Closed::UnreadLimit { .. } => 5,
            Closed::SendLimit { .. } => 6,
            Closed::Detached => 7,
            Closed::Stopped => 8,
        }
    }

    /// The short name of this kind of reason.
    pub fn name(&self) -> &'static str {
        Closed::NAMES[self.kind()]
    }

    /// The reason that an error of the kernel on an open connection stands for.
    pub fn from_error(error: io::Error) -> Closed {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match error.kind() {
            BrokenPipe | ConnectionReset | ConnectionAborted => Closed::Reset(error),
            _ => Closed::Failed(error),
        }
    }

    /// Whether a write that failed so is the connection's end, which reading shows too. After any other error (want of
    /// buffers, a firewall's refusal) the connection would live on, and nobody would ever hear of the end that [`Gone`]
    /// announces.
    pub(crate) fn is_end(error: &io::Error) -> bool {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
            NetworkUnreachable, NotConnected, TimedOut,
        };
        matches!(
            error.kind(),
            BrokenPipe
                | ConnectionReset
                | ConnectionAborted
                | ConnectionRefused
                | NotConnected
                | TimedOut
                | HostUnreachable
                | NetworkUnreachable
                | NetworkDown
        )
    }
}

/// Why a dial came to nothing. Given to [`Handler::dial_failed`](crate::Handler::dial_failed).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Nobody listens there.
    #[error("refused: {0}")]
    Refused(#[source] io::Error),
    /// No route, network or host; or no such Unix socket.
    #[error("unreachable: {0}")]
    Unreachable(#[source] io::Error),
    /// No answer within [`DialOptions::timeout`](crate::DialOptions::timeout), or within the kernel's own limit.
    #[error("timed out")]
    TimedOut,
    /// [`disconnect`](crate::SockMan::disconnect) was called before the connection opened, or the loop was stopped.
    #[error("cancelled")]
    Cancelled,
    /// Any other error: out of descriptors, address in use, permission denied.
    #[error("failed: {0}")]
    Failed(#[source] io::Error),
}

impl DialError {
    /// The outcome that an error of `connect`, or `SO_ERROR` after it, stands for.
    pub fn from_error(error: io::Error) -> DialError {
        use io::ErrorKind::{
            ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown, NetworkUnreachable, NotFound,
            TimedOut,
        };
        match error.kind() {
            // A listener that closes while we are in its backlog answers with RST.
            ConnectionRefused | ConnectionReset => DialError::Refused(error),
            HostUnreachable | NetworkUnreachable | NetworkDown | NotFound => DialError::Unreachable(error),
            TimedOut => DialError::TimedOut,
            _ => DialError::Failed(error),
        }
    }
}

/// How to end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnect {
    /// Send what is queued, half-close, let the peer read it to the end, then close; at the latest after `within`. If not
    /// all could be sent by then, close by RST, so that the peer does not take what it has for all of it.
    ///
    /// Waiting for the peer's own end (and discarding what it still sends) is what makes delivery sure: closing a TCP
    /// socket on unread input sends RST, which destroys what the peer has not read yet (RFC 9112 section 9.6).
    Flush {
        /// The time limit for all of it.
        within: Duration,
    },
    /// Close at once. What is queued is discarded.
    Now,
    /// Close at once by RST; what is queued, here and in the kernel, is discarded. As [`Now`](Disconnect::Now) on Unix
    /// sockets, which know no reset.
    Reset,
}

impl Disconnect {
    /// The limit that [`flush`](Disconnect::flush) gives: 5 seconds.
    pub const FLUSH_WITHIN: Duration = Duration::from_secs(5);

    /// [`Flush`](Disconnect::Flush) within [`FLUSH_WITHIN`](Disconnect::FLUSH_WITHIN).
    pub const fn flush() -> Disconnect {
        Disconnect::Flush {
            within: Disconnect::FLUSH_WITHIN,
        }
    }
}

/// What became of the bytes of a successful send.
///
/// The numbers are of bytes waiting in our queue for this connection, these included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Queued, below the high-water mark: go on. What a callback queues leaves when the callback returns.
    Queued(usize),
    /// The kernel takes no more and the queue is above the high-water mark: stop until
    /// [`drained`](crate::Handler::drained).
    High(usize),
}

impl Sent {
    /// Whether the high-water mark was crossed.
    pub fn is_high(self) -> bool {
        matches!(self, Sent::High(_))
    }

    /// Bytes that wait to be sent.
    pub fn queued(self) -> usize {
        match self {
            Sent::Queued(bytes) | Sent::High(bytes) => bytes,
        }
    }
}

/// The connection takes no more bytes: it is closed, closing, half-closed by us, or not open yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is gone")]
pub struct Gone;

/// Why [`want`](crate::SockMan::want) was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WantError {
    /// As [`Gone`].
    #[error("the connection is gone")]
    Gone,
    /// More than the connection may have unread, so it could never be met.
    #[error("above the limit of {limit} unread bytes")]
    AboveLimit {
        /// [`Limits::unread`](crate::Limits::unread) of this connection.
        limit: usize,
    },
}

/// Why a [`Remote`](crate::Remote) could not take a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The loop has been dropped.
    #[error("the loop is gone")]
    Gone,
    /// [`Config::remote_queue`](crate::Config::remote_queue) bytes already wait for the loop.
    #[error("the loop's queue is full")]
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_name() {
        let error = || io::Error::from(io::ErrorKind::Other);
        let all = [
            Closed::Disconnected,
            Closed::Flushed,
            Closed::FlushTimeout { unsent: 1 },
            Closed::Reset(error()),
            Closed::Failed(error()),
            Closed::UnreadLimit { limit: 1 },
            Closed::SendLimit { limit: 1 },
            Closed::Detached,
            Closed::Stopped,
        ];
        for (kind, reason) in all.iter().enumerate() {
            assert_eq!(reason.kind(), kind);
        }
        let mut names = Closed::NAMES.to_vec();
        names.dedup();
        assert_eq!(names.len(), all.len());
    }
}
