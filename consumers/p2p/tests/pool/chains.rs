//! Transactions that need each other.

use crate::rig::{NEXT, VALUE, accept, coin, ids, ledger, out, pool, spend};
use bitcoin::Transaction;
use sockman_p2p::pool::{Pool, PoolSettings, Refused};

/// So many, each of which spends the one before, and pays 100 satoshis.
fn chain(count: u64) -> Vec<Transaction> {
    let mut chain = vec![spend(&[coin(0)], &[VALUE - 100])];
    for number in 2..=count {
        let last = chain.last().unwrap();
        chain.push(spend(&[out(last, 0)], &[VALUE - 100 * number]));
    }
    chain
}

#[test]
fn a_chain_is_as_long_as_it_may_be() {
    let (mut pool, ledger) = (pool(), ledger(2));
    let chain = chain(26);
    let (last, others) = chain.split_last().unwrap();
    for tx in others {
        assert_eq!(accept(&mut pool, &ledger, tx), Ok(100));
    }
    let why = accept(&mut pool, &ledger, last).unwrap_err();
    assert_eq!(
        why.to_string(),
        "too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]"
    );
    let order: Vec<_> = others.iter().map(Transaction::compute_txid).collect();
    assert_eq!(ids(&pool), order);
    let first = pool.get(&order[0]).unwrap();
    assert_eq!((first.descendants().count, first.descendants().fee), (25, 2_500));
    assert_eq!(first.children().collect::<Vec<_>>(), [order[1]]);
    let end = pool.get(&order[24]).unwrap();
    assert_eq!((end.ancestors().count, end.ancestors().fee), (25, 2_500));
    assert_eq!(end.parents().collect::<Vec<_>>(), [order[23]]);
    let weight: u64 = others.iter().map(|tx| tx.weight().to_wu()).sum();
    assert_eq!((end.ancestors().weight, pool.total().weight), (weight, weight));
}

#[test]
fn ancestors_are_counted_once() {
    let settings = PoolSettings {
        ancestors: 4,
        ..PoolSettings::default()
    };
    let (mut pool, ledger) = (Pool::new(settings, NEXT), ledger(2));
    let top = spend(&[coin(0)], &[1_000, 1_000]);
    let left = spend(&[out(&top, 0)], &[900]);
    let right = spend(&[out(&top, 1)], &[900]);
    let both = spend(&[out(&left, 0), out(&right, 0)], &[1_500]);
    for tx in [&top, &left, &right, &both] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    let entry = pool.get(&both.compute_txid()).unwrap();
    assert_eq!(entry.ancestors().count, 4);
    assert_eq!(pool.get(&top.compute_txid()).unwrap().descendants().count, 4);
    let below = spend(&[out(&both, 0)], &[1_000]);
    let why = accept(&mut pool, &ledger, &below);
    assert_eq!(why, Err(Refused::TooManyAncestors(4)));
}

#[test]
fn without_any_ancestors_allowed_chains_are_refused_and_others_not() {
    let settings = PoolSettings {
        ancestors: 1,
        ..PoolSettings::default()
    };
    let (mut pool, ledger) = (Pool::new(settings, NEXT), ledger(1));
    let chain = chain(2);
    assert_eq!(accept(&mut pool, &ledger, &chain[0]), Ok(100));
    let why = accept(&mut pool, &ledger, &chain[1]);
    assert_eq!(why, Err(Refused::TooManyAncestors(1)));
}
