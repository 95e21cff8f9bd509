//! Signature operations of scripts that are spent: nobody knows these scripts, so there is a bound.

use crate::rig::{VALUE, accept, candidate, coin, ledger, pool, spend};
use bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY, OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_PUSHNUM_1, OP_PUSHNUM_16,
};
use bitcoin::script::{Builder, PushBytesBuf};
use bitcoin::{Amount, Opcode, Script, ScriptBuf, Transaction, TxIn, TxOut, Witness};
use proptest::prelude::*;
use sockman_p2p::pool::{MAX_SIGOPS, Refused};

/// One operation, so many times.
fn many(opcode: Opcode, count: usize) -> ScriptBuf {
    vec![opcode.to_u8(); count].into()
}

/// A push of a script, as an input has it that spends what was paid to the script's hash (BIP 16).
fn push(script: &Script) -> ScriptBuf {
    let bytes = PushBytesBuf::try_from(script.to_bytes()).unwrap();
    Builder::new().push_slice(bytes).into_script()
}

/// How an input spends what was paid to a script.
#[derive(Clone, Copy, Debug)]
enum Way {
    Bare,
    P2sh,
    P2wsh,
    Wrapped,
    P2wpkh,
    WrappedKey,
}

const WAYS: [Way; 6] = [
    Way::Bare,
    Way::P2sh,
    Way::P2wsh,
    Way::Wrapped,
    Way::P2wpkh,
    Way::WrappedKey,
];

/// Makes an input spend so, and gives what it spends.
fn spend_by(input: &mut TxIn, way: Way, script: &Script) -> TxOut {
    let key = || Witness::from_slice(&[vec![0x30; 71], vec![2; 33]]);
    let of_key = ScriptBuf::from_bytes([&[0, 20][..], &[7; 20]].concat());
    let of_script = ScriptBuf::new_p2wsh(&script.wscript_hash());
    let of_items = || Witness::from_slice(&[&[1][..], script.as_bytes()]);
    let script_pubkey = match way {
        Way::Bare => script.to_owned(),
        Way::P2sh => {
            input.script_sig = push(script);
            ScriptBuf::new_p2sh(&script.script_hash())
        }
        Way::P2wsh => {
            input.witness = of_items();
            of_script
        }
        Way::Wrapped => {
            (input.script_sig, input.witness) = (push(&of_script), of_items());
            ScriptBuf::new_p2sh(&of_script.script_hash())
        }
        Way::P2wpkh => {
            input.witness = key();
            of_key
        }
        Way::WrappedKey => {
            (input.script_sig, input.witness) = (push(&of_key), key());
            ScriptBuf::new_p2sh(&of_key.script_hash())
        }
    };
    TxOut {
        value: Amount::from_sat(VALUE),
        script_pubkey,
    }
}

/// A transaction that spends one coin so.
fn spending(number: u32, fee: u64, way: Way, script: &Script) -> Transaction {
    let mut tx = spend(&[coin(number)], &[VALUE - fee]);
    spend_by(&mut tx.input[0], way, script);
    tx
}

#[test]
fn scripts_behind_hashes_are_counted() {
    let checks = many(OP_CHECKMULTISIG, 201);
    let one_key = ScriptBuf::from_bytes([OP_PUSHNUM_1.to_u8(), OP_CHECKMULTISIG.to_u8()].repeat(10));
    let most_keys = ScriptBuf::from_bytes(vec![OP_PUSHNUM_16.to_u8(), OP_CHECKMULTISIGVERIFY.to_u8()]);
    // Only the first one has a number before it.
    let twice = ScriptBuf::from_bytes([&[OP_PUSHNUM_1.to_u8()][..], &[OP_CHECKMULTISIG.to_u8(); 2]].concat());
    let after = ScriptBuf::from_bytes(vec![
        OP_PUSHNUM_1.to_u8(),
        OP_CHECKSIG.to_u8(),
        OP_CHECKMULTISIG.to_u8(),
    ]);
    let cut_off = ScriptBuf::from_bytes(vec![OP_CHECKSIG.to_u8(), 0x4d, 0xff]);
    let cases = [
        (&checks, 4_020),
        (&one_key, 10),
        (&most_keys, 16),
        (&twice, 21),
        (&after, 21),
        (&cut_off, 1),
    ];
    for (script, count) in cases {
        let cost = |way| candidate(&spending(0, 0, way, script)).sigops();
        assert_eq!(cost(Way::P2sh), 4 * count, "{script}");
        assert_eq!((cost(Way::P2wsh), cost(Way::Wrapped)), (count, count), "{script}");
        assert_eq!(cost(Way::Bare), 0, "what is spent is not known");
    }
    let cost = |way| candidate(&spending(0, 0, way, &checks)).sigops();
    assert_eq!((cost(Way::P2wpkh), cost(Way::WrappedKey)), (1, 1));
}

#[test]
fn a_transaction_with_too_many_of_them_is_refused() {
    let ledger = ledger(2);
    for (way, per_check) in [(Way::P2sh, 4), (Way::P2wsh, 1)] {
        let most = (MAX_SIGOPS / per_check) as usize;
        let mut pool = pool();
        let mut tx = |number, count| {
            let tx = spending(number, 0, way, &many(OP_CHECKSIGVERIFY, count));
            accept(&mut pool, &ledger, &tx)
        };
        assert_eq!(
            tx(0, most + 1),
            Err(Refused::TooManySigops(MAX_SIGOPS + per_check))
        );
        assert_eq!(tx(1, most), Ok(0), "{way:?}");
    }
}

/// Six small transactions that are valid each, and cost nearly a fifth of what a block may have.
#[test]
fn no_more_are_chosen_than_a_block_may_have() {
    let ledger = ledger(6);
    for (way, checks) in [(Way::P2sh, 199), (Way::P2wsh, 799)] {
        let mut pool = pool();
        for number in 0..6 {
            let tx = spending(
                number,
                1_000 - u64::from(number),
                way,
                &many(OP_CHECKMULTISIG, checks),
            );
            accept(&mut pool, &ledger, &tx).unwrap();
        }
        let chosen = pool.select(4_000_000, 80_000);
        assert_eq!(chosen.len(), 5, "{way:?}");
        let cost: u32 = chosen.iter().map(|tx| tx.sigops).sum();
        assert!(cost <= 80_000, "{cost}");
        assert!(cost + chosen[0].sigops > 80_000, "{cost}");
    }
}

/// Scripts in which signature operations, numbers and pushes are more frequent than chance has them.
fn script() -> impl Strategy<Value = ScriptBuf> {
    let byte = prop_oneof![
        3 => 0xac..=0xaf_u8,
        3 => 0x50..=0x61_u8,
        2 => 0..6_u8,
        1 => 0x4c..=0x4e_u8,
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..60).prop_map(ScriptBuf::from_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever knows what is spent counts no more.
    #[test]
    fn it_is_a_bound(
        inputs in prop::collection::vec((0..WAYS.len(), script(), script(), any::<bool>()), 1..5),
        outputs in prop::collection::vec(script(), 1..3),
    ) {
        let outpoints: Vec<_> = (0..inputs.len() as u32).map(coin).collect();
        let mut tx = spend(&outpoints, &vec![1; outputs.len()]);
        for (output, script) in tx.output.iter_mut().zip(outputs) {
            output.script_pubkey = script;
        }
        let mut spent = std::collections::HashMap::new();
        for (input, (way, script, before, is_odd)) in tx.input.iter_mut().zip(inputs) {
            let output = spend_by(input, WAYS[way], &script);
            spent.insert(input.previous_output, output);
            if is_odd {
                input.script_sig = [before.as_bytes(), input.script_sig.as_bytes()].concat().into();
            }
        }
        let known = tx.total_sigop_cost(|outpoint| spent.get(outpoint).cloned()) as u64;
        let unknown = tx.total_sigop_cost(|_| None) as u64;
        let bound = candidate(&tx).sigops();
        prop_assert!(bound >= known && bound >= unknown, "{} {} {}", bound, known, unknown);
    }
}
