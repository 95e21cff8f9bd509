//! Who has to leave.

use crate::rig::{NEXT, VALUE, accept, coin, ids, ledger, out, spend};
use bitcoin::Transaction;
use sockman_p2p::pool::{Pool, PoolSettings, Refused};

fn few(count: usize) -> Pool {
    let settings = PoolSettings {
        count,
        ..PoolSettings::default()
    };
    Pool::new(settings, NEXT)
}

fn paying(number: u32, fee: u64) -> Transaction {
    spend(&[coin(number)], &[VALUE - fee])
}

#[test]
fn who_pays_least_leaves() {
    let (mut pool, ledger) = (few(3), ledger(9));
    let txs: Vec<Transaction> = [300, 100, 200, 150]
        .iter()
        .zip(0..)
        .map(|(fee, number)| paying(number, *fee))
        .collect();
    for tx in &txs {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(pool.len(), 3);
    assert!(pool.get(&txs[1].compute_txid()).is_none());
    assert_eq!(pool.spender(&coin(1)), None);
    // Who would be it itself does not come in, also when it pays as much.
    for fee in [10, 150] {
        let (before, bytes) = (ids(&pool), pool.bytes());
        let why = accept(&mut pool, &ledger, &paying(5, fee)).unwrap_err();
        assert_eq!((why, why.to_string().as_str()), (Refused::Full, "mempool full"));
        assert_eq!((ids(&pool), pool.bytes()), (before, bytes));
    }
    accept(&mut pool, &ledger, &paying(5, 151)).unwrap();
    assert!(pool.get(&txs[3].compute_txid()).is_none());
}

#[test]
fn who_pays_little_takes_along_who_needs_it() {
    let (mut pool, ledger) = (few(3), ledger(9));
    let parent = paying(0, 10);
    let child = spend(&[out(&parent, 0)], &[VALUE - 30]);
    accept(&mut pool, &ledger, &parent).unwrap();
    accept(&mut pool, &ledger, &child).unwrap();
    accept(&mut pool, &ledger, &paying(1, 1_000)).unwrap();
    accept(&mut pool, &ledger, &paying(2, 500)).unwrap();
    assert_eq!(pool.len(), 2);
    assert!(pool.get(&parent.compute_txid()).is_none() && pool.get(&child.compute_txid()).is_none());
}

#[test]
fn a_child_that_pays_keeps_its_parent() {
    let (mut pool, ledger) = (few(3), ledger(9));
    let parent = paying(0, 0);
    let child = spend(&[out(&parent, 0)], &[VALUE - 5_000]);
    let other = paying(1, 1_000);
    for tx in [&parent, &child, &other] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    accept(&mut pool, &ledger, &paying(2, 1_500)).unwrap();
    assert!(pool.get(&other.compute_txid()).is_none());
    assert!(pool.get(&parent.compute_txid()).is_some() && pool.get(&child.compute_txid()).is_some());
}

/// It has others leave first, and then has no room still: they come back as they were.
#[test]
fn who_does_not_come_in_drives_nobody_out() {
    let ledger = ledger(50);
    let mut large = spend(&[coin(40)], &[VALUE - 3_000]);
    large.output[0].script_pubkey = bitcoin::ScriptBuf::from_bytes(vec![0x51; 9_000]);
    let settings = PoolSettings {
        bytes: 12_000,
        ..PoolSettings::default()
    };
    let mut pool = Pool::new(settings, NEXT);
    // Some that pay less for their weight than the large one does, and more that pay more.
    let parent = paying(0, 1);
    let child = spend(&[out(&parent, 0)], &[VALUE - 2]);
    for tx in [parent, child]
        .into_iter()
        .chain((1..9).map(|number| paying(number, 2_000)))
    {
        accept(&mut pool, &ledger, &tx).unwrap();
    }
    let before: Vec<_> = pool.in_order().into_iter().cloned().collect();
    assert_eq!(before.len(), 10);
    assert_eq!(accept(&mut pool, &ledger, &large), Err(Refused::Full));
    let after: Vec<_> = pool.in_order().into_iter().cloned().collect();
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    assert!(pool.bytes() <= settings.bytes);
}

#[test]
fn memory_is_bounded() {
    let settings = PoolSettings {
        bytes: 20_000,
        ..PoolSettings::default()
    };
    let (mut pool, ledger) = (Pool::new(settings, NEXT), ledger(200));
    for number in 0..200 {
        accept(&mut pool, &ledger, &paying(number, u64::from(number))).unwrap();
        assert!(pool.bytes() <= settings.bytes);
    }
    assert!((10..30).contains(&pool.len()), "{}", pool.len());
    // The best are left.
    let least = pool
        .in_order()
        .iter()
        .map(|entry| entry.transaction().fee)
        .min()
        .unwrap();
    assert_eq!(least, 200 - pool.len() as u64);
}
