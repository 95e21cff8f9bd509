//! What should be in the next block.

use crate::rig::{VALUE, accept, coin, ledger, out, pool, spend};
use bitcoin::{ScriptBuf, Transaction, Txid};
use sockman_p2p::pool::Pool;

const WEIGHT: u64 = 4_000_000;
const SIGOPS: u64 = 80_000;

fn chosen(pool: &Pool, weight: u64, sigops: u64) -> Vec<Txid> {
    pool.select(weight, sigops).iter().map(|tx| tx.txid).collect()
}

fn txids(txs: &[&Transaction]) -> Vec<Txid> {
    txs.iter().map(|tx| tx.compute_txid()).collect()
}

#[test]
fn what_pays_more_comes_first() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let txs: Vec<Transaction> = [100, 300, 200]
        .iter()
        .zip(0..)
        .map(|(fee, number)| spend(&[coin(number)], &[VALUE - fee]))
        .collect();
    for tx in &txs {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(chosen(&pool, WEIGHT, SIGOPS), txids(&[&txs[1], &txs[2], &txs[0]]));
    // By weight: this one pays most, and is large.
    let mut large = spend(&[coin(0)], &[VALUE - 1_000]);
    large.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 5_000]);
    let (mut pool, ledger) = (crate::rig::pool(), ledger);
    for tx in [&large, &txs[1]] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(chosen(&pool, WEIGHT, SIGOPS), txids(&[&txs[1], &large]));
}

#[test]
fn a_child_pays_for_its_parent() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let parent = spend(&[coin(0)], &[VALUE]);
    let child = spend(&[out(&parent, 0)], &[VALUE - 1_000]);
    let other = spend(&[coin(1)], &[VALUE - 400]);
    let rich = spend(&[coin(2)], &[VALUE - 600]);
    for tx in [&parent, &child, &other, &rich] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(
        chosen(&pool, WEIGHT, SIGOPS),
        txids(&[&rich, &parent, &child, &other])
    );
}

/// Once one child has paid for the parent, the other one need not.
#[test]
fn what_is_chosen_is_not_paid_for_again() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let parent = spend(&[coin(0)], &[1_000, VALUE - 1_000]);
    let rich = spend(&[out(&parent, 1)], &[VALUE - 3_000]);
    let cheap = spend(&[out(&parent, 0)], &[500]);
    let other = spend(&[coin(1)], &[VALUE - 400]);
    for tx in [&parent, &cheap, &rich, &other] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(
        chosen(&pool, WEIGHT, SIGOPS),
        txids(&[&parent, &rich, &cheap, &other])
    );
}

#[test]
fn what_has_no_room_is_left_out_and_what_is_smaller_is_not() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let mut large = spend(&[coin(0)], &[VALUE - 90_000]);
    large.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0x51; 5_000]);
    let small = spend(&[coin(1)], &[VALUE - 10]);
    for tx in [&large, &small] {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    let (of_large, of_small) = (large.weight().to_wu(), small.weight().to_wu());
    assert_eq!(
        chosen(&pool, of_large + of_small, SIGOPS),
        txids(&[&large, &small])
    );
    assert_eq!(chosen(&pool, of_large + of_small - 1, SIGOPS), txids(&[&large]));
    assert_eq!(chosen(&pool, of_large - 1, SIGOPS), txids(&[&small]));
    assert_eq!(chosen(&pool, of_small - 1, SIGOPS), []);
}

#[test]
fn signature_operations_are_bounded() {
    let (mut pool, ledger) = (pool(), ledger(3));
    let signed = |number, fee, checks| {
        let mut tx = spend(&[coin(number)], &[VALUE - fee]);
        tx.output[0].script_pubkey = ScriptBuf::from_bytes(vec![0xac; checks]);
        tx
    };
    let txs = [signed(0, 90_000, 20), signed(1, 50_000, 30), signed(2, 10, 10)];
    for tx in &txs {
        accept(&mut pool, &ledger, tx).unwrap();
    }
    assert_eq!(chosen(&pool, WEIGHT, 240).len(), 3);
    assert_eq!(chosen(&pool, WEIGHT, 239), txids(&[&txs[0], &txs[1]]));
    assert_eq!(chosen(&pool, WEIGHT, 199), txids(&[&txs[0], &txs[2]]));
    assert_eq!(pool.select(WEIGHT, 240)[0].sigops, 80);
}
