//! Blocks come, and go again.

use crate::rig::{World, anyone, coinbase, small, spend};
use bitcoin::OutPoint;
use sockman_p2p::chain::Id;
use sockman_p2p::coins::{CoinsError, CoinsOptions, Mined, Plan};

#[test]
fn there_is_nothing_to_do_at_genesis() {
    let world = World::new();
    let coins = world.open(CoinsOptions::default());
    assert_eq!((coins.at().height, coins.at().hash), (0, world.genesis()));
    assert_eq!(coins.plan(&world.chain), Plan::Nothing);
    world.check(&coins);
}

#[test]
fn what_blocks_make_is_there_and_what_they_spend_is_not() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let first = world.block(Id::GENESIS, anyone(), Vec::new());
    world.follow(&mut coins);
    let coin = coins.view().unwrap().coin(&coinbase(&first)).unwrap().unwrap();
    assert_eq!((coin.value, coin.height, coin.coinbase), (5_000_000_000, 1, true));

    let tx = spend(&[coinbase(&first)], &[1_000, 2_000]);
    let made = OutPoint::new(tx.compute_txid(), 1);
    let before = coins.view().unwrap();
    world.block(world.tip(), anyone(), vec![tx]);
    world.follow(&mut coins);
    let view = coins.view().unwrap();
    assert_eq!(view.coin(&coinbase(&first)).unwrap(), None);
    let coin = view.coin(&made).unwrap().unwrap();
    assert_eq!((coin.value, coin.height, coin.coinbase), (2_000, 2, false));
    // Who looked before sees what was there before.
    assert_eq!(before.coin(&made).unwrap(), None);
    assert!(before.coin(&coinbase(&first)).unwrap().is_some());
    assert_eq!((before.at().height, view.at().height), (1, 2));
    world.check(&coins);
    assert_eq!(coins.missing(), 0);
}

#[test]
fn what_is_spent_in_the_block_that_made_it_never_shows() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let first = world.block(Id::GENESIS, anyone(), Vec::new());
    let one = spend(&[coinbase(&first)], &[10, 20]);
    let two = spend(&[OutPoint::new(one.compute_txid(), 0)], &[9]);
    let (kept, spent) = (
        OutPoint::new(two.compute_txid(), 0),
        OutPoint::new(one.compute_txid(), 0),
    );
    let fork = world.tip();
    world.block(fork, anyone(), vec![one, two]);
    world.follow(&mut coins);
    let view = coins.view().unwrap();
    assert!(view.coin(&kept).unwrap().is_some() && view.coin(&spent).unwrap().is_none());
    world.check(&coins);
    // And the block can be taken back.
    world.grow(fork, 2, 7);
    world.follow(&mut coins);
    world.check(&coins);
    assert!(coins.view().unwrap().coin(&coinbase(&first)).unwrap().is_some());
}

#[test]
fn mined_transactions_are_told() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let first = world.block(Id::GENESIS, anyone(), Vec::new());
    let tx = spend(&[coinbase(&first)], &[1]);
    let mined = Mined {
        txid: tx.compute_txid(),
        spends: vec![coinbase(&first)],
    };
    world.follow(&mut coins);
    world.block(world.tip(), anyone(), vec![tx]);
    let delta = world.step(&mut coins).unwrap();
    assert_eq!((delta.back, delta.mined), (0, vec![mined]));
}

#[test]
fn another_branch_is_followed() {
    for depth in [1, 2, 3, 19, 20] {
        let mut world = World::new();
        let mut coins = world.open(small());
        let fork = world.grow(Id::GENESIS, 4, 0);
        world.grow(fork, depth, 1);
        world.follow(&mut coins);
        world.check(&coins);
        world.grow(fork, depth + 1, 2);
        let back = std::iter::from_fn(|| world.step(&mut coins).map(|delta| delta.back));
        assert_eq!(back.sum::<u32>(), depth);
        world.check(&coins);
        // And back again.
        world.grow(
            world.chain.tree().find(&world.chain.entry(fork).hash).unwrap(),
            depth + 2,
            3,
        );
        world.follow(&mut coins);
        world.check(&coins);
    }
}

#[test]
fn what_goes_deeper_than_is_kept_is_begun_anew() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let fork = world.grow(Id::GENESIS, 4, 0);
    world.grow(fork, 21, 1);
    world.follow(&mut coins);
    world.grow(fork, 22, 2);
    assert_eq!(coins.plan(&world.chain), Plan::Remake);
    world.follow(&mut coins);
    world.check(&coins);
}

/// What takes blocks back is kept only as far as it may be needed: it was not when these came.
#[test]
fn what_was_not_kept_cannot_be_taken_back() {
    let mut world = World::new();
    let options = CoinsOptions {
        undo: 20,
        step_blocks: 30,
        ..small()
    };
    let mut coins = world.open(options.clone());
    let fork = world.grow(Id::GENESIS, 10, 0);
    world.grow(fork, 30, 1);
    assert_eq!(world.follow(&mut coins), 2);
    drop(coins);
    // With other limits more would be.
    let mut coins = world.open(CoinsOptions { undo: 100, ..options });
    world.grow(fork, 31, 2);
    assert!(matches!(coins.plan(&world.chain), Plan::Step { back_to: 10, .. }));
    world.follow(&mut coins);
    world.check(&coins);
}

#[test]
fn lost_blocks_are_told() {
    let mut world = World::new();
    let mut coins = world.open(small());
    let fork = world.grow(Id::GENESIS, 3, 0);
    world.grow(fork, 2, 1);
    world.follow(&mut coins);
    assert_eq!(coins.lost(&world.chain), []);
    let lost: Vec<_> = (4..=5)
        .map(|height| world.chain.entry(world.chain.at(height).unwrap()).hash)
        .collect();
    world.grow(fork, 3, 2);
    let told = coins.lost(&world.chain);
    assert_eq!(told.iter().map(|ahead| ahead.at.hash).collect::<Vec<_>>(), lost);
    assert_eq!(
        told.iter().map(|ahead| ahead.at.height).collect::<Vec<_>>(),
        [4, 5]
    );
}

#[test]
fn steps_are_no_longer_than_they_may_be() {
    let limits = [
        CoinsOptions {
            step_blocks: 2,
            ..CoinsOptions::default()
        },
        CoinsOptions {
            step_bytes: 300,
            ..CoinsOptions::default()
        },
        CoinsOptions {
            step_coins: 2,
            ..CoinsOptions::default()
        },
    ];
    for options in limits {
        let mut world = World::new();
        let mut coins = world.open(options.clone());
        let fork = world.grow(Id::GENESIS, 12, 0);
        assert_eq!(world.follow(&mut coins), 6, "{options:?}");
        world.check(&coins);
        // Nor are those that go back: of these there are no bytes to be read.
        world.grow(world.chain.entry(fork).parent, 1, 9);
        world.grow(Id::GENESIS, 13, 1);
        let steps = world.follow(&mut coins);
        assert!(steps >= 7, "{steps}: {options:?}");
        world.check(&coins);
    }
}

/// After a power failure blocks may be gone that the index has: it goes back to the last that is there, without them.
#[test]
fn blocks_that_are_gone_are_taken_back() {
    for gone in [1, 2, 19, 20] {
        let mut world = World::new();
        let mut coins = world.open(small());
        world.grow(Id::GENESIS, 25, 0);
        world.follow(&mut coins);
        drop(coins);
        world.forget();
        let last = world.grow(Id::GENESIS, 25 - gone, 0);
        let mut coins = world.open(small());
        assert_eq!(coins.at().height, 25);
        for above in (25 - gone..25).rev() {
            let delta = world.step(&mut coins).unwrap();
            assert_eq!((delta.back, delta.at.height), (1, above));
        }
        assert_eq!(coins.plan(&world.chain), Plan::Nothing);
        world.check(&coins);
        // The same ones come again, and another.
        world.grow(last, gone + 1, 0);
        world.follow(&mut coins);
        world.check(&coins);
    }
}

/// Others have come in their place before the index was opened again.
#[test]
fn blocks_that_are_gone_give_way_to_others() {
    let mut world = World::new();
    let mut coins = world.open(small());
    world.grow(Id::GENESIS, 25, 0);
    world.follow(&mut coins);
    world.forget();
    let fork = world.grow(Id::GENESIS, 20, 0);
    world.grow(fork, 9, 1);
    let steps = std::iter::from_fn(|| world.step(&mut coins));
    assert!(steps.take(5).all(|delta| delta.back == 1));
    assert_eq!(coins.at().height, 20);
    world.follow(&mut coins);
    world.check(&coins);
}

/// What takes back more of them is not kept.
#[test]
fn an_index_of_too_many_blocks_that_nobody_knows_is_begun_anew() {
    for (count, is_anew) in [(20, false), (21, true)] {
        let mut world = World::new();
        let mut coins = world.open(small());
        world.grow(Id::GENESIS, count, 1);
        world.follow(&mut coins);
        world.forget();
        world.grow(Id::GENESIS, 30, 2);
        for above in (count - 20..count).rev() {
            world.step(&mut coins).unwrap();
            assert_eq!(coins.at().height, above);
        }
        let next = world.prepare(&coins).expect("there are blocks");
        assert_eq!(
            matches!(next, Err(CoinsError::TooDeep { height: 1, .. })),
            is_anew
        );
        drop(next);
        world.follow(&mut coins);
        world.check(&coins);
    }
}
