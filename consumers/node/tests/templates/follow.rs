//! Work follows the chain and the pool.

use crate::rig::{Asked as _, Resting, SUBSIDY, World, first, spend};
use bitcoin::consensus::serialize;
use sockman_node::templates::MOST_BEHIND;

#[test]
fn at_genesis_there_is_work_at_once() {
    let world = World::new();
    let work = world.next_work();
    let basis = work.basis();
    assert_eq!((basis.prev_hash, basis.height), (world.tip(), 1));
    assert_eq!(
        (basis.subsidy, basis.segwit, basis.version),
        (SUBSIDY, true, 0x2000_0000)
    );
    assert!(work.transactions().is_empty());
}

#[test]
fn each_new_tip_is_followed_by_work_on_it() {
    let world = World::new();
    world.next_work();
    for height in 1..=5 {
        let block = world.grow(1).remove(0);
        let work = world.work_with(&[]);
        let basis = work.basis();
        assert_eq!((basis.prev_hash, basis.height), (block.block_hash(), height + 1));
        let median = world
            .handle
            .with(|state| state.chain.tree().median_time(state.chain.tip()));
        assert_eq!(basis.least_time, median + 1);
        assert_eq!(world.templates.at().hash, block.block_hash());
    }
}

#[test]
fn transactions_come_into_work_and_leave_with_the_block_that_has_them() {
    let (world, coins) = World::rich(2);
    let parent = spend(&coins[..1], &[SUBSIDY - 1_000]);
    let child = spend(&[first(&parent)], &[SUBSIDY - 5_000]);
    let other = spend(&coins[1..], &[SUBSIDY - 3_000]);
    world.send(&parent);
    let txids = [&parent, &child, &other].map(bitcoin::Transaction::compute_txid);
    world.work_with(&txids[..1]);
    world.send(&other);
    world.send(&child);
    // The other pays more than the first two together for their weight.
    let work = world.work_with(&[txids[2], txids[0], txids[1]]);
    let found: Vec<_> = work
        .transactions()
        .iter()
        .map(|tx| (tx.fee, tx.bytes.to_vec()))
        .collect();
    let expected = [(3_000, &other), (1_000, &parent), (4_000, &child)];
    let expected = expected.map(|(fee, tx)| (fee, serialize(tx)));
    assert_eq!(found, expected);

    world.block(world.tip(), vec![parent], 0);
    let mut work = world.work_with(&[txids[1], txids[2]]);
    assert_eq!(work.transactions()[0].fee, 4_000);
    // One that spends the same as another.
    let rival = spend(&coins[1..], &[SUBSIDY]);
    world.block(world.tip(), vec![rival], 0);
    work = world.work_with(&txids[1..2]);
    assert_eq!(work.basis().height, 104);
    assert_eq!(world.pool(), txids[1..2]);
}

#[test]
fn what_lost_blocks_had_comes_back() {
    let (world, coins) = World::rich(2);
    let fork = world.tip();
    let kept = spend(&coins[..1], &[SUBSIDY - 1_000]);
    let gone = spend(&coins[1..], &[SUBSIDY - 1_000]);
    let lost = world.block(fork, vec![kept.clone(), gone.clone()], 0);
    world.work_with(&[]);
    // One that needs what a lost block has.
    let child = spend(&[first(&kept)], &[SUBSIDY - 2_000]);
    world.send(&child);
    world.work_with(&[child.compute_txid()]);
    let rival = spend(&coins[1..], &[SUBSIDY]);
    let other = world.block(fork, vec![rival], 1);
    assert_eq!(world.tip(), lost.block_hash());
    world.block(other.block_hash(), Vec::new(), 1);
    let work = world.work_with(&[kept.compute_txid(), child.compute_txid()]);
    assert_eq!(work.basis().height, 104);
    // And when that branch is the active one again.
    let again = world.block(lost.block_hash(), Vec::new(), 2);
    world.block(again.block_hash(), Vec::new(), 2);
    world.work_with(&[child.compute_txid()]);
    assert_eq!(world.pool(), [child.compute_txid()]);
}

#[test]
fn where_many_blocks_are_to_be_taken_in_there_is_work_before_that() {
    let resting = Resting::new();
    let blocks = resting.grow(MOST_BEHIND + 1);
    let world = resting.start();
    let work = world.next_work();
    assert_eq!(work.basis().prev_hash, world.tip());
    let coin = bitcoin::OutPoint::new(blocks[0].txdata[0].compute_txid(), 0);
    // And in the end the coins are known.
    world.ready();
    let there = world.templates.with(|_, confirmed| {
        let coin = sockman_p2p::pool::Confirmed::coin(confirmed, &coin);
        (confirmed.at().hash, coin.expect("it is readable").is_some())
    });
    assert_eq!(there, Ok((world.tip(), true)));
}
