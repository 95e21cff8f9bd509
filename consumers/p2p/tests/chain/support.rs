//! Chains to test with.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{Network, TxMerkleNode};
use sockman_p2p::chain::{Id, Params, Tree, mine};

/// A time after all blocks of these tests.
pub(crate) const LATER: u64 = 2_000_000_000;

/// A tree of genesis on regtest.
pub(crate) fn regtest() -> Tree {
    Tree::new(Params::of(Network::Regtest))
}

/// A mined header on top of `parent`, `seconds` later. Those with different `mark`s are different.
pub(crate) fn child(tree: &Tree, parent: Id, seconds: u32, mark: u32) -> Header {
    at(tree, parent, tree.entry(parent).header.time + seconds, mark)
}

/// A mined header on top of `parent`, at `time`.
pub(crate) fn at(tree: &Tree, parent: Id, time: u32, mark: u32) -> Header {
    let over = tree.entry(parent);
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
    remine(&mut header);
    header
}

/// Puts `count` headers on top of `parent`, ten minutes apart; their ids, upwards.
pub(crate) fn grow(tree: &mut Tree, parent: Id, count: u32, mark: u32) -> Vec<Id> {
    let mut at = parent;
    let mut add = |_| {
        let header = child(tree, at, 600, mark);
        at = tree.accept(&header, LATER).expect("a good header").id;
        at
    };
    (0..count).map(&mut add).collect()
}

/// Finds the nonce of a header that has changed.
pub(crate) fn remine(header: &mut Header) {
    header.nonce = 0;
    assert!(mine(header, u64::from(u32::MAX)));
}
