//! Ends at any moment: what was committed is there, what was not has not happened, and the rest comes again.

use crate::rig::{World, small};
use sockman_p2p::chain::Id;
use sockman_p2p::coins::Coins;
use std::fs;

/// The file as the kernel has it at this moment: what a new process finds when this one is killed now.
fn check_killed(world: &World, height: u32) {
    let copy = world.path().with_extension("killed");
    fs::copy(world.path(), &copy).unwrap();
    let (mut found, remade) = Coins::open(&copy, world.genesis(), small()).unwrap();
    assert_eq!((remade, found.at().height), (None, height));
    world.check(&found);
    world.follow(&mut found);
    world.check(&found);
    drop(found);
    fs::remove_file(copy).unwrap();
}

/// Steps to the end, and before each and in the middle of each everything ends.
fn follow_with_ends(world: &World) -> usize {
    let mut steps = 0;
    loop {
        let coins = world.open(small());
        let height = coins.at().height;
        let Some(prepared) = world.prepare(&coins) else {
            break;
        };
        check_killed(world, height);
        drop(prepared);
        assert_eq!(coins.at().height, height);
        world.check(&coins);
        drop(coins);

        let mut coins = world.open(small());
        assert_eq!(coins.at().height, height);
        let prepared = world.prepare(&coins).unwrap().unwrap();
        let delta = coins.commit(prepared).unwrap();
        check_killed(world, delta.at.height);
        drop(coins);
        let coins = world.open(small());
        assert_eq!(coins.at(), delta.at);
        world.check(&coins);
        steps += 1;
    }
    steps
}

#[test]
fn what_was_committed_is_there_and_the_rest_is_made_up_for() {
    let mut world = World::new();
    let fork = world.grow(Id::GENESIS, 13, 0);
    world.grow(fork, 8, 1);
    assert_eq!(follow_with_ends(&world), 5);
    // Back, and on another branch forward.
    world.grow(fork, 9, 2);
    assert!(follow_with_ends(&world) >= 3);
    let coins = world.open(small());
    assert_eq!(coins.at().height, 22);
    world.check(&coins);
}

/// Steps that need not wait for the disk: all see them, and whoever ends the process before they are there does them again.
#[test]
fn what_is_not_settled_is_made_up_for() {
    let mut world = World::new();
    world.grow(Id::GENESIS, 7, 0);
    let mut coins = world.open(small());
    let mut height = 0;
    while let Some(prepared) = world.prepare(&coins) {
        height = coins.commit_soon(prepared.unwrap()).unwrap().at.height;
        assert!(coins.is_unsettled());
        world.check(&coins);
        check_killed(&world, 0);
    }
    assert_eq!(height, 7);
    coins.settle().unwrap();
    assert!(!coins.is_unsettled());
    check_killed(&world, height);
    // One that is put on the disk takes with it those before.
    let tip = world.tip();
    world.grow(tip, 1, 1);
    let step = |coins: &mut Coins, world: &World, soon: bool| {
        let prepared = world.prepare(coins).expect("there is a block");
        let done = if soon {
            coins.commit_soon(prepared.unwrap())
        } else {
            coins.commit(prepared.unwrap())
        };
        done.unwrap();
    };
    step(&mut coins, &world, true);
    let tip = world.tip();
    world.grow(tip, 1, 2);
    check_killed(&world, 7);
    step(&mut coins, &world, false);
    assert!(!coins.is_unsettled());
    check_killed(&world, 9);
}

#[test]
fn two_at_once_are_refused() {
    let world = World::new();
    let first = world.open(small());
    let why = Coins::open(&world.path(), world.genesis(), small()).unwrap_err();
    assert!(why.to_string().contains("is in use"), "{why}");
    drop(first);
    world.open(small());
}
