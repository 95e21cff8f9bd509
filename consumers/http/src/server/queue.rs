//! Answers that are under way, in the order of their requests.

use super::access::Entry;
use super::output::Payload;
use crate::deferred::Flight;
use crate::http1::encode::{Framing, Terms};
use http::StatusCode;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// A request whose answer is not complete.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    /// Its number on its connection.
    pub(crate) number: u64,
    pub(crate) terms: Terms,
    /// Whether its method is safe: then others may run beside it (RFC 9112 section 9.3.2).
    pub(crate) is_safe: bool,
    pub(crate) begun: Instant,
    pub(crate) status: Option<StatusCode>,
    /// Fields that layers have added, as text.
    pub(crate) extra: Vec<u8>,
    pub(crate) entry: Option<Box<Entry>>,
    pub(crate) progress: Progress<S>,
}

impl<S> Exchange<S> {
    /// Writes the line of the access log, if there is one.
    #[inline]
    pub(crate) fn log(&self, status: StatusCode, now: Instant) {
        if let Some(entry) = &self.entry {
            entry.write(status, now.saturating_duration_since(self.begun));
        }
    }
}

/// How far an answer is.
#[derive(Debug)]
pub(crate) enum Progress<S> {
    /// Another thread will give it.
    Waiting,
    /// It is whole.
    Ready(Payload),
    /// It is whole, and held back until then.
    Held(Instant, Payload),
    /// A source gives it.
    Pulled {
        /// What of it has not been given to the output.
        head: Payload,
        source: S,
        framing: Framing,
        /// When the source has more, if not now.
        due: Option<Instant>,
    },
    /// Another thread gives it piece by piece.
    Written {
        /// What of it has not been given to the output, framed.
        pieces: Payload,
        /// How much of that is body.
        body: usize,
        flight: Arc<Flight>,
        framing: Framing,
        /// Whether it has ended, and if so whether it is complete.
        ended: Option<bool>,
    },
}

impl<S> Progress<S> {
    fn held(&self) -> usize {
        match self {
            Progress::Ready(payload) | Progress::Held(_, payload) => payload.len(),
            Progress::Pulled { head, .. } => head.len(),
            // What a writer may have waiting is bounded by itself.
            Progress::Waiting | Progress::Written { .. } => 0,
        }
    }
}

/// The answers of one connection that are under way.
#[derive(Debug)]
pub(crate) struct Queue<S> {
    exchanges: VecDeque<Exchange<S>>,
    /// Those whose methods are not safe.
    unsafe_ones: usize,
    /// Bytes of answers that wait for earlier ones.
    held: usize,
}

impl<S> Queue<S> {
    pub(crate) const fn new() -> Self {
        Queue {
            exchanges: VecDeque::new(),
            unsafe_ones: 0,
            held: 0,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.exchanges.len()
    }

    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether a request may run beside those that are under way.
    pub(crate) fn is_safe(&self) -> bool {
        self.unsafe_ones == 0
    }

    pub(crate) fn push(&mut self, exchange: Exchange<S>) {
        self.unsafe_ones += usize::from(!exchange.is_safe);
        self.held += exchange.progress.held();
        self.exchanges.push_back(exchange);
    }

    pub(crate) fn pop(&mut self) -> Option<Exchange<S>> {
        let exchange = self.exchanges.pop_front()?;
        self.forget(&exchange);
        if self.exchanges.is_empty() {
            // Idle connections own no memory but their own.
            self.exchanges = VecDeque::new();
        }
        Some(exchange)
    }

    pub(crate) fn front(&self) -> Option<&Exchange<S>> {
        self.exchanges.front()
    }

    /// Whether this is the last request.
    pub(crate) fn is_back(&self, number: u64) -> bool {
        self.exchanges
            .back()
            .is_some_and(|exchange| exchange.number == number)
    }

    /// Drops the answers behind this one.
    pub(crate) fn end_with(&mut self, number: u64) {
        while !self.is_back(number)
            && let Some(exchange) = self.exchanges.pop_back()
        {
            self.forget(&exchange);
        }
    }

    /// The exchange is no longer among them.
    fn forget(&mut self, exchange: &Exchange<S>) {
        self.unsafe_ones -= usize::from(!exchange.is_safe);
        self.held -= exchange.progress.held();
    }

    /// Changes the first answer.
    pub(crate) fn change_front<R>(&mut self, change: impl FnOnce(&mut Exchange<S>) -> R) -> Option<R> {
        let exchange = self.exchanges.front_mut()?;
        let before = exchange.progress.held();
        let result = change(exchange);
        self.held = self.held - before + exchange.progress.held();
        Some(result)
    }

    /// Changes the answer to a request.
    pub(crate) fn change<R>(&mut self, number: u64, change: impl FnOnce(&mut Exchange<S>) -> R) -> Option<R> {
        // They are in the order of their numbers.
        let place = self
            .exchanges
            .binary_search_by_key(&number, |exchange| exchange.number)
            .ok()?;
        let exchange = &mut self.exchanges[place];
        let before = exchange.progress.held();
        let result = change(exchange);
        self.held = self.held - before + exchange.progress.held();
        Some(result)
    }

    /// When the oldest request began for whose answer another thread is waited for.
    pub(crate) fn oldest_waiting(&self) -> Option<Instant> {
        (self.exchanges.iter())
            .find(|exchange| matches!(exchange.progress, Progress::Waiting))
            .map(|exchange| exchange.begun)
    }

    /// The numbers of those for whose answers another thread is waited for since before `before`.
    pub(crate) fn waiting_since(&self, before: Instant) -> Vec<u64> {
        (self.exchanges.iter())
            .filter(|exchange| matches!(exchange.progress, Progress::Waiting) && exchange.begun <= before)
            .map(|exchange| exchange.number)
            .collect()
    }

    /// Nobody will hear these answers: tells every writer that its client is gone, and the access log.
    pub(crate) fn abandon(&mut self, now: Instant) {
        self.tell_writers();
        for exchange in &mut self.exchanges {
            if let Some(entry) = exchange.entry.take() {
                entry.left(exchange.status, now.saturating_duration_since(exchange.begun));
            }
        }
    }

    /// Tells every writer that its client is gone.
    pub(crate) fn tell_writers(&self) {
        for exchange in &self.exchanges {
            if let Progress::Written { flight, .. } = &exchange.progress {
                flight.gone();
            }
        }
    }
}
