//! Peers that ask for more than they take, or send more than is taken.

use crate::miner::{Miner, hashes, witness};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::Message;

#[test]
fn two_nodes_that_send_each_other_large_blocks_both_go_on() {
    let (mut miner, first) = Miner::chain(1);
    let mut world = World::one(settings(1), &first);
    let other = world.add(settings(2));
    world.give(other, &first);
    let parent = first[0].block_hash();
    let (ours, theirs) = (
        miner.large(parent, 16, 1, 900_000),
        miner.large(parent, 16, 2, 900_000),
    );
    world.give(0, &ours);
    world.give(other, &theirs);
    world.connect(0, other);
    world.until(secs(10), |world| {
        world.count(0, Count::blocks) == 16 && world.count(other, Count::blocks) == 16
    });
    assert_eq!(
        world.tip(0),
        ours[15].block_hash(),
        "as much work: the first stays"
    );
}

#[test]
fn who_asks_for_every_block_and_reads_nothing_costs_so_much_and_starves_nobody() {
    let (mut miner, first) = Miner::chain(1);
    let large = miner.large(first[0].block_hash(), 4, 1, 900_000);
    let mut world = World::one(settings(1), &first);
    world.give(0, &large);
    let all = Message::GetData(witness(&hashes(&large)));
    let mut bystander = Raw::ready(&mut world, 0);
    let mut greedy: Vec<_> = (0..4).map(|_| Raw::ready(&mut world, 0)).collect();
    let mut bytes = Vec::new();
    sockman_p2p::wire::encode(&mut bytes, crate::raw::magic(), &all);
    let flood: Vec<u8> = bytes.iter().copied().cycle().take(bytes.len() * 1000).collect();
    let mut offsets = [0; 4];
    for peer in &mut greedy {
        peer.deaf = true;
    }
    for _ in 0..100 {
        for (peer, offset) in greedy.iter_mut().zip(&mut offsets) {
            let rest = &flood[*offset % bytes.len()..];
            *offset += peer.try_write(rest);
        }
        assert!(bystander.ping(&mut world) < ms(5));
        let (queued, unread) = world.buffered(0);
        // The mark and a block; what is read before reading stops.
        assert!(queued <= 4 * ((1 << 20) + 1_000_000 + 4096), "{queued}");
        assert!(unread <= 4 * ((5 << 20) + (512 << 10)), "{unread}");
    }
    assert!(
        world.count(0, Count::receive_pauses) > 0,
        "they are not read from any more"
    );
    // One of them reads: it gets all that it has asked for.
    let served = world.count(0, Count::blocks_served);
    let peer = &mut greedy[0];
    peer.deaf = false;
    peer.pass(&mut world, ms(200));
    assert!(world.count(0, Count::blocks_served) > served + 20);
    assert!(bystander.ping(&mut world) < ms(5));
    for peer in &greedy {
        assert!(!peer.closed);
    }
}

#[test]
fn two_that_ask_each_other_for_everything_both_get_it() {
    // Marks so low that every block is above them.
    let low = |number| Settings {
        send_high: 2_000,
        receive: 4_000,
        requests: 500,
        ..settings(number)
    };
    let (mut miner, first) = Miner::chain(1);
    let mut world = World::one(low(1), &first);
    let other = world.add(low(2));
    world.give(other, &first);
    let parent = first[0].block_hash();
    let (ours, theirs) = (
        miner.large(parent, 100, 1, 3_000),
        miner.large(parent, 100, 2, 3_000),
    );
    world.give(0, &ours);
    world.give(other, &theirs);
    world.connect(0, other);
    world.connect(other, 0);
    world.until(secs(30), |world| {
        world.count(0, Count::blocks) >= 100 && world.count(other, Count::blocks) >= 100
    });
    assert_eq!(
        world.count(0, Count::stalled) + world.count(other, Count::stalled),
        0
    );
}

#[test]
fn a_flood_of_small_messages_is_answered_and_starves_nobody() {
    let mut world = World::one(settings(1), &[]);
    let mut bystander = Raw::ready(&mut world, 0);
    let mut flood = Raw::ready(&mut world, 0);
    flood.deaf = true;
    let mut bytes = Vec::new();
    for nonce in 0..20_000 {
        sockman_p2p::wire::encode(&mut bytes, crate::raw::magic(), &Message::Ping(Some(nonce)));
    }
    let mut written = 0;
    for _ in 0..100 {
        written += flood.try_write(&bytes[written % bytes.len()..]);
        assert!(bystander.ping(&mut world) < ms(5));
        let (queued, unread) = world.buffered(0);
        assert!(
            queued < (1 << 20) + (64 << 10) && unread < 6 << 20,
            "{queued} {unread}"
        );
    }
    flood.deaf = false;
    flood.pass(&mut world, ms(300));
    let pongs = flood.take(|said| matches!(said, Said::Pong(_)).then_some(()));
    assert!(
        pongs.len() > written / 32 - 10_000,
        "{} of {}",
        pongs.len(),
        written / 32
    );
}
