//! The connections of a loop, and the operations on them that need no I/O.

use crate::config::{Config, Limits};
use crate::endpoint::Endpoint;
use crate::handler::{Origin, OriginKind};
use crate::id::Conn;
use crate::mutant::{Mutant, planted};
use crate::net::ConnInfo;
use crate::reason::{Closed, DialError, Disconnect, Gone, Sent, WantError};
use crate::remote::Mailbox;
use crate::shared::conn::{ConnState, Ending, Phase};
use crate::shared::pool::Pool;
use crate::shared::send_queue::SendQueue;
use crate::shared::slots::Slots;
use crate::shared::timers::Timers;
use crate::stats::Stats;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Most bytes that are staged; more go through the queue.
const STAGE: usize = 64 << 10;

/// The connections of a loop and the lists of what is to be done with them; `Io` is the backend's own part of each.
///
/// Operations only change states and enter connections into lists; the backend works the lists off between callbacks.
/// That is why no callback runs inside another, and why a turn costs what its ready connections cost.
pub struct Core<Io> {
    /// The settings.
    pub config: Config,
    /// Limits of connections without their own.
    pub limits: Rc<Limits>,
    /// Every connection.
    pub conns: Slots<Conn, ConnState<Io>>,
    /// Deadlines and timers.
    pub timers: Timers,
    /// The counters.
    pub stats: Stats,
    /// The time of this turn; set by [`set_now`](Core::set_now).
    pub now: Instant,
    /// The same in nanoseconds since just before the loop was made, so never 0.
    pub nanos: u64,
    /// Bytes sent, in this callback, to a connection that had nothing queued: written from here when the callback returns,
    /// so that the common case, one answer to one message, needs no queue.
    staged: Vec<u8>,
    staged_for: Option<Conn>,
    base: Instant,
    /// The loop's side of its remotes.
    pub mailbox: Mailbox,
    /// Emptied send queues.
    pub spare: Pool<SendQueue>,
    /// Connections with unsent bytes that have not been tried.
    pub dirty: Vec<Conn>,
    /// Connections with work that needs no event: to open, to read on, to offer again, to tell of drained.
    pub ready: VecDeque<Conn>,
    /// Connections to close and report.
    pub doomed: VecDeque<(Conn, Ending)>,
    /// Bytes posted to connections.
    pub posts: VecDeque<(Conn, Bytes)>,
    /// The connection inside whose `open` we are, if any.
    pub opening: Option<Conn>,
    /// Most connections at once.
    pub max_connections: usize,
}

impl<Io> Core<Io> {
    /// An empty loop. `descriptors` is what the process may have open; it gives the default of
    /// [`Config::max_connections`].
    pub fn new(config: &Config, waker: Waker, now: Instant, descriptors: usize) -> io::Result<Self> {
        config.check()?;
        Ok(Core {
            limits: Rc::new(config.limits.clone()),
            conns: Slots::new(),
            timers: Timers::new(now),
            stats: Stats::default(),
            now,
            nanos: 1,
            staged: Vec::new(),
            staged_for: None,
            base: now,
            mailbox: Mailbox::new(waker, config.remote_queue),
            spare: Pool::new(config.spare_buffers / 2),
            dirty: Vec::new(),
            ready: VecDeque::new(),
            doomed: VecDeque::new(),
            posts: VecDeque::new(),
            opening: None,
            max_connections: config
                .max_connections
                .unwrap_or(descriptors.saturating_sub(64).max(1)),
            config: config.clone(),
        })
    }

    /// The limits to use for options that may have their own; fails when these contradict each other.
    pub fn limits_of(&self, own: Option<&Limits>) -> io::Result<Rc<Limits>> {
        match own {
            None => Ok(self.limits.clone()),
            // As with most that another loop of the same settings hands over: nothing is kept for each.
            Some(own) if *own == *self.limits => Ok(self.limits.clone()),
            Some(own) => own.check().map(|()| Rc::new(own.clone())),
        }
    }

    /// Whether there is room for another connection.
    pub fn has_room(&self) -> bool {
        self.conns.len() < self.max_connections
    }

    /// Enters a connection; `None` (and `io` is dropped) when all ids are taken.
    pub fn insert(&mut self, io: Io, phase: Phase, origin: Origin, limits: Rc<Limits>) -> Option<Conn> {
        let state = ConnState::new(io, phase, origin, limits, self.nanos);
        self.conns.insert(state).ok()
    }

    /// A turn begins.
    #[inline]
    pub fn set_now(&mut self, now: Instant) {
        self.now = now;
        self.nanos = now.saturating_duration_since(self.base).as_nanos() as u64 + 1;
    }

    fn time(&self, nanos: u64) -> Option<Instant> {
        (nanos > 0).then(|| self.base + Duration::from_nanos(nanos - 1))
    }

    /// Takes `data` for `conn` if it has nothing queued and no other connection's bytes are staged; `None` means that the
    /// queue is to be used.
    #[inline]
    pub fn stage(&mut self, conn: Conn, data: &[u8]) -> Option<Result<Sent, Gone>> {
        if self.staged_for.is_some_and(|other| other != conn) {
            return None;
        }
        let Some(c) = self.conns.get(conn).filter(|c| c.takes_bytes()) else {
            return Some(Err(Gone));
        };
        let total = self.staged.len() + data.len();
        if c.out.is_some() && !planted(Mutant::OrderBroken)
            || c.in_flight > 0
            || total > c.limits.high.min(STAGE)
        {
            return None;
        }
        self.staged_for = Some(conn);
        self.staged.extend_from_slice(data);
        Some(Ok(Sent::Queued(total)))
    }

    /// The connection whose bytes are staged, and the bytes, for the backend to write. They are gone from here;
    /// [`unstage`](Core::unstage) gives the buffer back.
    #[inline]
    pub fn take_staged(&mut self) -> Option<(Conn, Vec<u8>)> {
        let conn = self.staged_for.take()?;
        Some((conn, std::mem::take(&mut self.staged)))
    }

    /// Gives the buffer of staged bytes back, and queues those that `conn` still has to send: all from `sent` on.
    #[inline]
    pub fn unstage(&mut self, conn: Conn, mut bytes: Vec<u8>, sent: usize) {
        if sent < bytes.len()
            && !(planted(Mutant::TailForgotten) && sent > 0)
            && let Some(c) = self.conns.get_mut(conn)
            && matches!(c.phase, Phase::Open | Phase::Flushing)
            && c.write_error.is_none()
        {
            c.out
                .get_or_insert_with(|| self.spare.take())
                .push(&bytes[sent..]);
            self.make_dirty(conn);
        }
        bytes.clear();
        self.staged = bytes;
    }

    /// Moves what is staged for `conn` into its queue, so that more can be queued behind it.
    #[inline]
    pub fn queue_staged(&mut self, conn: Conn) {
        if self.staged_for == Some(conn)
            && let Some((conn, bytes)) = self.take_staged()
        {
            self.unstage(conn, bytes, 0);
        }
    }

    /// Enters a connection into the list of those with work.
    #[inline]
    pub fn make_ready(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && !c.queued
        {
            c.queued = true;
            self.ready.push_back(conn);
        }
    }

    /// The next connection with work.
    #[inline]
    pub fn take_ready(&mut self) -> Option<Conn> {
        let conn = self.ready.pop_front()?;
        if let Some(c) = self.conns.get_mut(conn) {
            c.queued = false;
        }
        Some(conn)
    }

    /// Takes account of received bytes; whether they are to be delivered, and not discarded.
    #[inline]
    pub(super) fn received(&mut self, conn: Conn, count: usize) -> bool {
        let Some(c) = self.conns.get_mut(conn) else {
            return false;
        };
        c.received(count, self.nanos);
        self.stats.bytes_in += count as u64;
        if planted(Mutant::ClosedUnasked) && c.bytes_in > 3_000 {
            self.close(conn, Closed::Reset(io::ErrorKind::ConnectionReset.into()));
            return false;
        }
        c.phase == Phase::Open
    }

    /// Enters a connection into the list of those to be flushed.
    #[inline]
    pub fn make_dirty(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && !c.dirty
        {
            c.dirty = true;
            self.dirty.push(conn);
        }
    }

    /// Ends a connection; the first reason holds.
    pub fn doom(&mut self, conn: Conn, ending: Ending) {
        if let Some(c) = self.conns.get_mut(conn)
            && c.phase != Phase::Doomed
        {
            c.phase = Phase::Doomed;
            if let Some(out) = c.out.take() {
                self.spare.put(out);
            }
            self.doomed.push_back((conn, ending));
        }
    }

    /// Ends an opened connection.
    pub fn close(&mut self, conn: Conn, why: Closed) {
        self.doom(conn, Ending::Closed(why));
    }

    /// Takes a doomed connection out, and gives it with how it ends.
    pub fn take_doomed(&mut self) -> Option<(Conn, ConnState<Io>, Ending)> {
        let (conn, ending) = self.doomed.pop_front()?;
        self.timers.set_deadline(conn, None);
        let state = self.conns.remove(conn)?;
        match &ending {
            Ending::Closed(why) => {
                self.stats.closes[why.kind()] += 1;
                tracing::debug!(%conn, peer = %state.peer, %why, "closed");
            }
            Ending::Dial(why) => {
                self.stats.dial_failures += 1;
                tracing::debug!(%conn, to = %state.peer, %why, "dial failed");
            }
            Ending::Silent => tracing::debug!(%conn, peer = %state.peer, "refused"),
        }
        Some((conn, state, ending))
    }

    /// The dial is over, without a connection.
    pub fn fail_dial(&mut self, conn: Conn, why: DialError) {
        self.doom(conn, Ending::Dial(why));
    }

    /// The peer, or the way to it, has failed. A paused connection is told when it is resumed.
    pub fn write_failed(&mut self, conn: Conn, error: io::Error) {
        let Some(c) = self.conns.get_mut(conn) else { return };
        if let Some(out) = c.out.take() {
            self.spare.put(out);
        }
        c.in_flight = 0;
        let was_high = std::mem::take(&mut c.high);
        match c.phase {
            // What the peer sent before is still to be read, and a pause respected; then comes `closed`.
            Phase::Open if (!c.eof || c.paused) && Closed::is_end(&error) => {
                c.write_error.get_or_insert(error);
                if was_high {
                    // Nothing is queued any more. Who paused until that is so must go on, to hear of the end.
                    c.drain_due = true;
                    self.make_ready(conn);
                }
            }
            _ => self.close(conn, Closed::from_error(error)),
        }
    }

    /// The queue's bytes that the kernel took; recycles the queue when it is empty and enters the connection for
    /// `drained` when it has fallen below the low-water mark.
    #[inline]
    pub fn sent(&mut self, conn: Conn, count: usize) {
        let Some(c) = self.conns.get_mut(conn) else { return };
        c.bytes_out += count as u64;
        self.stats.bytes_out += count as u64;
        let Some(out) = &mut c.out else { return };
        out.advance(count);
        if out.is_empty()
            && let Some(out) = c.out.take()
        {
            self.spare.put(out);
        }
        self.fell(conn);
    }

    /// Takes the send queue out, so that an interface can hand the kernel its bytes where they lie. They count as in flight
    /// until [`sent_in_flight`](Core::sent_in_flight); what is sent meanwhile goes to a new queue, behind them. The queue
    /// goes to [`spare`](Core::spare) when the kernel is done with it, which may be after the connection's end.
    pub fn lend_queue(&mut self, conn: Conn) -> Option<Box<SendQueue>> {
        let c = self.conns.get_mut(conn)?;
        let out = c.out.take()?;
        c.in_flight += out.len();
        Some(out)
    }

    /// The kernel took `count` of the bytes in flight.
    pub fn sent_in_flight(&mut self, conn: Conn, count: usize) {
        let Some(c) = self.conns.get_mut(conn) else { return };
        c.in_flight = c.in_flight.saturating_sub(count);
        c.bytes_out += count as u64;
        self.stats.bytes_out += count as u64;
        self.fell(conn);
    }

    /// Enters the connection for `drained` if what it has to send has fallen below the low-water mark.
    #[inline]
    fn fell(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && c.high
            && (c.unsent() < c.limits.low || planted(Mutant::DrainedEarly) && c.unsent() < c.limits.high)
        {
            c.high = false;
            c.drain_due = !planted(Mutant::DrainedForgotten);
            self.make_ready(conn);
        }
    }

    /// Bytes that were given to the kernel, and counted as sent, have come back: they are the first to be sent.
    pub fn take_back(&mut self, conn: Conn, bytes: &[u8]) {
        let Some(c) = self.conns.get_mut(conn) else { return };
        c.bytes_out = c.bytes_out.saturating_sub(bytes.len() as u64);
        self.stats.bytes_out = self.stats.bytes_out.saturating_sub(bytes.len() as u64);
        if matches!(c.phase, Phase::Open | Phase::Flushing) && c.write_error.is_none() {
            c.out.get_or_insert_with(|| self.spare.take()).put_back(bytes);
        }
    }

    /// The send queue of a connection that takes bytes, with the connection entered for flushing.
    #[inline]
    pub fn queue(&mut self, conn: Conn) -> Result<&mut SendQueue, Gone> {
        self.queue_staged(conn);
        let Some(c) = self.conns.get_mut(conn) else {
            return Err(Gone);
        };
        if !c.takes_bytes() {
            return Err(Gone);
        }
        if !c.dirty {
            c.dirty = true;
            self.dirty.push(conn);
        }
        Ok(c.out.get_or_insert_with(|| self.spare.take()))
    }

    /// Whether the send queue is above the high-water mark, so that the kernel is to be tried before judging.
    #[inline]
    pub fn is_high(&self, conn: Conn) -> bool {
        self.conns.get(conn).is_some_and(|c| c.unsent() > c.limits.high)
    }

    /// What a send answers, after the kernel was tried if the queue was above the mark. Above the hard limit it ends the
    /// connection.
    #[inline]
    pub fn judge(&mut self, conn: Conn) -> Result<Sent, Gone> {
        let Some(c) = self.conns.get_mut(conn) else {
            return Err(Gone);
        };
        if !c.takes_bytes() {
            return Err(Gone);
        }
        let unsent = c.unsent();
        if unsent <= c.limits.high {
            return Ok(Sent::Queued(unsent));
        }
        if unsent > c.limits.queued || planted(Mutant::SendLimitEarly) {
            let limit = c.limits.queued;
            self.close(conn, Closed::SendLimit { limit });
            return Err(Gone);
        }
        c.high = true;
        c.drain_due = false;
        Ok(Sent::High(unsent))
    }

    /// See [`SockMan::post`](crate::SockMan::post).
    pub fn post(&mut self, conn: Conn, data: Bytes) {
        if self.is_open(conn) {
            self.posts.push_back((conn, data));
        }
    }

    /// See [`SockMan::disconnect`](crate::SockMan::disconnect).
    pub fn disconnect(&mut self, conn: Conn, how: Disconnect) {
        let Some(c) = self.conns.get_mut(conn) else { return };
        match (c.phase, how) {
            (Phase::Doomed, _) | (Phase::Flushing | Phase::Lingering, Disconnect::Flush { .. }) => {}
            (Phase::Dialing | Phase::Opening, _) => {
                let ending = match c.how {
                    OriginKind::Dialed => Ending::Dial(DialError::Cancelled),
                    _ => Ending::Silent,
                };
                self.doom(conn, ending);
            }
            (Phase::Open, Disconnect::Flush { within }) => {
                c.phase = Phase::Flushing;
                // The bytes that were not consumed are nobody's now, and what comes is discarded.
                (c.paused, c.high, c.drain_due, c.offer) = (false, false, false, false);
                if planted(Mutant::FlushCut) {
                    self.close(conn, Closed::Flushed);
                } else if let Some(error) = c.write_error.take() {
                    self.close(conn, Closed::from_error(error));
                } else {
                    let within = match within {
                        _ if planted(Mutant::FlushHasty) => Duration::ZERO,
                        within if planted(Mutant::FlushEndless) => within * 10,
                        within => within,
                    };
                    let by = self.now.checked_add(within);
                    self.timers.set_deadline(conn, by);
                    self.make_dirty(conn);
                }
            }
            (_, Disconnect::Now | Disconnect::Reset) => {
                c.reset = how == Disconnect::Reset && !planted(Mutant::ResetByFin);
                self.close(conn, Closed::Disconnected);
            }
        }
    }

    /// See [`SockMan::finish`](crate::SockMan::finish).
    pub fn finish(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && c.takes_bytes()
        {
            c.finishing = true;
            self.make_dirty(conn);
        }
    }

    /// See [`SockMan::pause`](crate::SockMan::pause).
    pub fn pause(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && c.phase == Phase::Open
        {
            c.paused = true;
        }
    }

    /// See [`SockMan::resume`](crate::SockMan::resume). Enters the connection for reading again.
    pub fn resume(&mut self, conn: Conn) {
        if let Some(c) = self.conns.get_mut(conn)
            && c.phase == Phase::Open
        {
            c.paused = false;
            // Inside `received` it is not known yet whether anything will be left.
            c.offer = true;
            self.make_ready(conn);
        }
    }

    /// See [`SockMan::want`](crate::SockMan::want).
    pub fn want(&mut self, conn: Conn, unread: usize) -> Result<(), WantError> {
        match self.conns.get_mut(conn) {
            Some(c) if c.phase == Phase::Open => {
                let limit = c.limits.unread;
                if unread > limit {
                    return Err(WantError::AboveLimit { limit });
                }
                c.want = unread;
                Ok(())
            }
            _ => Err(WantError::Gone),
        }
    }

    /// See [`SockMan::set_deadline`](crate::SockMan::set_deadline).
    #[inline]
    pub fn set_deadline(&mut self, conn: Conn, at: Option<Instant>) {
        if self.is_open(conn) {
            self.timers.set_deadline(conn, at);
        }
    }

    /// A connection's deadline has passed: whether the handler is to be told. Otherwise it was the limit of a dial or of
    /// a disconnection, and that is over now.
    pub fn deadline_passed(&mut self, conn: Conn) -> bool {
        let Some(c) = self.conns.get_mut(conn) else {
            return false;
        };
        match c.phase {
            Phase::Open => return true,
            Phase::Dialing => self.fail_dial(conn, DialError::TimedOut),
            Phase::Flushing => {
                let unsent = c.unsent();
                // The peer must not take what it has for all of it.
                c.reset |= unsent > 0;
                self.close(conn, Closed::FlushTimeout { unsent });
            }
            Phase::Lingering => self.close(conn, Closed::Flushed),
            Phase::Opening | Phase::Doomed => {}
        }
        false
    }

    /// The part of [`SockMan::shut_down`](crate::SockMan::shut_down) that concerns connections.
    pub fn shut_down(&mut self, within: Duration) {
        for conn in self.conns.ids() {
            let dial = self
                .conns
                .get(conn)
                .is_some_and(|c| matches!(c.phase, Phase::Dialing | Phase::Opening));
            if within.is_zero() && !dial {
                self.close(conn, Closed::Stopped);
            } else {
                self.disconnect(conn, Disconnect::Flush { within });
            }
        }
    }

    /// See [`SockMan::is_open`](crate::SockMan::is_open).
    #[inline]
    pub fn is_open(&self, conn: Conn) -> bool {
        self.conns.get(conn).is_some_and(|c| c.phase == Phase::Open)
    }

    /// See [`SockMan::info`](crate::SockMan::info); `local` is for the backend to find.
    pub fn info(&self, conn: Conn, local: impl FnOnce(&Io) -> Option<Endpoint>) -> Option<ConnInfo> {
        let c = self.conns.get(conn)?;
        let staged = if self.staged_for == Some(conn) {
            self.staged.len()
        } else {
            0
        };
        Some(ConnInfo {
            peer: c.peer.clone(),
            local: local(&c.io),
            bytes_in: c.bytes_in,
            bytes_out: c.bytes_out,
            since: self.time(c.since).unwrap_or(self.base),
            first_byte: self.time(c.first_byte),
            last_byte: self.time(c.last_byte),
            queued: c.unsent() + staged,
            unread: c.unread,
            paused: c.paused,
            limits: Limits::clone(&c.limits),
        })
    }

    /// Whether anything waits that needs no event of the kernel, so that the loop must not sleep.
    #[inline]
    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
            || self.staged_for.is_some()
            || !self.dirty.is_empty()
            || !self.doomed.is_empty()
            || !self.posts.is_empty()
            || self.mailbox.pending()
    }

    /// When the next turn is due at the latest; see [`Backend::next_deadline`](crate::Backend::next_deadline).
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.has_work() {
            Some(self.now)
        } else {
            self.timers.peek()
        }
    }
}
