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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::generate::{GenerateOptions, Generator};
    use crate::store::{Disk, DiskOptions, DiskReader, Place};
    use bitcoin::Network;
    use std::sync::Mutex;

    /// Changes that may wait.
    const QUEUE: usize = 16;

    /// A store on a disk that commits nothing before it is asked to.
    struct Slow {
        disk: Disk,
        pending: usize,
        /// How many changes there were at most that waited.
        most: Arc<Mutex<usize>>,
    }

    impl Store for Slow {
        type Reader = DiskReader;

        fn append(&mut self, frame: &[u8]) -> Result<Place, StoreError> {
            self.disk.append(frame)
        }

        fn record(&mut self, change: Change) {
            self.disk.record(change);
            self.pending += 1;
            let mut most = self.most.lock().unwrap();
            *most = self.pending.max(*most);
        }

        fn is_swamped(&self) -> bool {
            self.pending >= QUEUE
        }

        fn when_ready(&mut self, tell: Arc<dyn Fn() + Send + Sync>) {
            self.disk.when_ready(tell);
        }

        fn reader(&self) -> DiskReader {
            self.disk.reader()
        }

        fn sync(&mut self) -> Result<(), StoreError> {
            self.pending = 0;
            self.disk.sync()
        }

        fn failed(&self) -> Option<StoreError> {
            self.disk.failed()
        }
    }

    #[test]
    fn the_index_is_waited_for_while_blocks_are_taken_in_that_it_does_not_know() {
        let params = Params::of(Network::Regtest);
        let dir = tempfile::tempdir().unwrap();
        let open = || Disk::open(dir.path(), params.magic, DiskOptions::default()).unwrap();
        let blocks = GenerateOptions {
            blocks: 50,
            txs: 0,
            full: 0,
            ..GenerateOptions::default()
        };
        let (mut disk, _) = open();
        for block in Generator::new(blocks) {
            let frame = wire::frame(params.magic, Command::BLOCK, &block);
            disk.append(&frame).unwrap();
        }
        drop(disk);
        let (disk, loaded) = open();
        assert_eq!(loaded.found.len(), 50);
        let most = Arc::default();
        let slow = Slow {
            disk,
            pending: 0,
            most: Arc::clone(&most),
        };
        let chain = Chain::new(params, slow, loaded, u64::from(u32::MAX)).unwrap();
        assert_eq!(chain.height(), 50);
        assert_eq!(*most.lock().unwrap(), QUEUE);
    }
}
