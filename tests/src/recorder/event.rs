//! What the log of a recorder holds.

use sockman::{DialError, OriginKind};
use std::time::Duration;

/// One callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `open`.
    Open {
        /// The key of the origin.
        key: u64,
        /// The kind of the origin.
        how: OriginKind,
    },
    /// `received`, with how many bytes were offered.
    Received(usize),
    /// `posted`, with how many bytes.
    Posted(usize),
    /// `drained`.
    Drained,
    /// `eof`, with how many bytes were unread.
    Eof(usize),
    /// `deadline`.
    Deadline,
    /// `closed`, with the name of the reason.
    Closed(&'static str),
    /// `timer`, with its key.
    Timer(u64),
    /// `woken`.
    Woken,
    /// `dial_failed`.
    DialFailed {
        /// The key of the dial.
        key: u64,
        /// The name of the outcome.
        why: &'static str,
    },
    /// `stopping`, with its limit.
    Stopping(Duration),
}

impl Event {
    /// Whether this is `open`.
    pub fn is_open(&self) -> bool {
        matches!(self, Event::Open { .. })
    }

    /// Whether this is `received`.
    pub fn is_received(&self) -> bool {
        matches!(self, Event::Received(_))
    }

    /// Whether this is `eof`.
    pub fn is_eof(&self) -> bool {
        matches!(self, Event::Eof(_))
    }

    /// Whether this is `closed`.
    pub fn is_closed(&self) -> bool {
        matches!(self, Event::Closed(_))
    }
}

/// A short name of each outcome of a dial.
pub(super) fn dial_name(why: &DialError) -> &'static str {
    match why {
        DialError::Refused(_) => "refused",
        DialError::Unreachable(_) => "unreachable",
        DialError::TimedOut => "timed_out",
        DialError::Cancelled => "cancelled",
        DialError::Failed(_) => "failed",
        _ => "other",
    }
}

/// A short name of each way in which a connection comes about.
pub(super) fn origin_name(how: OriginKind) -> &'static str {
    match how {
        OriginKind::Accepted(_) => "accepted",
        OriginKind::Dialed => "dialed",
        OriginKind::Adopted => "adopted",
    }
}
