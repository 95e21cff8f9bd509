//! What serving a peer may cost the others, and what nobody is given.

use crate::miner::{Miner, bytes, hashes, headers, witness};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash};
use sockman_backends::sim;
use sockman_p2p::Settings;
use sockman_p2p::state::{Count, State};
use sockman_p2p::store::{Memory, Place};
use sockman_p2p::wire::{Inventory, Message};
use std::time::Duration;

const SIZE: usize = 34_000;

/// So many bytes of the blocks are more than a turn's share.
const SHARE: usize = 100_000;

/// A world where the kernel takes all that is sent, and a node in it with 40 large blocks.
fn eager(settings: Settings) -> (World, Vec<Block>) {
    let (mut miner, mut blocks) = Miner::chain(1);
    blocks.extend(miner.large(blocks[0].block_hash(), 40, 1, SIZE));
    let window = 64 << 20;
    let mut world = World::with(sim::Settings {
        window,
        ..sim::Settings::default()
    });
    world.add(settings);
    world.give(0, &blocks);
    blocks.remove(0);
    (world, blocks)
}

fn shared() -> Settings {
    Settings {
        share: SHARE,
        ..settings(1)
    }
}

/// Lets time pass. Gives by how much something grew in one turn of a loop at most.
fn most_at_once(world: &mut World, time: Duration, look: impl Fn(&mut State<Memory>) -> u64) -> u64 {
    let handle = world.handle(0);
    let mut last = handle.with(&look);
    let mut most = 0;
    world
        .network
        .run_until(&mut world.nodes, time, |_| {
            let now = handle.with(&look);
            most = most.max(now - last);
            last = now;
            false
        })
        .unwrap();
    most
}

fn served(state: &mut State<Memory>) -> u64 {
    state.counters.get(Count::blocks_served)
}

#[test]
fn who_takes_everything_is_served_in_shares() {
    let uncached = Settings { cache: 0, ..shared() };
    // Three blocks are a share. Reading a block counts as much as sending it, and so does taking its witnesses away.
    for (settings, stripped, most) in [
        (shared(), false, [2, 3]),
        (uncached.clone(), false, [2, 2]),
        (shared(), true, [1, 3]),
        (uncached, true, [1, 1]),
    ] {
        let (mut world, blocks) = eager(settings);
        let mut peer = Raw::ready(&mut world, 0);
        let item = if stripped {
            Inventory::Block
        } else {
            Inventory::WitnessBlock
        };
        let list: Vec<_> = hashes(&blocks).into_iter().map(item).collect();
        for most in most {
            peer.send(&mut world, &Message::GetData(list.clone()));
            // In a turn there is a share when the message comes, and one when the others had theirs.
            assert_eq!(
                most_at_once(&mut world, ms(5), served),
                2 * most,
                "stripped: {stripped}"
            );
            peer.hear();
            assert_eq!(peer.blocks().len(), blocks.len());
        }
        assert_eq!(world.count(0, Count::send_pauses), 0, "it was never for the peer");
    }
}

#[test]
fn headers_are_told_in_shares_too_and_the_rest_of_what_is_said_waits() {
    let settings = Settings {
        requests: 2_000,
        receive: 4_000,
        ..shared()
    };
    let (miner, blocks) = Miner::chain(500);
    let mut world = World::with(sim::Settings {
        window: 64 << 20,
        ..sim::Settings::default()
    });
    world.add(settings);
    world.give(0, &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    let mut flood = Vec::new();
    for _ in 0..200 {
        let ask = Message::GetHeaders {
            locator: vec![miner.genesis()],
            stop: BlockHash::all_zeros(),
        };
        sockman_p2p::wire::encode(&mut flood, crate::raw::magic(), &ask);
    }
    sockman_p2p::wire::encode(&mut flood, crate::raw::magic(), &Message::Ping(Some(77)));
    assert_eq!(peer.try_write(&flood), flood.len());
    let at_once = most_at_once(&mut world, ms(10), |state| state.bytes.1);
    // However many requests come with one message, they go on once a turn.
    assert!(at_once < 2 * (SHARE as u64 + 500 * 81 + 100), "{at_once}");
    peer.hear();
    assert_eq!(peer.headers().len(), 200);
    assert_eq!(peer.said.last(), Some(&Said::Pong(Some(77))), "in their order");
    assert!(world.count(0, Count::receive_pauses) > 0, "it had to wait");
}

#[test]
fn what_is_not_there_is_looked_up_in_shares_too() {
    let (mut world, _) = eager(shared());
    let mut peer = Raw::ready(&mut world, 0);
    let list = vec![Inventory::WitnessBlock(BlockHash::all_zeros()); 50_000];
    peer.send(&mut world, &Message::GetData(list.clone()));
    let mut turns = 0;
    let handle = world.handle(0);
    world
        .network
        .run_until(&mut world.nodes, ms(20), |_| {
            turns += usize::from(handle.with(|state| state.bytes.1 < 1_000_000));
            false
        })
        .unwrap();
    peer.hear();
    assert!(peer.said.contains(&Said::NotFound(list)));
    assert!(turns > 10, "{turns}");
}

fn place(world: &World, block: &Block) -> Place {
    world.see(0, |state| {
        let id = state.chain.tree().find(&block.block_hash()).unwrap();
        state.chain.place(id).unwrap()
    })
}

#[test]
fn for_whoever_is_gone_nothing_is_read() {
    let settings = Settings {
        share: usize::MAX,
        send_high: 2 * SIZE,
        ..settings(1)
    };
    let (mut world, blocks) = eager(settings);
    let last = place(&world, &blocks[39]);
    world.disk(0).damage(last);
    let mut peer = Raw::ready(&mut world, 0);
    let mut ask = Vec::new();
    sockman_p2p::wire::encode(
        &mut ask,
        crate::raw::magic(),
        &Message::GetData(witness(&hashes(&blocks))),
    );
    assert_eq!(peer.try_write(&ask), ask.len());
    peer.reset();
    let messages = world.count(0, Count::messages);
    let before = world.disk(0).pending();
    world.pass(ms(5));
    assert_eq!(world.count(0, Count::messages), messages + 1, "it was heard");
    let taken = world.count(0, Count::blocks_served);
    assert_eq!(taken, 1, "the second goes above the mark, and finds it gone");
    assert_eq!(world.disk(0).pending(), before, "the last one was not read");
    assert_eq!(world.see(0, |state| state.peers.len()), 0);
}

#[test]
fn a_block_that_is_damaged_is_not_served_and_is_fetched_again_after_the_next_start() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let other = world.add(settings(2));
    world.give(other, &blocks);
    world.disk(0).damage(place(&world, &blocks[1]));
    let before = world.disk(0).pending();
    let mut peer = Raw::ready(&mut world, 0);
    for item in [Inventory::WitnessBlock, Inventory::Block, Inventory::CompactBlock] {
        let list: Vec<_> = hashes(&blocks).into_iter().map(item).collect();
        peer.send(&mut world, &Message::GetData(list.clone()));
        peer.pass(&mut world, ms(5));
        assert_eq!(peer.blocks().len(), 2);
        assert!(peer.said.contains(&Said::NotFound(vec![list[1]])));
    }
    assert_eq!(world.disk(0).pending(), before + 1, "it is lost once");
    world.kill(0, usize::MAX, settings(1), &[]);
    assert_eq!(world.height(0), 1);
    world.connect(0, other);
    world.until(secs(5), |world| world.height(0) == 3);
}

#[test]
fn blocks_that_wait_for_others_are_nobodys_business_and_headers_beside_the_chain_neither() {
    let (mut miner, blocks) = Miner::chain(4);
    let side = miner.extend(blocks[0].block_hash(), 1, 1);
    let mut world = World::one(settings(1), &blocks[..2]);
    world.give(0, &side);
    let mut source = Raw::ready(&mut world, 0);
    source.send(&mut world, &Message::Headers(headers(&blocks)));
    source.send(&mut world, &Message::Block(&bytes(&blocks[3])));
    source.pass(&mut world, ms(5));
    place(&world, &blocks[3]);
    let mut peer = Raw::ready(&mut world, 0);
    let items = witness(&[side[0].block_hash(), blocks[3].block_hash()]);
    peer.send(&mut world, &Message::GetData(items.clone()));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.blocks(), [bytes(&side[0])]);
    assert!(peer.said.contains(&Said::NotFound(vec![items[1]])));
    for (block, told) in [(&blocks[1], true), (&side[0], false), (&blocks[3], false)] {
        let (locator, stop) = (Vec::new(), block.block_hash());
        peer.send(&mut world, &Message::GetHeaders { locator, stop });
        peer.pass(&mut world, ms(5));
        let one = told.then_some(block.header);
        assert_eq!(peer.headers(), [one.into_iter().collect::<Vec<_>>()]);
    }
}
