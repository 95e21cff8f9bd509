//! Blocks to store, and what a store is compared with.

use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use sockman_p2p::store::{
    Change, Disk, DiskOptions, Loaded, LoadedHeader, OpenError, Place, Reader, Store, verify,
};
use sockman_p2p::wire::{self, Command, Magic};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Regtest's.
pub(crate) const MAGIC: Magic = [0xfa, 0xbf, 0xb5, 0xda];

/// A block that the store takes for one: it does not look at what is behind the header.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) height: u32,
    pub(crate) header: Header,
    pub(crate) hash: BlockHash,
    pub(crate) frame: Vec<u8>,
}

impl Block {
    /// The block behind another. Its payload has `size` bytes, and at least 81.
    pub(crate) fn after(parent: Option<&Block>, size: usize) -> Block {
        match parent {
            Some(parent) => Block::new(parent.height + 1, parent.hash, size),
            None => Block::new(0, BlockHash::all_zeros(), size),
        }
    }

    /// A block that may have no parent at all: the store does not mind.
    pub(crate) fn new(height: u32, parent: BlockHash, size: usize) -> Block {
        let header = Header {
            version: Version::TWO,
            prev_blockhash: parent,
            merkle_root: TxMerkleNode::from_byte_array([height as u8 ^ 0x5a; 32]),
            time: 1_700_000_000 + height,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: height,
        };
        let mut payload = serialize(&header);
        payload.push(1);
        payload.extend((payload.len()..size).map(|at| (at as u32).wrapping_mul(height + 7) as u8));
        Block {
            height,
            header,
            hash: header.block_hash(),
            frame: wire::frame(MAGIC, Command::BLOCK, &payload).to_vec(),
        }
    }

    /// Records its header.
    pub(crate) fn announce(&self, store: &mut impl Store) {
        store.record(Change::Header {
            height: self.height,
            header: self.header,
        });
    }

    /// Records that it is at a place.
    pub(crate) fn index(&self, store: &mut impl Store, place: Place) {
        store.record(Change::Block {
            height: self.height,
            hash: self.hash,
            place,
            txs: 1,
        });
    }

    /// All that is done with a block.
    pub(crate) fn store(&self, store: &mut impl Store) -> Place {
        self.announce(store);
        let place = store.append(&self.frame).expect("there is room");
        self.index(store, place);
        place
    }
}

/// So many blocks, each of the size that `size` says for its height.
pub(crate) fn chain(blocks: u32, size: impl Fn(u32) -> usize) -> Vec<Block> {
    let mut chain: Vec<Block> = Vec::new();
    for height in 0..blocks {
        chain.push(Block::after(chain.last(), size(height)));
    }
    chain
}

/// A directory, in memory where the system has such: that the disk is told to write is of no account here, and takes its time.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory")
}

/// A store on a disk that commits at once.
pub(crate) fn options() -> DiskOptions {
    DiskOptions {
        commit_every: Duration::from_millis(1),
        ..DiskOptions::default()
    }
}

pub(crate) fn open(dir: &Path) -> (Disk, Loaded) {
    // A process that another test has just started holds the lock until it runs its own program.
    for _ in 0..100 {
        match Disk::open(dir, MAGIC, options()) {
            Err(OpenError::Locked { .. }) => std::thread::sleep(Duration::from_millis(20)),
            opened => return opened.expect("it opens"),
        }
    }
    panic!("somebody else has {}", dir.display());
}

/// What a store has.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Contents {
    /// The heights that the index knows, and of which of those it has the block.
    pub(crate) headers: Vec<(u32, bool)>,
    /// The heights of the blocks that it does not know.
    pub(crate) found: Vec<u32>,
}

/// What was loaded. Every block in it has to be one of `chain`, byte for byte.
pub(crate) fn contents(loaded: Loaded, reader: &impl Reader, chain: &[Block]) -> Contents {
    let blocks: BTreeMap<BlockHash, &Block> = chain.iter().map(|block| (block.hash, block)).collect();
    let same = |hash: &BlockHash, place: Place| {
        let frame = reader.frame(place).expect("it is readable");
        verify(&frame).expect("it is whole");
        assert!(frame == blocks[hash].frame, "another block than was stored");
    };
    let mut contents = Contents::default();
    for header in loaded.headers {
        let LoadedHeader {
            header,
            hash,
            height,
            place,
            ..
        } = header.expect("the index is readable");
        assert_eq!((header, height), (blocks[&hash].header, blocks[&hash].height));
        if let Some(place) = place {
            same(&hash, place);
        }
        contents.headers.push((height, place.is_some()));
    }
    for found in loaded.found {
        assert_eq!(found.header, blocks[&found.hash].header);
        same(&found.hash, found.place);
        contents.found.push(blocks[&found.hash].height);
    }
    contents
}

/// Heights that the index knows, all with their blocks.
pub(crate) fn all(heights: std::ops::Range<u32>) -> Vec<(u32, bool)> {
    heights.map(|height| (height, true)).collect()
}

/// This test in a process of its own, with `SOCKMAN_STORE` set, by which it knows.
pub(crate) fn again(test: &str, store: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().expect("it runs"));
    command
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env("SOCKMAN_STORE", store);
    command
}

/// Where the store is, in a process that [`again`] started.
pub(crate) fn is_again() -> Option<std::path::PathBuf> {
    std::env::var_os("SOCKMAN_STORE").map(Into::into)
}

/// The only block file, where there is one.
pub(crate) fn block_file(dir: &Path) -> std::path::PathBuf {
    dir.join("blocks/blk00000.dat")
}

/// Copies a store that nobody has open.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("blocks")).expect("a directory");
    for entry in std::fs::read_dir(from.join("blocks")).expect("a directory") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join("blocks").join(entry.file_name())).expect("copied");
    }
    std::fs::copy(from.join("index.redb"), to.join("index.redb")).expect("copied");
}
