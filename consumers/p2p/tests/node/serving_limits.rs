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
use sockman_p2p::wire::{Command, HEADER, Inventory, Message};
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
            assert_eq!(
                most_at_once(&mut world, ms(5), served),
                most,
                "stripped: {stripped}"
            );
            peer.hear();
            assert_eq!(peer.blocks().len(), blocks.len());
        }
        assert_eq!(world.count(0, Count::send_pauses), 0, "it was never for the peer");
    }
}

/// Bytes of the message that brings a block.
fn wire_size(block: &Block) -> u64 {
    (HEADER + bytes(block).len()) as u64
}

/// However many take everything at once, so much is done in a turn for all of them; each has its turn after the others; and who wants
/// little is answered at once.
#[test]
fn all_who_take_everything_share_a_turn() {
    let (mut world, blocks) = eager(Settings {
        turn: 4 * SHARE,
        ..shared()
    });
    let list: Vec<_> = hashes(&blocks).into_iter().map(Inventory::WitnessBlock).collect();
    let mut peers: Vec<Raw> = (0..12).map(|_| Raw::ready(&mut world, 0)).collect();
    let mut other = Raw::ready(&mut world, 0);
    let mut all = Vec::new();
    sockman_p2p::wire::encode(&mut all, crate::raw::magic(), &Message::GetData(list));
    for peer in &mut peers {
        assert_eq!(peer.try_write(&all), all.len());
    }
    let mut ping = Vec::new();
    sockman_p2p::wire::encode(&mut ping, crate::raw::magic(), &Message::Ping(Some(7)));
    assert_eq!(other.try_write(&ping), ping.len());
    let handle = world.handle(0);
    let sent = |state: &State<Memory>, command| -> Vec<u64> {
        let peers = state.peers.iter();
        peers
            .map(|(_, peer)| peer.traffic.sent.get(&command).copied().unwrap_or(0))
            .collect()
    };
    let whole = blocks.iter().map(wire_size).sum::<u64>();
    let (mut total, mut most, mut at_pong) = (0, 0, None);
    let (mut had, mut waits, mut longest) = ([0; 12], [0; 12], 0);
    let looked = world.network.run_until(&mut world.nodes, ms(100), |_| {
        handle.with(|state| {
            let now = served(state);
            most = most.max(now - total);
            total = now;
            let blocks = &sent(state, Command::BLOCK)[..12];
            // Turns in which others got something, since each one did.
            let has_served = blocks != had;
            for (number, waited) in waits.iter_mut().enumerate() {
                let is_over = blocks[number] == whole;
                *waited = if blocks[number] > had[number] || is_over {
                    0
                } else {
                    *waited + u32::from(has_served)
                };
                longest = longest.max(*waited);
            }
            had.copy_from_slice(blocks);
            if sent(state, Command::PONG)[12] > 0 {
                at_pong.get_or_insert(now);
            }
        });
        false
    });
    looked.unwrap();
    assert_eq!(total, 12 * blocks.len() as u64);
    // Three blocks are a share, and the last share of a turn may go beyond what it has.
    let turn = 4 * 3 + 3;
    assert!(most <= turn, "{most}");
    assert!(at_pong.is_some_and(|served| served <= turn), "{at_pong:?}");
    // Four have their turn at once.
    assert!(longest <= 4, "somebody waits for {longest} turns");
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
