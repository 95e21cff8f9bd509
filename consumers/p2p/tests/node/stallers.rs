//! Peers that say they have everything, send nothing, and come back as soon as they are hung up on.

use crate::miner::{Miner, headers};
use crate::raw::{Raw, magic, version};
use crate::world::{World, ms, secs, settings};
use bitcoin::Block;
use sockman_backends::sim::Host;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{self, Inventory, Message};
use std::time::Duration;

struct Staller {
    host: Host,
    raw: Raw,
    /// It has said all that it ever says on this connection.
    done: bool,
}

/// All that a staller ever says.
fn claim(tip: &Block) -> Vec<u8> {
    let mut said = Vec::new();
    for message in [
        Message::Version(version()),
        Message::Verack,
        Message::Inv(vec![Inventory::Block(tip.block_hash())]),
    ] {
        wire::encode(&mut said, magic(), &message);
    }
    said
}

impl Staller {
    fn new(world: &mut World, node: usize) -> Staller {
        let host = world.network.host();
        let raw = Raw::on(host.connect(&world.endpoint(node)).unwrap());
        Staller {
            host,
            raw,
            done: false,
        }
    }

    /// Comes back, if it was hung up on.
    fn step(&mut self, world: &mut World, node: usize, said: &[u8]) {
        self.raw.hear();
        if self.raw.closed {
            self.raw = Raw::on(self.host.connect(&world.endpoint(node)).unwrap());
            self.done = false;
        }
        if !self.done {
            self.done = self.raw.try_write(said) == said.len();
        }
    }
}

/// Lets time pass with stallers, until a node has the whole chain. Gives how long that took.
fn sync_beside(world: &mut World, node: usize, stallers: &mut [Staller], blocks: &[Block]) -> Duration {
    let said = claim(blocks.last().unwrap());
    let begin = world.network.elapsed();
    let height = blocks.len() as u32;
    while world.height(node) < height {
        let took = world.network.elapsed().saturating_sub(begin);
        assert!(took < secs(600), "at {} of {height}", world.height(node));
        for staller in stallers.iter_mut() {
            staller.step(world, node, &said);
        }
        world.pass(ms(50));
    }
    world.network.elapsed().saturating_sub(begin)
}

/// A node that knows all headers, and has stallers that are to send it all blocks that it may ask for.
fn besieged(world: &mut World, blocks: &[Block], count: usize) -> (usize, Vec<Staller>) {
    let node = world.add(settings(9));
    let mut first = Raw::ready(world, node);
    for chunk in blocks.chunks(2_000) {
        first.send(world, &Message::Headers(headers(chunk)));
        first.pass(world, ms(5));
    }
    first.reset();
    let mut stallers: Vec<_> = (0..count).map(|_| Staller::new(world, node)).collect();
    let said = claim(blocks.last().unwrap());
    for _ in 0..10 {
        for staller in &mut stallers {
            staller.step(world, node, &said);
        }
        world.pass(ms(5));
    }
    let owed = world.see(node, |state| state.download.in_flight());
    assert_eq!(owed, count * 16, "they hold what they can");
    (node, stallers)
}

#[test]
fn who_dialled_us_cannot_hold_up_a_download_from_those_whom_we_dial() {
    let (_, blocks) = Miner::chain(2_000);
    let mut world = World::one(settings(1), &blocks);
    let (node, mut stallers) = besieged(&mut world, &blocks, 64);
    world.connect(node, 0);
    let took = sync_beside(&mut world, node, &mut stallers, &blocks);
    // Each of them holds up what it was asked for before there was anybody better, and that once.
    assert!(took < secs(10), "{took:?}");
    assert!(world.count(node, Count::hedged) <= 16 + 2_000 / 50);
}

#[test]
fn who_held_us_up_is_asked_last_when_it_comes_back() {
    let (_, blocks) = Miner::chain(2_000);
    let mut world = World::one(settings(1), &blocks);
    let (node, mut stallers) = besieged(&mut world, &blocks, 16);
    // Nobody is dialled.
    world.connect(0, node);
    let took = sync_beside(&mut world, node, &mut stallers, &blocks);
    assert!(took < secs(20), "{took:?}");
}

#[test]
fn what_is_new_is_fetched_from_whoever_tells_of_it() {
    let (mut miner, blocks) = Miner::chain(100);
    let mut world = World::one(settings(1), &blocks);
    let node = world.add(settings(2));
    world.give(node, &blocks);
    world.connect(node, 0);
    world.pass(secs(1));
    let next = miner.extend(blocks[99].block_hash(), 1, 0);
    let mut peer = Raw::ready(&mut world, node);
    peer.send(&mut world, &Message::Headers(headers(&next)));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked(), [next[0].block_hash()]);
}
