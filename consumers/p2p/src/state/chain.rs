//! The active chain: of all chains whose blocks we hold without a gap, the one with the most work.

mod load;

use crate::chain::{
    BlockError, Checked, Entry, HeaderError, Id, Params, Rules, Tree, check_block, peek_header,
};
use crate::mutant::{Mutant, planted};
use crate::store::{Change, Place, Store, StoreError};
use crate::wire;
use bitcoin::BlockHash;
use bitcoin::block::Header;
use std::collections::HashMap;
use std::sync::Arc;

/// The tree of headers, the store of blocks, and the chain that is active.
///
/// Blocks may come in any order, as long as their headers are there: each is checked and stored when it comes. Whether it
/// becomes part of the active chain is decided when all its ancestors are there too. Scripts, and whether what a
/// transaction spends exists, are not checked, so nothing more can go wrong then.
pub struct Chain<D: Store> {
    tree: Tree,
    store: D,
    /// The active chain, by height.
    active: Vec<Id>,
    /// Blocks that are stored as all their ancestors are.
    connected: Vec<bool>,
    /// Blocks that are stored and whose ancestors are not all: by parent.
    waiting: HashMap<Id, Vec<Id>>,
    /// Bytes of those.
    waiting_bytes: u64,
    /// Bytes of all blocks that are stored.
    stored_bytes: u64,
    /// Transactions of the active chain.
    txs: u64,
    /// Blocks found in the files whose headers are not known, by hash.
    orphans: HashMap<BlockHash, Place>,
    /// How often the tip has changed since the start.
    changes: u64,
    /// Blocks that could not be read, and whether they are damaged: then they are as good as lost.
    unreadable: HashMap<Id, bool>,
}

/// A block is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Which.
    pub id: Id,
    /// Whether the active chain has changed.
    pub new_tip: bool,
}

/// Why a block is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is stored already.
    #[error("duplicate")]
    Duplicate(Id),
    /// Its header is not valid, or does not connect to any that we know.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The block is not valid.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// Why a block was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Because of what it is.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Because of the disk: the block may be fine.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<HeaderError> for AcceptError {
    fn from(why: HeaderError) -> Self {
        AcceptError::Refused(why.into())
    }
}

/// The end of a chain of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The last header: its height,
    pub height: u32,
    /// and its hash.
    pub hash: BlockHash,
    /// How many headers it is away from the active chain.
    pub branch_length: u32,
    /// What is known of that branch.
    pub status: TipStatus,
}

/// What is known of a chain of headers, by the names of Core's `getchaintips`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipStatus {
    /// It is the active chain.
    Active,
    /// All its blocks are there, and it has less work.
    ValidFork,
    /// Not all its blocks are there.
    HeadersOnly,
    /// A block of it is not valid.
    Invalid,
}

impl TipStatus {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            TipStatus::Active => "active",
            TipStatus::ValidFork => "valid-fork",
            TipStatus::HeadersOnly => "headers-only",
            TipStatus::Invalid => "invalid",
        }
    }
}

impl<D: Store> Chain<D> {
    /// The rules.
    pub fn params(&self) -> &Arc<Params> {
        self.tree.params()
    }

    /// All headers.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What is known of a block.
    pub fn entry(&self, id: Id) -> &Entry {
        self.tree.entry(id)
    }

    /// The last block of the active chain.
    pub fn tip(&self) -> Id {
        self.active.last().copied().unwrap_or(Id::GENESIS)
    }

    /// The height of the last block of the active chain.
    pub fn height(&self) -> u32 {
        self.active.len() as u32 - 1
    }

    /// The block of the active chain at this height.
    pub fn at(&self, height: u32) -> Option<Id> {
        self.active.get(height as usize).copied()
    }

    /// Whether a block is part of the active chain.
    pub fn is_active(&self, id: Id) -> bool {
        self.at(self.entry(id).height) == Some(id)
    }

    /// Whether a block and all its ancestors are stored.
    pub fn is_connected(&self, id: Id) -> bool {
        self.connected.get(id.index()).copied().unwrap_or(false)
    }

    /// The highest of `id` and its ancestors that is stored as all its ancestors are. What is missing of that chain begins above
    /// it: on the active chain or on another one that has not enough work yet.
    pub fn last_connected(&self, id: Id) -> Id {
        let last = self.entry(id).height;
        let is_there = |height: u32| self.is_connected(self.tree.ancestor(id, height));
        let mut low = self.entry(self.fork(id)).height;
        // Mostly it is where the active chain ends: the first look tells.
        let mut stride = 1;
        while low + stride <= last && is_there(low + stride) {
            low += stride;
            stride *= 2;
        }
        let mut high = last.min(low + stride - 1);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if is_there(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        self.tree.ancestor(id, low)
    }

    fn set_connected(&mut self, id: Id) {
        let index = id.index();
        if self.connected.len() <= index {
            self.connected.resize(index + 1, false);
        }
        self.connected[index] = true;
    }

    /// Where a block is stored.
    pub fn place(&self, id: Id) -> Option<Place> {
        self.entry(id).place
    }

    /// Reads blocks; can be given to other threads.
    pub fn reader(&self) -> D::Reader {
        self.store.reader()
    }

    /// The store.
    pub fn store(&self) -> &D {
        &self.store
    }

    /// The store, to have all of it put on the disk.
    pub fn store_mut(&mut self) -> &mut D {
        &mut self.store
    }

    /// Waits until the store can be told more, for whoever has nothing else to do meanwhile.
    pub fn catch_up(&mut self) {
        if self.store.is_swamped() {
            // What went wrong shows: `Store::failed`.
            let _ = self.store.sync();
        }
    }

    /// How often the tip has changed since the start.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Bytes of blocks that are stored and whose ancestors are not all.
    pub fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// Bytes of all blocks that are stored, with the headers of the messages that brought them.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Transactions of all blocks of the active chain.
    pub fn txs(&self) -> u64 {
        self.txs
    }

    /// The last block of the active chain that is an ancestor of `id`, or is it.
    pub fn fork(&self, id: Id) -> Id {
        self.tree.fork(id, self.tip())
    }

    /// The first block of a locator that is on the active chain; genesis if there is none.
    pub fn find_locator(&self, locator: &[BlockHash]) -> Id {
        let known = locator.iter().filter_map(|hash| self.tree.find(hash));
        known
            .into_iter()
            .find(|&id| self.is_active(id))
            .unwrap_or(Id::GENESIS)
    }

    /// Takes a header. `now` is the time in Unix seconds.
    pub fn accept_header(&mut self, header: &Header, now: u64) -> Result<Id, HeaderError> {
        let accepted = self.tree.accept(header, now)?;
        if accepted.new {
            let height = self.entry(accepted.id).height;
            self.store.record(Change::Header {
                height,
                header: *header,
            });
            self.take_orphan(accepted.id);
        }
        Ok(accepted.id)
    }

    /// Checks a block and stores it. `frame` is the whole message that brings it, with a right checksum; `now` is the time in
    /// Unix seconds.
    pub fn accept_block(&mut self, frame: &[u8], now: u64) -> Result<Accepted, AcceptError> {
        let (id, rules) = self.prepare(frame, now)?;
        let checked = check_block(self.params(), rules, payload(frame));
        self.finish(id, frame, checked)
    }

    /// The first part of taking a block: its header. What the second needs can be checked without the chain.
    pub(crate) fn prepare(&mut self, frame: &[u8], now: u64) -> Result<(Id, Rules), Refused> {
        let (header, _) = peek_header(payload(frame)).map_err(BlockError::from)?;
        let id = self.accept_header(&header, now)?;
        let entry = self.entry(id);
        if entry.place.is_some() {
            return Err(Refused::Duplicate(id));
        }
        Ok((id, self.tree.rules(entry.parent)))
    }

    /// The last part of taking a block, with what the check came to.
    pub(crate) fn finish(
        &mut self,
        id: Id,
        frame: &[u8],
        checked: Result<Checked, BlockError>,
    ) -> Result<Accepted, AcceptError> {
        let checked = checked.map_err(|why| self.invalid(id, why))?;
        if self.place(id).is_some() {
            return Err(Refused::Duplicate(id).into());
        }
        let place = self.store.append(frame)?;
        let new_tip = self.stored(id, place, checked.txs);
        Ok(Accepted { id, new_tip })
    }

    /// A block is not valid. If that is its header's fault (and not that of who sent it), neither is what builds on it.
    fn invalid(&mut self, id: Id, why: BlockError) -> Refused {
        if matches!(why, BlockError::Invalid(_)) || planted(Mutant::TwinCondemns) {
            let marked = self.tree.mark_invalid(id);
            // What is built on it will be so too when it is loaded.
            if let Some(&first) = marked.first() {
                let Entry { height, hash, .. } = *self.tree.entry(first);
                self.store.record(Change::Invalid { height, hash });
            }
            for id in marked {
                // What waits for it waits for nothing.
                let children = self.waiting.remove(&id).unwrap_or_default();
                self.waiting_bytes -= children.iter().map(|&id| self.bytes(id)).sum::<u64>();
            }
        }
        why.into()
    }

    /// A block is in the files. Says whether the active chain has changed.
    fn stored(&mut self, id: Id, place: Place, txs: u32) -> bool {
        self.record_block(id, place, txs);
        self.connect(id)
    }

    /// A block could not be read. If that is because it is damaged, it is [lost](Chain::lost). Says whether that is news.
    pub(crate) fn cannot_read(&mut self, id: Id, why: &StoreError) -> bool {
        if matches!(why, StoreError::Damaged { .. }) {
            return self.lost(id);
        }
        let known = self.unreadable.contains_key(&id);
        self.unreadable.entry(id).or_insert(false);
        !known
    }

    /// A stored block is damaged: nobody is given it any more, and from the next start on it is missing, and downloaded again.
    /// Says whether that is news.
    pub fn lost(&mut self, id: Id) -> bool {
        if self.unreadable.insert(id, true) == Some(true) {
            return false;
        }
        let Entry { height, hash, .. } = *self.entry(id);
        self.store.record(Change::Lost { height, hash });
        true
    }

    /// Where a block is that others may have: it is not known to be damaged, nor to be invalid, and all its ancestors are there.
    pub(crate) fn servable(&self, id: Id) -> Option<Place> {
        let damaged = self.unreadable.get(&id) == Some(&true);
        let good = self.is_connected(id) && !self.entry(id).invalid && !damaged;
        self.place(id).filter(|_| good)
    }

    fn record_block(&mut self, id: Id, place: Place, txs: u32) {
        self.tree.set_place(id, Some(place), txs);
        self.stored_bytes += u64::from(place.length);
        let Entry { hash, height, .. } = *self.entry(id);
        self.store.record(Change::Block {
            height,
            hash,
            place,
            txs,
        });
    }

    /// Connects a stored block, and those that waited for it. Says whether the active chain has changed.
    fn connect(&mut self, id: Id) -> bool {
        let parent = self.entry(id).parent;
        if self.entry(id).invalid {
            return false;
        }
        if !self.is_connected(parent) {
            self.waiting_bytes += self.bytes(id);
            self.waiting.entry(parent).or_default().push(id);
            return false;
        }
        let before = self.tip();
        let mut ready = vec![id];
        while let Some(id) = ready.pop() {
            self.set_connected(id);
            let entry = self.entry(id);
            let tip = self.entry(self.tip());
            let better = if planted(Mutant::HeightWins) {
                entry.height > tip.height
            } else {
                entry.work > tip.work || planted(Mutant::TieMoves) && entry.work == tip.work
            };
            if !entry.invalid && better {
                self.activate(id);
            }
            if let Some(children) = self.waiting.remove(&id) {
                self.waiting_bytes -= children.iter().map(|&id| self.bytes(id)).sum::<u64>();
                ready.extend(children);
            }
        }
        self.tip() != before
    }

    fn bytes(&self, id: Id) -> u64 {
        self.place(id).map_or(0, |place| u64::from(place.length))
    }

    /// Makes the chain that ends in `id` the active one.
    fn activate(&mut self, id: Id) {
        let fork = self.fork(id);
        let from = self.entry(fork).height as usize + 1;
        self.txs -= self.count_txs(from);
        self.active.truncate(from);
        let mut at = id;
        while at != fork {
            self.active.push(at);
            at = self.entry(at).parent;
        }
        self.active[from..].reverse();
        self.txs += self.count_txs(from);
        self.changes += 1;
    }

    /// Sets how many headers there may be that are not those of stored blocks.
    pub fn limit_headers(&mut self, most: usize) {
        self.tree.set_limit(most);
    }

    /// Transactions of the active chain from this height on.
    fn count_txs(&self, from: usize) -> u64 {
        let blocks = self.active[from..].iter();
        blocks.map(|&id| u64::from(self.entry(id).txs)).sum()
    }

    /// Forgets headers that lead to none of `keep` and to no stored block. Says how many.
    pub fn prune(&mut self, keep: &[Id]) -> usize {
        let forgotten = self.tree.prune(keep);
        let count = forgotten.len();
        if count > 0 {
            self.store.record(Change::Forget(forgotten));
        }
        count
    }

    /// The ends of other chains of headers than the active one: a share of them, those after `after`. And after which the next share
    /// begins, if there may be one.
    pub(crate) fn other_tips(&self, after: Option<Id>, share: usize) -> (Vec<Tip>, Option<Id>) {
        let ends: Vec<Id> = self.tree.tips_after(after).take(share).collect();
        let next = ends.last().copied().filter(|_| ends.len() == share);
        let others = ends.into_iter().filter(|&id| !self.is_active(id));
        (others.map(|id| self.describe(id)).collect(), next)
    }

    /// The end of the active chain.
    pub(crate) fn active_tip(&self) -> Tip {
        self.describe(self.tip())
    }

    fn describe(&self, id: Id) -> Tip {
        let entry = self.entry(id);
        let status = if self.is_active(id) {
            TipStatus::Active
        } else if entry.invalid {
            TipStatus::Invalid
        } else if self.is_connected(id) {
            TipStatus::ValidFork
        } else {
            TipStatus::HeadersOnly
        };
        Tip {
            height: entry.height,
            hash: entry.hash,
            branch_length: entry.height - self.entry(self.fork(id)).height,
            status,
        }
    }
}

/// What is behind the header of a frame.
fn payload(frame: &[u8]) -> &[u8] {
    frame.get(wire::HEADER..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::mine;
    use crate::store::{Memory, Reader};
    use bitcoin::Network;
    use std::path::PathBuf;

    #[test]
    fn what_cannot_be_read_is_news_once_and_lost_once() {
        let params = Params::of(Network::Regtest);
        let memory = Memory::new(params.magic);
        let (store, loaded) = memory.crash(0);
        let disk = store.clone();
        let mut chain = Chain::new(params, store, loaded, 0).unwrap();
        let place = chain.servable(Id::GENESIS).unwrap();
        let before = disk.pending();
        let refused = StoreError::Io {
            path: PathBuf::new(),
            doing: "read",
            source: Arc::new(std::io::Error::from(std::io::ErrorKind::PermissionDenied)),
        };
        assert!(chain.cannot_read(Id::GENESIS, &refused));
        assert!(!chain.cannot_read(Id::GENESIS, &refused));
        assert_eq!(disk.pending(), before);
        assert!(chain.servable(Id::GENESIS).is_some(), "it may be better later");
        disk.damage(place);
        let damaged = chain.reader().verified(place).unwrap_err();
        assert!(chain.cannot_read(Id::GENESIS, &damaged));
        for again in [&damaged, &refused] {
            assert!(!chain.cannot_read(Id::GENESIS, again));
        }
        assert_eq!(disk.pending(), before + 1);
        assert!(chain.servable(Id::GENESIS).is_none());
    }

    /// A header on top of genesis, like no other.
    fn sibling(params: &Params, number: u32) -> Header {
        let mut header = params.genesis.header;
        header.prev_blockhash = header.block_hash();
        header.version = bitcoin::block::Version::from_consensus(4);
        header.time += 600 + number;
        assert!(mine(&mut header, 1 << 20));
        header
    }

    #[test]
    fn tips_are_gone_through_in_shares() {
        let params = Params::of(Network::Regtest);
        let headers: Vec<Header> = (0..1_000).map(|number| sibling(&params, number)).collect();
        let (store, loaded) = Memory::new(params.magic).crash(0);
        let mut chain = Chain::new(params, store, loaded, 0).unwrap();
        for header in &headers {
            chain.accept_header(header, u64::from(u32::MAX)).unwrap();
        }
        let (mut found, mut after, mut shares) = (Vec::new(), None, 0);
        loop {
            let (share, next) = chain.other_tips(after, 64);
            assert!(share.len() <= 64);
            found.extend(share.iter().map(|tip| tip.hash));
            shares += 1;
            if next.is_none() {
                break;
            }
            after = next;
        }
        assert_eq!(shares, 16);
        let told: Vec<BlockHash> = headers.iter().map(Header::block_hash).collect();
        assert_eq!(found, told);
    }
}
