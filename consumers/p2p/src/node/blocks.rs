//! Blocks that come, and those that are asked for.

use super::Work;
use crate::chain::{BlockError, HeaderError, Id, claimed_work, peek_header};
use crate::state::{AcceptError, Count, Peer, Refused};
use crate::store::Store;
use crate::sync::Hedge;
use crate::wire::{self, Frame, Inventory, Message};
use bitcoin::block::Header;
use sockman::{Conn, SockMan};

/// A block that nobody asked for is taken if it is at most so far above the tip (Core's `MIN_BLOCKS_TO_KEEP`).
const FAR: u32 = 288;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Asks a peer for the blocks that it should be asked for now.
    pub(super) fn ask_for_blocks(&mut self, conn: Conn) {
        let state = &mut *self.state;
        if state.failed.is_some() {
            return;
        }
        let settings = &self.own.settings;
        let ids = state
            .download
            .plan(&state.chain, &mut state.peers, conn, settings, self.now);
        if ids.is_empty() {
            return self.has_nothing_to_do(conn);
        }
        self.get_blocks_of(conn, &ids);
        if self.own.hedge_at.is_none() {
            self.own.hedge_at = Some(self.now + self.own.settings.hedge_after);
        }
        self.rearm(conn);
    }

    /// Somebody has nothing to do. If we dialled it, it need not wait until the timer looks whether others are late.
    fn has_nothing_to_do(&mut self, conn: Conn) {
        let free = |peer: &Peer| peer.in_flight.is_empty() && !peer.is_inbound();
        if self.own.hedge_at.is_some_and(|at| at > self.now)
            && self.state.peers.get(conn).is_some_and(free)
            && let Some(late) = self.state.download.next_late(&self.own.settings)
            && late <= self.now
        {
            self.own.hedge_at = Some(self.now);
        }
    }

    fn get_blocks_of(&mut self, conn: Conn, ids: &[Id]) {
        let item = |&id: &Id| Inventory::WitnessBlock(self.state.chain.entry(id).hash);
        let items = ids.iter().map(item).collect();
        self.send(conn, &Message::GetData(items));
    }

    /// Asks all peers for the blocks that they should be asked for now.
    pub(super) fn ask_everybody(&mut self) {
        let sources = self
            .state
            .peers
            .iter()
            .filter(|(_, peer)| peer.is_source() && !peer.gone);
        let all: Vec<Conn> = sources.map(|(conn, _)| conn).collect();
        for conn in all {
            self.ask_for_blocks(conn);
        }
    }

    /// If a block is late, somebody else is asked for it too. Called when the timer has fired.
    pub(super) fn hedge(&mut self) {
        if self.own.hedge_at.is_none_or(|at| at > self.now) {
            return;
        }
        if self.state.swamped {
            // It may have come, and wait for the disk.
            self.own.hedge_at = Some(self.now + self.own.settings.hedge_after);
            return;
        }
        let state = &mut *self.state;
        let settings = &self.own.settings;
        let hedge = state
            .download
            .hedge(&state.chain, &mut state.peers, settings, self.now);
        match hedge.filter(|_| state.failed.is_none()) {
            Some(Hedge::Ask(wanted)) => {
                self.state.counters.add(Count::hedged);
                self.get_blocks_of(wanted.conn, &[wanted.id]);
                self.rearm(wanted.conn);
            }
            Some(Hedge::Drop(slow)) => self.stalls(slow),
            None => {}
        }
        // What is late already and could not be asked of anybody is looked at again, but not at once.
        let pause = self.own.settings.hedge_after / 4;
        let next = self.state.download.next_late(&self.own.settings);
        self.own.hedge_at = next.map(|at| at.max(self.now + pause));
    }

    /// A peer sends a block.
    pub(super) fn block(&mut self, conn: Conn, frame: &Frame<'_>) {
        self.state.counters.add(Count::blocks);
        self.state
            .counters
            .add_many(Count::block_bytes, frame.bytes.len() as u64);
        let Ok((header, hash)) = peek_header(frame.payload()) else {
            return self.misbehaves(conn, "a block without a header");
        };
        let known = self.state.chain.tree().find(&hash);
        let now = self.now;
        let peers = &mut self.state.peers;
        let delivered = known.and_then(|id| self.state.download.delivered(peers, id, conn, now));
        if delivered.is_none() {
            match self.is_welcome(known, &header) {
                Ok(true) => {}
                Ok(false) => return self.state.counters.add(Count::blocks_unrequested),
                Err(why) => {
                    self.state.counters.add(Count::blocks_refused);
                    return self.refuse(conn, why);
                }
            }
        }
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.last_block = Some(now);
            peer.head_since = now;
        }
        let stored = self.take_block(conn, frame.bytes);
        // Whoever was asked first and still has not sent it is slower than another who was asked later.
        if let Some((slow, since)) = delivered.and_then(|delivered| delivered.overtaken)
            && stored
            && now >= since + self.own.settings.stall
        {
            self.stalls(slow);
        }
        self.ask_for_blocks(conn);
    }

    fn stalls(&mut self, slow: Conn) {
        self.holds_up(slow, "holds up the download");
    }

    /// Hangs up on a peer that has not sent what it owed. If it has dialled us it may dial again: then it is asked last.
    pub(super) fn holds_up(&mut self, slow: Conn, why: &str) {
        self.state.counters.add(Count::stalled);
        let peer = self.state.peers.get(slow).filter(|peer| !peer.noban);
        if let Some(ip) = peer.filter(|peer| peer.is_inbound()).and_then(Peer::ip) {
            self.state.stalled.add_address(ip, self.now);
        }
        self.drop_peer(slow, format_args!("{why}"));
    }

    /// Whether a block that nobody asked for is of use. Fails if its header cannot be valid.
    fn is_welcome(&self, known: Option<Id>, header: &Header) -> Result<bool, HeaderError> {
        let chain = &self.state.chain;
        let work = claimed_work(chain.params(), std::slice::from_ref(header))?;
        let Some(parent) = known
            .map(|id| chain.entry(id).parent)
            .or_else(|| chain.tree().find(&header.prev_blockhash))
        else {
            return Ok(false);
        };
        let parent = chain.entry(parent);
        let work = parent.work + work;
        let leads = work > chain.entry(chain.tip()).work && work >= self.enough();
        Ok(leads && parent.height < chain.height() + FAR)
    }

    /// Takes a block. Says whether it is stored now.
    fn take_block(&mut self, conn: Conn, frame: &[u8]) -> bool {
        let unix = self.unix();
        let mut taken = self.state.chain.accept_block(frame, unix);
        if let Err(AcceptError::Refused(Refused::Header(HeaderError::Full))) = taken
            && self.make_room(conn, self.state.chain.tip())
        {
            taken = self.state.chain.accept_block(frame, unix);
        }
        match taken {
            Ok(accepted) => {
                self.landed(conn, accepted.id);
                if accepted.new_tip {
                    self.new_tip();
                }
                // The window has moved on: those that had nothing to do have now.
                if self.state.chain.is_connected(accepted.id)
                    && std::mem::take(&mut self.state.download.held_up)
                {
                    self.ask_everybody();
                }
                return true;
            }
            Err(AcceptError::Refused(Refused::Duplicate(id))) => {
                self.state.counters.add(Count::blocks_duplicate);
                self.landed(conn, id);
                return true;
            }
            Err(AcceptError::Refused(Refused::Header(HeaderError::UnknownParent))) => {
                self.ask_for_headers(conn, self.state.chain.tree().best());
            }
            Err(AcceptError::Refused(Refused::Header(why))) => {
                self.state.counters.add(Count::blocks_refused);
                self.refuse(conn, why);
            }
            Err(AcceptError::Refused(Refused::Block(why))) => self.bad_block(conn, frame, why),
            Err(AcceptError::Store(why)) => self.cannot_store(&why.to_string()),
        }
        false
    }

    /// A block that a peer has sent is stored.
    fn landed(&mut self, conn: Conn, id: Id) {
        self.has(conn, id);
        let free = self.state.download.landed(&mut self.state.peers, id, self.now);
        for conn in free.into_iter().flatten() {
            self.ask_for_blocks(conn);
        }
    }

    fn bad_block(&mut self, conn: Conn, frame: &[u8], why: BlockError) {
        self.state.counters.add(Count::blocks_refused);
        if matches!(why, BlockError::Invalid(_)) {
            self.forget_invalid();
        }
        self.misbehaves(conn, &why.to_string());
        // If it stays, it would only send the same again.
        let header = peek_header(frame.get(wire::HEADER..).unwrap_or_default());
        if let Some(id) = header
            .ok()
            .and_then(|(_, hash)| self.state.chain.tree().find(&hash))
        {
            self.lacks(conn, id);
        }
        // Its good twin may be with others; and if the header is bad, they have other blocks.
        self.ask_everybody();
    }

    /// Some headers have turned out to be invalid: what peers have ends before them.
    fn forget_invalid(&mut self) {
        let tree = self.state.chain.tree();
        let mut lost = Vec::new();
        for (conn, peer) in self.state.peers.iter_mut() {
            for id in [&mut peer.best, &mut peer.announced] {
                while let Some(at) = id.filter(|&at| tree.entry(at).invalid) {
                    *id = Some(tree.entry(at).parent);
                }
            }
            let invalid = peer.in_flight.iter().filter(|(id, _)| tree.entry(*id).invalid);
            lost.extend(invalid.map(|&(id, _)| (conn, id)));
        }
        for (conn, id) in lost {
            self.state
                .download
                .given_up(&mut self.state.peers, id, conn, self.now);
        }
    }

    /// The active chain has changed.
    pub(super) fn new_tip(&mut self) {
        self.state.fresh = true;
        self.tell_waiters();
    }

    /// The disk takes nothing more. What is stored is safe; the node has to be stopped.
    fn cannot_store(&mut self, why: &str) {
        tracing::error!(%why, "blocks cannot be stored");
        self.state.failed.get_or_insert_with(|| why.to_owned());
        self.tell_waiters();
    }

    /// A peer does not have what it was asked for.
    pub(super) fn not_found(&mut self, conn: Conn, inventory: &[Inventory]) {
        let mut given_up = false;
        for item in inventory {
            let (Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash)) =
                item
            else {
                continue;
            };
            let Some(id) = self.state.chain.tree().find(hash) else {
                continue;
            };
            let asked = self
                .state
                .peers
                .get(conn)
                .is_some_and(|peer| peer.is_asked_for(id));
            if !asked {
                continue;
            }
            self.state
                .download
                .given_up(&mut self.state.peers, id, conn, self.now);
            self.lacks(conn, id);
            given_up = true;
        }
        if given_up {
            self.ask_everybody();
        }
    }

    /// A peer cannot give us this block: it has less than it said.
    fn lacks(&mut self, conn: Conn, id: Id) {
        let tree = self.state.chain.tree();
        if let Some(peer) = self.state.peers.get_mut(conn)
            && peer.best.is_some_and(|best| tree.is_ancestor(id, best))
        {
            peer.best = Some(tree.entry(id).parent);
        }
    }
}
