//! Blocks: one that is taken for valid is one for rust-bitcoin too, byte for byte and in every number; what rust-bitcoin reads is
//! read as well; and nothing is held against a header that is not its own fault.
//!
//! The first byte says what is mended of the block behind it, so that it comes further than to its proof of work, and by which
//! rules it is checked; the second is its height.
#![no_main]

use bitcoin::consensus::encode::{self, deserialize, serialize};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Block, CompactTarget, Network, Transaction};
use libfuzzer_sys::fuzz_target;
use sockman_p2p::chain::{
    BlockError, Checked, Invalid, Mutated, Params, Rules, check_block, mine, peek_header, strip_witness,
};

/// Work is done for the header.
const WORK: u8 = 1;
/// The header has the Merkle root of the transactions.
const ROOT: u8 = 2;
/// The coinbase commits to the witnesses.
const COMMITMENT: u8 = 4;
/// By the rules from before BIP 34, BIP 113 and BIP 141.
const OLD: u8 = 8;

/// The median of the times of the blocks before it.
const MEDIAN_TIME: u32 = 1_300_000_000;

/// What a script begins with that commits to witnesses (BIP 141).
const MARK: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Makes the last output of the coinbase that commits to witnesses commit to those that there are.
fn commit(block: &mut Block) -> Option<()> {
    let root = block.witness_root()?;
    let coinbase = block.txdata.first_mut()?;
    let reserved = coinbase.input.first()?.witness.nth(0)?;
    let hash = sha256d::Hash::hash(&[&root.to_byte_array()[..], reserved].concat());
    let scripts = coinbase.output.iter_mut().map(|output| &mut output.script_pubkey);
    let script = scripts
        .rev()
        .find(|script| script.len() >= 38 && script.as_bytes().starts_with(&MARK))?;
    let mut bytes = script.to_bytes();
    bytes[6..38].copy_from_slice(hash.as_byte_array());
    *script = bytes.into();
    Some(())
}

/// The block, with what is to be mended of it.
fn mended(how: u8, payload: &[u8]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    let mut block = deserialize::<Block>(&payload).ok();
    if let Some(block) = &mut block
        && how & COMMITMENT != 0
        && commit(block).is_some()
    {
        payload = serialize(block);
    }
    let Ok((mut header, _)) = peek_header(&payload) else {
        return payload;
    };
    if how & ROOT != 0 {
        let root = block.and_then(|block| block.compute_merkle_root());
        header.merkle_root = root.unwrap_or(header.merkle_root);
    }
    if how & WORK != 0 {
        // Every other nonce will do.
        header.bits = CompactTarget::from_consensus(0x207f_ffff);
        mine(&mut header, 100);
    }
    let header = serialize(&header);
    payload[..header.len()].copy_from_slice(&header);
    payload
}

/// All that is said of a valid block.
fn valid(payload: &[u8], checked: &Checked, block: &Block) {
    assert_eq!(serialize(block), payload);
    assert_eq!((checked.header, checked.hash), (block.header, block.block_hash()));
    assert_eq!(checked.txs as usize, block.txdata.len());
    assert_eq!(u64::from(checked.weight), block.weight().to_wu());
    assert!(block.check_merkle_root() && block.check_witness_commitment());
    let (coinbase, others) = block.txdata.split_first().expect("a coinbase");
    assert!(coinbase.is_coinbase() && !others.iter().any(Transaction::is_coinbase));
}

fuzz_target!(|data: &[u8]| {
    let [how, height, payload @ ..] = data else {
        return;
    };
    let mut params = Params::of(Network::Regtest);
    if how & OLD != 0 {
        (params.bip34_height, params.csv_height, params.segwit_height) = (u32::MAX, u32::MAX, u32::MAX);
    }
    let rules = Rules {
        height: u32::from(*height),
        median_time: MEDIAN_TIME,
    };
    let payload = mended(*how, payload);
    let checked = check_block(&params, rules, &payload);
    let stripped = strip_witness(&payload);
    if let Ok(stripped) = &stripped {
        assert_eq!(strip_witness(stripped).as_ref(), Ok(stripped));
    }

    let mut block = match deserialize::<Block>(&payload) {
        Ok(block) => block,
        Err(why) => {
            // It does not read a transaction that has neither inputs nor outputs.
            let is_empty = matches!(why, encode::Error::UnsupportedSegwitFlag(0));
            assert!(
                checked.is_err() && (stripped.is_err() || is_empty),
                "{why}: {checked:?}"
            );
            return;
        }
    };
    // Without transactions there is no root to be right or wrong.
    let is_root = block.txdata.is_empty() || block.check_merkle_root();
    match &checked {
        Ok(checked) => valid(&payload, checked, &block),
        // It reads a transaction without inputs and with room for their witnesses, which Core does not.
        Err(BlockError::Decode(_)) => {
            assert!(block.txdata.iter().any(|tx| tx.input.is_empty()), "{checked:?}");
            return;
        }
        // The header counts for nothing but its work then.
        Err(BlockError::Invalid(Invalid::HighHash)) => {}
        Err(BlockError::Mutated(Mutated::MerkleRoot)) => assert!(!block.check_merkle_root()),
        Err(BlockError::Mutated(
            Mutated::WitnessReserved | Mutated::WitnessCommitment | Mutated::UnexpectedWitness,
        )) if how & OLD == 0 => {
            // It does not look at the commitment when there are no witnesses.
            let inputs = block.txdata.iter().flat_map(|tx| &tx.input);
            let has_witness = inputs
                .map(|input| &input.witness)
                .any(|witness| !witness.is_empty());
            assert!(
                is_root && !(has_witness && block.check_witness_commitment()),
                "{checked:?}"
            );
        }
        Err(BlockError::Mutated(_) | BlockError::Invalid(_)) => assert!(is_root, "{checked:?}"),
    }
    for input in block.txdata.iter_mut().flat_map(|tx| &mut tx.input) {
        input.witness.clear();
    }
    if !block.txdata.iter().any(|tx| tx.input.is_empty()) {
        assert_eq!(stripped, Ok(serialize(&block)));
    }
});
