//! Room for headers.

use super::{Peer, State};
use crate::chain::{Id, LowWork};
use crate::mutant::{Mutant, planted};
use crate::store::Store;
use sockman::Conn;

/// The part of all headers that there has to be room for when room was made. Looking for what can be forgotten takes time in
/// proportion to all of them, so that it must not be needed for every single one.
const SHARE: usize = 16;

impl<D: Store> State<D> {
    /// Forgets headers that no peer's chain is made of, if there may be `most`. Where that does not give much room, the peer with
    /// the longest chain beside ours loses it: that peer is returned, and is to be hung up on.
    ///
    /// `latest` is the last header that a peer has told just now.
    pub(crate) fn make_room(&mut self, most: usize, latest: Option<(Conn, Id)>) -> Option<Conn> {
        for (_, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.gone) {
            forget(peer);
        }
        self.prune(latest);
        if self.chain.tree().unstored() <= most.saturating_sub(1.max(most / SHARE)) {
            return None;
        }
        let beside = |id: Id| {
            let entry = self.chain.entry(id);
            entry.height - self.chain.entry(self.chain.fork(id)).height
        };
        let longest = |(conn, peer): (Conn, &Peer)| {
            let low = peer.headers.low_work.as_ref().map(LowWork::fork);
            let told = latest.filter(|(by, _)| *by == conn).map(|(_, id)| id);
            let ids = [peer.best, peer.announced, low, told];
            Some((ids.into_iter().flatten().map(beside).max()?, conn))
        };
        let (length, greedy) = self
            .peers
            .iter()
            .filter_map(longest)
            .max_by_key(|(length, _)| *length)?;
        if length == 0 {
            return None;
        }
        if let Some(peer) = self.peers.get_mut(greedy) {
            forget(peer);
        }
        self.prune(latest.filter(|(by, _)| *by != greedy));
        Some(greedy)
    }

    fn prune(&mut self, latest: Option<(Conn, Id)>) {
        let mut keep = vec![self.chain.tip()];
        keep.extend(latest.map(|(_, id)| id));
        for (_, peer) in self.peers.iter() {
            if planted(Mutant::PruneTooMuch) {
                break;
            }
            keep.extend(peer.best);
            keep.extend(peer.announced);
            keep.extend(peer.in_flight.iter().map(|&(id, _)| id));
            keep.extend(peer.headers.low_work.as_ref().map(LowWork::fork));
        }
        self.chain.prune(&keep);
    }
}

fn forget(peer: &mut Peer) {
    (peer.best, peer.announced, peer.headers.low_work) = (None, None, None);
}
