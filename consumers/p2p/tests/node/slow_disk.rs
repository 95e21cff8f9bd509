//! A disk that does not keep up: nobody waits for it but those who bring what is to be put there.

use crate::miner::{Miner, bytes, headers};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::Message;

/// Sends a ping, and says whether it is answered within a while.
fn answers(world: &mut World, peer: &mut Raw, nonce: u64) -> bool {
    peer.send(world, &Message::Ping(Some(nonce)));
    peer.pass(world, ms(10));
    peer.said.contains(&Said::Pong(Some(nonce)))
}

fn unstored(world: &World) -> usize {
    world.see(0, |state| state.chain.tree().unstored())
}

#[test]
fn headers_wait_for_the_disk_and_nobody_waits_for_headers() {
    let (_, blocks) = Miner::chain(5_700);
    let mut world = World::one(settings(1), &[]);
    let (mut bystander, mut flood) = (Raw::ready(&mut world, 0), Raw::ready(&mut world, 0));
    world.disk(0).set_slow(Some(100));
    for chunk in blocks.chunks(1_900) {
        flood.send(&mut world, &Message::Headers(headers(chunk)));
        flood.pass(&mut world, ms(5));
        assert!(answers(&mut world, &mut bystander, 1));
        // A message is more than may wait, so the next has to.
        assert_eq!(unstored(&world), 1_900);
    }
    assert!(
        !answers(&mut world, &mut flood, 2),
        "it has to wait with all it says"
    );
    assert!(world.disk(0).pending() <= 100 + 1_900);
    // An hour later nobody is blamed for it.
    flood.pass(&mut world, secs(3_600));
    bystander.pong(&mut world);
    assert!(!flood.closed);
    assert_eq!(unstored(&world), 1_900);
    world.disk(0).set_slow(None);
    flood.pass(&mut world, ms(20));
    assert_eq!(unstored(&world), 5_700);
    assert!(flood.said.contains(&Said::Pong(Some(2))));
}

#[test]
fn blocks_wait_for_the_disk_and_nobody_is_dropped_because_they_do() {
    let (_, blocks) = Miner::chain(64);
    let mut world = World::one(settings(1), &[]);
    let mut peers: Vec<_> = (0..2).map(|_| Raw::ready(&mut world, 0)).collect();
    for peer in &mut peers {
        peer.send(&mut world, &Message::Headers(headers(&blocks)));
        peer.pass(&mut world, ms(5));
    }
    world.disk(0).set_slow(Some(4));
    for round in 0..2 {
        for peer in &mut peers {
            let asked = peer.asked();
            assert_eq!(asked.len(), if round == 0 { 16 } else { 0 });
            for hash in asked {
                let block = blocks.iter().find(|block| block.block_hash() == hash).unwrap();
                peer.send(&mut world, &Message::Block(&bytes(block)));
            }
            peer.pass(&mut world, secs(30));
        }
    }
    assert!(world.height(0) < 8, "{}", world.height(0));
    world.disk(0).set_slow(None);
    for _ in 0..10 {
        for peer in &mut peers {
            peer.pass(&mut world, ms(10));
            for hash in peer.asked() {
                let block = blocks.iter().find(|block| block.block_hash() == hash).unwrap();
                peer.send(&mut world, &Message::Block(&bytes(block)));
            }
        }
    }
    assert_eq!(world.height(0), 64);
    assert_eq!(
        (world.count(0, Count::stalled), world.count(0, Count::hedged)),
        (0, 0)
    );
    assert!(peers.iter().all(|peer| !peer.closed));
}

#[test]
fn a_block_that_is_handed_in_waits_beside_the_loop() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks[..1]);
    let mut bystander = Raw::ready(&mut world, 0);
    world.disk(0).set_slow(Some(0));
    let (handle, block) = (world.handle(0), bytes(&blocks[1]));
    let submits = std::thread::spawn(move || handle.submit(&block).unwrap());
    // It waits as soon as it has found that it must.
    while !world.see(0, |state| state.swamped) {
        std::thread::yield_now();
    }
    assert!(answers(&mut world, &mut bystander, 1));
    assert_eq!(world.height(0), 1);
    world.disk(0).set_slow(None);
    bystander.pass(&mut world, ms(10));
    assert!(submits.join().unwrap().new_tip);
    assert_eq!(world.height(0), 2);
}

#[test]
fn a_long_branch_is_forgotten_by_one_change() {
    let (mut miner, blocks) = Miner::chain(5);
    let mut world = World::one(
        Settings {
            headers: 1_000,
            ..settings(1)
        },
        &blocks,
    );
    let mut spam = Raw::ready(&mut world, 0);
    let branch = miner.extend(blocks[0].block_hash(), 1_000, 1);
    spam.send(&mut world, &Message::Headers(headers(&branch)));
    spam.pass(&mut world, ms(5));
    drop(spam);
    world.pass(ms(5));
    assert_eq!(unstored(&world), 1_000);
    world.disk(0).set_slow(Some(usize::MAX));
    let before = world.disk(0).pending();
    let mut peer = Raw::ready(&mut world, 0);
    let next = miner.extend(blocks[4].block_hash(), 1, 0);
    peer.send(&mut world, &Message::Headers(headers(&next)));
    peer.pass(&mut world, ms(5));
    assert_eq!((unstored(&world), world.disk(0).pending()), (1, before + 2));
}
