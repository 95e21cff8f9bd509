//! Peers are told of new tips.

use super::Work;
use crate::chain::Id;
use crate::mutant::{Mutant, planted};
use crate::state::Peer;
use crate::store::Store;
use crate::wire::{Inventory, Message};
use bitcoin::block::Header;
use sockman::{Conn, SockMan};
use std::time::Instant;

/// A tip that is further ahead of what a peer has is announced by its hash alone (Core's `MAX_BLOCKS_TO_ANNOUNCE`).
const MAX_HEADERS: u32 = 8;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// When a new tip may be announced, if there is one.
    pub(super) fn announce_at(&self) -> Option<Instant> {
        let last = self.own.announced.filter(|_| self.state.fresh)?;
        Some(last + self.own.settings.announce_every)
    }

    /// Announces the tip to all that do not have it, if it is not too soon after the last time: then the timer will see to it.
    pub(super) fn announce(&mut self) {
        if self.announce_at().is_some_and(|at| at > self.now) {
            self.state.fresh = !planted(Mutant::AnnouncementLost);
            return;
        }
        self.state.fresh = false;
        self.own.announced = Some(self.now);
        let tip = self.state.chain.tip();
        let ready = self
            .state
            .peers
            .iter()
            .filter(|(_, peer)| peer.ready && !peer.gone);
        let told: Vec<(Conn, Option<Vec<Header>>)> = ready
            .filter(|(_, peer)| !self.has_tip(peer, tip))
            .map(|(conn, peer)| (conn, self.headers_for(peer, tip)))
            .collect();
        for (conn, headers) in told {
            if let Some(peer) = self.state.peers.get_mut(conn) {
                peer.announced = Some(tip);
                peer.told = if headers.is_some() { Some(tip) } else { peer.told };
            }
            match headers {
                Some(headers) => self.send(conn, &Message::Headers(headers)),
                None => {
                    let hash = self.state.chain.entry(tip).hash;
                    self.send(conn, &Message::Inv(vec![Inventory::Block(hash)]));
                }
            }
        }
    }

    fn has_tip(&self, peer: &Peer, tip: Id) -> bool {
        let tree = self.state.chain.tree();
        let known = [peer.best, peer.announced].into_iter().flatten();
        known.into_iter().any(|id| tree.fork(id, tip) == tip)
    }

    /// The headers that tell a peer of the tip, if it wants them, has what they build on, and they are few.
    fn headers_for(&self, peer: &Peer, tip: Id) -> Option<Vec<Header>> {
        if !peer.wants_headers {
            return None;
        }
        let tree = self.state.chain.tree();
        let height = |id: &Id| tree.entry(*id).height;
        let known = [peer.best, peer.told].into_iter().flatten();
        let fork = known.map(|id| tree.fork(id, tip)).max_by_key(height)?;
        let count = height(&tip) - height(&fork);
        if count > MAX_HEADERS {
            return None;
        }
        let mut headers = Vec::with_capacity(count as usize);
        let mut at = tip;
        while at != fork {
            headers.push(tree.entry(at).header);
            at = tree.entry(at).parent;
        }
        headers.reverse();
        Some(headers)
    }
}
