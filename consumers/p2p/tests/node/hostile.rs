//! Peers that mean harm, and peers that are only odd.

use crate::miner::{Miner, bytes, headers, remine};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::{Block, BlockHash, CompactTarget};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message};

fn hashes(blocks: &[Block]) -> Vec<BlockHash> {
    blocks.iter().map(Block::block_hash).collect()
}

fn witness(hashes: &[BlockHash]) -> Vec<Inventory> {
    hashes.iter().map(|&hash| Inventory::WitnessBlock(hash)).collect()
}

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
            bad.reset()
        } else {
            drop(bad)
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
fn a_block_that_claims_endless_work_is_refused() {
    for bits in [0, 0x0100_0000, 0x0101_0000, 0x2080_ffff, u32::MAX] {
        let (miner, blocks) = Miner::chain(3);
        let mut world = World::one(settings(1), &blocks);
        let mut peer = Raw::ready(&mut world, 0);
        let mut block = miner.block(miner.id(blocks[2].block_hash()), 7);
        block.header.bits = CompactTarget::from_consensus(bits);
        peer.send(&mut world, &Message::Block(&bytes(&block)));
        peer.pass(&mut world, ms(5));
        assert!(peer.closed, "{bits:x}");
        assert_eq!(world.count(0, Count::misbehaving), 1);
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
fn an_invalid_header_costs_the_connection_and_the_address() {
    let wrong: [(&str, fn(&mut Block)); 4] = [
        ("high-hash", |block| block.header.nonce = worst(block)),
        ("time-too-old", |block| {
            block.header.time = 1;
            remine(&mut block.header);
        }),
        ("bad-diffbits", |block| {
            block.header.bits = CompactTarget::from_consensus(0x207f_fffe);
            remine(&mut block.header);
        }),
        ("bad-version", |block| {
            block.header.version = bitcoin::block::Version::ONE;
            remine(&mut block.header);
        }),
    ];
    for (name, spoil) in wrong {
        // So high that old versions are too old.
        let (miner, blocks) = Miner::chain(3);
        for in_a_block in [false, true] {
            let mut world = World::one(settings(1), &blocks);
            let host = world.network.host();
            let mut peer = Raw::dial_from(&mut world, &host, 0);
            peer.shake(&mut world, crate::raw::version());
            let mut block = miner.block(miner.id(blocks[2].block_hash()), 7);
            spoil(&mut block);
            if in_a_block {
                peer.send(&mut world, &Message::Block(&bytes(&block)));
            } else {
                peer.send(&mut world, &Message::Headers(vec![block.header]));
            }
            peer.pass(&mut world, ms(5));
            assert!(peer.closed, "{name}");
            assert_eq!(world.count(0, Count::misbehaving), 1);
            let (now, ip) = (world.network.now(), host.ip4().into());
            assert!(
                world.see(0, |state| state.discouraged.has_address(ip, now)),
                "{name}"
            );
            assert_eq!(world.height(0), 3);
        }
    }
}

/// A nonce with which the block is none.
fn worst(block: &Block) -> u32 {
    let target = bitcoin::Target::from_compact(block.header.bits);
    let mut header = block.header;
    while target.is_met_by(header.block_hash()) {
        header.nonce += 1;
    }
    header.nonce
}

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
fn who_is_not_to_be_punished_is_not_and_cannot_make_us_spin() {
    let (miner, blocks) = Miner::chain(3);
    let mut world = World::new();
    let host = world.network.host();
    let net = ipnet::IpNet::from(std::net::IpAddr::from(host.ip4()));
    world.add(Settings {
        noban: vec![net],
        ..settings(1)
    });
    world.give(0, &blocks);
    let mut peer = Raw::dial_from(&mut world, &host, 0);
    peer.shake(&mut world, crate::raw::version());
    let mut block = miner.block(miner.id(blocks[2].block_hash()), 7);
    peer.send(&mut world, &Message::Headers(vec![block.header]));
    peer.pass(&mut world, ms(5));
    assert_eq!(peer.asked().len(), 1);
    // Mutated: it says nothing about the header.
    block.txdata[0].output[0].value = bitcoin::Amount::ZERO;
    peer.send(&mut world, &Message::Block(&bytes(&block)));
    peer.pass(&mut world, ms(5));
    assert_eq!(world.count(0, Count::blocks_refused), 1);
    assert_eq!(world.count(0, Count::misbehaving), 1);
    assert!(!peer.closed);
    assert!(peer.asked().is_empty(), "it would only send the same again");
    assert!(world.see(0, |state| state.discouraged.is_empty()));
    peer.send(&mut world, &Message::Ping(Some(9)));
    peer.pass(&mut world, ms(5));
    assert!(peer.said.contains(&Said::Pong(Some(9))));
}
