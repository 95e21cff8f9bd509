//! Sending.

use crate::id::Conn;
use crate::reason::{Closed, Gone};
use crate::shared::conn::Phase;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use std::io::{self, IoSlice};

/// Pieces handed to the kernel in one call.
const PIECES: usize = 32;

impl<I: Interface> Net<I> {
    /// Writes what was queued since the last call.
    #[inline]
    pub(super) fn flush_dirty(&mut self) {
        if let Some((conn, bytes)) = self.core.take_staged() {
            self.flush_staged(conn, bytes);
        }
        let mut next = 0;
        while let Some(&conn) = self.core.dirty.get(next) {
            next += 1;
            if let Some(c) = self.core.conns.get_mut(conn) {
                c.dirty = false;
            }
            self.flush(conn);
        }
        self.core.dirty.clear();
    }

    /// Writes what one connection was sent in one callback, straight from where it was put together.
    #[inline]
    fn flush_staged(&mut self, conn: Conn, bytes: Vec<u8>) {
        // Nothing to send is nothing to wait for.
        let Some(c) = self
            .core
            .conns
            .get_mut(conn)
            .filter(|c| !c.blocked && c.phase != Phase::Doomed && !bytes.is_empty())
        else {
            return self.core.unstage(conn, bytes, 0);
        };
        let calls = &mut self.core.stats.syscalls;
        let sent = match self.interface.write(&mut c.io, &bytes, calls) {
            Ok(sent) => {
                c.blocked = sent < bytes.len();
                c.bytes_out += sent as u64;
                self.core.stats.bytes_out += sent as u64;
                sent
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                c.blocked = true;
                0
            }
            Err(error) => {
                self.write_failed(conn, error);
                bytes.len()
            }
        };
        let all = sent == bytes.len();
        self.core.unstage(conn, bytes, sent);
        if !all {
            I::watch(self, conn);
        }
    }

    /// Writes what is queued, as far as the kernel takes it and the turn's budget goes. Then half-closes, if that was
    /// asked for.
    pub fn flush(&mut self, conn: Conn) {
        self.core.queue_staged(conn);
        let mut budget = self.core.config.byte_budget;
        loop {
            let Some(c) = self.core.conns.get_mut(conn) else {
                return;
            };
            if c.blocked || !matches!(c.phase, Phase::Open | Phase::Flushing) {
                return;
            }
            let Some(out) = &c.out else { break };
            if budget == 0 {
                self.core.make_ready(conn);
                return;
            }
            let calls = &mut self.core.stats.syscalls;
            let (asked, result) = match out.first() {
                (bytes, true) => (bytes.len(), self.interface.write(&mut c.io, bytes, calls)),
                _ => {
                    let mut slices = [IoSlice::new(&[]); PIECES];
                    let count = out.slices(&mut slices);
                    let asked = slices[..count].iter().map(|slice| slice.len()).sum();
                    let slices = &slices[..count];
                    (asked, self.interface.write_vectored(&mut c.io, slices, calls))
                }
            };
            match result {
                Ok(sent) => {
                    c.blocked = sent < asked;
                    budget = budget.saturating_sub(sent);
                    self.core.sent(conn, sent);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => c.blocked = true,
                Err(error) => return self.write_failed(conn, error),
            }
            if self.core.conns.get(conn).is_some_and(|c| c.blocked) {
                return I::watch(self, conn);
            }
        }
        self.all_sent(conn);
    }

    /// The queue is empty: what was to follow, follows.
    #[inline]
    fn all_sent(&mut self, conn: Conn) {
        let Some(c) = self.core.conns.get_mut(conn) else {
            return;
        };
        let flushing = c.phase == Phase::Flushing;
        if !flushing && !c.finishing {
            return;
        }
        // What the kernel has been promised, it must have had.
        I::submit(self);
        let Some(c) = self.core.conns.get_mut(conn) else {
            return;
        };
        if c.out.is_some() || c.blocked {
            return;
        }
        if flushing && c.eof {
            return self.core.close(conn, Closed::Flushed);
        }
        if !c.finished {
            c.finished = true;
            self.interface.finish(&mut c.io, &mut self.core.stats.syscalls);
        }
        if flushing {
            c.phase = Phase::Lingering;
            self.core.make_ready(conn);
            I::watch(self, conn);
        }
    }

    /// Offers a large piece to the kernel behind what is queued, and queues what it does not take.
    pub(super) fn write_direct(&mut self, conn: Conn, data: &[u8]) -> Result<(), Gone> {
        self.core.queue(conn)?;
        let Some(c) = self.core.conns.get_mut(conn) else {
            return Err(Gone);
        };
        let Some(out) = &mut c.out else { return Err(Gone) };
        if c.blocked {
            out.push(data);
            return Ok(());
        }
        let calls = &mut self.core.stats.syscalls;
        let queued = out.len();
        let (asked, result) = if queued == 0 {
            (data.len(), self.interface.write(&mut c.io, data, calls))
        } else {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let count = out.slices(&mut slices[..PIECES - 1]);
            let pieces: usize = slices[..count].iter().map(|slice| slice.len()).sum();
            // Behind a queue in very many pieces there is no place for it.
            let count = if pieces == queued {
                slices[count] = IoSlice::new(data);
                count + 1
            } else {
                count
            };
            let asked = slices[..count].iter().map(|slice| slice.len()).sum();
            let slices = &slices[..count];
            (asked, self.interface.write_vectored(&mut c.io, slices, calls))
        };
        let sent = match result {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                c.blocked = true;
                0
            }
            Err(error) => {
                self.write_failed(conn, error);
                return Err(Gone);
            }
        };
        c.blocked |= sent < asked && sent > 0;
        // What was sent of `data` need not be queued; the rest stands behind what is left.
        let direct = sent.saturating_sub(queued);
        out.push(&data[direct..]);
        let direct_bytes = direct as u64;
        c.bytes_out += direct_bytes;
        self.core.stats.bytes_out += direct_bytes;
        self.core.sent(conn, sent - direct);
        I::watch(self, conn);
        Ok(())
    }

    /// Writing has failed. Reading goes on to the end, and tells then.
    pub fn write_failed(&mut self, conn: Conn, error: io::Error) {
        self.core.write_failed(conn, error);
        if self.core.conns.get(conn).is_some_and(|c| c.phase == Phase::Open) {
            I::write_failed(self, conn);
        }
    }
}
