//! Blocks that are not as they should be: this node does not look at what they spend.

use crate::rig::{World, anyone, coinbase, small, spend};
use bitcoin::hashes::Hash;
use bitcoin::{Network, OutPoint, ScriptBuf, Txid};
use sockman_p2p::chain::{Id, Params};
use sockman_p2p::coins::{CoinsError, MAX_SCRIPT, Plan};
use sockman_p2p::state::Chain;
use sockman_p2p::store::Memory;

#[test]
fn what_spends_nothing_that_is_there_is_counted() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let nowhere = OutPoint::new(Txid::from_byte_array([9; 32]), 0);
    let first = world.block(Id::GENESIS, anyone(), Vec::new());
    let tx = spend(&[nowhere, coinbase(&first)], &[5]);
    let again = spend(&[coinbase(&first)], &[6]);
    world.block(world.tip(), anyone(), vec![tx, again]);
    world.follow(&mut coins);
    assert_eq!(coins.missing(), 2);
    world.check(&coins);
}

#[test]
fn what_nobody_can_spend_is_left_out() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let scripts = [
        vec![0x6a, 1, 2],
        vec![0x51; MAX_SCRIPT + 1],
        vec![0x51; MAX_SCRIPT],
        vec![],
    ];
    for script in scripts {
        world.block(world.tip(), ScriptBuf::from_bytes(script), Vec::new());
    }
    world.follow(&mut coins);
    assert_eq!(coins.view().unwrap().all().unwrap().len(), 2);
    world.check(&coins);
}

/// Before BIP 34 a coinbase could be made a second time, and on the main chain two were: the later one has taken the first one's
/// place. When its block is taken back, the first one is there again.
#[test]
fn a_coinbase_that_is_made_twice_is_the_later_one() {
    let params = Params {
        bip34_height: 1_000,
        ..Params::of(Network::Regtest)
    };
    let (memory, loaded) = Memory::new(params.magic).crash(0);
    let mut world = World::new();
    world.chain = Chain::new(params, memory, loaded, 0).unwrap();
    let mut coins = world.open(small());
    // The same coinbase in two blocks, as a coinbase of a block of height 1.
    let first = world.block(Id::GENESIS, anyone(), Vec::new());
    let fork = world.grow(world.tip(), 1, 1);
    let twice = world.again(fork, &first);
    assert_eq!(coinbase(&twice), coinbase(&first));
    world.follow(&mut coins);
    let coin = coins.view().unwrap().coin(&coinbase(&first)).unwrap().unwrap();
    assert_eq!(coin.height, 3);
    world.check(&coins);
    world.grow(fork, 2, 2);
    world.follow(&mut coins);
    let coin = coins.view().unwrap().coin(&coinbase(&first)).unwrap().unwrap();
    assert_eq!(coin.height, 1);
    world.check(&coins);
}

/// The same, spent in the block that has made it again.
#[test]
fn what_is_made_again_and_spent_comes_back_as_it_was() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let nowhere = OutPoint::new(Txid::from_byte_array([9; 32]), 0);
    let tx = spend(&[nowhere], &[5, 6]);
    let made = OutPoint::new(tx.compute_txid(), 0);
    world.block(Id::GENESIS, anyone(), vec![tx.clone()]);
    let fork = world.tip();
    let spender = spend(&[made], &[4]);
    world.block(fork, anyone(), vec![tx, spender]);
    world.follow(&mut coins);
    assert_eq!(coins.view().unwrap().coin(&made).unwrap(), None);
    world.check(&coins);
    world.grow(fork, 2, 1);
    world.follow(&mut coins);
    let coin = coins.view().unwrap().coin(&made).unwrap().unwrap();
    assert_eq!((coin.value, coin.height), (5, 1));
    world.check(&coins);
}

#[test]
fn a_block_that_cannot_be_read_is_named() {
    let mut world = World::new();
    let mut coins = world.open(small());
    world.grow(Id::GENESIS, 3, 0);
    let id = world.chain.at(2).unwrap();
    world.memory.damage(world.chain.place(id).unwrap());
    let Plan::Step {
        back_to,
        forward,
        target,
    } = coins.plan(&world.chain)
    else {
        panic!("there are blocks");
    };
    let why = coins
        .prepare(back_to, &forward, target, &world.chain.reader(), false)
        .unwrap_err();
    assert!(
        matches!(&why, CoinsError::Block { hash, .. } if *hash == world.chain.entry(id).hash),
        "{why}"
    );
    // Nothing has happened, and what can be read can be taken in.
    assert_eq!(coins.at().height, 0);
    let prepared = coins.prepare(back_to, &forward[..1], target, &world.chain.reader(), false);
    coins.commit(prepared.unwrap()).unwrap();
    assert_eq!(coins.at().height, 1);
    world.check(&coins);
}

/// A plan that was made for another chain.
#[test]
fn a_block_that_does_not_follow_is_refused() {
    let mut world = World::new();
    let coins = world.open(small());
    world.grow(Id::GENESIS, 3, 0);
    let Plan::Step { forward, target, .. } = coins.plan(&world.chain) else {
        panic!("there are blocks");
    };
    for wrong in [&forward[1..], &forward[2..]] {
        let why = coins
            .prepare(0, wrong, target, &world.chain.reader(), false)
            .unwrap_err();
        assert!(matches!(why, CoinsError::Damaged { .. }), "{why}");
    }
}
