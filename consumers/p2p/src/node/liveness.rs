//! What ends a connection of which nothing is heard: all by deadlines.

use super::Work;
use crate::mutant::{Mutant, planted};
use crate::settings::Settings;
use crate::state::{Count, Peer, Request};
use crate::store::Store;
use crate::wire::Message;
use sockman::{Conn, SockMan};
use std::time::Instant;

/// Pings of peers above this version have a nonce, and are answered (BIP 31).
const PONG_VERSION: u32 = 60_000;

/// What a peer has not done in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Handshake,
    /// A ping is due: that is ours to do.
    Ping,
    Pong,
    Silence,
    /// It has taken nothing of what waits for it.
    Taking,
    Block,
    Headers,
    /// It waits for what another tells of headers.
    Waiting,
}

impl Peer {
    /// What it owes us may have come: we did not look.
    pub(super) fn excuse(&mut self, now: Instant) {
        (self.eased, self.moved, self.head_since) = (now, now, now);
    }

    /// What the peer will be late with next, and when.
    fn next_late(&self, settings: &Settings) -> Option<(Instant, Late)> {
        if !self.ready {
            return Some((self.since + settings.handshake_within, Late::Handshake));
        }
        // As long as it has not taken what it asked for, it may not have seen what we ask.
        let waits = self.is_behind();
        let pong = self
            .ping
            .out
            .filter(|_| !waits)
            .map(|(_, sent)| sent.max(self.eased) + settings.silence);
        // And yet it must not hold up a block for ever.
        let block = if waits {
            self.head_since + settings.silence
        } else {
            self.head_since.max(self.eased) + settings.block_within
        };
        let block = Some(block).filter(|_| !self.in_flight.is_empty());
        let headers = self.headers.asked.filter(|_| !waits && !self.is_inbound());
        [
            self.ping.next.map(|at| (at, Late::Ping)),
            pong.map(|at| (at, Late::Pong)),
            Some(match self.stuck {
                Some((at, _)) => (at + settings.silence, Late::Taking),
                None => (self.moved + settings.silence, Late::Silence),
            }),
            block.map(|at| (at, Late::Block)),
            headers.map(|at| (at.max(self.eased) + settings.headers_within, Late::Headers)),
            self.headers
                .waiting
                .map(|(at, _)| (at + settings.headers_wait(), Late::Waiting)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|&(at, _)| at)
    }
}

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Sees to it that the peer's deadline is not after what it will be late with next.
    pub(super) fn rearm(&mut self, conn: Conn) {
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        let Some((at, _)) = peer.next_late(&self.own.settings) else {
            return;
        };
        if peer.armed.is_none_or(|armed| armed > at) {
            peer.armed = Some(at);
            self.net.set_deadline(conn, Some(at));
        }
    }

    /// The deadline has passed; what it was set for may have happened meanwhile.
    pub(super) fn expired(&mut self, conn: Conn) {
        let now = self.now;
        loop {
            let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
                return;
            };
            peer.armed = None;
            // Of a large message nothing is heard before it is whole.
            let heard = self.net.info(conn).and_then(|info| info.last_byte);
            peer.moved = heard.map_or(peer.moved, |heard| heard.max(peer.moved));
            if self.state.swamped && peer.held {
                peer.excuse(now);
            }
            let Some((at, late)) = peer.next_late(&self.own.settings) else {
                return;
            };
            if at > now {
                return self.rearm(conn);
            }
            match late {
                Late::Ping => self.send_ping(conn),
                Late::Waiting => self.waited_for_headers(conn),
                Late::Handshake => self.too_late(conn, Count::handshake_timeouts, "no handshake in time"),
                Late::Pong => self.too_late(conn, Count::silences, "a ping was not answered in time"),
                Late::Silence => self.too_late(conn, Count::silences, "silent for too long"),
                Late::Taking => self.taking(conn),
                Late::Block => self.holds_up(conn, "a block did not come in time"),
                Late::Headers => self.too_late(conn, Count::stalled, "headers did not come in time"),
            }
        }
    }

    /// A peer has not taken all that it was sent for as long as it may be silent: has it taken any of it?
    fn taking(&mut self, conn: Conn) {
        let taken = self.net.info(conn).map_or(0, |info| info.bytes_out);
        let now = self.now;
        match self
            .state
            .peers
            .get_mut(conn)
            .and_then(|peer| peer.stuck.as_mut())
        {
            Some((since, before)) if *before < taken => (*since, *before) = (now, taken),
            _ => self.too_late(conn, Count::silences, "takes nothing"),
        }
    }

    fn too_late(&mut self, conn: Conn, count: Count, why: &str) {
        self.state.counters.add(count);
        self.drop_peer(conn, format_args!("{why}"));
    }

    /// Sends a ping, if none is out.
    pub(super) fn send_ping(&mut self, conn: Conn) {
        let nonce = self.own.random();
        let (now, every) = (self.now, self.own.settings.ping_every);
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| peer.ready) else {
            return;
        };
        peer.ping.next = Some(now + every);
        let old = peer.protocol() <= PONG_VERSION;
        if !old && peer.ping.out.is_some() {
            return;
        }
        if !old {
            peer.ping.out = Some((nonce, now));
        }
        self.send(conn, &Message::Ping((!old).then_some(nonce)));
    }

    /// The peer wants to hear from us.
    pub(super) fn ping(&mut self, conn: Conn, nonce: Option<u64>) {
        if let Some(nonce) = nonce {
            self.state.counters.add(Count::pings);
            self.request(conn, Request::Ping(nonce));
        }
    }

    /// The peer has heard from us.
    pub(super) fn pong(&mut self, conn: Conn, nonce: Option<u64>) {
        let now = self.now;
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        match (peer.ping.out, nonce) {
            (Some((sent, at)), Some(nonce)) if nonce == sent => {
                let took = now.saturating_duration_since(at);
                peer.ping.out = peer.ping.out.filter(|_| planted(Mutant::PongIgnored));
                peer.ping.last = Some(took);
                peer.ping.least = Some(peer.ping.least.map_or(took, |least| least.min(took)));
            }
            // A number that is not ours answers nothing. 0 is what some send who do not keep ours: as Core, we let that count.
            (Some(_), Some(0)) => peer.ping.out = None,
            _ => self.state.counters.add(Count::bad_pongs),
        }
    }
}
