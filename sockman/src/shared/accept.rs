//! Accepting.

use crate::backend::Sink;
use crate::config::Limits;
use crate::handler::{Origin, OriginKind};
use crate::id::{Conn, Listener};
use crate::mutant::{Mutant, planted};
use crate::shared::delivery::Delivery;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use crate::shared::slots::Slots;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// A listener.
pub struct Listening<L> {
    /// The backend's own part.
    pub socket: L,
    /// Given with the listener.
    pub key: u64,
    /// Of the connections accepted here.
    pub limits: Rc<Limits>,
    /// It is in one of the two lists, of those to accept from and of those that cannot for the time being.
    pub(super) listed: bool,
}

/// The listeners of a loop, and the lists of what is to be done with them.
pub struct Listeners<L> {
    /// Every listener.
    pub slots: Slots<Listener, Listening<L>>,
    /// Those to accept from.
    pub(super) accepting: VecDeque<Listener>,
    /// Those that wait for a connection to close, or for `retry_at`.
    starved: Vec<Listener>,
    pub(super) retry_at: Option<Instant>,
}

impl<L> Listeners<L> {
    pub(super) fn new() -> Self {
        Listeners {
            slots: Slots::new(),
            accepting: VecDeque::new(),
            starved: Vec::new(),
            retry_at: None,
        }
    }

    /// A listener has something to accept, as far as one can tell.
    #[inline]
    pub fn may_accept(&mut self, listener: Listener) {
        if let Some(l) = self.slots.get_mut(listener)
            && !l.listed
        {
            l.listed = true;
            self.accepting.push_back(listener);
        }
    }
}

impl<I: Interface> Delivery<I> {
    /// Accepts what waits, as far as the turn's budget goes.
    pub(super) fn accept(&mut self, sink: &mut impl Sink<Net<I>>, listener: Listener) {
        let budget = self.net.core.config.accept_budget;
        let budget = if planted(Mutant::AcceptUnbounded) {
            budget * 10
        } else {
            budget
        };
        for _ in 0..budget {
            if !self.accept_one(sink, listener) {
                return;
            }
        }
        self.net.accept_later(listener);
    }

    /// Accepts one connection, if one waits; whether there may be more.
    pub fn accept_one(&mut self, sink: &mut impl Sink<Net<I>>, listener: Listener) -> bool {
        match self.net.accept_one(listener) {
            Accepted::Opened(conn) => {
                self.open(sink, conn);
                self.settle(sink);
                true
            }
            Accepted::Nothing => true,
            Accepted::Enough => false,
        }
    }
}

/// What came of one try to accept.
enum Accepted {
    Opened(Conn),
    /// Nothing, but there may be more.
    Nothing,
    /// Nothing more for now.
    Enough,
}

impl<I: Interface> Net<I> {
    fn accept_one(&mut self, listener: Listener) -> Accepted {
        let Some(l) = self.listeners.slots.get_mut(listener) else {
            return Accepted::Enough;
        };
        let stats = &mut self.core.stats;
        if self.core.conns.len() >= self.core.max_connections {
            stats.accept_waits += 1;
            tracing::debug!(%listener, "Config::max_connections are open: the rest waits in the backlog");
            self.starve(listener);
            return Accepted::Enough;
        }
        let (io, peer) = match self.interface.accept(&mut l.socket, &mut stats.syscalls) {
            Ok(accepted) => accepted,
            Err(error) => return self.accept_failed(listener, &error),
        };
        stats.accepts += 1;
        let origin = Origin {
            key: l.key,
            how: OriginKind::Accepted(listener),
            peer,
        };
        let limits = l.limits.clone();
        match self.begin(io, origin, limits) {
            Ok(conn) => Accepted::Opened(conn),
            Err(error) => {
                self.core.stats.accept_errors += 1;
                tracing::debug!(%listener, %error, "an accepted connection could not be kept");
                Accepted::Nothing
            }
        }
    }

    fn accept_failed(&mut self, listener: Listener, error: &io::Error) -> Accepted {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
            NetworkUnreachable, PermissionDenied, WouldBlock,
        };
        match error.kind() {
            WouldBlock => {
                if let Some(l) = self.listeners.slots.get_mut(listener) {
                    l.listed = false;
                }
                Accepted::Enough
            }
            Interrupted => Accepted::Nothing,
            // accept(2): errors of the connection, not of the listener.
            ConnectionAborted | ConnectionReset | HostUnreachable | NetworkDown | NetworkUnreachable
            | PermissionDenied => {
                self.core.stats.accept_errors += 1;
                tracing::debug!(%listener, %error, "a connection was gone before it was accepted");
                Accepted::Nothing
            }
            // Out of descriptors or memory, or something new: trying at once would spin.
            _ => {
                self.core.stats.accept_backoffs += 1;
                let rest = self.core.config.accept_backoff;
                tracing::debug!(%listener, %error, ?rest, "accepting fails, the listener rests");
                self.starve(listener);
                self.listeners.retry_at = self.core.now.checked_add(rest);
                Accepted::Enough
            }
        }
    }

    /// Enters a listener into the list of those to accept from.
    fn accept_later(&mut self, listener: Listener) {
        if let Some(l) = self.listeners.slots.get_mut(listener) {
            l.listed = true;
            self.listeners.accepting.push_back(listener);
        }
    }

    /// The listener cannot accept until a connection closes or its rest is over.
    fn starve(&mut self, listener: Listener) {
        if let Some(l) = self.listeners.slots.get_mut(listener) {
            l.listed = true;
        }
        self.rest(listener, true);
        self.listeners.starved.push(listener);
    }

    /// A connection has closed, or the rest is over: those that could not accept try again.
    #[inline]
    pub(super) fn feed(&mut self) {
        self.listeners.retry_at = None;
        if self.listeners.starved.is_empty() {
            return;
        }
        for listener in std::mem::take(&mut self.listeners.starved) {
            self.rest(listener, false);
            self.accept_later(listener);
        }
    }

    fn rest(&mut self, listener: Listener, rest: bool) {
        if let Err(error) = I::watch_listener(self, listener, !rest) {
            tracing::debug!(%listener, %error, rest, "the listener could not be told to rest, or to go on");
        }
    }
}
