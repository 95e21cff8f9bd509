//! Peers that tell headers: many, wrong, again and again, or not when they should.

use crate::miner::{Miner, bytes, headers};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::{Block, BlockHash};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message};

fn unstored(world: &World) -> usize {
    world.see(0, |state| state.chain.tree().unstored())
}

fn asked_for_headers(peer: &mut Raw) -> Vec<Vec<BlockHash>> {
    peer.take(|said| match said {
        Said::GetHeaders(locator) => Some(locator.clone()),
        _ => None,
    })
}

fn tell(world: &mut World, peer: &mut Raw, blocks: &[Block]) {
    peer.send(world, &Message::Headers(headers(blocks)));
    peer.pass(world, ms(5));
}

/// That many headers at once.
fn roomy(number: u8, headers: usize) -> Settings {
    Settings {
        headers,
        ..settings(number)
    }
}

#[test]
fn spam_of_headers_is_forgotten_and_honest_peers_stay() {
    let (mut miner, blocks) = Miner::chain(20);
    let mut world = World::one(roomy(1, 100), &blocks[..5]);
    let mut good = Raw::ready(&mut world, 0);
    tell(&mut world, &mut good, &blocks);
    let mut bad = Raw::ready(&mut world, 0);
    // Branch after branch, each of which it gives up for a better one.
    for tag in 1..30 {
        let branch = miner.extend(blocks[4].block_hash(), 10 + u32::from(tag) / 3, tag);
        tell(&mut world, &mut bad, &branch);
        assert!(unstored(&world) <= 100);
    }
    assert!(!good.closed && !bad.closed);
    // One by one, when there is hardly any room.
    let long = miner.extend(blocks[4].block_hash(), 70, 31);
    tell(&mut world, &mut bad, &long);
    for tag in 32..120 {
        let one = miner.extend(long[60].block_hash(), 1, tag);
        tell(&mut world, &mut bad, &one);
        assert!(unstored(&world) <= 100);
    }
    assert!(!good.closed);
    // What the good one has told has not been forgotten.
    for block in &blocks[5..] {
        good.send(&mut world, &Message::Block(&bytes(block)));
    }
    good.pass(&mut world, ms(20));
    assert_eq!(world.height(0), 20);
}

#[test]
fn whoever_has_the_longest_chain_makes_room_for_the_others() {
    let (mut miner, blocks) = Miner::chain(20);
    let mut world = World::one(roomy(1, 100), &blocks[..5]);
    let mut bad = Raw::ready(&mut world, 0);
    let long = miner.extend(blocks[4].block_hash(), 100, 1);
    tell(&mut world, &mut bad, &long);
    assert_eq!(unstored(&world), 100);
    let mut good = Raw::ready(&mut world, 0);
    tell(&mut world, &mut good, &blocks);
    bad.hear();
    assert!(bad.closed && !good.closed);
    assert_eq!(good.asked().len(), 15);
    let mut worse = Raw::ready(&mut world, 0);
    let longer = miner.extend(blocks[4].block_hash(), 120, 2);
    tell(&mut world, &mut worse, &longer);
    assert!(worse.closed && !good.closed, "more than there may be");
    assert!(world.see(0, |state| state.discouraged.is_empty()));
}

#[test]
fn there_is_always_room_for_a_block_that_is_handed_in_and_for_one_that_is_sent() {
    for submitted in [true, false] {
        let (mut miner, blocks) = Miner::chain(6);
        let mut world = World::one(roomy(1, 50), &blocks[..5]);
        let mut bad = Raw::ready(&mut world, 0);
        let long = miner.extend(blocks[4].block_hash(), 50, 1);
        tell(&mut world, &mut bad, &long);
        assert_eq!(unstored(&world), 50);
        let mut other = Raw::ready(&mut world, 0);
        if submitted {
            world.give(0, &blocks[5..]);
        } else {
            other.send(&mut world, &Message::Block(&bytes(&blocks[5])));
        }
        other.pass(&mut world, ms(5));
        bad.hear();
        assert_eq!(world.height(0), 6);
        assert!(bad.closed && !other.closed);
    }
}

#[test]
fn what_headers_are_built_on_is_not_forgotten_to_make_room_for_them() {
    let (mut miner, blocks) = Miner::chain(5);
    let mut world = World::one(roomy(1, 40), &blocks);
    // Branches of which nobody says any more that he has them.
    let mut gone = Raw::ready(&mut world, 0);
    let side = miner.extend(blocks[4].block_hash(), 39, 1);
    tell(&mut world, &mut gone, &side);
    drop(gone);
    let mut peer = Raw::ready(&mut world, 0);
    let on = miner.extend(side[3].block_hash(), 5, 2);
    tell(&mut world, &mut peer, &on);
    assert!(!peer.closed);
    assert_eq!(world.count(0, Count::misbehaving), 0);
    let best = on[4].block_hash();
    assert!(world.see(0, |state| state.chain.tree().find(&best).is_some()));
}

#[test]
fn a_long_branch_that_leaves_ours_far_down_is_found() {
    let (mut miner, blocks) = Miner::chain(4100);
    let branch = miner.extend(blocks[2019].block_hash(), 2100, 1);
    let mut world = World::one(settings(1), &blocks);
    let other = world.add(settings(2));
    world.give(other, &blocks[..2020]);
    world.give(other, &branch);
    world.connect(0, other);
    world.until(secs(30), |world| world.height(0) == 4120);
    assert!(
        world.count(0, Count::headers) < 3 * 4120,
        "nothing is told again and again"
    );
}

#[test]
fn headers_that_connect_to_nothing_are_asked_about_ten_times() {
    let (_, blocks) = Miner::chain(10);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    asked_for_headers(&mut peer);
    for round in 0..10 {
        tell(&mut world, &mut peer, &blocks[9..]);
        assert_eq!(asked_for_headers(&mut peer).len(), 1, "{round}");
    }
    // One that connects begins the count anew.
    tell(&mut world, &mut peer, &blocks[..1]);
    for _ in 0..10 {
        tell(&mut world, &mut peer, &blocks[9..]);
    }
    assert!(!peer.closed);
    tell(&mut world, &mut peer, &blocks[9..]);
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::misbehaving), 1);
}

#[test]
fn headers_that_do_not_follow_one_another_cost_the_connection() {
    let (_, blocks) = Miner::chain(10);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    tell(&mut world, &mut peer, &[blocks[0].clone(), blocks[2].clone()]);
    assert!(peer.closed);
    assert_eq!(unstored(&world), 0);
}

#[test]
fn a_header_of_the_future_is_not_taken_and_no_crime() {
    let (mut miner, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    // The simulation begins 40 days after genesis.
    miner.step = 6 * 3600;
    let ahead = miner.extend(blocks[2].block_hash(), 200, 0);
    tell(&mut world, &mut peer, &ahead);
    assert!(!peer.closed && world.count(0, Count::headers_refused) == 1);
    let known = unstored(&world);
    assert!((155..165).contains(&known), "{known}: 40 days and two hours");
    // Some hours later one more is not.
    world.pass(secs(6 * 3600));
    let mut peer = Raw::ready(&mut world, 0);
    tell(&mut world, &mut peer, &ahead[known..]);
    assert!(!peer.closed);
    assert_eq!(unstored(&world), known + 1);
}

#[test]
fn who_dialled_us_and_does_not_answer_is_asked_again() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    assert_eq!(asked_for_headers(&mut peer).len(), 1);
    let news = Message::Inv(vec![Inventory::Block(blocks[2].block_hash())]);
    peer.send(&mut world, &news);
    peer.pass(&mut world, secs(119));
    assert!(
        asked_for_headers(&mut peer).is_empty(),
        "its answer may be on the way"
    );
    peer.pass(&mut world, secs(2));
    peer.pong(&mut world);
    peer.send(&mut world, &news);
    peer.pass(&mut world, ms(5));
    assert_eq!(asked_for_headers(&mut peer).len(), 1);
}

#[test]
fn the_same_headers_for_ever_are_of_no_use_and_hold_nobody_up() {
    let (_, blocks) = Miner::chain(2500);
    let mut world = World::one(settings(1), &[]);
    let mut bad = Raw::ready(&mut world, 0);
    for _ in 0..100 {
        tell(&mut world, &mut bad, &blocks[..2000]);
    }
    assert_eq!(unstored(&world), 2000);
    let mut good = Raw::ready(&mut world, 0);
    tell(&mut world, &mut good, &blocks[..2000]);
    for _ in 0..10 {
        tell(&mut world, &mut bad, &blocks[..2000]);
        bad.pass(&mut world, ms(500));
        good.hear();
    }
    let asked = asked_for_headers(&mut good);
    let from = Some(blocks[1998].block_hash());
    assert!(
        asked.iter().any(|locator| locator.first().copied() == from),
        "it is asked for what comes then"
    );
    tell(&mut world, &mut good, &blocks[2000..]);
    assert_eq!(unstored(&world), 2500);
}

#[test]
fn headers_of_an_invalid_block_are_refused_with_all_that_follow() {
    let (mut miner, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let mut bad = miner.block(miner.id(blocks[2].block_hash()), 1);
    bad.txdata[0].output[0].value += bitcoin::Amount::ONE_BTC;
    bad.txdata[0].input[0].script_sig = bitcoin::ScriptBuf::new();
    bad.header.merkle_root = bad.compute_merkle_root().unwrap();
    crate::miner::remine(&mut bad.header);
    let children = miner.adopt(&bad, 5);
    let mut peer = Raw::ready(&mut world, 0);
    tell(&mut world, &mut peer, &[bad.clone()]);
    tell(&mut world, &mut peer, &children);
    assert_eq!(peer.asked().len(), 6);
    // The children first: they are stored, and wait.
    for block in &children {
        peer.send(&mut world, &Message::Block(&bytes(block)));
    }
    peer.pass(&mut world, ms(5));
    assert!(world.see(0, |state| state.chain.waiting_bytes()) > 0);
    peer.send(&mut world, &Message::Block(&bytes(&bad)));
    peer.pass(&mut world, ms(5));
    assert!(peer.closed);
    assert_eq!(world.tip(0), blocks[2].block_hash());
    assert_eq!(
        world.see(0, |state| state.chain.waiting_bytes()),
        0,
        "nobody waits for them any more"
    );
    let tips = world.handle(0).tips();
    assert_eq!(
        tips.iter().map(|tip| tip.status.name()).collect::<Vec<_>>(),
        ["invalid", "active"]
    );
    for told in [
        vec![bad.clone()],
        children.clone(),
        miner.extend(children[4].block_hash(), 1, 9),
    ] {
        let mut peer = Raw::ready(&mut world, 0);
        tell(&mut world, &mut peer, &told);
        assert!(peer.closed && peer.asked().is_empty());
    }
    // Also after a restart.
    for committed in [0, 1000] {
        world.kill(0, committed, settings(1), &[]);
        assert_eq!(world.tip(0), blocks[2].block_hash());
        if committed == 1000 {
            assert_eq!(world.see(0, |state| state.chain.waiting_bytes()), 0);
        }
    }
}

#[test]
fn a_chain_with_too_little_work_is_followed_and_not_kept() {
    let (miner, blocks) = Miner::chain(4100);
    let mut world = World::new();
    world.params.minimum_work = miner.work(blocks[3499].block_hash());
    world.add(settings(1));
    let mut peer = Raw::ready(&mut world, 0);
    asked_for_headers(&mut peer);
    // It has no more than that.
    tell(&mut world, &mut peer, &blocks[..1999]);
    assert!(asked_for_headers(&mut peer).is_empty() && unstored(&world) == 0);
    // It has more: it is followed.
    let follow = |world: &mut World, peer: &mut Raw| {
        tell(world, peer, &blocks[..2000]);
        let asked = asked_for_headers(peer);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0][0], blocks[1999].block_hash());
    };
    follow(&mut world, &mut peer);
    // A new tip in between is told to others as well, and changes nothing.
    tell(&mut world, &mut peer, &blocks[4099..]);
    assert!(!peer.closed && asked_for_headers(&mut peer).is_empty());
    // Its chain changes: it is looked at from the beginning.
    follow(&mut world, &mut peer);
    tell(&mut world, &mut peer, &blocks[2000..4000]);
    assert_eq!(unstored(&world), 0);
    assert_eq!(
        asked_for_headers(&mut peer),
        [[miner.genesis()]],
        "now there is enough: once more"
    );
    tell(&mut world, &mut peer, &blocks[4099..]);
    tell(&mut world, &mut peer, &blocks[..2000]);
    assert_eq!(unstored(&world), 2000);
    tell(&mut world, &mut peer, &blocks[2000..4000]);
    assert_eq!(unstored(&world), 4000);
    tell(&mut world, &mut peer, &blocks[4000..]);
    assert_eq!(unstored(&world), 4100);
    assert!(!peer.closed);
    assert_eq!(world.count(0, Count::misbehaving), 0);
}

/// Answers what a peer was asked: with the next 2,000 headers of the chain.
fn answer(world: &mut World, peer: &mut Raw, chain: &[bitcoin::block::Header], hashes: &[BlockHash]) {
    for locator in asked_for_headers(peer) {
        let known = |hash: &BlockHash| hashes.iter().position(|other| other == hash);
        let next = locator.iter().find_map(known).map_or(0, |at| at + 1);
        let end = chain.len().min(next + 2_000);
        peer.send(world, &Message::Headers(chain[next..end].to_vec()));
    }
}

#[test]
fn who_tells_headers_slowly_holds_nobody_up() {
    let mut miner = Miner::new();
    miner.step = 100;
    let blocks = miner.extend(miner.genesis(), 20_000, 0);
    let (chain, hashes) = (headers(&blocks), crate::miner::hashes(&blocks));
    let mut world = World::one(settings(1), &[]);
    let mut slow = Raw::ready(&mut world, 0);
    let mut quick = Raw::ready(&mut world, 0);
    // The first time it is the quicker one, so that the other has to wait.
    answer(&mut world, &mut slow, &chain, &hashes);
    slow.pass(&mut world, ms(5));
    let begin = world.network.elapsed();
    let mut due = begin;
    while unstored(&world) < chain.len() {
        let now = world.network.elapsed();
        assert!(now < begin + secs(3), "{} after 3 s", unstored(&world));
        // Often enough that something has come whenever a peer that waits looks, and not enough to be quick.
        if now >= due + ms(900) {
            due = now;
            slow.hear();
            answer(&mut world, &mut slow, &chain, &hashes);
        }
        quick.hear();
        answer(&mut world, &mut quick, &chain, &hashes);
        world.pass(ms(10));
    }
    assert!(
        world.count(0, Count::headers) <= 20_000 + 4 * 2_000,
        "hardly any were told twice"
    );
}

#[test]
fn a_chain_with_too_little_work_is_not_followed_for_ever() {
    let (miner, blocks) = Miner::chain(4_000);
    for (followed, stays) in [(3_999, false), (4_000, true)] {
        let mut world = World::new();
        world.params.minimum_work =
            miner.work(blocks[3_999].block_hash()) + miner.work(blocks[0].block_hash());
        world.add(Settings {
            followed,
            ..settings(1)
        });
        let mut peer = Raw::ready(&mut world, 0);
        tell(&mut world, &mut peer, &blocks[..2_000]);
        assert!(!peer.closed);
        tell(&mut world, &mut peer, &blocks[2_000..]);
        assert_eq!((peer.closed, unstored(&world)), (!stays, 0), "{followed}");
    }
}
