//! Offering received bytes to the handler.

use crate::backend::Sink;
use crate::id::{Conn, Id};
use crate::mutant::{Mutant, planted};
use crate::reason::Closed;
use crate::shared::conn::Phase;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use crate::shared::pool::Pool;
use crate::shared::unread::Unread;

/// The unread bytes of every connection. They lie apart from the connections, so that the handler can hold the bytes
/// and the operations at once.
pub(super) struct Inbox {
    slots: Vec<Option<Box<Unread>>>,
    spare: Pool<Unread>,
}

/// From this many unread bytes on, more is read behind them instead of being copied there.
const READ_BEHIND: usize = 16 << 10;

impl Inbox {
    /// Keeps at most `spare` bytes of emptied buffers.
    pub(super) fn new(spare: usize) -> Self {
        Inbox {
            slots: Vec::new(),
            spare: Pool::new(spare),
        }
    }

    /// The unread bytes of `conn`, if they are so many that reading should go behind them rather than elsewhere.
    #[inline]
    pub(super) fn large(&mut self, conn: Conn) -> Option<&mut Unread> {
        match self.slots.get_mut(conn.raw().slot()) {
            Some(Some(unread)) if unread.len() >= READ_BEHIND => Some(unread),
            _ => None,
        }
    }

    /// Offers `fresh` bytes, behind those left unread, and keeps what the handler does not consume.
    ///
    /// The connection must be open and not paused. Closes it when the handler leaves its limit of bytes unread.
    #[inline]
    pub(super) fn offer<I: Interface>(
        &mut self,
        net: &mut Net<I>,
        sink: &mut impl Sink<Net<I>>,
        conn: Conn,
        fresh: &mut [u8],
    ) {
        let slot = conn.raw().slot();
        if self.slots.get(slot).is_some_and(Option::is_some) {
            self.keep(slot, fresh);
            self.offer_unread(net, sink, conn);
            return;
        }
        let Some(c) = net.core.conns.get_mut(conn) else {
            return;
        };
        let mut consumed = 0;
        if fresh.len() >= c.want {
            c.want = 0;
            c.offer = false;
            consumed = sink.received(net, conn, fresh);
        }
        if consumed < fresh.len() {
            self.keep(slot, &fresh[consumed..]);
            self.settle(net, conn, consumed);
        }
    }

    /// Offers the unread bytes again. The connection must be open and not paused.
    pub(super) fn offer_unread<I: Interface>(
        &mut self,
        net: &mut Net<I>,
        sink: &mut impl Sink<Net<I>>,
        conn: Conn,
    ) {
        let Some(c) = net.core.conns.get_mut(conn) else {
            return;
        };
        c.offer = false;
        let Some(Some(unread)) = self.slots.get_mut(conn.raw().slot()) else {
            return;
        };
        let mut consumed = 0;
        if unread.len() >= c.want {
            c.want = 0;
            consumed = sink.received(net, conn, unread.bytes());
            unread.consume(consumed);
        }
        self.settle(net, conn, consumed);
    }

    /// The peer has finished: offers what was held back, and then tells of the end.
    pub(super) fn finish<I: Interface>(
        &mut self,
        net: &mut Net<I>,
        sink: &mut impl Sink<Net<I>>,
        conn: Conn,
    ) {
        let Some(c) = net.core.conns.get_mut(conn) else {
            return;
        };
        if c.offer || (c.want > 0 && c.unread > 0) {
            c.want = 0;
            self.offer_unread(net, sink, conn);
        }
        let Some(c) = net.core.conns.get_mut(conn) else {
            return;
        };
        if c.phase != Phase::Open || c.paused || c.offer {
            // Told when it is resumed; or never, when it was disconnected.
            return;
        }
        c.eof = true;
        c.unread = 0;
        let mut unread = self.slots.get_mut(conn.raw().slot()).and_then(Option::take);
        let rest = unread.as_mut().map_or(&mut [][..], |unread| unread.bytes());
        sink.eof(net, conn, rest);
        if let Some(unread) = unread {
            self.spare.put(unread);
        }
    }

    /// Drops the unread bytes of `conn`.
    pub(super) fn forget(&mut self, conn: Conn) {
        if let Some(unread) = self.slots.get_mut(conn.raw().slot()).and_then(Option::take) {
            self.spare.put(unread);
        }
    }

    fn keep(&mut self, slot: usize, bytes: &[u8]) {
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot]
            .get_or_insert_with(|| self.spare.take())
            .append(bytes);
    }

    /// After an offer: notes how much is left, frees the buffer when nothing is, and holds the limit.
    fn settle<I: Interface>(&mut self, net: &mut Net<I>, conn: Conn, consumed: usize) {
        let slot = conn.raw().slot();
        let left = self.slots[slot].as_ref().map_or(0, |unread| unread.len());
        if left == 0
            && let Some(unread) = self.slots[slot].take()
        {
            self.spare.put(unread);
        }
        let core = &mut net.core;
        let Some(c) = core.conns.get_mut(conn) else { return };
        c.unread = left;
        if consumed == 0
            && left >= c.limits.unread
            && !planted(Mutant::UnreadUnbounded)
            && c.phase == Phase::Open
            && !c.paused
        {
            let limit = c.limits.unread;
            core.close(conn, Closed::UnreadLimit { limit });
        }
    }
}
