//! Times before which a transaction may not be in a block: lock times (BIP 113), and those that count from what it spends (BIP 68).

use crate::rig::{NEXT, accept, coin, ledger, out, pool, spend};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Sequence, Transaction};
use sockman_p2p::pool::Refused;

fn locked(lock_time: u32) -> Transaction {
    let mut tx = spend(&[coin(0)], &[1]);
    tx.lock_time = LockTime::from_consensus(lock_time);
    tx.input[0].sequence = Sequence::ENABLE_LOCKTIME_NO_RBF;
    tx
}

#[test]
fn a_lock_time_is_over_when_it_is_below_the_next_block() {
    let ledger = ledger(1);
    for (lock_time, is_over) in [
        (0, true),
        (NEXT.height - 1, true),
        (NEXT.height, false),
        (499_999_999, false),
        (NEXT.median_time - 1, true),
        (NEXT.median_time, false),
    ] {
        let taken = accept(&mut pool(), &ledger, &locked(lock_time));
        assert_eq!(taken.is_ok(), is_over, "{lock_time}");
        assert!(is_over || taken == Err(Refused::NonFinal), "{lock_time}");
        // With such inputs it does not matter.
        let mut tx = locked(lock_time);
        tx.input[0].sequence = Sequence::MAX;
        assert!(accept(&mut pool(), &ledger, &tx).is_ok(), "{lock_time}");
    }
}

/// What a transaction is answered whose input says this, of a coin that came at height 990.
fn relative(version: i32, sequence: u32) -> Result<u64, Refused> {
    let mut ledger = ledger(1);
    ledger.coins.get_mut(&coin(0)).unwrap().height = 990;
    let mut tx = spend(&[coin(0)], &[1]);
    tx.version = Version(version);
    tx.input[0].sequence = Sequence::from_consensus(sequence);
    accept(&mut pool(), &ledger, &tx)
}

#[test]
fn blocks_are_counted_from_the_one_that_made_the_coin() {
    // The next one is ten blocks after it.
    assert!(relative(2, 10).is_ok());
    assert_eq!(relative(2, 11), Err(Refused::NonFinalInputs));
    assert_eq!(relative(2, 0xffff), Err(Refused::NonFinalInputs));
    assert_eq!(Refused::NonFinalInputs.to_string(), "non-BIP68-final");
    assert!(relative(2, 0).is_ok());
    // Not below version 2, nor where the bit says so; other bits say nothing.
    assert!(relative(1, 11).is_ok() && relative(2, 1 << 31 | 0xb).is_ok());
    assert!(relative(0, 11).is_ok());
    assert_eq!(relative(-1, 11), Err(Refused::NonFinalInputs), "as Core has it");
    assert!(relative(2, 1 << 16 | 0xa).is_ok());
}

#[test]
fn time_is_counted_from_the_block_before() {
    // That one is ten blocks of ten minutes before the last: 6,000 seconds, or 11.7 units.
    let time = |units: u32| 1 << 22 | units;
    assert!(relative(2, time(11)).is_ok());
    assert_eq!(relative(2, time(12)), Err(Refused::NonFinalInputs));

    let mut ledger = ledger(1);
    ledger.coins.get_mut(&coin(0)).unwrap().height = 0;
    ledger.times.insert(0, NEXT.median_time - 512);
    let mut tx = spend(&[coin(0)], &[1]);
    tx.input[0].sequence = Sequence::from_consensus(time(1));
    assert!(accept(&mut pool(), &ledger, &tx).is_ok(), "to the second");
    ledger.times.insert(0, NEXT.median_time - 511);
    let why = accept(&mut pool(), &ledger, &tx);
    assert_eq!(why, Err(Refused::NonFinalInputs));
}

#[test]
fn what_is_not_confirmed_counts_from_the_next_block() {
    let ledger = ledger(1);
    let parent = spend(&[coin(0)], &[1]);
    for (sequence, is_over) in [(0, true), (1, false), (1 << 22, true), (1 << 22 | 1, false)] {
        let mut pool = pool();
        accept(&mut pool, &ledger, &parent).unwrap();
        let mut child = spend(&[out(&parent, 0)], &[1]);
        child.input[0].sequence = Sequence::from_consensus(sequence);
        let taken = accept(&mut pool, &ledger, &child);
        assert_eq!(taken.is_ok(), is_over, "{sequence:x}");
    }
}
