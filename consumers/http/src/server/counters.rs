//! What a server counts.

use crate::reject::Reject;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

sockman::counts! {
    /// Connections that were taken.
    connections,
    /// Connections that have closed.
    connections_closed,
    /// Connections refused for [`Settings::connections`](crate::Settings::connections).
    connections_refused,
    /// Connections refused for [`Settings::connections_per_address`](crate::Settings::connections_per_address).
    address_refused,
    /// Requests whose heads were right.
    requests,
    /// Answers that were deferred to another thread.
    deferred,
    /// Heads that took longer than [`Settings::head_within`](crate::Settings::head_within).
    head_timeouts,
    /// Bodies slower than [`Settings::body_stall`](crate::Settings::body_stall) allows.
    body_timeouts,
    /// Answers that took longer than [`Settings::answer_within`](crate::Settings::answer_within).
    answer_timeouts,
    /// Clients that took nothing for [`Settings::response_stall`](crate::Settings::response_stall).
    response_stalls,
    /// Connections closed after [`Settings::idle`](crate::Settings::idle).
    idle_closes,
    /// Connections ended by [`Settings::requests`](crate::Settings::requests).
    requests_spent,
    /// Times that reading was stopped for [`Settings::pipeline`](crate::Settings::pipeline) or
    /// [`Settings::held`](crate::Settings::held).
    pipeline_pauses,
    /// Times that reading was stopped because the client did not take its answers.
    queue_pauses,
    /// Connections closed for bodies above [`Settings::discard`](crate::Settings::discard).
    discards_refused,
    /// Requests refused for [`Settings::bodies`](crate::Settings::bodies).
    bodies_refused,
    /// Answers that nobody gave: the token was dropped.
    dropped,
}

/// The smallest status.
const FIRST: usize = 100;
/// How many there are.
const STATUSES: usize = 900;

struct Inner {
    counts: [AtomicU64; Count::ALL.len()],
    rejects: [AtomicU64; Reject::ALL.len()],
    statuses: [AtomicU64; STATUSES],
}

/// The counters of one server. Its loop alone writes them; any thread may read.
#[derive(Clone)]
pub struct Counters(Arc<Inner>);

impl Counters {
    pub(crate) fn new() -> Counters {
        Counters(Arc::new(Inner {
            counts: [const { AtomicU64::new(0) }; _],
            rejects: [const { AtomicU64::new(0) }; _],
            statuses: [const { AtomicU64::new(0) }; _],
        }))
    }

    /// A count.
    pub fn get(&self, what: Count) -> u64 {
        self.0.counts[what as usize].load(Relaxed)
    }

    /// How many requests were refused for this.
    pub fn rejects(&self, why: Reject) -> u64 {
        self.0.rejects[why as usize].load(Relaxed)
    }

    /// How many answers had this status; 0 for what is no status.
    pub fn status(&self, status: u16) -> u64 {
        (usize::from(status).checked_sub(FIRST))
            .and_then(|place| self.0.statuses.get(place))
            .map_or(0, |count| count.load(Relaxed))
    }

    /// The statuses that there were, with their counts.
    pub fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        (self.0.statuses.iter().enumerate())
            .map(|(place, count)| ((place + FIRST) as u16, count.load(Relaxed)))
            .filter(|(_, count)| *count > 0)
    }

    #[inline]
    pub(crate) fn add(&self, what: Count) {
        bump(&self.0.counts[what as usize]);
    }

    pub(crate) fn rejected(&self, why: Reject) {
        bump(&self.0.rejects[why as usize]);
    }

    #[inline]
    pub(crate) fn answered(&self, status: StatusCode) {
        bump(&self.0.statuses[usize::from(status.as_u16()) - FIRST]);
    }
}

/// One writer: no atomic addition is needed.
#[inline]
fn bump(count: &AtomicU64) {
    count.store(count.load(Relaxed) + 1, Relaxed);
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = Count::ALL.iter().map(|count| (count.name(), self.get(*count)));
        f.debug_map().entries(counts).finish()
    }
}
