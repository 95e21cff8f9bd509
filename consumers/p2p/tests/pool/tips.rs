//! New blocks, and lost ones.

use crate::rig::{NEXT, NOW, VALUE, accept, candidate, coin, ids, ledger, mined, out, pool, spend};
use sockman_p2p::chain::Rules;
use sockman_p2p::coins::Coin;
use sockman_p2p::pool::PoolSettings;

const AFTER: Rules = Rules {
    height: NEXT.height + 1,
    median_time: NEXT.median_time + 600,
};

#[test]
fn what_was_mined_leaves_and_what_needs_it_stays() {
    let (mut pool, ledger) = (pool(), ledger(2));
    let parent = spend(&[coin(0)], &[VALUE - 10]);
    let child = spend(&[out(&parent, 0)], &[VALUE - 30]);
    let other = spend(&[coin(1)], &[VALUE]);
    for tx in [&parent, &child, &other] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    let changes = pool.changes();
    pool.connect(&[mined(&parent)], AFTER);
    assert!(pool.changes() > changes);
    assert_eq!((pool.len(), pool.next()), (2, AFTER));
    let entry = pool.get(&child.compute_txid()).unwrap();
    assert_eq!((entry.ancestors(), entry.parents().count()), (entry.own(), 0));
    assert_eq!(pool.spender(&coin(0)), None);
    pool.connect(&[], AFTER);
    assert_eq!(pool.len(), 2);
}

#[test]
fn what_spends_what_a_block_has_spent_leaves_with_all_that_needs_it() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let parent = spend(&[coin(0), coin(1)], &[VALUE]);
    let child = spend(&[out(&parent, 0)], &[VALUE - 30]);
    let other = spend(&[coin(2)], &[VALUE]);
    for tx in [&parent, &child, &other] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    let rival = spend(&[coin(1)], &[1]);
    pool.connect(&[mined(&rival)], AFTER);
    assert_eq!(ids(&pool), [other.compute_txid()]);
    assert_eq!((pool.spender(&coin(0)), pool.total().count), (None, 1));
}

/// A block that has a transaction without the one that it spends: no node that looks at coins would take it.
#[test]
fn what_a_block_tears_apart_is_counted_right() {
    let (mut pool, ledger) = (pool(), ledger(1));
    let first = spend(&[coin(0)], &[VALUE]);
    let second = spend(&[out(&first, 0)], &[VALUE]);
    let third = spend(&[out(&second, 0)], &[VALUE]);
    let fourth = spend(&[out(&third, 0)], &[VALUE]);
    for tx in [&first, &second, &third, &fourth] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    pool.connect(&[mined(&second)], AFTER);
    let count = |tx: &bitcoin::Transaction| {
        let entry = pool.get(&tx.compute_txid()).unwrap();
        (entry.ancestors().count, entry.descendants().count)
    };
    assert_eq!(
        (count(&first), count(&third), count(&fourth)),
        ((1, 1), (1, 2), (2, 1))
    );
    pool.connect(&[mined(&first), mined(&third), mined(&fourth)], AFTER);
    assert!(pool.is_empty() && pool.bytes() == 0 && pool.total() == sockman_p2p::pool::Sums::default());
}

#[test]
fn what_lost_blocks_had_comes_back_if_it_can() {
    let (mut pool, mut after) = (pool(), ledger(3));
    // In a lost block: one that can be had again, and one whose coin the new branch has spent.
    let lost = spend(&[coin(0)], &[VALUE - 10]);
    let gone = spend(&[coin(9)], &[VALUE]);
    // In the pool: those that spend what these made, and one for itself.
    let mut before = after.clone();
    for made in [out(&lost, 0), out(&gone, 0)] {
        let one = Coin {
            value: VALUE - 10,
            height: NEXT.height - 1,
            coinbase: false,
        };
        before.coins.insert(made, one);
    }
    let child = spend(&[out(&lost, 0)], &[VALUE - 30]);
    let orphan = spend(&[out(&gone, 0)], &[VALUE - 30]);
    let other = spend(&[coin(1)], &[VALUE]);
    for tx in [&child, &orphan, &other] {
        accept(&mut pool, &before, tx).unwrap();
    }
    after.times.clear();
    let changes = pool.changes();
    let all = [candidate(&lost), candidate(&gone)];
    pool.reorganise(all, &after, NEXT, NOW + 5).unwrap();
    assert!(pool.changes() > changes);
    let mut expected = [lost.compute_txid(), child.compute_txid(), other.compute_txid()];
    let mut found = ids(&pool);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let entry = pool.get(&child.compute_txid()).unwrap();
    assert_eq!((entry.ancestors().count, entry.time()), (2, NOW));
    assert_eq!(pool.get(&lost.compute_txid()).unwrap().time(), NOW + 5);
    assert_eq!(pool.settings(), &PoolSettings::default());
}

#[test]
fn what_may_not_be_mined_on_the_new_branch_leaves() {
    let (mut pool, mut ledger) = (pool(), ledger(1));
    let one = Coin {
        value: VALUE,
        height: NEXT.height - 100,
        coinbase: true,
    };
    ledger.coins.insert(coin(1), one);
    let mature = spend(&[coin(1)], &[VALUE]);
    let mut locked = spend(&[coin(0)], &[VALUE]);
    locked.lock_time = bitcoin::absolute::LockTime::from_consensus(NEXT.height - 1);
    locked.input[0].sequence = bitcoin::Sequence::ZERO;
    for tx in [&mature, &locked] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    let lower = Rules {
        height: NEXT.height - 1,
        ..NEXT
    };
    pool.reorganise([], &ledger, lower, NOW).unwrap();
    assert!(pool.is_empty());
}

#[test]
fn coins_that_cannot_be_read_are_told() {
    let (mut pool, mut ledger) = (pool(), ledger(1));
    accept(&mut pool, &ledger, &spend(&[coin(0)], &[1])).unwrap();
    ledger.broken = true;
    assert!(pool.reorganise([], &ledger, NEXT, NOW).is_err());
}
