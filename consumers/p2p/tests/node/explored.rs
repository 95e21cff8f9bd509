//! What the explorer found: one test for each.

use crate::miner::{Miner, bytes, headers};
use crate::raw::{Raw, Said, version};
use crate::world::{World, ms, secs, settings};
use bitcoin::Block;
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Message, ServiceFlags, VersionMessage};

/// A node without blocks, and a peer that was asked for these.
fn asked(blocks: &[Block]) -> (World, Raw) {
    let mut world = World::one(settings(1), &[]);
    let mut honest = Raw::ready(&mut world, 0);
    honest.send(&mut world, &Message::Headers(headers(blocks)));
    honest.pass(&mut world, ms(5));
    assert_eq!(honest.asked().len(), blocks.len());
    (world, honest)
}

/// The block with a byte more: not what the header is for, which is seen at once.
fn twin(block: &Block) -> Vec<u8> {
    let mut twin = bytes(block);
    twin.push(0);
    twin
}

#[test]
fn what_nobody_was_asked_for_does_not_end_the_wait_for_a_block() {
    let (_, blocks) = Miner::chain(3);
    let (mut world, mut honest) = asked(&blocks);
    let mut other = Raw::ready(&mut world, 0);
    other.send(&mut world, &Message::Block(&twin(&blocks[2])));
    other.pass(&mut world, ms(5));
    assert!(other.closed);
    for block in &blocks {
        honest.send(&mut world, &Message::Block(&bytes(block)));
    }
    honest.pass(&mut world, ms(5));
    assert_eq!(world.height(0), 3);
    assert!(
        honest.asked().is_empty(),
        "what was asked for once is asked for again"
    );
    assert_eq!(world.count(0, Count::blocks_unrequested), 0);
}

#[test]
fn a_block_that_is_no_good_makes_nobody_slow_who_was_asked_before() {
    let (_, blocks) = Miner::chain(1);
    let (mut world, mut honest) = asked(&blocks);
    let mut other = Raw::ready(&mut world, 0);
    other.send(&mut world, &Message::Headers(headers(&blocks)));
    other.pass(&mut world, secs(6));
    assert_eq!(
        other.asked().len(),
        1,
        "the first is late, so another is asked too"
    );
    other.send(&mut world, &Message::Block(&twin(&blocks[0])));
    other.pass(&mut world, ms(5));
    assert!(other.closed);
    honest.hear();
    assert!(!honest.closed, "it may still be about to send it");
    honest.send(&mut world, &Message::Block(&bytes(&blocks[0])));
    honest.pass(&mut world, ms(5));
    assert_eq!((world.height(0), world.count(0, Count::stalled)), (1, 0));
}

#[test]
fn what_headers_build_on_is_not_forgotten_to_make_room_for_them() {
    let (_, blocks) = Miner::chain(11);
    let few = Settings {
        headers: 10,
        ..settings(1)
    };
    let mut world = World::one(few, &[]);
    let mut gone = Raw::ready(&mut world, 0);
    gone.send(&mut world, &Message::Headers(headers(&blocks[..10])));
    gone.pass(&mut world, ms(5));
    drop(gone);
    world.pass(ms(5));
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks[10..])));
    peer.pass(&mut world, ms(5));
    assert!(peer.closed, "there is no room for it");
    assert_eq!(world.count(0, Count::misbehaving), 0, "but it did nothing wrong");
}

/// While the other chain has less work, the active one does not change, and yet the window must move on.
#[test]
fn a_branch_that_is_longer_than_the_window_is_followed() {
    let (mut miner, blocks) = Miner::chain(20);
    let ours = miner.extend(blocks[1].block_hash(), 12, 1);
    let mut world = World::one(settings(1), &blocks);
    let few = Settings {
        window: 4,
        blocks_per_peer: 2,
        ..settings(2)
    };
    let other = world.add(few);
    world.give(other, &blocks[..2]);
    world.give(other, &ours);
    world.connect(other, 0);
    world.until(secs(10), |world| world.height(other) == 20);
    assert_eq!(world.count(other, Count::blocks), 18);
}

/// Who has less than the best header that somebody has told says nothing when it is asked for what comes after that. It has blocks
/// that are wanted all the same.
#[test]
fn a_peer_that_has_less_than_others_have_told_is_asked_for_what_it_has() {
    let (_, blocks) = Miner::chain(5);
    let (mut world, liar) = asked(&blocks);
    drop(liar);
    world.pass(ms(5));
    let mut honest = Raw::ready(&mut world, 0);
    honest.send(&mut world, &Message::Headers(Vec::new()));
    honest.pass(&mut world, ms(5));
    let locators = honest.take(|said| match said {
        Said::GetHeaders(locator) => Some(locator.clone()),
        _ => None,
    });
    assert_eq!(locators.len(), 2);
    assert_eq!(locators[0][0], blocks[3].block_hash());
    assert_eq!(locators[1].len(), 1, "the second begins where our blocks end");
    honest.send(&mut world, &Message::Headers(headers(&blocks[..3])));
    honest.pass(&mut world, ms(5));
    assert_eq!(honest.asked().len(), 3);
    // At the end of our own chain, nothing is an answer.
    for block in &blocks[..3] {
        honest.send(&mut world, &Message::Block(&bytes(block)));
    }
    honest.send(&mut world, &Message::Headers(Vec::new()));
    honest.pass(&mut world, ms(5));
    assert!(!honest.said.iter().any(|said| matches!(said, Said::GetHeaders(_))));
    assert_eq!(world.height(0), 3);
}

/// Somebody who has been told a hash asks for the header, which takes its time: until then, headers that build on it connect to
/// nothing, and too many of those are a crime.
#[test]
fn what_was_announced_by_its_hash_is_not_taken_for_known() {
    let (_, blocks) = Miner::chain(4);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::SendHeaders);
    for block in &blocks[..3] {
        world.give(0, std::slice::from_ref(block));
        peer.pass(&mut world, ms(200));
    }
    assert_eq!((peer.invs().len(), peer.headers().len()), (3, 0));
    let locator = vec![blocks[0].block_hash()];
    let stop = bitcoin::hashes::Hash::all_zeros();
    peer.send(&mut world, &Message::GetHeaders { locator, stop });
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.headers(), [headers(&blocks[1..3])]);
    world.give(0, &blocks[3..]);
    peer.pass(&mut world, ms(200));
    assert_eq!(peer.headers(), [headers(&blocks[3..])], "now it is");
}

/// What it was asked for has come from somebody else, who is not asked for anything.
#[test]
fn who_need_not_send_a_block_any_more_is_asked_for_the_next() {
    let (_, blocks) = Miner::chain(4);
    let few = Settings {
        blocks_per_peer: 2,
        ..settings(1)
    };
    let mut world = World::one(few, &[]);
    let mut honest = Raw::ready(&mut world, 0);
    honest.send(&mut world, &Message::Headers(headers(&blocks)));
    honest.pass(&mut world, ms(5));
    let hashes: Vec<_> = blocks.iter().map(Block::block_hash).collect();
    assert_eq!(honest.asked(), hashes[..2]);
    let mut other = Raw::dial(&mut world, 0);
    let client = VersionMessage {
        services: ServiceFlags::NONE,
        ..version()
    };
    other.shake(&mut world, client);
    for block in &blocks[..2] {
        other.send(&mut world, &Message::Block(&bytes(block)));
    }
    other.pass(&mut world, ms(5));
    assert_eq!(world.height(0), 2);
    honest.hear();
    assert_eq!(honest.asked(), hashes[2..]);
}

/// Whatever the index knows: what it does not is taken in the order in which it was stored.
#[test]
fn of_two_chains_with_the_same_work_the_one_that_was_complete_first_is_active_after_a_restart() {
    let (mut miner, ours) = Miner::chain(2);
    let theirs = miner.extend(miner.genesis(), 2, 1);
    for committed in 0..10 {
        let (mut world, mut peer) = asked(&ours);
        peer.send(&mut world, &Message::Block(&bytes(&ours[1])));
        peer.pass(&mut world, ms(5));
        world.give(0, &theirs);
        peer.send(&mut world, &Message::Block(&bytes(&ours[0])));
        peer.pass(&mut world, ms(5));
        assert_eq!(world.tip(0), theirs[1].block_hash());
        world.kill(0, committed, settings(1), &[]);
        assert_eq!(world.tip(0), theirs[1].block_hash(), "{committed}");
    }
}
