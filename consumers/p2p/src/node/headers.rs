//! What peers tell us of their chains.

use super::Work;
use crate::chain::{HeaderError, Id, LowWork, LowWorkError, claimed_work};
use crate::mutant::{Mutant, planted};
use crate::state::Count;
use crate::store::Store;
use crate::wire::{Inventory, MAX_HEADERS, Message};
use bitcoin::BlockHash;
use bitcoin::Work as ChainWork;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use sockman::{Conn, SockMan};

/// A chain of headers is kept as soon as it has the work of ours less that of so many blocks (as Core's
/// `GetAntiDoSWorkThreshold`).
const NEAR: u32 = 144;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Asks a peer for what comes after `from`, if it serves blocks and has not been asked.
    pub(super) fn ask_for_headers(&mut self, conn: Conn, from: Id) {
        let tree = self.state.chain.tree();
        // From the parent on, so that at least one header comes: it tells that the peer has it.
        let below = if planted(Mutant::LocatorTooFar) {
            from
        } else {
            tree.entry(from).parent
        };
        let locator = tree.locator(below);
        self.get_headers_of(conn, locator);
    }

    fn get_headers_of(&mut self, conn: Conn, locator: Vec<BlockHash>) {
        let now = self.now;
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        if !peer.is_source() || peer.gone || peer.headers.asked.is_some() {
            return;
        }
        peer.headers.asked = Some(now);
        let stop = BlockHash::all_zeros();
        self.send(conn, &Message::GetHeaders { locator, stop });
        self.rearm(conn);
    }

    /// A peer tells headers.
    pub(super) fn headers(&mut self, conn: Conn, headers: &[Header]) {
        self.state.counters.add_many(Count::headers, headers.len() as u64);
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        peer.headers.asked = None;
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            peer.headers.low_work = None;
            return self.told_all(conn);
        };
        if headers
            .windows(2)
            .any(|pair| pair[1].prev_blockhash != pair[0].block_hash())
        {
            return self.misbehaves(conn, "headers that do not follow one another");
        }
        let full = headers.len() == MAX_HEADERS;
        if peer.headers.low_work.is_some() {
            return self.low_work(conn, headers, full);
        }
        let Some(fork) = self.state.chain.tree().find(&first.prev_blockhash) else {
            return self.unconnected(conn);
        };
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.headers.unconnected = 0;
        }
        let known = self.state.chain.tree().find(&last.block_hash());
        let done = match (known, claimed_work(self.state.chain.params(), headers)) {
            (Some(id), _) => Some(id),
            (None, Err(why)) => return self.refuse(conn, why),
            (None, Ok(work)) if self.state.chain.entry(fork).work + work < self.enough() => {
                return self.begin_low_work(conn, fork, headers, full);
            }
            (None, Ok(_)) => self.keep(conn, headers),
        };
        if let Some(last) = done {
            self.has(conn, last);
            self.go_on(conn, last, full, known.is_none());
        }
    }

    /// The peer's headers lead to nothing that we know: what lies between is asked for.
    fn unconnected(&mut self, conn: Conn) {
        let most = self.own.settings.unconnected;
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        peer.headers.unconnected += 1;
        if peer.headers.unconnected > most || planted(Mutant::UnconnectedBlamed) {
            return self.misbehaves(conn, "headers that connect to nothing, again and again");
        }
        self.ask_for_headers(conn, self.state.chain.tree().best());
    }

    /// Takes headers. Gives the last of them, unless the peer was dropped.
    fn keep(&mut self, conn: Conn, headers: &[Header]) -> Option<Id> {
        let unix = self.unix();
        let mut last = None;
        let below = headers.first().map(|first| first.prev_blockhash);
        let below = below.and_then(|hash| self.state.chain.tree().find(&hash));
        for header in headers {
            let mut taken = self.state.chain.accept_header(header, unix);
            if matches!(taken, Err(HeaderError::Full)) && self.make_room(last.or(below)) {
                taken = self.state.chain.accept_header(header, unix);
            }
            match taken {
                Ok(id) => last = Some(id),
                Err(why) => {
                    self.state.counters.add(Count::headers_refused);
                    self.refuse(conn, why);
                    break;
                }
            }
        }
        last
    }

    /// A peer told a header that is not taken.
    pub(super) fn refuse(&mut self, conn: Conn, why: HeaderError) {
        match why {
            // Our clock may be wrong; it can be told again later. And who brings too many may mean well.
            HeaderError::TimeTooNew => {}
            HeaderError::Full => self.drop_peer(conn, format_args!("{why}")),
            _ => self.misbehaves(conn, &why.to_string()),
        }
    }

    /// Forgets headers that nobody builds on. Says whether there were any.
    fn make_room(&mut self, latest: Option<Id>) -> bool {
        let chain = &self.state.chain;
        let mut keep = vec![chain.tip()];
        keep.extend(latest);
        for (_, peer) in self.state.peers.iter().filter(|(_, peer)| !peer.gone) {
            if planted(Mutant::PruneTooMuch) {
                break;
            }
            keep.extend(peer.best);
            keep.extend(peer.announced);
            keep.extend(peer.in_flight.iter().map(|&(id, _)| id));
            keep.extend(peer.headers.low_work.as_ref().map(LowWork::fork));
        }
        for (_, peer) in self.state.peers.iter_mut().filter(|(_, peer)| peer.gone) {
            (peer.best, peer.announced, peer.headers.low_work) = (None, None, None);
        }
        self.state.chain.prune(&keep) > 0
    }

    /// A peer has told all that it had, or (its message was `full`) there is more to be asked for. `new` if nobody had told that before.
    fn go_on(&mut self, conn: Conn, last: Id, full: bool, new: bool) {
        let tree = self.state.chain.tree();
        let best = tree.best();
        // What others have told already need not be told again, nor what another was asked for.
        let behind = tree.fork(last, best) == last;
        if !full {
            self.told_all(conn);
        } else if behind && !new && self.is_somebody_asked() {
            let now = self.now;
            if let Some(peer) = self.state.peers.get_mut(conn) {
                peer.headers.waiting = Some(now);
            }
            self.rearm(conn);
        } else if behind && last != best {
            self.ask_for_headers(conn, best);
        } else {
            let locator = tree.locator(last);
            self.get_headers_of(conn, locator);
        }
        self.ask_for_blocks(conn);
    }

    /// Whether a peer was asked for headers a short while ago: what it tells the others need not.
    fn is_somebody_asked(&self) -> bool {
        let recently = |asked| self.now < asked + self.own.settings.hedge_after;
        let mut peers = self.state.peers.iter().filter(|(_, peer)| !peer.gone);
        peers.any(|(_, peer)| peer.headers.asked.is_some_and(recently))
    }

    /// A peer that waits for what another tells has waited for a while.
    pub(super) fn waited_for_headers(&mut self, conn: Conn) {
        let (now, others) = (self.now, self.is_somebody_asked());
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        peer.headers.waiting = others.then_some(now);
        if !others {
            self.ask_for_headers(conn, self.state.chain.tree().best());
        }
    }

    /// A peer has told all headers that it has. Those that have waited for it are asked whether they have more.
    fn told_all(&mut self, conn: Conn) {
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.headers.complete = true;
        }
        self.tell_waiters();
        let mut waiting = Vec::new();
        for (conn, peer) in self.state.peers.iter_mut() {
            waiting.extend(peer.headers.waiting.take().map(|_| conn));
        }
        for conn in waiting {
            self.ask_for_headers(conn, self.state.chain.tree().best());
        }
    }

    /// A peer has this header.
    pub(super) fn has(&mut self, conn: Conn, id: Id) {
        let tree = self.state.chain.tree();
        if let Some(peer) = self.state.peers.get_mut(conn) {
            let more = |old: Id| tree.entry(id).work > tree.entry(old).work || tree.entry(old).invalid;
            if !tree.entry(id).invalid && peer.best.is_none_or(more) {
                peer.best = Some(id);
            }
        }
    }

    /// A peer announces what it has.
    pub(super) fn inv(&mut self, conn: Conn, inventory: &[Inventory]) {
        let mut unknown = false;
        for item in inventory {
            let (Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash)) =
                item
            else {
                continue;
            };
            match self.state.chain.tree().find(hash) {
                Some(id) => self.has(conn, id),
                None => unknown = true,
            }
        }
        if unknown {
            self.ask_for_headers(conn, self.state.chain.tree().best());
        }
        self.ask_for_blocks(conn);
    }

    /// The work that a chain must have for its headers to be kept.
    pub(super) fn enough(&self) -> ChainWork {
        let chain = &self.state.chain;
        let near = chain.height().saturating_sub(NEAR);
        let near = chain.at(near).map(|id| chain.entry(id).work);
        near.max(Some(chain.params().minimum_work))
            .unwrap_or(chain.params().minimum_work)
    }

    /// Headers with too little work: if there are more, they are followed without being kept.
    fn begin_low_work(&mut self, conn: Conn, fork: Id, headers: &[Header], full: bool) {
        let (need, salt) = (self.enough(), self.own.random());
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        if full {
            let tree = self.state.chain.tree();
            peer.headers.low_work = Some(LowWork::start(tree, fork, need, salt));
            self.low_work(conn, headers, full);
        } else {
            self.told_all(conn);
        }
    }

    fn low_work(&mut self, conn: Conn, headers: &[Header], full: bool) {
        let Some(mut low) = self
            .state
            .peers
            .get_mut(conn)
            .and_then(|peer| peer.headers.low_work.take())
        else {
            return;
        };
        let step = match low.feed(self.state.chain.tree(), headers, full) {
            Ok(step) => step,
            // It may have changed its mind meanwhile, as it should when there is a better chain.
            Err(LowWorkError::Changed) => {
                return self.ask_for_headers(conn, self.state.chain.tree().best());
            }
            Err(why) => return self.misbehaves(conn, &why.to_string()),
        };
        if let Some(last) = self.keep(conn, &step.give) {
            self.has(conn, last);
        }
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
            return;
        };
        match step.next {
            Some(locator) => {
                peer.headers.low_work = Some(low);
                self.get_headers_of(conn, locator);
            }
            None => {
                let best = peer.best;
                match best.filter(|_| full) {
                    Some(best) => self.go_on(conn, best, true, true),
                    None => self.told_all(conn),
                }
            }
        }
        self.ask_for_blocks(conn);
    }
}
