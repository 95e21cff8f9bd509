//! Chains for tests and measurements: valid ones, whose scripts can be checked too, made from a seed.
//!
//! - this file: [`Generator`], and what its blocks are to be like ([`GenerateOptions`])
//! - `coins`: what can be spent, and by which scripts; `write`: transactions as bytes
//! - `fill`: what goes into a block

mod coins;
mod fill;
mod write;

use super::check::{MAX_BLOCK_WEIGHT, merkle_root};
use super::hash::{Hash256, header_bytes, sha256d};
use super::mine::{COINBASE_MATURITY, coinbase, commit, mine};
use super::params::Params;
use super::tree::MEDIAN_SPAN;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network, ScriptBuf, Transaction, TxMerkleNode};
use coins::{Coin, Coins, Kind, Lock};
use fill::Filler;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::collections::VecDeque;
use write::compact;

/// The first height at which a block can spend something, and so the first that can be full: the coinbase of block 1 has matured.
pub const FIRST_SPEND: u32 = 1 + COINBASE_MATURITY;

/// What a generated chain is to be like. With the same options it is the same chain, on every machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GenerateOptions {
    /// How many blocks there are on top of genesis. 110 by default.
    pub blocks: u32,
    /// How many transactions a block has besides its coinbase, from [`FIRST_SPEND`] on, if there is room for so many. 10 by default.
    pub txs: u32,
    /// What sets this chain apart from others that are alike. 0 by default.
    pub seed: u64,
    /// How many blocks, evenly spread from [`FIRST_SPEND`] on, are filled up to `max_weight` exactly: in turns with a few transactions
    /// that are very large, and with as many of the usual kind as fit in. 4 by default.
    pub full: u32,
    /// Whether there are witnesses: P2WSH is spent then, and otherwise P2SH. By default there are.
    ///
    /// Without them a full block has a million bytes, and it can be had of nodes that know nothing of BIP 141; with them it has up to
    /// four.
    pub witness: bool,
    /// What full blocks weigh, in weight units, and others at most. [`MAX_BLOCK_WEIGHT`] by default, which is also the most; 100,000 is
    /// the least. It is rounded down to a multiple of four, since what is no witness weighs as much.
    pub max_weight: usize,
    /// The time from which `step` is counted, in seconds since 1970. By default that of the genesis block.
    pub start: u32,
    /// Seconds from one block to the next. 600 by default.
    pub step: u32,
}

impl Default for GenerateOptions {
    fn default() -> GenerateOptions {
        GenerateOptions {
            blocks: 110,
            txs: 10,
            seed: 0,
            full: 4,
            witness: true,
            max_weight: MAX_BLOCK_WEIGHT,
            start: 1_296_688_602,
            step: 600,
        }
    }
}

/// The least that full blocks can weigh.
const MIN_WEIGHT: usize = 100_000;

/// Makes the blocks of a chain of regtest, upwards from height 1, each when it is asked for.
///
/// The blocks are valid in all ways, mined, and what they spend they can spend: a node that checks scripts accepts them. No block needs
/// signatures, or has signature operations. What is kept in memory is what later blocks may spend, of which there are never more than
/// some 20,000.
#[derive(Clone, Debug)]
pub struct Generator {
    options: GenerateOptions,
    params: Params,
    rng: ChaCha8Rng,
    lock: Lock,
    height: u32,
    tip: BlockHash,
    /// The last ones, for their median.
    times: VecDeque<u32>,
    /// Coinbases that cannot be spent yet.
    immature: VecDeque<Coin>,
    coins: Coins,
}

impl Generator {
    /// Starts on top of genesis.
    pub fn new(options: GenerateOptions) -> Generator {
        let params = Params::of(Network::Regtest);
        let options = GenerateOptions {
            max_weight: options.max_weight.clamp(MIN_WEIGHT, MAX_BLOCK_WEIGHT) & !3,
            ..options
        };
        Generator {
            rng: ChaCha8Rng::seed_from_u64(options.seed),
            lock: Lock::new(options.witness),
            height: 0,
            tip: params.genesis.block_hash(),
            times: VecDeque::from([params.genesis.header.time]),
            immature: VecDeque::new(),
            coins: Coins::new(options.txs),
            options,
            params,
        }
    }

    /// The height of the block that was made last.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Another chain that has the same blocks so far and goes on with others, which the `seed` decides.
    #[must_use]
    pub fn branch(&self, seed: u64) -> Generator {
        Generator {
            rng: ChaCha8Rng::seed_from_u64(seed),
            ..self.clone()
        }
    }

    /// How the block at this height is filled.
    fn filler(&self, height: u32) -> Filler {
        let Some(index) = height.checked_sub(FIRST_SPEND) else {
            return Filler::Txs(0);
        };
        let places = u64::from((self.options.blocks + 1).saturating_sub(FIRST_SPEND).max(1));
        let full = u64::from(self.options.full).min(places);
        let before = |index: u32| u64::from(index) * full / places;
        match (before(index), before(index + 1)) {
            (before, after) if before == after => Filler::Txs(self.options.txs),
            (before, _) if before.is_multiple_of(2) => Filler::Large,
            _ => Filler::Many,
        }
    }

    fn time(&self) -> u32 {
        let steps = self.options.step.saturating_mul(self.height);
        let mut times: Vec<u32> = self.times.iter().copied().collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        self.options
            .start
            .saturating_add(steps)
            .max(median.saturating_add(1))
    }

    /// The coinbase of the next block. With a witness, its commitment is only of the right size.
    fn coinbase(&mut self) -> Transaction {
        let script = ScriptBuf::from_bytes(self.lock.of(Kind::Key).script_pubkey.clone());
        let mut coinbase = coinbase(&self.params, self.height, script);
        // So that chains of different seeds have no block in common.
        let mut extra = [0; 8];
        self.rng.fill_bytes(&mut extra);
        coinbase.input[0].script_sig.push_slice(extra);
        coinbase
    }

    fn make(&mut self) -> Vec<u8> {
        self.height += 1;
        let filler = self.filler(self.height);
        if self.immature.len() >= COINBASE_MATURITY as usize {
            self.coins.extend(self.immature.pop_front());
        }
        let mut coinbase = self.coinbase();
        let mut sized = coinbase.clone();
        if self.options.witness {
            commit(&mut sized, vec![[0; 32]]);
        }
        let limit = self.options.max_weight - sized.weight().to_wu() as usize;
        let body = fill::fill(filler, limit, &self.lock, &mut self.coins, &mut self.rng);

        if self.options.witness {
            commit(&mut coinbase, with_first([0; 32], &body.wtxids));
        }
        let txid = coinbase.compute_txid().to_byte_array();
        let (root, _) = merkle_root(with_first(txid, &body.txids));
        let mut header = Header {
            version: Version::NO_SOFT_FORK_SIGNALLING,
            prev_blockhash: self.tip,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: self.time(),
            bits: self.params.pow_limit.to_compact_lossy(),
            nonce: 0,
        };
        // Every second hash is small enough on regtest: this ends.
        while !mine(&mut header, u64::from(u32::MAX)) {}

        let value = coinbase.output[0].value.to_sat();
        self.immature.push_back(Coin {
            txid,
            index: 0,
            value,
            kind: Kind::Key,
        });
        self.times.push_back(header.time);
        if self.times.len() > MEDIAN_SPAN {
            self.times.pop_front();
        }
        let header_bytes = header_bytes(&header);
        self.tip = BlockHash::from_byte_array(sha256d(&[&header_bytes]));

        let mut block = Vec::with_capacity(self.options.max_weight.min(body.bytes.len() + 500));
        block.extend_from_slice(&header_bytes);
        compact(&mut block, body.txids.len() + 1);
        block.extend_from_slice(&serialize(&coinbase));
        block.extend_from_slice(&body.bytes);
        block
    }
}

impl Iterator for Generator {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        (self.height < self.options.blocks).then(|| self.make())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.options.blocks - self.height) as usize;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Generator {}

fn with_first(first: Hash256, rest: &[Hash256]) -> Vec<Hash256> {
    std::iter::once(first).chain(rest.iter().copied()).collect()
}
