//! Nodes that download from each other.

use crate::miner::{Miner, bytes, headers};
use crate::raw::Raw;
use crate::world::{World, ms, secs, settings, stored};
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message};

#[test]
fn a_new_node_gets_the_whole_chain() {
    let (_, blocks) = Miner::chain(2500);
    let mut world = World::one(settings(1), &blocks);
    let new = world.add(settings(2));
    world.connect(new, 0);
    world.until(secs(60), |world| world.height(new) == 2500);
    assert_eq!(world.tip(new), world.tip(0));
    assert_eq!(world.see(new, |state| stored(state)), 2501);
    assert!(world.see(new, |state| state.is_synced()));
    assert_eq!(world.count(new, Count::blocks_duplicate), 0);
    assert_eq!(world.count(new, Count::hedged), 0);
}

#[test]
fn blocks_come_from_all_who_have_them() {
    let (_, blocks) = Miner::chain(600);
    let mut world = World::one(settings(1), &blocks);
    let other = world.add(settings(2));
    world.give(other, &blocks);
    let new = world.add(settings(3));
    world.connect(new, 0);
    world.connect(new, other);
    world.until(secs(60), |world| world.height(new) == 600);
    let served = [0, other].map(|node| world.count(node, Count::blocks_served));
    assert!(served.iter().all(|&count| count > 100), "{served:?}");
    assert!(
        served.iter().sum::<u64>() <= 612,
        "{served:?}: two in a hundred may come twice"
    );
}

#[test]
fn a_node_that_was_dialled_downloads_too() {
    let (_, blocks) = Miner::chain(50);
    let mut world = World::one(settings(1), &blocks);
    let new = world.add(settings(2));
    world.connect(0, new);
    world.until(secs(10), |world| world.height(new) == 50);
}

#[test]
fn new_tips_are_announced_and_fetched_and_passed_on() {
    let (mut miner, blocks) = Miner::chain(10);
    let mut world = World::one(settings(1), &blocks);
    let middle = world.add(settings(2));
    let last = world.add(settings(3));
    world.connect(middle, 0);
    world.connect(last, middle);
    world.until(secs(10), |world| world.height(last) == 10);
    world.pass(secs(1));
    let next = miner.extend(blocks[9].block_hash(), 1, 0);
    world.give(0, &next);
    world.until(secs(1), |world| world.height(last) == 11);
}

#[test]
fn the_chain_with_the_most_work_wins() {
    let (mut miner, blocks) = Miner::chain(20);
    let ours = miner.extend(blocks[9].block_hash(), 5, 1);
    let mut world = World::one(settings(1), &blocks);
    let other = world.add(settings(2));
    world.give(other, &blocks[..10]);
    world.give(other, &ours);
    world.connect(other, 0);
    world.until(secs(10), |world| world.height(other) == 20);
    assert_eq!(world.tip(other), world.tip(0));
    // A longer one on a branch that all had given up.
    let more = miner.extend(ours[4].block_hash(), 7, 1);
    world.give(other, &more);
    world.until(secs(10), |world| world.height(0) == 22);
    assert_eq!(world.tip(other), world.tip(0));
    let tips = world.handle(0).tips();
    let told: Vec<_> = tips
        .iter()
        .map(|tip| (tip.branch_length, tip.status.name()))
        .collect();
    assert_eq!(told, [(0, "active"), (10, "valid-fork")]);
}

#[test]
fn of_two_chains_with_the_same_work_the_first_stays() {
    let (mut miner, blocks) = Miner::chain(5);
    let twin = miner.extend(blocks[3].block_hash(), 1, 1);
    let mut world = World::one(settings(1), &blocks);
    let tip = world.tip(0);
    world.give(0, &twin);
    assert_eq!(world.tip(0), tip);
    // After a restart too, whatever of it the index knows.
    for committed in [0, 1, 1000] {
        world.kill(0, committed, settings(1), &[]);
        assert_eq!(world.tip(0), tip);
    }
}

#[test]
fn what_was_stored_is_there_again_and_is_not_downloaded_again() {
    let (_, blocks) = Miner::chain(700);
    let mut world = World::one(settings(1), &blocks);
    let new = world.add(settings(2));
    world.connect(new, 0);
    world.until(secs(60), |world| world.height(new) >= 250);
    let served = world.count(0, Count::blocks_served);
    let had = world.see(new, |state| stored(state));
    world.kill(new, 100, settings(2), &[]);
    assert!(world.see(new, |state| stored(state)) >= had);
    world.connect(new, 0);
    world.until(secs(60), |world| world.height(new) == 700);
    let again = world.count(0, Count::blocks_served) - served;
    // What was on its way when the process was killed.
    assert!(
        again as usize + had <= 701 + 32,
        "{again} were served again, {had} were there"
    );
    world.kill(new, 0, settings(2), &[]);
    assert_eq!(world.height(new), 700, "a restart without peers keeps the tip");
}

#[test]
fn an_announcement_by_hash_leads_to_a_fetch() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(Vec::new()));
    peer.said.clear();
    peer.send(
        &mut world,
        &Message::Inv(vec![Inventory::Block(blocks[2].block_hash())]),
    );
    peer.pass(&mut world, ms(5));
    assert!(
        peer.said
            .iter()
            .any(|said| matches!(said, crate::raw::Said::GetHeaders(_)))
    );
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    let hashes: Vec<_> = blocks.iter().map(bitcoin::Block::block_hash).collect();
    assert_eq!(peer.asked(), hashes);
    // In whatever order they come.
    for block in blocks.iter().rev() {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.pass(&mut world, ms(5));
    assert_eq!(world.height(0), 3);
}

#[test]
fn a_peer_without_the_network_service_is_served_and_not_asked() {
    let (mut miner, blocks) = Miner::chain(3);
    let more = miner.extend(blocks[2].block_hash(), 1, 0);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::dial(&mut world, 0);
    let client = sockman_p2p::wire::VersionMessage {
        services: sockman_p2p::wire::ServiceFlags::NONE,
        ..crate::raw::version()
    };
    peer.shake(&mut world, client);
    peer.send(&mut world, &Message::Headers(headers(&more)));
    peer.send(
        &mut world,
        &Message::GetData(vec![Inventory::WitnessBlock(blocks[0].block_hash())]),
    );
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.blocks(), [bytes(&blocks[0])]);
    assert!(peer.asked().is_empty());
    assert!(
        !peer
            .said
            .iter()
            .any(|said| matches!(said, crate::raw::Said::GetHeaders(_)))
    );
}

#[test]
fn headers_of_a_long_chain_are_told_once() {
    let (_, blocks) = Miner::chain(4100);
    let mut world = World::one(settings(1), &blocks);
    let others: Vec<_> = (2..6)
        .map(|number| {
            let node = world.add(settings(number));
            world.give(node, &blocks);
            node
        })
        .collect();
    let new = world.add(settings(9));
    world.connect(new, 0);
    for &other in &others {
        world.connect(new, other);
    }
    world.until(secs(60), |world| world.height(new) == 4100);
    let told = world.count(new, Count::headers);
    // The first 2,000 come from all of them: they were asked at the same time.
    assert!(told < 5 * 2000 + 2 * 2100 + 100, "{told}");
    assert!(world.see(new, |state| {
        state.peers.iter().all(|(_, peer)| peer.headers.is_complete())
    }));
}
