//! How it begins and ends.

use crate::rig::{Asked as _, PATIENCE, Resting, SUBSIDY, World, spend};
use sockman_node::templates::NotReady;
use sockman_p2p::pool::PoolSettings;
use std::fs;
use std::thread;
use std::time::Instant;

#[test]
fn the_threads_end_when_they_are_told_to() {
    let (mut world, coins) = World::rich(1);
    world.send(&spend(&coins, &[SUBSIDY - 1]));
    // It waits for the time at which it may make work again, and then for anything.
    assert_eq!(world.stop(), Vec::<String>::new());
    assert_eq!(world.templates.with(|_, _| ()), Err(NotReady::Stopping));
    assert_eq!(world.handle.with(|state| state.failure()), None);
    // What is there can still be looked at.
    assert_eq!(world.pool().len(), 1);
}

#[test]
fn whoever_waits_for_the_coins_is_told_of_the_end() {
    let resting = Resting::new();
    resting.grow(1);
    let templates = resting.templates.clone();
    let waits = thread::spawn(move || templates.with(|_, _| ()));
    let world = resting.start();
    // Either it came in time, or the end did.
    drop(world);
    let found = waits.join().expect("it does not panic");
    assert!(matches!(found, Ok(()) | Err(NotReady::Stopping)), "{found:?}");
}

#[test]
fn a_block_that_cannot_be_read_ends_the_node() {
    let resting = Resting::new();
    resting.grow(3);
    let place = resting.handle.with(|state| {
        let id = state.chain.at(2).expect("it is there");
        state.chain.place(id).expect("it is stored")
    });
    resting.memory.damage(place);
    let before = resting.memory.pending();
    let world = resting.start();
    let by = Instant::now() + PATIENCE;
    let why = loop {
        if let Some(why) = world.handle.with(|state| state.failure()) {
            break why;
        }
        assert!(Instant::now() < by, "it goes on");
        thread::yield_now();
    };
    assert!(why.contains("cannot be read"), "{why}");
    // It is fetched again, the next time.
    assert_eq!(world.memory.pending(), before + 1);
    let ended = loop {
        match world.templates.with(|_, _| ()) {
            Err(NotReady::Stopping) => break true,
            _ if Instant::now() > by => break false,
            _ => {}
        }
    };
    assert!(ended);
}

#[test]
fn an_index_of_another_chain_is_made_anew_and_that_is_told() {
    // Of one that has the same genesis, and then other blocks.
    let mut other = World::new();
    other.grow(3);
    other.ready();
    other.stop();
    let before = other.dir().join("coins.redb");
    let resting = Resting::with(PoolSettings::default(), |dir| {
        fs::copy(before, dir.join("coins.redb")).expect("it is there");
    });
    assert_eq!(resting.templates.at().height, 3);
    resting.grow(2);
    let mut world = resting.start();
    world.templates.with(|_, _| ()).expect("it is ready in the end");
    assert_eq!(world.templates.at().hash, world.tip());
    let said = world.stop();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("made anew"), "{said:?}");
}
