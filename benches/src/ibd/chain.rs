//! The blocks: generated once, kept in a file, and served from memory.

use crate::Failure;
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use sockman::bytes::Bytes;
use sockman_p2p::chain::Params;
use sockman_p2p::chain::generate::{FIRST_SPEND, GenerateOptions, Generator};
use sockman_p2p::wire::{self, Command, Magic, Next};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// A chain to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Whether its blocks have nothing but their coinbase.
    pub tiny: bool,
    /// Whether there are few.
    pub quick: bool,
}

impl Kind {
    fn options(self) -> GenerateOptions {
        // The first blocks are tiny in any case: nothing has matured that they could spend.
        let (blocks, txs, full) = match (self.tiny, self.quick) {
            (false, false) => (FIRST_SPEND + 250, 5_000, 25),
            (false, true) => (FIRST_SPEND + 6, 200, 0),
            (true, false) => (12_000, 0, 0),
            (true, true) => (300, 0, 0),
        };
        GenerateOptions {
            blocks,
            txs,
            full,
            ..GenerateOptions::default()
        }
    }
}

/// The bytes that messages of the chain's network begin with.
pub fn magic() -> Magic {
    Params::of(bitcoin::Network::Regtest).magic
}

/// Generates a chain into a file: of each block the frame of its message, one behind the other.
pub fn write(kind: Kind, path: &Path) -> Result<(), Failure> {
    let mut file = BufWriter::new(File::create(path)?);
    for block in Generator::new(kind.options()) {
        file.write_all(&wire::frame(magic(), Command::BLOCK, &block))?;
    }
    Ok(file.flush()?)
}

/// A chain in memory.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The frame of each block, from height 1.
    pub frames: Vec<Bytes>,
    /// Their headers.
    pub headers: Vec<Header>,
    /// Where each is.
    places: HashMap<BlockHash, usize>,
    /// The largest one.
    pub largest: usize,
}

impl Chain {
    /// Reads a file that [`write()`] has written.
    pub fn read(path: &Path) -> Result<Chain, Failure> {
        let all = Bytes::from(std::fs::read(path)?);
        let (mut at, mut frames, mut headers, mut places) = (0, Vec::new(), Vec::new(), HashMap::new());
        while at < all.len() {
            let Next::Whole(frame) = wire::next(&all[at..], magic())? else {
                return Err("the chain's file is cut short".into());
            };
            let (header, hash) = sockman_p2p::chain::peek_header(frame.payload())?;
            places.insert(hash, frames.len());
            headers.push(header);
            frames.push(all.slice_ref(frame.bytes));
            at += frame.bytes.len();
        }
        let largest = (0..frames.len()).max_by_key(|at| frames[*at].len()).unwrap_or(0);
        Ok(Chain {
            frames,
            headers,
            places,
            largest,
        })
    }

    /// Where that block is.
    pub fn find(&self, hash: &BlockHash) -> Option<usize> {
        self.places.get(hash).copied()
    }

    /// The headers, as many as a message holds, that follow the first of the locator that is known; all of them follow genesis.
    pub fn after(&self, locator: &[BlockHash]) -> Vec<Header> {
        let known = locator.iter().find_map(|hash| self.find(hash));
        let from = known.map_or(0, |at| at + 1);
        let until = self.headers.len().min(from + wire::MAX_HEADERS);
        self.headers[from..until].to_vec()
    }
}

/// The hash that all chains begin with.
pub fn genesis() -> BlockHash {
    Params::of(bitcoin::Network::Regtest).genesis.block_hash()
}

/// A locator with one hash.
pub fn locator(hash: BlockHash) -> (Vec<BlockHash>, BlockHash) {
    (vec![hash], BlockHash::all_zeros())
}
