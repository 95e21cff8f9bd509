//! Blocks that do not come, that nobody asked for, or that are not what they should be.

use crate::miner::{Miner, bytes, hashes, headers, witness};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::Block;
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::Message;

#[test]
fn what_a_peer_owes_when_it_closes_comes_from_others_at_once() {
    for reset in [false, true] {
        let (_, blocks) = Miner::chain(40);
        let mut world = World::one(settings(1), &[]);
        let mut bad = Raw::ready(&mut world, 0);
        bad.send(&mut world, &Message::Headers(headers(&blocks)));
        bad.pass(&mut world, ms(5));
        assert_eq!(bad.asked(), hashes(&blocks[..16]));
        let mut good = Raw::ready(&mut world, 0);
        good.send(&mut world, &Message::Headers(headers(&blocks)));
        good.pass(&mut world, ms(5));
        assert_eq!(good.asked(), hashes(&blocks[16..32]));
        if reset {
            bad.reset();
        } else {
            drop(bad);
        }
        for block in &blocks[16..32] {
            good.send(&mut world, &Message::Block(&bytes(block)));
        }
        good.pass(&mut world, ms(50));
        assert_eq!(good.asked(), [hashes(&blocks[..16])].concat());
        assert_eq!(world.count(0, Count::hedged), 0);
    }
}

#[test]
fn a_peer_that_has_nothing_after_all_is_not_asked_again_and_again() {
    let (_, blocks) = Miner::chain(40);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    let asked = peer.asked();
    assert_eq!(asked.len(), 16);
    peer.send(&mut world, &Message::NotFound(witness(&asked)));
    peer.pass(&mut world, ms(5));
    assert!(peer.asked().is_empty(), "it has none of them");
    // Another has them.
    let mut other = Raw::ready(&mut world, 0);
    other.send(&mut world, &Message::Headers(headers(&blocks)));
    other.pass(&mut world, ms(5));
    assert_eq!(other.asked(), hashes(&blocks[..16]));
    // What it was not asked for, it need not have.
    peer.send(&mut world, &Message::NotFound(witness(&hashes(&blocks))));
    peer.pass(&mut world, ms(5));
    assert!(!peer.closed && peer.asked().is_empty());
    // It says that it has them now.
    for block in &blocks[..16] {
        other.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    assert!(!peer.asked().is_empty());
}

#[test]
fn blocks_that_nobody_asked_for_are_taken_only_if_they_lead_further() {
    let (mut miner, blocks) = Miner::chain(300);
    let side = miner.extend(blocks[4].block_hash(), 2, 1);
    let mut world = World::one(settings(1), &blocks[..5]);
    let mut peer = Raw::ready(&mut world, 0);
    let refused = [&blocks[4], &blocks[0]];
    for block in refused {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    // No header, or far ahead.
    peer.send(&mut world, &Message::Block(&bytes(&blocks[6])));
    peer.pass(&mut world, ms(5));
    assert_eq!(world.count(0, Count::blocks_unrequested), 3);
    peer.send(&mut world, &Message::Headers(headers(&blocks[5..])));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked().len(), 16);
    peer.send(&mut world, &Message::Block(&bytes(&blocks[299])));
    peer.pass(&mut world, ms(5));
    assert_eq!(world.count(0, Count::blocks_unrequested), 4);
    // The next one is welcome from anybody.
    let mut other = Raw::ready(&mut world, 0);
    other.send(&mut world, &Message::Block(&bytes(&side[0])));
    other.pass(&mut world, ms(5));
    assert_eq!(world.tip(0), side[0].block_hash());
    assert!(!peer.closed && !other.closed);
}

#[test]
fn a_block_that_nobody_asked_for_needs_the_work_of_the_network() {
    let (miner, blocks) = Miner::chain(5);
    let mut world = World::new();
    world.params.minimum_work = miner.work(blocks[4].block_hash());
    world.add(settings(1));
    let mut peer = Raw::ready(&mut world, 0);
    for block in &blocks[..4] {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.pass(&mut world, ms(5));
    assert_eq!((world.height(0), peer.closed), (0, false));
    assert_eq!(world.see(0, |state| state.chain.tree().len()), 1);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    for block in &blocks {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.pass(&mut world, ms(5));
    assert_eq!(world.height(0), 5);
}

#[test]
fn the_good_twin_of_a_mutated_block_is_taken_from_whoever_has_it() {
    for far in [false, true] {
        let (_, blocks) = Miner::chain(400);
        // Near the tip, or so far above it that it is not taken unasked.
        let which = if far { 310 } else { 0 };
        let mut mutated = blocks[which].clone();
        mutated.txdata[0].input[0].witness.clear();
        let mut world = World::one(
            Settings {
                blocks_per_peer: 400,
                ..settings(1)
            },
            &[],
        );
        let mut good = Raw::ready(&mut world, 0);
        good.send(&mut world, &Message::Headers(headers(&blocks)));
        good.pass(&mut world, ms(5));
        assert_eq!(good.asked().len(), 400);
        // Somebody else is quicker, with something worse.
        let mut bad = Raw::ready(&mut world, 0);
        bad.send(&mut world, &Message::Block(&bytes(&mutated)));
        bad.pass(&mut world, ms(5));
        assert_eq!(bad.closed, !far, "it is looked at only if it could be of use");
        for block in &blocks {
            good.send(&mut world, &Message::Block(&bytes(block)));
        }
        good.pass(&mut world, ms(50));
        assert!(!good.closed);
        assert_eq!(world.height(0), 400);
        assert_eq!(world.count(0, Count::blocks_unrequested), u64::from(far));
    }
}

#[test]
fn a_mutated_block_that_was_asked_for_is_asked_of_another() {
    let (_, blocks) = Miner::chain(1);
    let mut world = World::one(settings(1), &[]);
    let mut bad = Raw::ready(&mut world, 0);
    let mut good = Raw::ready(&mut world, 0);
    for peer in [&mut bad, &mut good] {
        peer.send(&mut world, &Message::Headers(headers(&blocks)));
        peer.pass(&mut world, ms(5));
    }
    assert_eq!((bad.asked().len(), good.asked().len()), (1, 0));
    let mut twin = blocks[0].clone();
    // The same merkle root (CVE-2012-2459).
    let coinbase = twin.txdata[0].clone();
    twin.txdata.push(coinbase);
    bad.send(&mut world, &Message::Block(&bytes(&twin)));
    good.pass(&mut world, ms(5));
    bad.hear();
    assert!(bad.closed);
    assert_eq!(good.asked(), hashes(&blocks));
    good.send(&mut world, &Message::Block(&bytes(&blocks[0])));
    good.pass(&mut world, ms(5));
    assert_eq!((world.height(0), good.closed), (1, false));
}

#[test]
fn who_announces_much_and_delivers_nothing_holds_nobody_up_for_long() {
    let (_, blocks) = Miner::chain(300);
    let mut world = World::one(
        Settings {
            window: 64,
            ..settings(1)
        },
        &[],
    );
    let mut bad: Vec<_> = (0..3).map(|_| Raw::ready(&mut world, 0)).collect();
    for peer in &mut bad {
        peer.send(&mut world, &Message::Headers(headers(&blocks)));
        peer.pass(&mut world, ms(5));
        assert_eq!(peer.asked().len(), 16);
    }
    let mut good = Raw::ready(&mut world, 0);
    good.send(&mut world, &Message::Headers(headers(&blocks)));
    let latest = world.network.elapsed() + secs(30);
    let mut sent = 0;
    while world.height(0) < 300 {
        good.pass(&mut world, ms(10));
        for hash in good.asked() {
            let block = blocks.iter().find(|block| block.block_hash() == hash).unwrap();
            good.send(&mut world, &Message::Block(&bytes(block)));
            sent += 1;
        }
        assert!(world.network.elapsed() < latest, "at {}", world.height(0));
    }
    assert_eq!(sent, 300);
    assert!(world.count(0, Count::hedged) <= 16 + 6);
    assert_eq!(world.count(0, Count::stalled), 3);
}

/// Sends what is asked for, as far as it is one of these, until nothing more is.
fn deliver(world: &mut World, peer: &mut Raw, blocks: &[Block]) {
    loop {
        let asked = peer.asked();
        if asked.is_empty() {
            break;
        }
        for block in blocks.iter().filter(|block| asked.contains(&block.block_hash())) {
            peer.send(world, &Message::Block(&bytes(block)));
        }
        peer.pass(world, ms(5));
    }
}

/// Three peers keep the first block back, each of a chain of its own, and send what is behind it. That is bounded for each chain,
/// and is no reason to fetch less of another.
#[test]
fn what_waits_on_some_chains_holds_up_no_other() {
    let mut miner = Miner::new();
    let branches = [1, 2, 3].map(|tag| miner.extend(miner.genesis(), 60, tag));
    let blocks = miner.extend(miner.genesis(), 60, 0);
    let frame = crate::raw::frame("block", &bytes(&blocks[59])).len() as u64;
    let window_bytes = 20 * frame;
    let mut world = World::one(
        Settings {
            window_bytes,
            ..settings(1)
        },
        &[],
    );
    let mut bad = branches.each_ref().map(|_| Raw::ready(&mut world, 0));
    for (peer, branch) in bad.iter_mut().zip(&branches) {
        peer.send(&mut world, &Message::Headers(headers(branch)));
        peer.pass(&mut world, ms(5));
        deliver(&mut world, peer, &branch[1..]);
    }
    let waiting = world.see(0, |state| state.chain.waiting_bytes());
    assert!(waiting > 2 * window_bytes, "{waiting}");
    assert!(waiting <= 3 * (window_bytes + 16 * frame), "{waiting}");

    let mut good = Raw::ready(&mut world, 0);
    good.send(&mut world, &Message::Headers(headers(&blocks)));
    good.pass(&mut world, ms(5));
    assert!(
        good.said
            .contains(&Said::GetData(witness(&hashes(&blocks[..16]))))
    );
    deliver(&mut world, &mut good, &blocks);
    assert_eq!(world.height(0), 60);
    assert_eq!(world.see(0, |state| state.chain.waiting_bytes()), waiting);
}

#[test]
fn a_full_disk_stops_the_download_and_nothing_is_lost() {
    let (_, blocks) = Miner::chain(40);
    let mut world = World::one(settings(1), &[]);
    let size = crate::raw::frame("block", &bytes(&blocks[39])).len() as u64;
    world.disk(0).set_room(Some(10 * size + 400));
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    for block in &blocks[..16] {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.pass(&mut world, ms(5));
    let height = world.height(0);
    assert!((9..=11).contains(&height), "{height}");
    assert!(world.see(0, |state| state.failure()).is_some());
    peer.asked();
    peer.pass(&mut world, secs(1));
    assert!(peer.asked().is_empty() && !peer.closed, "it has done nothing");
    assert_eq!(world.count(0, Count::blocks_refused), 0);
    peer.send(&mut world, &Message::GetData(witness(&hashes(&blocks[..2]))));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.blocks().len(), 2, "what is there is served");
    drop(peer);
    // With room again, it goes on where it was.
    world.kill(0, 1000, settings(1), &[]);
    world.disk(0).set_room(None);
    assert_eq!(world.height(0), height);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked()[0], blocks[height as usize].block_hash());
}

#[test]
fn a_reorganisation_in_the_middle_of_a_download_ends_on_the_best_chain() {
    let (mut miner, blocks) = Miner::chain(200);
    let side = miner.extend(blocks[19].block_hash(), 300, 1);
    let mut world = World::one(settings(1), &blocks);
    let other = world.add(settings(2));
    world.give(other, &blocks[..20]);
    world.give(other, &side);
    let new = world.add(Settings {
        window: 32,
        ..settings(3)
    });
    world.connect(new, 0);
    world.until(secs(10), |world| world.height(new) >= 100);
    world.connect(new, other);
    world.until(secs(10), |world| world.height(new) == 320);
    assert_eq!(world.tip(new), side[299].block_hash());
    let refused = world.count(new, Count::blocks_refused) + world.count(new, Count::blocks_duplicate);
    assert_eq!(refused, 0);
}
