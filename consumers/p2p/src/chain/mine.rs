//! New blocks: what goes into one, and finding its nonce.

use super::check::{COMMITMENT, merkle_root};
use super::hash::{block_hash, sha256d};
use super::params::Params;
use super::tree::{Id, MAX_TIMEWARP, Tree};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::script::Builder;
use bitcoin::transaction::Version as TxVersion;
use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn, TxMerkleNode,
    TxOut, Witness, opcodes,
};

/// Blocks after which what a coinbase created can be spent: Core's `COINBASE_MATURITY`.
pub const COINBASE_MATURITY: u32 = 100;

/// What a coinbase may create at this height: 50 bitcoins, halved every [`Params::halving_interval`] blocks.
pub fn subsidy(params: &Params, height: u32) -> Amount {
    let halvings = height / params.halving_interval.max(1);
    Amount::from_sat(
        Amount::from_int_btc(50)
            .to_sat()
            .checked_shr(halvings)
            .unwrap_or(0),
    )
}

/// Where a block stands that is made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its height.
    pub height: u32,
    /// The least time that it may have, in Unix seconds.
    pub least_time: u32,
    /// The present, or that time if it is later.
    pub time: u32,
    /// The target of a block of this time.
    pub bits: CompactTarget,
    /// Whether its coinbase commits to witnesses (BIP 141).
    pub segwit: bool,
}

/// Where a block on top of `parent` stands that is made at `now`, in Unix seconds.
pub fn slot(tree: &Tree, parent: Id, now: u64) -> Slot {
    let params = tree.params();
    let over = tree.entry(parent);
    let height = over.height + 1;
    let mut least_time = tree.median_time(parent).saturating_add(1);
    if params.bip94 {
        least_time = least_time.max(over.header.time.saturating_sub(MAX_TIMEWARP));
    }
    let time = u32::try_from(now).unwrap_or(u32::MAX).max(least_time);
    Slot {
        height,
        least_time,
        time,
        bits: tree.next_bits(parent, time),
        segwit: height >= params.segwit_height,
    }
}

/// A block on top of `parent`, complete but for its nonce: a coinbase that pays the whole subsidy to `script`, and then `extra`, whose
/// fees nobody gets. Its time is `now`, in seconds since 1970, or as much later as its place asks for.
///
/// Whether `extra` is valid is not looked at.
pub fn template(tree: &Tree, parent: Id, script: ScriptBuf, now: u64, extra: Vec<Transaction>) -> Block {
    let slot = slot(tree, parent, now);
    let mut txdata = vec![coinbase(tree.params(), slot.height, script)];
    txdata.extend(extra);
    if slot.segwit {
        let wtxids = txdata[1..].iter().map(|tx| tx.compute_wtxid().to_byte_array());
        let wtxids = std::iter::once([0; 32]).chain(wtxids).collect();
        commit(&mut txdata[0], wtxids);
    }
    let txids = txdata.iter().map(|tx| tx.compute_txid().to_byte_array());
    let (root, _) = merkle_root(txids.collect());
    let header = Header {
        version: Version::NO_SOFT_FORK_SIGNALLING,
        prev_blockhash: tree.entry(parent).hash,
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: slot.time,
        bits: slot.bits,
        nonce: 0,
    };
    Block { header, txdata }
}

/// Tries up to `tries` nonces, from the one that is there on. Whether one was found with which the hash is small enough; if not, the
/// nonce is the first that was not tried.
pub fn mine(header: &mut Header, tries: u64) -> bool {
    let target = Target::from_compact(header.bits);
    for _ in 0..tries {
        if target.is_met_by(block_hash(header)) {
            return true;
        }
        header.nonce = header.nonce.wrapping_add(1);
    }
    false
}

/// A coinbase that pays the whole subsidy to `script`, and has no witness yet.
pub(super) fn coinbase(params: &Params, height: u32, script: ScriptBuf) -> Transaction {
    // Up to 16 the height is one byte, and the script must have two.
    let height_first = Builder::new().push_int(i64::from(height));
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: height_first.push_opcode(opcodes::OP_0).into_script(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = TxOut {
        value: subsidy(params, height),
        script_pubkey: script,
    };
    Transaction {
        version: TxVersion::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// Makes a coinbase commit to witnesses (BIP 141), the first of `wtxids` being zero: its own.
pub(super) fn commit(coinbase: &mut Transaction, wtxids: Vec<[u8; 32]>) {
    const RESERVED: [u8; 32] = [0; 32];
    let (root, _) = merkle_root(wtxids);
    let script = [&COMMITMENT[..], &sha256d(&[&root, &RESERVED])].concat();
    coinbase.output.push(TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    });
    coinbase.input[0].witness.push(RESERVED);
}
