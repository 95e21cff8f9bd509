//! How a chain comes back from its store.

use super::{Chain, header_of, payload};
use crate::chain::{Id, Params, Tree, check_block};
use crate::store::{Change, Loaded, Place, Reader, Store, StoreError};
use crate::wire;
use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use std::collections::HashMap;

impl<D: Store> Chain<D> {
    /// Puts together what was loaded. The genesis block is stored if it is not yet.
    ///
    /// `now` is the time in Unix seconds: blocks that are in the files and not in the index, since there was a sudden end,
    /// are checked like new ones.
    pub fn new(params: Params, store: D, loaded: Loaded, now: u64) -> Result<Chain<D>, StoreError> {
        let mut chain = Chain {
            tree: Tree::new(params),
            store,
            active: vec![Id::GENESIS],
            waiting: HashMap::new(),
            waiting_bytes: 0,
            orphans: HashMap::new(),
            changes: 0,
        };
        let mut stored = Vec::new();
        for one in &loaded.headers {
            let Some(id) = chain.tree.load(&one.header, one.invalid) else {
                continue;
            };
            if let Some(place) = one.place {
                chain.tree.entry_mut(id).stored(place, one.txs);
                stored.push(id);
            }
        }
        chain.genesis()?;
        // Of two chains with the same work, the one that was complete first stays the active one.
        stored.retain(|&id| id != Id::GENESIS);
        stored.sort_unstable_by_key(|&id| chain.place(id).map(|place| (place.file, place.offset)));
        for id in stored {
            chain.connect(id);
        }
        chain.take_found(&loaded.found, now)?;
        chain.changes = 0;
        Ok(chain)
    }

    fn genesis(&mut self) -> Result<(), StoreError> {
        self.tree.entry_mut(Id::GENESIS).connected = true;
        if self.place(Id::GENESIS).is_some() {
            return Ok(());
        }
        let header = self.entry(Id::GENESIS).header;
        let genesis = serialize(&self.params().genesis);
        let frame = wire::frame(self.params().magic, "block", &genesis);
        let place = self.store.append(&frame)?;
        self.store.record(Change::Header { height: 0, header });
        let hash = header.block_hash();
        let (height, txs) = (0, 1);
        self.tree.entry_mut(Id::GENESIS).stored(place, txs);
        self.store.record(Change::Block {
            hash,
            height,
            place,
            txs,
        });
        Ok(())
    }

    /// Takes in blocks that the index does not know.
    fn take_found(&mut self, found: &[Place], now: u64) -> Result<(), StoreError> {
        let reader = self.store.reader();
        let mut headers: Vec<Header> = Vec::with_capacity(found.len());
        for &place in found {
            let frame = reader.frame(place)?;
            if let Some(header) = header_of(payload(&frame)) {
                self.orphans.insert(header.block_hash(), place);
                headers.push(header);
            }
        }
        // They may be there in any order: as long as some could be taken, others may follow.
        loop {
            let before = headers.len();
            headers.retain(|header| {
                let taken = self.accept_header(header, now).is_ok();
                if let (true, Some(id)) = (taken, self.tree.find(&header.block_hash())) {
                    self.take_orphan(id);
                }
                !taken
            });
            if headers.len() == before {
                return Ok(());
            }
        }
    }

    /// Takes in the block of a header that has become known, if it is in the files.
    pub(super) fn take_orphan(&mut self, id: Id) {
        if self.orphans.is_empty() {
            return;
        }
        let Some(place) = self.orphans.remove(&self.entry(id).hash) else {
            return;
        };
        if self.place(id).is_some() {
            return;
        }
        let Ok(frame) = self.store.reader().frame(place) else {
            // It is not readable any more, and will be downloaded again.
            return;
        };
        let rules = self.tree.rules(self.entry(id).parent);
        match check_block(self.params(), rules, payload(&frame)) {
            Ok(checked) => {
                self.stored(id, place, checked.txs);
            }
            Err(why) => {
                self.invalid(id, why);
            }
        }
    }
}
