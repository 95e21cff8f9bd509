//! Chains to test with.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network, TxMerkleNode};
use sockman_p2p::chain::{Id, Params, Tree, mine};

/// A time after all blocks of these tests.
pub(crate) const LATER: u64 = 2_000_000_000;

/// A tree of genesis on regtest.
pub(crate) fn regtest() -> Tree {
    Tree::new(Params::of(Network::Regtest))
}

/// A mined header on top of `parent`, `seconds` later. Those with different `mark`s are different.
pub(crate) fn child(tree: &Tree, parent: Id, seconds: u32, mark: u32) -> Header {
    let over = tree.entry(parent);
    let time = over.header.time + seconds;
    let mut merkle_root = [0; 32];
    merkle_root[..4].copy_from_slice(&mark.to_le_bytes());
    let mut header = Header {
        version: Version::NO_SOFT_FORK_SIGNALLING,
        prev_blockhash: over.hash,
        merkle_root: TxMerkleNode::from_byte_array(merkle_root),
        time,
        bits: tree.next_bits(parent, time),
        nonce: 0,
    };
    assert!(mine(&mut header, u64::from(u32::MAX)));
    header
}

/// Puts `count` headers on top of `parent`, ten minutes apart; their ids, upwards.
pub(crate) fn grow(tree: &mut Tree, parent: Id, count: u32, mark: u32) -> Vec<Id> {
    let mut at = parent;
    let mut add = |_| {
        let header = child(tree, at, 600, mark);
        at = tree.accept(&header, LATER).unwrap().id;
        at
    };
    (0..count).map(&mut add).collect()
}

/// A hash that is nobody's.
pub(crate) fn unknown() -> BlockHash {
    BlockHash::from_byte_array([7; 32])
}
