//! Calling the handler.

use crate::backend::Sink;
use crate::config::Config;
use crate::handler::OriginKind;
use crate::id::Conn;
use crate::mutant::{Mutant, planted};
use crate::reason::Closed;
use crate::shared::conn::{Ending, Phase};
use crate::shared::inbox::Inbox;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use crate::shared::timers::Due;
use std::io;
use std::time::Duration;

/// The sockets and the unread bytes: all that is needed to deliver, apart from the buffers that bytes are received to.
///
/// Every method that is given a sink calls handlers, and leaves nothing of what they asked for undone: what they sent is
/// with the kernel and what they closed is closed when it returns.
pub struct Delivery<I: Interface> {
    /// The operations.
    pub net: Net<I>,
    inbox: Inbox,
    /// The wait of this turn is over.
    begun: bool,
    /// Commands of remotes were waiting then.
    pub(super) commands: bool,
}

impl<I: Interface> Delivery<I> {
    pub(super) fn new(net: Net<I>, config: &Config) -> Self {
        Delivery {
            net,
            inbox: Inbox::new(config.spare_buffers / 2),
            begun: false,
            commands: false,
        }
    }

    pub(super) fn await_begin(&mut self) {
        self.begun = false;
    }

    /// The wait is over: from here on the time is this turn's, and remotes need not wake the loop. The engine calls it
    /// after the wait; an interface that delivers inside it calls it before the first delivery.
    #[inline]
    pub fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.net.core.set_now(self.net.interface.now());
            self.commands = self.net.core.mailbox.awake();
        }
    }

    /// After a callback: writes what it sent, then closes what it closed. A closing that a `closed` causes waits for the
    /// next call, so that this ends whatever handlers do.
    #[inline]
    pub fn settle(&mut self, sink: &mut impl Sink<Net<I>>) {
        self.net.flush_dirty();
        if self.net.core.doomed.is_empty() {
            return;
        }
        for _ in 0..self.net.core.doomed.len() {
            self.bury(sink);
        }
        self.net.flush_dirty();
    }

    /// Closes one connection and reports it.
    fn bury(&mut self, sink: &mut impl Sink<Net<I>>) {
        let Some((conn, state, ending)) = self.net.core.take_doomed() else {
            return;
        };
        self.inbox.forget(conn);
        let calls = &mut self.net.core.stats.syscalls;
        self.net.interface.close(state.io, state.reset, calls);
        self.net.feed();
        match ending {
            Ending::Closed(Closed::Reset(_)) if planted(Mutant::ClosingLost) => {}
            Ending::Closed(why) => sink.closed(&mut self.net, conn, why),
            Ending::Dial(why) => sink.dial_failed(&mut self.net, state.key, why),
            Ending::Silent => {}
        }
    }

    /// Hands a connection to the handler.
    pub(super) fn open(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn) {
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
        if c.detached {
            let ending = if taken {
                Ending::Closed(Closed::Detached)
            } else {
                Ending::Silent
            };
            self.net.core.doom(conn, ending);
        } else if taken {
            I::watch(&mut self.net, conn);
        } else {
            self.net.core.stats.refusals += 1;
            self.net.flush(conn);
            self.net.core.doom(conn, Ending::Silent);
        }
    }

    /// What a connection of the ready list may have to do besides receiving: to open, to send on, to tell of `drained`, to
    /// offer unread bytes again.
    pub fn attend(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn) {
        let Some(c) = self.net.core.conns.get(conn) else {
            return;
        };
        if c.phase == Phase::Opening {
            self.open(sink, conn);
            self.settle(sink);
        }
        self.net.flush(conn);
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        if c.phase == Phase::Open && c.drain_due {
            c.drain_due = false;
            sink.drained(&mut self.net, conn);
            self.settle(sink);
        }
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        if c.phase == Phase::Open && c.offer && !c.paused {
            self.inbox.offer_unread(&mut self.net, sink, conn);
        }
        self.settle(sink);
    }

    /// Where bytes are to be received, `room` at most, when they are to come behind those that the connection has not
    /// consumed, instead of into a common buffer of `piece` bytes; `None` while those are too few for that to pay. The sockets
    /// beside it are for receiving.
    #[inline]
    pub fn behind(&mut self, conn: Conn, piece: usize, room: usize) -> (&mut Net<I>, Option<&mut [u8]>) {
        let behind = self.inbox.large(conn).map(|unread| {
            let c = self.net.core.conns.get(conn);
            let most = c.map_or(room, |c| c.most_behind(room, piece));
            unread.room(piece.min(room), most)
        });
        (&mut self.net, behind)
    }

    /// Bytes have come, into a common buffer. The connection must be one that
    /// [`wants_reading`](super::ConnState::wants_reading).
    #[inline]
    pub fn deliver(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn, data: &mut [u8]) {
        if self.net.core.received(conn, data.len()) {
            self.inbox.offer(&mut self.net, sink, conn, data);
            self.settle(sink);
        }
    }

    /// Bytes have come, [behind those that there were](Delivery::behind).
    pub fn deliver_behind(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn, count: usize) {
        if let Some(unread) = self.inbox.large(conn) {
            unread.filled(count);
        }
        if self.net.core.received(conn, count) {
            self.inbox.offer_unread(&mut self.net, sink, conn);
            self.settle(sink);
        }
    }

    /// The peer has finished. Whether that has been told, or need not be: not while the connection is paused by its last
    /// bytes; then this is to be called again when it is resumed.
    pub fn end(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn) -> bool {
        let core = &mut self.net.core;
        let Some(c) = core.conns.get_mut(conn) else {
            return true;
        };
        if c.phase == Phase::Lingering {
            core.close(conn, Closed::Flushed);
        } else if let Some(error) = c.write_error.take() {
            core.close(conn, Closed::from_error(error));
        } else {
            self.inbox.finish(&mut self.net, sink, conn);
        }
        self.settle(sink);
        self.net.core.conns.get(conn).is_none_or(|c| c.eof)
    }

    /// Receiving has failed.
    pub fn read_failed(&mut self, sink: &mut impl Sink<Net<I>>, conn: Conn, error: io::Error) {
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        let why = match (c.write_error.take(), c.phase) {
            (_, Phase::Lingering) => Closed::Flushed,
            (Some(first), _) => Closed::from_error(first),
            _ => Closed::from_error(error),
        };
        self.net.core.close(conn, why);
        self.settle(sink);
    }

    /// Commands of remotes that were waiting when the turn began.
    pub(super) fn commands(&mut self, sink: &mut impl Sink<Net<I>>) {
        if std::mem::take(&mut self.commands) {
            self.net.core.stats.remote_wakeups += 1;
            sink.commands(&mut self.net);
            self.settle(sink);
        }
    }

    /// Deadlines and timers that are due, and dials and listeners whose pause is over.
    pub(super) fn timers(&mut self, sink: &mut impl Sink<Net<I>>) {
        let now = self.net.core.now;
        let now = if planted(Mutant::TimersLate) {
            now.checked_sub(Duration::from_secs(1)).unwrap_or(now)
        } else {
            now
        };
        self.net.core.timers.collect(now);
        while let Some(due) = self.net.core.timers.take_due(now) {
            match due {
                Due::Timer(key) => sink.timer(&mut self.net, key),
                Due::Deadline(conn) if self.net.core.deadline_passed(conn) => {
                    sink.deadline(&mut self.net, conn);
                }
                Due::Deadline(_) => {}
            }
            self.settle(sink);
        }
        self.net.redial();
        if self.net.listeners.retry_at.is_some_and(|at| at <= now) {
            self.net.feed();
        }
        self.settle(sink);
    }

    /// Accepts from the listeners that have something.
    pub(super) fn accept_all(&mut self, sink: &mut impl Sink<Net<I>>) {
        for _ in 0..self.net.listeners.accepting.len() {
            if let Some(listener) = self.net.listeners.accepting.pop_front() {
                self.accept(sink, listener);
            }
        }
    }

    /// Hands posted bytes over.
    pub(super) fn posts(&mut self, sink: &mut impl Sink<Net<I>>) {
        for _ in 0..self.net.core.posts.len() {
            if let Some((conn, data)) = self.net.core.posts.pop_front()
                && self.net.core.is_open(conn)
            {
                sink.posted(&mut self.net, conn, data);
                self.settle(sink);
            }
        }
    }
}
