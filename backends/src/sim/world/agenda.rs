//! What will happen, by time.

use super::hosts::HostId;
use super::{Nanos, SocketId};
use rustix::io::Errno;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What is on its way, or is to happen at a host.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packet {
    /// A dial's first packet (SYN), sent for the so-many-th time, counted from 0.
    Syn { from: SocketId, attempt: u32 },
    /// The listener's answer (SYN-ACK) to the so-many-th SYN, from the socket it has made.
    SynAck {
        to: SocketId,
        from: SocketId,
        attempt: u32,
    },
    /// The dialler's answer to that (ACK): the listener's socket can be accepted.
    Ack { to: SocketId, from: SocketId },
    /// A dial is refused.
    Refuse { to: SocketId, error: Errno },
    /// Bytes that are in the receiver's pipe already, and can be read once this arrives.
    Data {
        to: SocketId,
        from: SocketId,
        count: usize,
    },
    /// FIN.
    Finish { to: SocketId, from: SocketId },
    /// RST.
    Reset { to: SocketId },
    /// There is room again for a writer that found none.
    Room { to: SocketId },
    /// A fresh edge, after a call was cut short.
    Edge { to: SocketId },
    /// A wake from outside reaches the loop.
    Wake { host: HostId },
    /// Two hosts see each other again.
    Heal { hosts: (HostId, HostId) },
    /// A listener's socket gives up a dial that has not confirmed.
    Expire { socket: SocketId },
    /// A sender gives up, if nothing has got through since that time.
    GiveUp { socket: SocketId, since: Nanos },
}

/// A packet, its way and its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) at: Nanos,
    sequence: u64,
    pub(super) from: HostId,
    pub(super) to: HostId,
    pub(super) packet: Packet,
}

/// The earliest is the greatest, as a heap wants it; of one time, the first that was entered.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[derive(Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Entry>,
    sequence: u64,
}

impl Agenda {
    pub(super) fn enter(&mut self, at: Nanos, from: HostId, to: HostId, packet: Packet) {
        self.sequence += 1;
        self.heap.push(Entry {
            at,
            sequence: self.sequence,
            from,
            to,
            packet,
        });
    }

    #[inline]
    pub(super) fn next_time(&self) -> Option<Nanos> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// The next that is due by `by`.
    #[inline]
    pub(super) fn take(&mut self, by: Nanos) -> Option<Entry> {
        if self.next_time()? > by {
            return None;
        }
        self.heap.pop()
    }
}
