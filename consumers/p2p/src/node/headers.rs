//! What peers tell us of their chains.

use super::Work;
use crate::chain::{HeaderError, Id, LowWork, LowWorkError, claimed_work};
use crate::mutant::{Mutant, planted};
use crate::state::{Count, Peer, State};
use crate::store::Store;
use crate::wire::{Inventory, MAX_HEADERS, Message};
use bitcoin::BlockHash;
use bitcoin::Work as ChainWork;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use sockman::{Conn, SockMan};

/// What became of headers.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The last that was taken, or what they follow.
    last: Id,
    /// All of them were taken.
    whole: bool,
}

/// A chain of headers is kept as soon as it has the work of ours less that of so many blocks (as Core's
/// `GetAntiDoSWorkThreshold`).
const NEAR: u32 = 144;

/// So many headers must others tell while a peer waits for them, or it waits no longer: four messages.
const QUICK: u32 = 4 * MAX_HEADERS as u32;

/// How many peers may lose their headers so that another finds room for its own.
const ROOM_TRIES: usize = 8;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Asks a peer for what comes after `from`, if it serves blocks and has not been asked.
    pub(super) fn ask_for_headers(&mut self, conn: Conn, from: Id) {
        let tree = self.state.chain.tree();
        // From the parent on, so that at least one header comes: it tells that the peer has it.
        let parent = tree.entry(from).parent;
        let above = !self.state.chain.is_connected(parent) && !planted(Mutant::LessUnasked);
        let mut locator = tree.locator(parent);
        // The further down, the fewer hashes there are. What it has told is one of them, or it might tell the same again.
        let told = self.state.peers.get(conn).and_then(|peer| peer.best);
        if let Some(told) = told.filter(|&told| tree.is_ancestor(told, parent)) {
            let is_above = |hash: &BlockHash| {
                let id = tree.find(hash);
                id.is_some_and(|id| tree.entry(id).height > tree.entry(told).height)
            };
            locator.retain(is_above);
            locator.extend(tree.locator(told));
        }
        self.get_headers_of(conn, locator, above);
    }

    fn get_headers_of(&mut self, conn: Conn, locator: Vec<BlockHash>, above: bool) {
        let now = self.now;
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        // Some do not answer while they have not caught up themselves, and are no worse for it.
        let due = |asked| now < asked + self.own.settings.headers_within;
        if !peer.is_source() || peer.gone || peer.headers.asked.is_some_and(due) {
            return;
        }
        peer.headers.asked = Some(now);
        peer.headers.above = above;
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
        let asked = peer.headers.asked.take();
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            peer.headers.low_work = None;
            if std::mem::take(&mut peer.headers.above) {
                // It has less than others have told, and how much does not show: from our tip on it does.
                peer.headers.less = true;
                self.ask_for_headers(conn, self.state.chain.tip());
                let asked = |peer: &Peer| peer.headers.asked.is_some();
                if self.state.peers.get(conn).is_some_and(asked) {
                    return;
                }
            }
            return self.told_all(conn);
        };
        if headers
            .windows(2)
            .any(|pair| pair[1].prev_blockhash != pair[0].block_hash())
        {
            return self.misbehaves(conn, "headers that do not follow one another");
        }
        let full = headers.len() == MAX_HEADERS;
        let fork = self.state.chain.tree().find(&first.prev_blockhash);
        if let Some(low) = &peer.headers.low_work {
            if low.is_next(first) {
                peer.headers.unconnected = 0;
                return self.low_work(conn, headers, full);
            }
            if fork.is_none() {
                // A new tip, told in between: the answer is still to come.
                peer.headers.asked = asked;
                return self.unconnected(conn);
            }
            // Its chain has changed.
            peer.headers.low_work = None;
        }
        let Some(fork) = fork else {
            return self.unconnected(conn);
        };
        peer.headers.unconnected = 0;
        let known = self.state.chain.tree().find(&last.block_hash());
        let kept = match (known, claimed_work(self.state.chain.params(), headers)) {
            (Some(last), _) if self.state.chain.entry(last).invalid => {
                return self.refuse(conn, HeaderError::Invalid);
            }
            (Some(last), _) => Kept { last, whole: true },
            (None, Err(why)) => return self.refuse(conn, why),
            (None, Ok(work)) if self.state.chain.entry(fork).work + work < self.enough() => {
                return self.begin_low_work(conn, fork, headers, full);
            }
            (None, Ok(_)) => self.keep(conn, fork, headers),
        };
        self.has(conn, kept.last);
        if kept.whole {
            self.go_on(conn, kept.last, full, known.is_none());
        } else {
            self.told_all(conn);
            self.ask_for_blocks(conn);
        }
    }

    /// The peer's headers lead to nothing that we know: what lies between is asked for.
    fn unconnected(&mut self, conn: Conn) {
        let most = self.own.settings.unconnected;
        // Whoever serves no blocks is not asked for what lies between.
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| peer.is_source()) else {
            return;
        };
        peer.headers.unconnected += 1;
        if peer.headers.unconnected > most || planted(Mutant::UnconnectedBlamed) {
            return self.misbehaves(conn, "headers that connect to nothing, again and again");
        }
        self.ask_for_headers(conn, self.state.chain.tree().best());
    }

    /// Takes headers, which follow `fork`.
    fn keep(&mut self, conn: Conn, fork: Id, headers: &[Header]) -> Kept {
        let unix = self.unix();
        let before = self.state.chain.changes();
        let mut kept = Kept {
            last: fork,
            whole: true,
        };
        for header in headers {
            let mut taken = self.state.chain.accept_header(header, unix);
            // What a greedy peer loses may be somebody else's too.
            for _ in 0..ROOM_TRIES {
                if !matches!(taken, Err(HeaderError::Full)) || !self.make_room(conn, kept.last) {
                    break;
                }
                taken = self.state.chain.accept_header(header, unix);
            }
            match taken {
                Ok(id) => kept.last = id,
                Err(why) => {
                    self.state.counters.add(Count::headers_refused);
                    self.refuse(conn, why);
                    kept.whole = false;
                    break;
                }
            }
        }
        // The block of one of them may have been in the files.
        if self.state.chain.changes() != before {
            self.new_tip();
        }
        kept
    }

    /// A peer told a header that is not taken.
    pub(super) fn refuse(&mut self, conn: Conn, why: HeaderError) {
        match why {
            // Our clock may be wrong, or what it follows was forgotten to make room: it can be told again later.
            HeaderError::TimeTooNew | HeaderError::UnknownParent => {}
            // Who brings too many may mean well.
            HeaderError::Full => self.drop_peer(conn, format_args!("{why}")),
            _ => self.misbehaves(conn, &why.to_string()),
        }
    }

    /// Makes room for more headers of this peer, which follow `last`. Says whether it did; if not, the peer has too many itself.
    pub(super) fn make_room(&mut self, conn: Conn, last: Id) -> bool {
        let most = self.own.settings.headers;
        let Some(greedy) = self.state.make_room(most, Some((conn, last))) else {
            return true;
        };
        if greedy != conn {
            self.drop_peer(
                greedy,
                format_args!("it has told more headers than there is room for"),
            );
        }
        greedy != conn
    }

    /// A peer has told all that it had, or (its message was `full`) there is more to be asked for. `new` if nobody had told that before.
    fn go_on(&mut self, conn: Conn, last: Id, full: bool, new: bool) {
        let tree = self.state.chain.tree();
        let best = tree.best();
        // What others have told already need not be told again, nor what another was asked for.
        let behind = tree.fork(last, best) == last;
        let less = self.state.peers.get(conn).is_some_and(|peer| peer.headers.less);
        if !full {
            self.told_all(conn);
        } else if behind && !new && self.is_somebody_asked() {
            let waiting = Some((self.now, tree.entry(best).height));
            if let Some(peer) = self.state.peers.get_mut(conn) {
                peer.headers.waiting = waiting;
            }
            self.rearm(conn);
        } else if behind && last != best && !less {
            self.ask_for_headers(conn, best);
        } else {
            let locator = tree.locator(last);
            self.get_headers_of(conn, locator, false);
        }
        self.ask_for_blocks(conn);
    }

    /// Whether a peer was asked for headers a short while ago: what it tells the others need not.
    fn is_somebody_asked(&self) -> bool {
        let recently = |asked| self.now < asked + self.own.settings.headers_wait();
        let mut peers = self.state.peers.iter().filter(|(_, peer)| !peer.gone);
        peers.any(|(_, peer)| peer.headers.asked.is_some_and(recently))
    }

    /// A peer that waits for what another tells has waited for a while. It goes on if the other is quick: one that tells a message
    /// now and then would hold up all that are.
    pub(super) fn waited_for_headers(&mut self, conn: Conn) {
        let best = self.state.chain.tree().best();
        let (now, height) = (self.now, self.state.chain.entry(best).height);
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        match peer.headers.waiting {
            Some((_, before)) if height >= before.saturating_add(QUICK) => {
                peer.headers.waiting = Some((now, height));
            }
            _ => {
                peer.headers.waiting = None;
                self.ask_for_headers(conn, best);
            }
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
        if let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) {
            let more = |old: Id| tree.entry(id).work > tree.entry(old).work || tree.entry(old).invalid;
            if !tree.entry(id).invalid && peer.best.is_none_or(more) {
                peer.best = Some(id);
            }
        }
    }

    /// A peer announces what it has.
    pub(super) fn inv(&mut self, conn: Conn, inventory: &[Inventory]) {
        let mut unknown = false;
        let best = |state: &State<D>| state.peers.get(conn).and_then(|peer| peer.best);
        let before = best(self.state);
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
        if best(self.state) != before {
            self.ask_for_blocks(conn);
        }
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
            let mut low = LowWork::start(tree, fork, need, salt);
            low.set_limit(self.own.settings.followed);
            peer.headers.low_work = Some(low);
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
        let first = step.give.first();
        if let Some(fork) = first.and_then(|first| self.state.chain.tree().find(&first.prev_blockhash)) {
            let kept = self.keep(conn, fork, &step.give);
            self.has(conn, kept.last);
            if !kept.whole {
                return self.told_all(conn);
            }
        } else if first.is_some() {
            // What it follows was forgotten, to make room.
            return self.told_all(conn);
        }
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
            return;
        };
        match step.next {
            Some(locator) => {
                peer.headers.low_work = Some(low);
                self.get_headers_of(conn, locator, false);
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
