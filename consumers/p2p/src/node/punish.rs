//! How we part from peers.

use super::Work;
use crate::mutant::{Mutant, planted};
use crate::state::{Count, Direction, Kind, Peer, Phase, Trust};
use crate::store::Store;
use sockman::{Closed, Conn, Disconnect, SockMan};
use std::fmt;
use std::net::IpAddr;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Unix seconds.
    pub(super) fn unix(&self) -> u64 {
        self.own.settings.clock.unix(self.now)
    }

    /// Whether peers at this address are not to be punished.
    pub(super) fn is_noban(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.own.settings.noban.iter().any(|net| net.contains(&ip))
    }

    /// Hangs up on a peer that did nothing wrong, or nothing that others need be protected from.
    pub(super) fn drop_peer(&mut self, conn: Conn, why: fmt::Arguments<'_>) {
        if let Some(peer) = self.state.peers.get(conn) {
            tracing::info!(%conn, peer = %peer.address, id = peer.id, %why, "disconnecting");
        }
        self.part(conn, Disconnect::Now);
    }

    /// Hangs up on a peer that did what nobody does by mistake, and discourages it; unless it is one of those that are not punished.
    pub(super) fn misbehaves(&mut self, conn: Conn, why: &str) {
        self.state.counters.add(Count::misbehaving);
        let Some(peer) = self.state.peers.get(conn).filter(|peer| !peer.gone) else {
            return;
        };
        if peer.noban {
            tracing::warn!(%conn, peer = %peer.address, id = peer.id, why, "misbehaves, and is not to be punished");
            return;
        }
        if let Some(at) = peer.address.tcp() {
            let told = match peer.direction {
                Direction::Inbound => None,
                Direction::Outbound(id) => self.state.targets.get(id),
            };
            if told.is_some_and(|target| target.kind == Kind::Connect) {
                self.state.discouraged.add_port(at, self.now);
            } else {
                self.state.discouraged.add_address(at.ip(), self.now);
            }
        }
        self.drop_peer(conn, format_args!("misbehaving: {why}"));
    }

    /// Nothing is heard of the peer any more, and it gets nothing any more.
    pub(super) fn part(&mut self, conn: Conn, how: Disconnect) {
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        if peer.gone {
            return;
        }
        peer.gone = true;
        self.net.disconnect(conn, how);
        self.release_blocks(conn, false);
    }

    /// What a peer was asked for, or might have been had it not been `gone` already, is asked of others.
    fn release_blocks(&mut self, conn: Conn, gone: bool) {
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        let in_flight: Vec<_> = peer.in_flight.drain(..).map(|(id, _)| id).collect();
        // What was left to it, though it was not asked yet.
        let left = !gone && peer.is_source() && peer.trust() > Trust::Stalled && peer.best.is_some();
        if left || !in_flight.is_empty() {
            if !planted(Mutant::FlightLeaks) {
                self.state.download.lost(conn, in_flight);
            }
            self.ask_everybody();
        }
    }

    /// The connection is closed.
    pub(super) fn closed(&mut self, conn: Conn, why: &Closed) {
        // Or it would be among those that are asked for what it owes.
        let gone = self.state.peers.get(conn).is_none_or(Peer::is_gone);
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.gone |= !planted(Mutant::AsksTheDead);
        }
        self.release_blocks(conn, gone);
        let Some(peer) = self.state.peers.remove(conn) else {
            return;
        };
        tracing::info!(%conn, peer = %peer.address, id = peer.id, %why, "closed");
        if let Direction::Outbound(id) = peer.direction
            && let Some(target) = self.state.targets.get_mut(id)
            && target.phase == Phase::Connected(conn)
            && !self.state.stopping
            && !planted(Mutant::RetryForgotten)
        {
            let settings = &self.own.settings;
            if peer.ready && self.now >= peer.since + settings.steady_after {
                target.backoff = settings.retry_after;
            }
            self.retry(id);
        }
    }
}
