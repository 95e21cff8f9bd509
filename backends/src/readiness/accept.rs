//! Accepting.

use super::kernel::{Interest, Kernel};
use super::net::Net;
use super::turn::Engine;
use sockman::shared::{Ending, Phase};
use sockman::{Closed, Conn, Id, Listener, Origin, OriginKind, Sink, Syscall};
use std::io;

impl<K: Kernel> Engine<K> {
    /// Accepts what waits, as far as the turn's budget goes.
    pub(super) fn accept(&mut self, sink: &mut impl Sink<Net<K>>, listener: Listener) {
        for _ in 0..self.net.core.config.accept_budget {
            match self.net.accept_one(listener) {
                Accepted::Opened(conn) => {
                    self.open(sink, conn);
                    self.settle(sink);
                }
                Accepted::Nothing => {}
                Accepted::Enough => return,
            }
        }
        self.net.accept_later(listener);
    }

    /// Hands a connection to the handler.
    pub(super) fn open(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
        let core = &mut self.net.core;
        let Some(c) = core.conns.get_mut(conn) else { return };
        c.phase = Phase::Open;
        let origin = c.origin();
        if origin.how == OriginKind::Dialed {
            core.stats.dials += 1;
        }
        tracing::debug!(%conn, peer = %origin.peer, key = origin.key, "open");
        // What was set so far was the dial's limit.
        core.timers.set_deadline(conn, None);
        core.opening = Some(conn);
        let taken = sink.open(&mut self.net, conn, &origin);
        self.net.core.opening = None;
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        if c.io.socket.is_none() {
            let ending = if taken {
                Ending::Closed(Closed::Detached)
            } else {
                Ending::Silent
            };
            self.net.core.doom(conn, ending);
        } else if !taken {
            self.net.core.stats.refusals += 1;
            self.net.flush(conn);
            self.net.core.doom(conn, Ending::Silent);
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

impl<K: Kernel> Net<K> {
    fn accept_one(&mut self, listener: Listener) -> Accepted {
        let Some(l) = self.listeners.get(listener) else {
            return Accepted::Enough;
        };
        let stats = &mut self.core.stats;
        if self.core.conns.len() >= self.core.max_connections {
            stats.accept_waits += 1;
            tracing::debug!(%listener, "Config::max_connections are open: the rest waits in the backlog");
            self.starve(listener);
            return Accepted::Enough;
        }
        stats.syscalls[Syscall::Accept] += 1;
        let (socket, peer) = match self.kernel.accept(&l.socket) {
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
        let entered = self.enter(Some(socket), Phase::Opening, origin, limits);
        let registered = entered.and_then(|conn| {
            self.register(conn, Interest::READ)
                .inspect_err(|_| self.core.doom(conn, Ending::Silent))
                .map(|()| conn)
        });
        match registered {
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
                if let Some(l) = self.listeners.get_mut(listener) {
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
                self.retry_at = self.core.now.checked_add(rest);
                Accepted::Enough
            }
        }
    }

    /// Enters a listener into the list of those to accept from.
    pub(super) fn accept_later(&mut self, listener: Listener) {
        if let Some(l) = self.listeners.get_mut(listener) {
            l.listed = true;
            self.accepting.push_back(listener);
        }
    }

    /// The listener cannot accept until a connection closes or its rest is over.
    fn starve(&mut self, listener: Listener) {
        self.watch_listener(listener, Interest::NONE);
        self.starved.push(listener);
    }

    /// A connection has closed, or the rest is over: those that could not accept try again.
    pub(super) fn feed(&mut self) {
        self.retry_at = None;
        for listener in std::mem::take(&mut self.starved) {
            self.watch_listener(listener, Interest::READ);
            self.accept_later(listener);
        }
    }

    /// A level-triggered poller would report a listener that does not accept again and again.
    fn watch_listener(&mut self, listener: Listener, interest: Interest) {
        if K::LEVEL
            && let Some(l) = self.listeners.get(listener)
        {
            self.core.stats.syscalls[Syscall::Register] += 1;
            if let Err(error) = self
                .kernel
                .change(l.socket.as_ref(), listener.raw().to_bits(), interest)
            {
                tracing::debug!(%listener, %error, "changing the interest failed");
            }
        }
    }
}
