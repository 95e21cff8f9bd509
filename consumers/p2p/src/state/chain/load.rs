//! How a chain comes back from its store.

use super::{Chain, payload};
use crate::chain::{Id, Params, Tree, check_block};
use crate::mutant::{Mutant, planted};
use crate::store::{Change, Found, Loaded, Reader, Store, StoreError, verify};
use crate::wire::{self, Command};
use bitcoin::consensus::serialize;
use std::collections::HashMap;
use std::sync::Arc;

impl<D: Store> Chain<D> {
    /// Puts together what was loaded. The genesis block is stored if it is not yet.
    ///
    /// `now` is the time in Unix seconds: blocks that are in the files and not in the index, since there was a sudden end,
    /// are checked like new ones. Fails if the store does.
    pub fn new(
        params: impl Into<Arc<Params>>,
        store: D,
        loaded: Loaded,
        now: u64,
    ) -> Result<Chain<D>, StoreError> {
        let mut chain = Chain {
            tree: Tree::new(params),
            store,
            active: vec![Id::GENESIS],
            connected: Vec::new(),
            waiting: HashMap::new(),
            waiting_bytes: 0,
            stored_bytes: 0,
            txs: 0,
            orphans: HashMap::new(),
            changes: 0,
            unreadable: HashMap::new(),
        };
        let mut stored = Vec::new();
        for one in loaded.headers {
            let one = one?;
            match chain.tree.load(&one.header, one.place, one.txs, one.invalid) {
                Ok(id) => {
                    chain.stored_bytes += one.place.map_or(0, |place| u64::from(place.length));
                    stored.extend(one.place.map(|place| (place, id)));
                }
                // What it is built on was lost: it will be told again.
                Err(why) => tracing::warn!(hash = %one.hash, %why, "a header of the index is left out"),
            }
        }
        chain.genesis()?;
        chain.txs = chain.count_txs(0);
        // Of two chains with the same work, the one that was complete first stays the active one.
        stored.sort_unstable();
        for (_, id) in stored {
            if id != Id::GENESIS {
                chain.connect(id);
            }
        }
        chain.take_found(&loaded.found, now);
        chain.changes = 0;
        Ok(chain)
    }

    fn genesis(&mut self) -> Result<(), StoreError> {
        self.set_connected(Id::GENESIS);
        if self.place(Id::GENESIS).is_some() {
            return Ok(());
        }
        let genesis = &self.params().genesis;
        let header = genesis.header;
        let frame = wire::frame(self.params().magic, Command::BLOCK, &serialize(genesis));
        let place = self.store.append(&frame)?;
        self.store.record(Change::Header { height: 0, header });
        self.record_block(Id::GENESIS, place, 1);
        Ok(())
    }

    /// Takes in blocks that the index does not know. Those whose parents are not known either are kept in mind: their headers
    /// will come again, and then they need not be downloaded.
    fn take_found(&mut self, found: &[Found], now: u64) {
        if planted(Mutant::FoundForgotten) {
            return;
        }
        for found in found {
            // One that is not taken is not asked for either.
            let _ = self.accept_header(&found.header, now);
            self.catch_up();
        }
        self.orphans = found.iter().map(|found| (found.hash, found.place)).collect();
        // Of two chains with the same work, the one that was complete first stays the active one here too.
        let mut stored: Vec<&Found> = found.iter().collect();
        stored.sort_unstable_by_key(|found| found.place);
        for found in stored {
            if let Some(id) = self.tree.find(&found.hash) {
                self.take_orphan(id);
                self.catch_up();
            }
        }
        if planted(Mutant::OrphansForgotten) {
            self.orphans.clear();
        }
    }

    /// Takes in the block of a header that has become known, if it is in the files.
    pub(super) fn take_orphan(&mut self, id: Id) {
        if self.orphans.is_empty() {
            return;
        }
        let hash = self.entry(id).hash;
        let Some(place) = self.orphans.remove(&hash) else {
            return;
        };
        // Genesis may be there twice, if the index was lost before it had been told of it.
        if self.place(id).is_some() {
            return;
        }
        let Ok(frame) = self.store.reader().frame(place) else {
            // It is not readable any more, and will be downloaded again.
            return;
        };
        if verify(&frame).is_err() {
            return;
        }
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
