//! What is wrong with a block, case by case, by Bitcoin Core's names.
//!
//! - `draft`: a good block, and what it takes to change it and mine it again
//! - `cases`: changes that somebody made on the way, and blocks that break one rule each
//! - here: what becomes of them

#[path = "block/cases.rs"]
mod cases;
#[path = "block/draft.rs"]
mod draft;

use bitcoin::Network;
use bitcoin::consensus::{deserialize, serialize};
use cases::{Case, changed, decoding, good, invalid};
use draft::Draft;
use proptest::prelude::*;
use sockman_p2p::chain::{
    BlockError, DecodeError, Id, Invalid, Mutated, Params, Rules, Tree, check_block, mine, peek_header,
    strip_witness, template,
};

#[test]
fn good_blocks_pass() {
    for Case { what, payload, .. } in good() {
        let draft = Draft::new();
        let checked = draft
            .check(&payload)
            .unwrap_or_else(|why| panic!("{what}: {why}"));
        let block: bitcoin::Block = deserialize(&payload).expect("a block");
        assert_eq!(
            (checked.header, checked.hash),
            (block.header, block.block_hash()),
            "{what}"
        );
        assert_eq!(checked.txs as usize, block.txdata.len(), "{what}");
        assert_eq!(u64::from(checked.weight), block.weight().to_wu(), "{what}");
        assert_eq!(
            peek_header(&payload),
            Ok((block.header, block.block_hash())),
            "{what}"
        );
    }
}

/// The peer is to blame, and the header is not: the block as it was is still good.
#[test]
fn blocks_that_were_changed_are_told_from_invalid_ones() {
    let draft = Draft::new();
    for Case { what, name, payload } in changed() {
        let why = draft.check(&payload).expect_err(what);
        assert!(matches!(why, BlockError::Mutated(_)), "{what}: {why}");
        assert_eq!(why.to_string(), name, "{what}");
    }
    assert!(draft.check(&draft.payload()).is_ok());
}

#[test]
fn invalid_blocks_are_called_what_core_calls_them() {
    let draft = Draft::new();
    for Case { what, name, payload } in invalid() {
        let why = draft.check(&payload).expect_err(what);
        assert!(matches!(why, BlockError::Invalid(_)), "{what}: {why}");
        assert_eq!(why.to_string(), name, "{what}");
    }
}

#[test]
fn what_is_no_block_is_said_to_be_none() {
    let draft = Draft::new();
    for (what, expected, payload) in decoding() {
        assert_eq!(draft.check(&payload), Err(BlockError::Decode(expected)), "{what}");
        assert_eq!(strip_witness(&payload), Err(expected), "{what}");
    }
}

#[test]
fn a_block_that_is_cut_short_anywhere_is_none() {
    let draft = Draft::new();
    let payload = draft.payload();
    for end in 0..payload.len() {
        let why = Err(BlockError::Decode(DecodeError::Truncated));
        assert_eq!(draft.check(&payload[..end]), why, "{end}");
        assert_eq!(
            strip_witness(&payload[..end]),
            Err(DecodeError::Truncated),
            "{end}"
        );
    }
    assert_eq!(peek_header(&payload[..79]), Err(DecodeError::Truncated));
    assert!(peek_header(&payload[..80]).is_ok());
}

#[test]
fn without_witnesses_a_block_has_the_same_transactions() {
    let payload = Draft::new().payload();
    let mut block: bitcoin::Block = deserialize(&payload).expect("a block");
    for input in block.txdata.iter_mut().flat_map(|tx| &mut tx.input) {
        assert!(!input.witness.is_empty());
        input.witness.clear();
    }
    let stripped = strip_witness(&payload).expect("a block");
    assert_eq!(stripped, serialize(&block));
    assert_eq!(strip_witness(&stripped), Ok(stripped.clone()));
}

/// Before BIP 113 a lock time was compared with the block's own time, which is later than the median.
#[test]
fn lock_times_were_once_compared_with_the_blocks_own_time() {
    let mut draft = Draft::new();
    let median = draft.rules.median_time;
    draft.lock(median);
    let payload = draft.sealed();
    assert_eq!(draft.check(&payload), Err(Invalid::NonFinal.into()));
    let before = Params {
        csv_height: draft.rules.height + 1,
        ..draft.params.clone()
    };
    assert!(check_block(&before, draft.rules, &payload).is_ok());
}

/// Before BIP 141 there was nothing to commit to, and no witness.
#[test]
fn before_segwit_there_are_no_witnesses() {
    let draft = Draft::new();
    let before = |draft: &Draft| Params {
        segwit_height: draft.rules.height + 1,
        ..draft.params.clone()
    };
    let payload = draft.payload();
    let why = check_block(&before(&draft), draft.rules, &payload);
    assert_eq!(why, Err(Mutated::UnexpectedWitness.into()));
    let stripped = strip_witness(&payload).expect("a block");
    assert!(check_block(&before(&draft), draft.rules, &stripped).is_ok());
    assert_eq!(draft.check(&stripped), Err(Mutated::WitnessReserved.into()));
}

/// The height in the coinbase, where it is a number that an operation of its own pushes, where it gets longer, and where a sign bit
/// wants another byte (BIP 34).
#[test]
fn a_coinbase_begins_with_its_height() {
    let draft = Draft::new();
    let heights = [
        (1, "51"),
        (2, "52"),
        (16, "60"),
        (17, "0111"),
        (127, "017f"),
        (128, "028000"),
        (255, "02ff00"),
        (256, "020001"),
        (32_767, "02ff7f"),
        (32_768, "03008000"),
        (8_388_607, "03ffff7f"),
        (8_388_608, "0400008000"),
    ];
    for (height, script) in heights {
        let mut draft = draft.clone();
        let script = bitcoin::ScriptBuf::from_hex(script).expect("hexadecimal");
        let mut bytes = script.into_bytes();
        bytes.push(0);
        draft.block.txdata[0].input[0].script_sig = bytes.into();
        let payload = draft.sealed();
        let check = |height| {
            let rules = Rules {
                height,
                ..draft.rules
            };
            check_block(&draft.params, rules, &payload).map(|_| ())
        };
        assert_eq!(check(height), Ok(()), "{height}");
        assert_eq!(check(height + 1), Err(Invalid::CoinbaseHeight.into()), "{height}");
        assert_eq!(
            check(height + 256),
            Err(Invalid::CoinbaseHeight.into()),
            "{height}"
        );
    }
    // Where BIP 34 does not hold yet, any script will do.
    let from_1000 = Params {
        bip34_height: 1000,
        ..draft.params.clone()
    };
    for (height, is_good) in [(999, true), (1000, false)] {
        let rules = Rules {
            height,
            ..draft.rules
        };
        let checked = check_block(&from_1000, rules, &draft.payload());
        assert_eq!(checked.is_ok(), is_good, "{height}");
    }
}

/// Blocks made by `template` are accepted from the first one on, and pay what may be paid.
#[test]
fn a_template_is_a_good_block_wherever_it_is() {
    for network in [Network::Regtest, Network::Testnet4] {
        let params = Params {
            pow_limit: Params::of(Network::Regtest).pow_limit,
            genesis: Params::of(Network::Regtest).genesis,
            ..Params::of(network)
        };
        let mut tree = Tree::new(params.clone());
        let mut parent = Id::GENESIS;
        for height in 1..=320 {
            let script = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
            // Half of the time our clock is far behind.
            let now = if height % 2 == 0 { 0 } else { 1_700_000_000 };
            let mut block = template(&tree, parent, script.clone(), now, Vec::new());
            assert!(mine(&mut block.header, 1 << 20));
            let rules = tree.rules(parent);
            let payload = serialize(&block);
            let checked = check_block(&params, rules, &payload).expect("a good block");
            assert_eq!((rules.height, checked.txs), (height, 1));
            let coinbase = &block.txdata[0];
            let halvings = height / params.halving_interval;
            assert_eq!(coinbase.output[0].value.to_sat(), 5_000_000_000 >> halvings);
            assert_eq!(coinbase.output[0].script_pubkey, script);
            assert!(block.header.time > tree.median_time(parent) && u64::from(block.header.time) >= now);
            let taken = tree.accept(&block.header, 1_700_000_000).expect("a good header");
            parent = taken.id;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to a byte, the answer is one of the kind that it has to be: nothing that is not the header's may count against
    /// the header.
    #[test]
    fn a_changed_byte_never_makes_the_header_invalid(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let draft = Draft::new();
        let mut payload = draft.payload();
        let at = 80 + at.index(payload.len() - 80);
        payload[at] ^= flip;
        let why = draft.check(&payload).expect_err("it was changed");
        prop_assert!(!matches!(why, BlockError::Invalid(_)), "{at}: {why}");
    }

    /// What is a block for the decoder of `bitcoin` is one for us, and the other way round.
    #[test]
    fn another_decoder_agrees(at in any::<prop::sample::Index>(), take in 0_usize..4, put in prop::collection::vec(any::<u8>(), 0..4)) {
        let draft = Draft::new();
        let mut payload = draft.payload();
        let at = 80 + at.index(payload.len() - 80);
        let end = payload.len().min(at + take);
        payload.splice(at..end, put);
        let is_block = !matches!(draft.check(&payload), Err(BlockError::Decode(_)));
        prop_assert_eq!(is_block, deserialize::<bitcoin::Block>(&payload).is_ok());
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let draft = Draft::new();
        prop_assert!(draft.check(&bytes).is_err());
        let after_header = [&draft.payload()[..80], &bytes].concat();
        prop_assert!(draft.check(&after_header).is_err());
    }
}
