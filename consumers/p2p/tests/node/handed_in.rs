//! Blocks that are handed in on another thread.

use crate::miner::{Miner, hashes, headers};
use crate::raw::Raw;
use crate::world::{World, ms, settings};
use sockman_p2p::Settings;
use sockman_p2p::wire::Message;

#[test]
fn who_loses_its_place_for_the_header_of_one_is_hung_up_on_at_once() {
    let (mut miner, blocks) = Miner::chain(5);
    let few = Settings {
        headers: 50,
        ..settings(1)
    };
    let mut world = World::one(few, &blocks);
    let mut greedy = Raw::ready(&mut world, 0);
    let long = miner.extend(blocks[4].block_hash(), 50, 1);
    greedy.send(&mut world, &Message::Headers(headers(&long)));
    greedy.pass(&mut world, ms(5));
    assert!(!greedy.closed);
    // It does not become the tip, so that nothing else wakes the loop.
    world.give(0, &miner.extend(blocks[3].block_hash(), 1, 2));
    greedy.pass(&mut world, ms(5));
    assert!(greedy.closed);
}

#[test]
fn what_is_handed_in_is_not_waited_for_and_others_are_asked_for() {
    let (_, blocks) = Miner::chain(12);
    let few = Settings {
        blocks_per_peer: 2,
        ..settings(1)
    };
    let mut world = World::one(few, &[]);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked(), hashes(&blocks[..2]));
    // Neither the tip nor the first that is missing.
    world.give(0, &blocks[1..2]);
    assert_eq!(world.see(0, |state| state.download.in_flight()), 1);
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked(), hashes(&blocks[2..3]));
    world.give(0, &blocks[..1]);
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked(), hashes(&blocks[3..4]));
    assert_eq!(world.see(0, |state| state.download.in_flight()), 2);
}

#[test]
fn who_is_held_up_by_what_is_handed_in_is_asked_when_it_is_there() {
    let (_, blocks) = Miner::chain(12);
    let narrow = Settings {
        window: 4,
        ..settings(1)
    };
    let mut world = World::one(narrow, &[]);
    let mut owes = Raw::ready(&mut world, 0);
    owes.send(&mut world, &Message::Headers(headers(&blocks)));
    owes.pass(&mut world, ms(5));
    assert_eq!(owes.asked(), hashes(&blocks[..4]));
    let mut idle = Raw::ready(&mut world, 0);
    idle.send(&mut world, &Message::Headers(headers(&blocks)));
    idle.pass(&mut world, ms(5));
    assert!(idle.asked().is_empty());
    world.give(0, &blocks[..2]);
    idle.pass(&mut world, ms(5));
    owes.hear();
    let mut asked = [owes.asked(), idle.asked()].concat();
    asked.sort_unstable();
    let mut next = hashes(&blocks[4..6]);
    next.sort_unstable();
    assert_eq!(asked, next);
}
