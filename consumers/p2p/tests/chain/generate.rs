//! Generated chains: that they are valid, scripts included, and what they are said to be.

use super::support::LATER;
use bitcoin::consensus::deserialize;
use bitcoin::hashes::{Hash, hash160, sha256};
use bitcoin::script::Instruction;
use bitcoin::{Block, Network, OutPoint, ScriptBuf, TxIn, TxOut};
use sockman_p2p::chain::generate::{FIRST_SPEND, GenerateOptions, Generator};
use sockman_p2p::chain::{
    COINBASE_MATURITY, Id, MAX_BLOCK_WEIGHT, Params, Tree, check_block, peek_header, strip_witness, subsidy,
};
use std::collections::HashMap;

/// What is there to be spent, and the headers.
struct Ledger {
    tree: Tree,
    tip: Id,
    /// With the height of a coinbase's.
    coins: HashMap<OutPoint, (TxOut, Option<u32>)>,
}

impl Ledger {
    fn new() -> Ledger {
        Ledger {
            tree: Tree::new(Params::of(Network::Regtest)),
            tip: Id::GENESIS,
            coins: HashMap::new(),
        }
    }

    /// Puts a block on top, and checks all there is to check.
    fn add(&mut self, payload: &[u8]) -> Block {
        let rules = self.tree.rules(self.tip);
        let params = self.tree.params().clone();
        check_block(&params, rules, payload).expect("a good block");
        let (header, _) = peek_header(payload).expect("a block");
        self.tip = self.tree.accept(&header, LATER).expect("a good header").id;
        let block: Block = deserialize(payload).expect("a block");
        for (index, tx) in block.txdata.iter().enumerate() {
            let mut paid = if index == 0 {
                subsidy(&params, rules.height).to_sat()
            } else {
                0
            };
            for input in tx.input.iter().filter(|_| index > 0) {
                let (output, since) = self
                    .coins
                    .remove(&input.previous_output)
                    .expect("it can be spent once");
                assert!(since.is_none_or(|since| rules.height >= since + COINBASE_MATURITY));
                assert!(unlocks(input, &output.script_pubkey));
                paid += output.value.to_sat();
            }
            assert!(tx.output.iter().map(|output| output.value.to_sat()).sum::<u64>() <= paid);
            let txid = tx.compute_txid();
            for (vout, output) in (0..).zip(&tx.output) {
                assert_eq!(output.script_pubkey.count_sigops_legacy(), 0);
                let coin = (output.clone(), (index == 0).then_some(rules.height));
                self.coins.insert(OutPoint::new(txid, vout), coin);
            }
        }
        block
    }
}

/// Runs the scripts, as far as these chains have any: P2SH and P2WSH of what drops pairs and leaves one.
fn unlocks(input: &TxIn, lock: &ScriptBuf) -> bool {
    let mut stack: Vec<Vec<u8>> = if lock.is_p2wsh() {
        assert!(input.script_sig.is_empty());
        input.witness.to_vec()
    } else {
        assert!(lock.is_p2sh() && input.witness.is_empty() && input.script_sig.len() <= 10_000);
        let pushes = input.script_sig.instructions().map(|push| match push {
            Ok(Instruction::PushBytes(bytes)) => bytes.as_bytes().to_vec(),
            other => panic!("{other:?} in a script that may only push"),
        });
        pushes.collect()
    };
    let script = stack.pop().expect("the script");
    let hash = if lock.is_p2wsh() {
        sha256::Hash::hash(&script).to_byte_array().to_vec()
    } else {
        hash160::Hash::hash(&script).to_byte_array().to_vec()
    };

    assert_eq!(&lock.as_bytes()[2..2 + hash.len()], hash);
    assert!(stack.len() <= 1000 && stack.iter().all(|item| item.len() <= 520));
    let (last, drops) = script.split_last().expect("not empty");
    // Of OP_2DROP, there may be 201; and OP_TRUE leaves what is left.
    assert!(drops.iter().all(|operation| *operation == 0x6d) && drops.len() <= 201);
    *last == 0x51 && stack.len() == 2 * drops.len()
}

#[test]
fn a_chain_is_valid_with_and_without_witnesses() {
    for witness in [true, false] {
        let options = GenerateOptions {
            blocks: 118,
            txs: 30,
            full: 0,
            witness,
            ..GenerateOptions::default()
        };
        let mut ledger = Ledger::new();
        let mut generator = Generator::new(options);
        assert_eq!(generator.len(), 118);
        for height in 1..=118 {
            let payload = generator.next().expect("there are so many");
            let block = ledger.add(&payload);
            let txs = if height < FIRST_SPEND { 1 } else { 31 };
            assert_eq!((generator.height(), block.txdata.len()), (height, txs));
            let stripped = strip_witness(&payload).expect("a block");
            assert_eq!(stripped.len() < payload.len(), witness);
        }
        assert_eq!(generator.next(), None);
        assert_eq!(generator.len(), 0);
    }
}

/// In turns with large transactions and with many, each to the last unit.
#[test]
fn full_blocks_are_as_full_as_can_be() {
    for witness in [true, false] {
        let options = GenerateOptions {
            blocks: 104,
            txs: 3,
            full: 2,
            witness,
            ..GenerateOptions::default()
        };
        let mut ledger = Ledger::new();
        let mut full = Vec::new();
        for payload in Generator::new(options) {
            let block = ledger.add(&payload);
            let weight = block.weight().to_wu() as usize;
            if weight > MAX_BLOCK_WEIGHT / 2 {
                assert_eq!(weight, MAX_BLOCK_WEIGHT);
                full.push((payload.len(), block.txdata.len()));
            }
        }
        let [(large, few), (_, many)] = full[..] else {
            panic!("{full:?}");
        };
        let size = if witness { 3_980_000 } else { 1_000_000 };
        assert!(large >= size, "{full:?}");
        assert!(few < 200 && many > 3000, "{full:?}");
    }
}

#[test]
fn full_blocks_are_spread_evenly_and_as_many_as_asked_for() {
    for (blocks, full, expected) in [
        (FIRST_SPEND + 9, 5, 5),
        (FIRST_SPEND + 6, 3, 3),
        (FIRST_SPEND + 3, 100, 4),
        (FIRST_SPEND, 1, 1),
        (FIRST_SPEND - 1, 7, 0),
    ] {
        let options = GenerateOptions {
            blocks,
            full,
            txs: 1,
            max_weight: 100_001,
            ..GenerateOptions::default()
        };
        let mut ledger = Ledger::new();
        let is_full = |payload: Vec<u8>| ledger.add(&payload).weight().to_wu() == 100_000;
        let heights = Generator::new(options).map(is_full).collect::<Vec<bool>>();
        assert_eq!(heights.iter().filter(|is_full| **is_full).count(), expected);
        let gaps = heights.split(|is_full| *is_full).skip(1).map(<[bool]>::len);
        assert!(gaps.max().is_none_or(|gap| gap <= 2), "{heights:?}");
    }
}

#[test]
fn more_transactions_than_have_room_are_cut_off() {
    let options = GenerateOptions {
        blocks: FIRST_SPEND + 2,
        txs: u32::MAX,
        full: 0,
        max_weight: 150_000,
        ..GenerateOptions::default()
    };
    let mut ledger = Ledger::new();
    let blocks: Vec<Block> = Generator::new(options)
        .map(|payload| ledger.add(&payload))
        .collect();
    let weight = blocks.last().expect("some").weight().to_wu();
    assert!((120_000..=150_000).contains(&weight), "{weight}");
}

#[test]
fn the_seed_decides() {
    let options = GenerateOptions {
        blocks: 105,
        ..GenerateOptions::default()
    };
    let chain = |seed| {
        Generator::new(GenerateOptions {
            seed,
            full: 0,
            ..options
        })
        .collect::<Vec<_>>()
    };
    let (one, other) = (chain(1), chain(2));
    assert_eq!(one, chain(1));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));

    let mut trunk = Generator::new(GenerateOptions {
        seed: 1,
        full: 0,
        ..options
    });
    let below: Vec<Vec<u8>> = trunk.by_ref().take(102).collect();
    assert_eq!(below, one[..102]);
    let branch: Vec<Vec<u8>> = trunk.branch(9).collect();
    assert_eq!((trunk.len(), branch.len()), (3, 3));
    assert_eq!(trunk.collect::<Vec<_>>(), one[102..]);
    assert!(
        branch
            .iter()
            .zip(&one[102..])
            .all(|(branch, trunk)| branch != trunk)
    );
    let mut ledger = Ledger::new();
    for payload in below.iter().chain(&branch) {
        ledger.add(payload);
    }
}

#[test]
fn times_are_what_was_asked_for_if_they_can_be() {
    let times = |start, step| -> Vec<u32> {
        let options = GenerateOptions {
            blocks: 30,
            start,
            step,
            ..GenerateOptions::default()
        };
        let mut ledger = Ledger::new();
        let time = |payload: Vec<u8>| ledger.add(&payload).header.time;
        Generator::new(options).map(time).collect()
    };
    let asked: Vec<u32> = (1..=30).map(|height| 1_700_000_000 + 60 * height).collect();
    assert_eq!(times(1_700_000_000, 60), asked);
    // Later than the median they must be in any case.
    let genesis = Params::of(Network::Regtest).genesis.header.time;
    assert_eq!(times(0, 0)[..3], [genesis + 1, genesis + 2, genesis + 2]);
    assert_eq!(times(1_700_000_000, 0)[29], 1_700_000_006);
}
