//! Any history whatever: a store on a disk comes back as the one in memory does.

use crate::rig::{Block, MAGIC, chain, directory, open};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sockman_p2p::chain::Forgotten;
use sockman_p2p::store::{Change, Disk, Loaded, LoadedHeader, Memory, Place, Store};

/// Blocks that a history is about.
const BLOCKS: u32 = 24;

/// Both stores.
struct Pair<'a> {
    disk: &'a mut Disk,
    memory: &'a mut Memory,
}

impl Pair<'_> {
    fn append(&mut self, block: &Block) -> Place {
        let place = self.disk.append(&block.frame).unwrap();
        assert_eq!(place, self.memory.append(&block.frame).unwrap());
        place
    }

    fn record(&mut self, change: Change) {
        self.disk.record(change.clone());
        self.memory.record(change);
    }

    /// Does something with a block. `places` are those that were appended and not recorded yet.
    fn step(&mut self, rng: &mut ChaCha8Rng, chain: &[Block], places: &mut Vec<(usize, Place)>) {
        let at = rng.next_u32() as usize % chain.len();
        let block = &chain[at];
        let Block {
            height, header, hash, ..
        } = *block;
        match rng.next_u32() % 20 {
            0..6 => self.record(Change::Header { height, header }),
            6..10 => places.push((at, self.append(block))),
            // Each place once, and for the block that is there.
            10..16 => {
                let Some((at, place)) = places.pop() else { return };
                let Block { height, hash, .. } = chain[at];
                let txs = height;
                self.record(Change::Block {
                    height,
                    hash,
                    place,
                    txs,
                });
            }
            16..18 => self.record(Change::Lost { height, hash }),
            18 => self.record(Change::Invalid { height, hash }),
            _ => self.record(Change::Forget(vec![Forgotten { height, hash }])),
        }
    }
}

fn headers(loaded: Loaded) -> Vec<LoadedHeader> {
    let mut headers: Vec<LoadedHeader> = loaded.headers.map(|header| header.unwrap()).collect();
    // Those of one height have no order.
    headers.sort_unstable_by_key(|header| (header.height, header.hash));
    headers
}

#[test]
fn a_disk_does_what_memory_does() {
    let mut some = (0, 0);
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let chain = chain(BLOCKS, |height| 81 + height as usize);
        let dir = directory();
        let mut memory = Memory::new(MAGIC);
        let mut places = Vec::new();
        for _ in 0..6 {
            let (mut disk, loaded): (Disk, Loaded) = open(dir.path());
            let (next, expected) = memory.crash(memory.pending());
            memory = next;
            assert!(loaded.notes.is_empty(), "seed {seed}: {:?}", loaded.notes);
            assert_eq!(loaded.found, expected.found, "seed {seed}");
            some.0 += loaded.found.len();
            let (headers, expected) = (headers(loaded), headers(expected));
            assert_eq!(headers, expected, "seed {seed}");
            some.1 += headers.iter().filter(|header| header.place.is_some()).count();
            let mut pair = Pair {
                disk: &mut disk,
                memory: &mut memory,
            };
            for _ in 0..rng.next_u32() % 60 {
                pair.step(&mut rng, &chain, &mut places);
            }
        }
    }
    assert!(some.0 > 100 && some.1 > 100, "{some:?}");
}
