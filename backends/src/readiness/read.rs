//! Receiving, and serving a connection that has work.

use super::kernel::Kernel;
use super::net::Net;
use super::turn::Engine;
use sockman::shared::Phase;
use sockman::{Closed, Conn, Sink, Syscall};
use std::io;

impl<K: Kernel> Engine<K> {
    /// Does what a connection in the ready list has to do, once.
    #[inline]
    pub(super) fn serve(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        c.queued = false;
        if c.phase != Phase::Open || c.out.is_some() || c.drain_due || c.offer || c.eof {
            self.serve_more(sink, conn);
        }
        self.read(sink, conn);
        self.net.watch(conn);
    }

    /// What there may be to do besides reading.
    fn serve_more(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
        if self.phase(conn) == Some(Phase::Dialing) {
            self.net.check_dial(conn);
        }
        if self.phase(conn) == Some(Phase::Opening) {
            self.open(sink, conn);
            self.settle(sink);
        }
        self.net.flush(conn);
        self.call_back(sink, conn);
        self.after_end(conn);
        self.settle(sink);
    }

    fn phase(&self, conn: Conn) -> Option<Phase> {
        self.net.core.conns.get(conn).map(|c| c.phase)
    }

    /// Tells of `drained`, and offers unread bytes again, where that is due.
    #[inline]
    fn call_back(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
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
            self.settle(sink);
        }
    }

    /// Reads and delivers, as far as there is something and the turn's budget goes.
    #[inline]
    fn read(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
        let mut budget = self.net.core.config.byte_budget;
        loop {
            let Net { kernel, core, .. } = &mut self.net;
            let Some(c) = core.conns.get_mut(conn) else { return };
            if !(c.io.readable || c.io.hangup) || !c.wants_reading() {
                return;
            }
            let Some(socket) = &c.io.socket else { return };
            if budget == 0 {
                core.make_ready(conn);
                return;
            }
            let discarding = c.phase == Phase::Lingering;
            let room = if discarding {
                budget
            } else {
                c.limits.unread.saturating_sub(c.unread).min(budget)
            };
            if room == 0 {
                return;
            }
            core.stats.syscalls[Syscall::Read] += 1;
            let mut behind = if discarding { None } else { self.inbox.large(conn) };
            let into = match &mut behind {
                Some(unread) => unread.room(self.scratch.len().min(room), room),
                None => {
                    let size = self.scratch.len().min(room);
                    &mut self.scratch[..size]
                }
            };
            let asked = into.len();
            match kernel.read(socket, into) {
                Ok(0) => {
                    self.end(sink, conn);
                    return;
                }
                Ok(count) => {
                    // Less than asked for: it is empty. (But see the hang-up, which is not reported again.)
                    c.io.readable = count == asked;
                    c.received(count, core.nanos);
                    core.stats.bytes_in += count as u64;
                    budget = budget.saturating_sub(count);
                    if discarding {
                        continue;
                    }
                    if let Some(unread) = behind {
                        unread.filled(count);
                        self.inbox.offer_unread(&mut self.net, sink, conn);
                    } else {
                        self.inbox
                            .offer(&mut self.net, sink, conn, &mut self.scratch[..count]);
                    }
                    self.settle(sink);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    (c.io.readable, c.io.hangup) = (false, false);
                    return;
                }
                Err(error) => {
                    let why = match (c.write_error.take(), discarding) {
                        (_, true) => Closed::Flushed,
                        (Some(first), _) => Closed::from_error(first),
                        _ => Closed::from_error(error),
                    };
                    core.close(conn, why);
                    self.settle(sink);
                    return;
                }
            }
        }
    }

    /// The peer has finished.
    fn end(&mut self, sink: &mut impl Sink<Net<K>>, conn: Conn) {
        let core = &mut self.net.core;
        let Some(c) = core.conns.get_mut(conn) else { return };
        if c.phase == Phase::Lingering {
            core.close(conn, Closed::Flushed);
        } else if let Some(error) = c.write_error.take() {
            core.close(conn, Closed::from_error(error));
        } else {
            (c.io.readable, c.io.hangup) = (false, false);
            self.inbox.finish(&mut self.net, sink, conn);
            if let Some(c) = self.net.core.conns.get_mut(conn)
                && !c.eof
            {
                // Paused by its last bytes: the end is read again when it is resumed.
                c.io.hangup = true;
            }
        }
        self.settle(sink);
    }

    /// A hang-up after the peer's end was told: a reset, or only both sides having finished.
    #[inline]
    fn after_end(&mut self, conn: Conn) {
        let Some(c) = self.net.core.conns.get_mut(conn) else {
            return;
        };
        if !c.eof || !c.io.hangup || c.paused || c.phase != Phase::Open {
            return;
        }
        let Some(socket) = &c.io.socket else { return };
        self.net.core.stats.syscalls[Syscall::Option] += 1;
        if let Some(error) = c.write_error.take().or_else(|| self.net.kernel.error(socket)) {
            self.net.core.close(conn, Closed::from_error(error));
        } else if K::LEVEL {
            // Stays marked, so that it is no longer watched.
        } else {
            c.io.hangup = false;
        }
    }
}
