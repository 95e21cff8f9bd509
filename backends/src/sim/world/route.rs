//! What becomes of a packet on its way.

use super::agenda::{Entry, Packet};
use super::dial::SYN_TIMEOUT;
use super::hosts::HostId;
use super::{Nanos, What, World};
use crate::sim::faults::Fault;

const MILLISECOND: Nanos = 1_000_000;

/// The least time after which a lost packet is sent again (the retransmission timeout, RFC 6298; Linux: 200 ms).
pub(super) const RETRANSMIT: Nanos = 200 * MILLISECOND;

/// How long a sender goes on for whose packets are not acknowledged: Linux's 15 retransmissions (`tcp_retries2`).
const RETRY_LIMIT: Nanos = 924_600 * MILLISECOND;

/// How long a listener waits for a dial to confirm: Linux's 5 retransmissions (`tcp_synack_retries`).
const SYN_ACK_LIMIT: Nanos = 63_000 * MILLISECOND;

/// The longest partition that a fault makes.
const PARTED: Nanos = 10_000 * MILLISECOND;

impl World {
    /// Sends a packet of `size` bytes, to arrive no earlier than `floor`; when it arrives, as far as one can tell.
    pub(super) fn send(
        &mut self,
        from: HostId,
        to: HostId,
        packet: Packet,
        size: usize,
        floor: Nanos,
    ) -> Nanos {
        let (delay, busy) = self.routes.delay(from, to, size, &mut self.random);
        let mut at = self.now.saturating_add(delay).max(floor).saturating_add(busy);
        if from != to {
            if let Some(times) = self.amount(from, Fault::Lost, 8) {
                let again = match packet {
                    Packet::Syn { .. } => SYN_TIMEOUT,
                    _ => RETRANSMIT,
                };
                at += again * times;
            }
            if let Some(time) = self.amount(from, Fault::Partition, PARTED) {
                self.part(from, to);
                let heal = Packet::Heal { hosts: (from, to) };
                self.agenda.enter(self.now + time, from, from, heal);
            }
        }
        if at == self.now && !self.is_blocked(from, to) {
            self.deliver(packet);
        } else {
            self.agenda.enter(at, from, to, packet);
        }
        at
    }

    /// Enters what happens at a host by itself.
    pub(super) fn later(&mut self, at: Nanos, host: HostId, packet: Packet) {
        self.agenda.enter(at, host, host, packet);
    }

    #[inline]
    fn is_blocked(&self, from: HostId, to: HostId) -> bool {
        from != to && (self.routes.is_cut(from, to) || !self.is_up(to))
    }

    /// Its time has come.
    pub(super) fn arrive(&mut self, entry: Entry) {
        if self.is_blocked(entry.from, entry.to) {
            self.hold(entry);
        } else {
            self.deliver(entry.packet);
        }
    }

    /// Nothing gets through. TCP sends again what must arrive; resets are sent once.
    fn hold(&mut self, entry: Entry) {
        self.line(entry.from, What::Held, None, Ok(u64::from(entry.to.0)));
        match entry.packet {
            Packet::Syn { from, attempt } => self.syn_again(from, attempt),
            // The dial has heard nothing: it sends its SYN again.
            Packet::Refuse { to, .. } => self.syn_again(to, 0),
            // No answer: the dial sends its SYN again, and the listener makes another socket.
            Packet::SynAck { to, from, attempt } => {
                self.expire(from);
                self.syn_again(to, attempt);
            }
            Packet::Ack { to, .. } => {
                self.later(self.now + SYN_ACK_LIMIT, entry.to, Packet::Expire { socket: to });
                self.held.push(entry);
            }
            Packet::Reset { .. } => {}
            Packet::Data { from, .. } | Packet::Finish { from, .. } => {
                let now = self.now;
                if let Some(socket) = self.sockets.get_mut(from)
                    && socket.unacknowledged.is_none()
                {
                    socket.unacknowledged = Some(now);
                    let (socket, since) = (from, now);
                    self.later(now + RETRY_LIMIT, entry.from, Packet::GiveUp { socket, since });
                }
                self.held.push(entry);
            }
            _ => self.held.push(entry),
        }
    }

    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::Syn { from, attempt } => self.syn(from, attempt),
            Packet::SynAck { to, from, .. } => self.syn_ack(to, from),
            Packet::Expire { socket } => self.expire(socket),
            Packet::Ack { to, from } => self.ack(to, from),
            Packet::Refuse { to, error } => self.refused(to, error),
            Packet::Data {
                to,
                from: sender,
                count,
            } => self.data(to, sender, count),
            Packet::Finish { to, from: sender } => self.fin(to, sender),
            Packet::Reset { to } => self.rst(to),
            Packet::Room { to } => {
                if let Some(socket) = self.sockets.get(to) {
                    self.line(socket.host, What::Room, Some(to), Ok(0));
                }
                self.touch(to);
            }
            Packet::Edge { to } => self.touch(to),
            Packet::Wake { host } => self.woken(host),
            Packet::Heal { hosts: (a, b) } => self.heal(a, b),
            Packet::GiveUp { socket, since } => self.give_up(socket, since),
        }
    }

    /// From now on the two see nothing of each other.
    pub(crate) fn part(&mut self, a: HostId, b: HostId) {
        self.line(a, What::Parted, None, Ok(u64::from(b.0)));
        self.routes.cut(a, b);
    }

    /// They see each other again: what was held is sent again.
    pub(crate) fn heal(&mut self, a: HostId, b: HostId) {
        self.line(a, What::Healed, None, Ok(u64::from(b.0)));
        self.routes.mend(a, b);
        self.resend();
    }

    /// Sends again what was held and can get through.
    pub(super) fn resend(&mut self) {
        let at = self.now + self.random.u64(0..=RETRANSMIT);
        for entry in std::mem::take(&mut self.held) {
            if self.is_blocked(entry.from, entry.to) {
                self.held.push(entry);
                continue;
            }
            if let Packet::Data { from, .. } | Packet::Finish { from, .. } = entry.packet
                && let Some(socket) = self.sockets.get_mut(from)
            {
                socket.unacknowledged = None;
            }
            self.agenda.enter(at, entry.from, entry.to, entry.packet);
        }
    }
}
