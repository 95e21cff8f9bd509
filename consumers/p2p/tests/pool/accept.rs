//! Every reason to refuse a transaction, and that a refused one changes nothing.

use crate::rig::{Ledger, NEXT, NOW, VALUE, accept, candidate, coin, ids, ledger, out, pool, spend};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid, Witness};
use sockman_p2p::chain::Invalid;
use sockman_p2p::coins::Coin;
use sockman_p2p::pool::{AcceptError, Candidate, MAX_SIGOPS, MAX_WEIGHT, Pool, PoolSettings, Refused};

#[test]
fn what_can_be_mined_comes_in() {
    let (mut pool, ledger) = (pool(), ledger(2));
    let tx = spend(&[coin(0), coin(1)], &[VALUE, 900_000]);
    assert_eq!(accept(&mut pool, &ledger, &tx), Ok(100_000));
    let entry = pool.get(&tx.compute_txid()).unwrap();
    let inside = entry.transaction();
    assert_eq!(inside.bytes[..], serialize(&tx)[..]);
    assert_eq!(
        (inside.txid, inside.wtxid),
        (tx.compute_txid(), tx.compute_wtxid())
    );
    assert_eq!(
        (inside.fee, u64::from(inside.weight)),
        (100_000, tx.weight().to_wu())
    );
    assert_eq!((entry.time(), entry.height()), (NOW, NEXT.height));
    assert_eq!(pool.total(), entry.own());
    assert_eq!(pool.spender(&coin(1)), Some(tx.compute_txid()));
    assert_eq!(pool.bytes(), inside.bytes.len());
    assert!(pool.usage() > pool.bytes());
}

#[test]
fn what_was_judged_comes_in_as_it_was_judged() {
    let (mut pool, mut other, ledger) = (pool(), pool(), ledger(1));
    let parent = spend(&[coin(0)], &[VALUE - 10]);
    let child = spend(&[out(&parent, 0)], &[VALUE - 30]);
    for tx in [parent, child] {
        let candidate = candidate(&tx);
        let verdict = pool.judge(&candidate, &ledger).unwrap();
        pool.take_in(&candidate, &verdict, NOW).unwrap();
        assert_eq!(other.accept(&candidate, &ledger, NOW).unwrap(), verdict);
        assert_eq!(verdict.own.vsize, tx.vsize() as u64);
        let (entry, same) = [&pool, &other]
            .map(|pool| pool.get(&candidate.txid()).unwrap())
            .into();
        assert_eq!(
            (entry.own(), entry.transaction()),
            (verdict.own, same.transaction())
        );
        assert_eq!(entry.ancestors(), same.ancestors());
    }
    assert_eq!((ids(&pool), pool.total()), (ids(&other), other.total()));
}

/// Asks, and sees that asking alone and being refused leave no trace.
fn refused(pool: &mut Pool, ledger: &Ledger, tx: &Transaction) -> Refused {
    let (before, changes, bytes) = (ids(pool), pool.changes(), pool.bytes());
    let asked = pool.judge(&candidate(tx), ledger).unwrap_err();
    let why = accept(pool, ledger, tx).unwrap_err();
    assert_eq!(asked.to_string(), why.to_string());
    assert_eq!(
        (ids(pool), pool.changes(), pool.bytes()),
        (before, changes, bytes)
    );
    why
}

#[test]
fn what_breaks_the_rules_by_itself_does_not() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let good = spend(&[coin(0)], &[VALUE]);
    let twice = spend(&[coin(0), coin(0)], &[VALUE]);
    let null = spend(&[coin(0), OutPoint::null()], &[VALUE]);
    let mut coinbase = spend(&[OutPoint::null()], &[VALUE]);
    let short = coinbase.clone();
    coinbase.input[0].script_sig = ScriptBuf::from_bytes(vec![1; 50]);
    let with_values = |values: &[u64]| spend(&[coin(0)], values);
    let money = 21_000_000 * 100_000_000;
    let mut heavy = good.clone();
    heavy.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 100_000]);
    let mut tiny = good.clone();
    tiny.output[0].script_pubkey = ScriptBuf::new();
    assert_eq!(tiny.base_size(), 60);
    let mut signed = good.clone();
    let checks = MAX_SIGOPS as usize / 4 + 1;
    signed.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; checks]);

    let invalid = |why| Refused::Invalid(why);
    let cases = [
        (
            with_values(&[]),
            invalid(Invalid::NoOutputs),
            "bad-txns-vout-empty",
        ),
        (
            with_values(&[u64::MAX]),
            invalid(Invalid::OutputNegative),
            "bad-txns-vout-negative",
        ),
        (
            with_values(&[money + 1]),
            invalid(Invalid::OutputTooLarge),
            "bad-txns-vout-toolarge",
        ),
        (
            with_values(&[money, 1]),
            invalid(Invalid::OutputsTooLarge),
            "bad-txns-txouttotal-toolarge",
        ),
        (
            twice,
            invalid(Invalid::InputsDuplicate),
            "bad-txns-inputs-duplicate",
        ),
        (null, invalid(Invalid::InputNull), "bad-txns-prevout-null"),
        (short, invalid(Invalid::CoinbaseLength), "bad-cb-length"),
        (coinbase, Refused::Coinbase, "coinbase"),
        (heavy, Refused::TooHeavy, "tx-size"),
        (tiny, Refused::TooSmall, "tx-size-small"),
        (
            signed,
            Refused::TooManySigops(MAX_SIGOPS + 4),
            "bad-txns-too-many-sigops, 16004",
        ),
    ];
    for (tx, why, text) in cases {
        assert_eq!(refused(&mut pool, &ledger, &tx), why, "{text}");
        assert_eq!(why.to_string(), text);
    }
    assert_eq!(accept(&mut pool, &ledger, &good), Ok(0));
}

#[test]
fn the_limits_themselves_are_no_reason() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let mut heavy = spend(&[coin(0)], &[VALUE]);
    let room = (MAX_WEIGHT - heavy.weight().to_wu()) as usize / 4 + 22 - 4;
    heavy.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; room]);
    assert_eq!(heavy.weight().to_wu(), MAX_WEIGHT);
    assert_eq!(accept(&mut pool, &ledger, &heavy), Ok(0));
    let mut signed = spend(&[coin(1)], &[VALUE]);
    signed.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; MAX_SIGOPS as usize / 4]);
    assert_eq!(accept(&mut pool, &ledger, &signed), Ok(0));
    let mut small = spend(&[coin(2)], &[VALUE]);
    small.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 5]);
    assert_eq!(small.base_size(), 65);
    assert_eq!(accept(&mut pool, &ledger, &small), Ok(0));
}

#[test]
fn what_has_no_inputs_does_not_come_in() {
    let (mut pool, ledger) = (pool(), ledger(0));
    let mut tx = spend(&[], &[VALUE]);
    tx.lock_time = bitcoin::absolute::LockTime::from_consensus(5);
    assert_eq!(
        refused(&mut pool, &ledger, &tx),
        Refused::Invalid(Invalid::NoInputs)
    );
}

#[test]
fn what_is_no_transaction_is_not_decoded() {
    let whole = serialize(&spend(&[coin(0)], &[VALUE]));
    assert!(Candidate::decode(whole[..whole.len() - 1].to_vec()).is_err());
    assert!(Candidate::decode([&whole[..], &[0]].concat()).is_err());
    assert!(Candidate::decode(Vec::new()).is_err());
}

#[test]
fn what_is_there_does_not_come_twice() {
    let (mut pool, ledger) = (pool(), ledger(2));
    let mut tx = spend(&[coin(0)], &[VALUE - 10]);
    tx.input[0].witness = Witness::from_slice(&[[1; 32]]);
    assert_eq!(accept(&mut pool, &ledger, &tx), Ok(10));
    assert_eq!(
        refused(&mut pool, &ledger, &tx).to_string(),
        "txn-already-in-mempool"
    );
    tx.input[0].witness = Witness::from_slice(&[[2; 32]]);
    let why = refused(&mut pool, &ledger, &tx);
    assert_eq!(why.to_string(), "txn-same-nonwitness-data-in-mempool");
    // However much it pays.
    let other = spend(&[coin(1), coin(0)], &[1]);
    assert_eq!(
        refused(&mut pool, &ledger, &other).to_string(),
        "txn-mempool-conflict"
    );
}

#[test]
fn what_is_in_a_block_does_not_come_again() {
    let (mut pool, mut ledger) = (pool(), ledger(0));
    let tx = spend(&[coin(0)], &[5, 6]);
    let why = refused(&mut pool, &ledger, &tx);
    assert_eq!(why.to_string(), "bad-txns-inputs-missingorspent");
    let one = Coin {
        value: 6,
        height: 900,
        coinbase: false,
    };
    ledger.coins.insert(out(&tx, 1), one);
    assert_eq!(refused(&mut pool, &ledger, &tx).to_string(), "txn-already-known");
}

#[test]
fn inputs_have_to_be_there() {
    let (mut pool, ledger) = (pool(), ledger(1));
    let parent = spend(&[coin(0)], &[VALUE]);
    let nowhere = OutPoint::new(Txid::from_byte_array([1; 32]), 0);
    for missing in [coin(1), nowhere, out(&parent, 0)] {
        let tx = spend(&[missing], &[1]);
        assert_eq!(refused(&mut pool, &ledger, &tx), Refused::MissingInputs);
    }
    accept(&mut pool, &ledger, &parent).unwrap();
    // It has no such output.
    let tx = spend(&[out(&parent, 1)], &[1]);
    assert_eq!(refused(&mut pool, &ledger, &tx), Refused::MissingInputs);
    assert_eq!(
        accept(&mut pool, &ledger, &spend(&[out(&parent, 0)], &[VALUE])),
        Ok(0)
    );
}

#[test]
fn coinbases_have_to_mature() {
    let (mut pool, mut ledger) = (pool(), ledger(0));
    for (number, height) in [(0, NEXT.height - 100), (1, NEXT.height - 99)] {
        let one = Coin {
            value: VALUE,
            height,
            coinbase: true,
        };
        ledger.coins.insert(coin(number), one);
    }
    assert_eq!(accept(&mut pool, &ledger, &spend(&[coin(0)], &[VALUE])), Ok(0));
    let why = refused(&mut pool, &ledger, &spend(&[coin(1)], &[VALUE]));
    assert_eq!(
        why.to_string(),
        "bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 99"
    );
    assert_eq!(why.reason(), "bad-txns-premature-spend-of-coinbase");
}

#[test]
fn outputs_are_not_above_inputs() {
    let (mut pool, ledger) = (pool(), ledger(1));
    let why = refused(&mut pool, &ledger, &spend(&[coin(0)], &[VALUE, 1]));
    assert_eq!(
        why.to_string(),
        "bad-txns-in-belowout, value in (0.01) < value out (0.01000001)"
    );
}

/// Where nobody looks at what blocks spend, they may have made more than there is.
#[test]
fn inputs_are_not_above_all_bitcoins() {
    let (mut pool, mut ledger) = (pool(), ledger(2));
    for number in 0..2 {
        ledger.coins.get_mut(&coin(number)).unwrap().value = Amount::MAX_MONEY.to_sat();
    }
    let why = refused(&mut pool, &ledger, &spend(&[coin(0), coin(1)], &[1]));
    assert_eq!(why.to_string(), "bad-txns-inputvalues-outofrange");
}

#[test]
fn a_fee_is_asked_for_where_that_is_set() {
    let settings = PoolSettings {
        min_feerate: 1_000,
        ..PoolSettings::default()
    };
    let (mut pool, ledger) = (Pool::new(settings, NEXT), ledger(1));
    let tx = |fee| spend(&[coin(0)], &[VALUE - fee]);
    let vsize = tx(0).vsize() as u64;
    let why = refused(&mut pool, &ledger, &tx(vsize - 1));
    let (fee, least) = (vsize - 1, vsize);
    assert_eq!(why, Refused::LowFee { fee, least });
    assert_eq!(why.to_string(), format!("min relay fee not met, {fee} < {least}"));
    assert_eq!(accept(&mut pool, &ledger, &tx(vsize)), Ok(vsize));
}

#[test]
fn coins_that_cannot_be_read_are_no_reason_to_refuse() {
    let (mut pool, mut ledger) = (pool(), ledger(1));
    ledger.broken = true;
    let why = pool.accept(&candidate(&spend(&[coin(0)], &[1])), &ledger, NOW);
    assert!(matches!(why, Err(AcceptError::Coins(_))), "{why:?}");
    assert!(pool.is_empty());
}
