//! A client.

use crate::body::Body;
use crate::mutant::{Mutant, planted};
use crate::wire::{Constraints, HELLO, Setup, Transport};
use crate::work::Work;
use sockman::Endpoint;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is to send its key.
    Hello,
    /// It has sent it, and waits for its turn.
    Queued,
    /// The handshake is done, and it is to say what it speaks.
    Setup,
    /// It speaks what we do.
    Ready,
    /// It is hung up on.
    Ending,
}

impl Stage {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Hello | Stage::Queued => "handshake",
            Stage::Setup => "setup",
            Stage::Ready => "ready",
            Stage::Ending => "ending",
        }
    }
}

/// A template that a client has been sent.
pub(super) struct Held {
    pub(super) id: u64,
    pub(super) work: Arc<Work>,
    pub(super) body: Arc<Body>,
    /// When it is forgotten, once its tip is not the last any more.
    until: Option<Instant>,
}

/// What a client was told last.
pub(super) struct Told {
    pub(super) work: Arc<Work>,
    /// What its block may pay, in satoshis.
    pub(super) value: u64,
    pub(super) at: Instant,
}

/// A client.
pub(super) struct Client {
    pub(super) peer: Endpoint,
    pub(super) since: Instant,
    pub(super) stage: Stage,
    pub(super) hello: [u8; HELLO],
    /// Once the handshake is done.
    pub(super) transport: Option<Transport>,
    /// What it has said of itself.
    pub(super) setup: Option<Setup>,
    /// The room that its outputs take, once it has said so.
    pub(super) room: Option<Constraints>,
    pub(super) told: Option<Told>,
    /// It has not taken what it was sent.
    pub(super) high: bool,
    /// Meanwhile there was something that it has not been told.
    pub(super) behind: bool,
    /// It has had its share, and others have their turn.
    pub(super) yielded: bool,
    /// The template for whose transactions, which are many, it waits.
    pub(super) asked: Option<u64>,
    /// Oldest first: numbers rise.
    templates: VecDeque<Held>,
    /// The template that it was told the tip with.
    active: u64,
    /// The number of its first template, and of its next.
    numbers: (u64, u64),
}

/// Templates that a client may be sent in a second before its numbers could be those that another process gives it.
const NUMBERS_PER_SECOND: u64 = 1 << 16;

impl Client {
    /// A client whose templates have numbers from the time of day on, and above `last`, the largest that any has had: so they rise also
    /// from one connection to the next, and from one process to the next.
    pub(super) fn new(peer: Endpoint, since: Instant, unix: u64, last: u64) -> Client {
        let first = last.max(unix.saturating_mul(NUMBERS_PER_SECOND)) + 1;
        Client {
            peer,
            since,
            stage: Stage::Hello,
            hello: [0; HELLO],
            transport: None,
            setup: None,
            room: None,
            told: None,
            high: false,
            behind: false,
            yielded: false,
            asked: None,
            templates: VecDeque::new(),
            active: 0,
            numbers: (first, first),
        }
    }

    /// Whether what it asks is answered now: it has taken its answers, has a share left, and waits for nothing.
    pub(super) fn may_ask(&self) -> bool {
        !self.high && !self.yielded && self.asked.is_none()
    }

    /// Keeps a template, and gives its number. Of more than `most` the oldest are forgotten, but the one that the client was told the
    /// tip with: it gives that to whoever comes later.
    pub(super) fn keep(&mut self, work: &Arc<Work>, body: &Arc<Body>, future: bool, most: usize) -> u64 {
        let id = self.numbers.1;
        if !planted(Mutant::SameNumber) {
            self.numbers.1 += 1;
        }
        while self.templates.len() >= most.max(2) {
            let oldest = usize::from(self.templates.front().is_some_and(|held| held.id == self.active));
            self.templates.remove(oldest);
        }
        if future {
            self.active = id;
        }
        self.templates.push_back(Held {
            id,
            work: work.clone(),
            body: body.clone(),
            until: None,
        });
        id
    }

    /// What is kept is forgotten at `until`, unless it is for the same place as `work`. Says whether there is anything to forget.
    pub(super) fn outdate(&mut self, until: Instant, work: &Work) -> bool {
        if planted(Mutant::StaleForever) {
            return false;
        }
        let mut old = self
            .templates
            .iter_mut()
            .filter(|held| !held.work.follows(work))
            .peekable();
        let any = old.peek().is_some();
        for held in old {
            held.until.get_or_insert(until);
        }
        any
    }

    /// Forgets what is to be forgotten by now. Says when something will be.
    pub(super) fn prune(&mut self, now: Instant) -> Option<Instant> {
        self.templates
            .retain(|held| held.until.is_none_or(|until| until > now));
        self.templates.iter().filter_map(|held| held.until).min()
    }

    /// A template, unless it is forgotten.
    pub(super) fn find(&self, id: u64, now: Instant) -> Option<&Held> {
        let index = self.templates.binary_search_by_key(&id, |held| held.id).ok()?;
        let held = self.templates.get(index)?;
        held.until.is_none_or(|until| until > now).then_some(held)
    }

    /// Whether there ever was a template of this number.
    pub(super) fn has_had(&self, id: u64) -> bool {
        (self.numbers.0..self.numbers.1).contains(&id)
    }

    /// How many templates are kept.
    pub(super) fn kept(&self) -> usize {
        self.templates.len()
    }

    /// The number of the last template, if there was one.
    pub(super) fn last(&self) -> Option<u64> {
        (self.numbers.1 > self.numbers.0).then(|| self.numbers.1 - 1)
    }
}
