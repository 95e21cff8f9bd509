//! The state of one connection.

use super::queue::{Progress, Queue};
use super::settings::Settings;
use crate::http1::{Decoder, Saved};
use sockman::Endpoint;
use std::time::{Duration, Instant};

/// After the last answer, when it is looked first whether all of it has been sent; each later look waits twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(10);

/// A connection.
pub(crate) struct Connection<U, S> {
    pub(crate) decoder: Decoder,
    /// The deadline that the loop has.
    pub(crate) armed: Option<Instant>,
    pub(crate) state: State<U, S>,
}

/// What a connection is about, apart from its decoder.
pub(crate) struct State<U, S> {
    pub(crate) peer: Endpoint,
    pub(crate) receiving: Receiving<U>,
    pub(crate) queue: Queue<S>,
    /// Requests so far.
    pub(crate) requests: u64,
    /// The number of the request that is being received, among all of the server's.
    pub(crate) id: u64,
    /// Nothing after what is in the queue will be answered.
    pub(crate) last: bool,
    /// A response broke off: the client must not take it for complete.
    pub(crate) broken: Option<Broken>,
    /// The client takes no more at present.
    pub(crate) high: bool,
    pub(crate) paused: bool,
    /// There is more of a stream, and others are to have their turn first.
    pub(crate) more: bool,
    /// The decoder was told to stop: what it has left is to be offered to it again.
    pub(crate) behind: bool,
    /// When the first byte of the head came that is not complete.
    pub(crate) head_begun: Option<Instant>,
    /// Bytes of bodies so far.
    pub(crate) body_bytes: u64,
    /// When the current period of a body began, and how many bytes there were then.
    pub(crate) period: Option<(Instant, u64)>,
    /// When anything moved last, in either direction.
    pub(crate) moved: Instant,
    /// The key of the listener.
    pub(crate) key: u64,
    /// Bytes of a body that are being collected.
    pub(crate) collected: usize,
    /// Bytes that waited for the client when something was sent last.
    pub(crate) queued: usize,
    /// We have half-closed, and wait until all has been sent.
    pub(crate) finished: bool,
    /// How often we have looked since then.
    pub(crate) looks: u32,
    /// Whether bytes wait for the client.
    pub(crate) unsent: Unsent,
    /// If so, since when the client has taken none of them, as far as is known.
    pub(crate) taken: Instant,
    /// When that was looked at last, and how many bytes the kernel had taken then.
    pub(crate) looked: (Instant, u64),
    /// We have hung up: only `closed` follows.
    pub(crate) disconnected: bool,
}

/// Whether bytes wait for the client, which is asked only now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    No,
    /// Something has been sent, and may have left.
    Perhaps,
    Yes,
}

/// How a response that broke off is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Its framing shows that something is missing.
    Shows,
    /// The client is gone: there is nobody left to see it.
    Gone,
    /// Only a reset shows it: the end of the connection would be the end of the response.
    Hides,
}

/// What is being received.
pub(crate) enum Receiving<U> {
    /// A head, or nothing.
    Head,
    /// Nothing: a head is there whose request must wait for earlier answers.
    Blocked(Saved),
    /// A body that is collected.
    Whole(Saved, Vec<u8>),
    /// A body that goes to the application piece by piece.
    Pieces {
        head: Saved,
        upload: U,
        /// The application takes no more at present.
        stopped: bool,
    },
    /// A body that nobody wants; so much of it may still come.
    Discard(u64),
    /// A body that has been given to the application already.
    Served,
}

impl<U, S> State<U, S> {
    /// Whether nothing is under way, and the client has taken everything.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.head_begun.is_none()
            && matches!(self.receiving, Receiving::Head)
            && self.unsent == Unsent::No
    }
}

impl<U, S> Connection<U, S> {
    pub(crate) fn new(peer: Endpoint, key: u64, now: Instant) -> Self {
        Connection {
            decoder: Decoder::new(),
            armed: None,
            state: State {
                peer,
                receiving: Receiving::Head,
                queue: Queue::new(),
                requests: 0,
                id: 0,
                last: false,
                broken: None,
                high: false,
                paused: false,
                more: false,
                behind: false,
                head_begun: None,
                body_bytes: 0,
                period: None,
                moved: now,
                key,
                collected: 0,
                queued: 0,
                finished: false,
                looks: 0,
                unsent: Unsent::No,
                taken: now,
                looked: (now, 0),
                disconnected: false,
            },
        }
    }

    /// Whether no request is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.state.queue.is_empty() && !self.state.behind && !self.decoder.is_inside()
    }

    /// Notes what a deadline depends on, after something has happened.
    #[inline]
    pub(crate) fn observe(&mut self, now: Instant) {
        let state = &mut self.state;
        let inside = self.decoder.is_inside();
        let (head, body) = match &state.receiving {
            Receiving::Head => (inside, false),
            // (While it is us who do not read, the client cannot be too slow.)
            Receiving::Whole(..) | Receiving::Discard(_) | Receiving::Pieces { stopped: false, .. } => {
                (false, !state.last && !state.paused)
            }
            Receiving::Blocked(_) | Receiving::Served | Receiving::Pieces { stopped: true, .. } => {
                (false, false)
            }
        };
        if head && !state.paused && !state.last {
            state.head_begun.get_or_insert(now);
        } else {
            state.head_begun = None;
        }
        if body {
            state.period.get_or_insert((now, state.body_bytes));
        } else {
            state.period = None;
        }
    }

    /// When something is due if nothing happens until then.
    pub(crate) fn deadline(&self, settings: &Settings, now: Instant) -> Option<Instant> {
        let state = &self.state;
        if state.more {
            return Some(now);
        }
        let mut next = match (state.head_begun, state.period) {
            (Some(begun), _) => begun.checked_add(settings.head_within),
            (None, Some((begun, _))) => begun.checked_add(settings.body_stall),
            (None, None) => None,
        };
        let mut earlier = |at: Option<Instant>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        if state.unsent != Unsent::No {
            let look = match state.looks {
                // Of the end of what is queued nothing tells us: most clients have soon taken it, others take their time.
                looks if state.finished => (FIRST_LOOK * 2_u32.pow(looks.min(16))).min(settings.look()),
                _ => settings.look(),
            };
            earlier(state.looked.0.checked_add(look));
        }
        match state.queue.front() {
            None if state.is_idle() => earlier(state.moved.checked_add(settings.idle)),
            None => {}
            Some(front) => {
                match &front.progress {
                    Progress::Held(until, _) => earlier(Some(*until).filter(|_| !state.high)),
                    Progress::Pulled { due, .. } => earlier(due.filter(|_| !state.high)),
                    _ => {}
                }
                if let Some(within) = settings.answer_within {
                    earlier(
                        state
                            .queue
                            .oldest_waiting()
                            .and_then(|begun| begun.checked_add(within)),
                    );
                }
            }
        }
        next
    }
}
