//! What peers are given.

use crate::miner::{Miner, bytes, headers};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sockman_p2p::wire::{Inventory, Message};

fn nowhere() -> BlockHash {
    BlockHash::all_zeros()
}

#[test]
fn headers_come_from_the_first_common_block_on() {
    let (mut miner, blocks) = Miner::chain(2100);
    let side = miner.extend(blocks[9].block_hash(), 3, 1);
    let mut world = World::one(settings(1), &blocks);
    world.give(0, &side);
    let mut peer = Raw::ready(&mut world, 0);
    let mut ask = |world: &mut World, locator: &[BlockHash], stop: BlockHash| {
        let locator = locator.to_vec();
        peer.send(world, &Message::GetHeaders { locator, stop });
        peer.pass(world, ms(20));
        let mut told = peer.headers();
        assert_eq!(told.len(), 1, "every question has one answer");
        told.remove(0)
    };
    let all = headers(&blocks);
    let hash = |index: usize| blocks[index].block_hash();
    let genesis = miner.genesis();
    assert_eq!(ask(&mut world, &[genesis], nowhere()), all[..2000]);
    assert_eq!(ask(&mut world, &[hash(1999)], nowhere()), all[2000..]);
    assert_eq!(ask(&mut world, &[hash(2099)], nowhere()), [], "at the tip");
    assert_eq!(
        ask(&mut world, &[hash(4)], hash(7)),
        all[5..8],
        "up to where it is asked"
    );
    assert_eq!(
        ask(&mut world, &[nowhere(), hash(4)], hash(5)),
        all[5..6],
        "what is unknown is skipped"
    );
    assert_eq!(
        ask(&mut world, &[side[2].block_hash(), hash(8)], hash(9)),
        all[9..10],
        "from the active chain only"
    );
    assert_eq!(
        ask(&mut world, &[nowhere()], hash(0)),
        all[..1],
        "nothing known: from genesis on"
    );
    assert_eq!(ask(&mut world, &[], hash(3)), all[3..4], "this one");
    assert_eq!(ask(&mut world, &[], nowhere()), []);
}

#[test]
fn blocks_are_listed_in_parts_of_500_and_the_tip_leads_on() {
    let (miner, blocks) = Miner::chain(1100);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    let mut from = miner.genesis();
    let mut had = 0;
    for expected in [500, 500, 100] {
        peer.send(
            &mut world,
            &Message::GetBlocks {
                locator: vec![from],
                stop: nowhere(),
            },
        );
        peer.pass(&mut world, ms(20));
        let told = peer.invs();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].len(), expected);
        peer.send(&mut world, &Message::GetData(told[0].clone()));
        peer.pass(&mut world, ms(50));
        let sent = peer.blocks();
        assert_eq!(sent.len(), expected);
        had += expected;
        assert_eq!(sent[expected - 1][..80], bytes(&blocks[had - 1])[..80]);
        from = blocks[had - 1].block_hash();
        let tip = vec![vec![Inventory::Block(blocks[1099].block_hash())]];
        assert_eq!(peer.invs(), if expected == 500 { tip } else { Vec::new() });
    }
    peer.send(
        &mut world,
        &Message::GetBlocks {
            locator: vec![from],
            stop: nowhere(),
        },
    );
    peer.send(
        &mut world,
        &Message::GetBlocks {
            locator: vec![miner.genesis()],
            stop: blocks[2].block_hash(),
        },
    );
    peer.pass(&mut world, ms(20));
    let two: Vec<_> = blocks[..2]
        .iter()
        .map(|block| Inventory::Block(block.block_hash()))
        .collect();
    assert_eq!(
        peer.invs(),
        [two],
        "nothing after the tip, and nothing from the last on"
    );
}

#[test]
fn genesis_is_served_and_what_is_not_there_is_said_to_be_missing() {
    let (miner, blocks) = Miner::chain(2);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    let missing = [
        Inventory::WitnessBlock(nowhere()),
        Inventory::Transaction(bitcoin::Txid::all_zeros()),
    ];
    let list = vec![
        missing[0],
        Inventory::Block(miner.genesis()),
        missing[1],
        Inventory::CompactBlock(blocks[1].block_hash()),
    ];
    peer.send(&mut world, &Message::GetData(list));
    peer.pass(&mut world, ms(5));
    let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Regtest);
    assert_eq!(peer.blocks(), [bytes(&genesis), bytes(&blocks[1])]);
    assert!(peer.said.contains(&Said::NotFound(missing.to_vec())));
}

#[test]
fn blocks_come_with_their_witnesses_only_where_they_are_asked_for() {
    let (_, blocks) = Miner::chain(1);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    let hash = blocks[0].block_hash();
    peer.send(
        &mut world,
        &Message::GetData(vec![
            Inventory::Block(hash),
            Inventory::WitnessBlock(hash),
            Inventory::Block(hash),
        ]),
    );
    peer.pass(&mut world, ms(5));
    let mut without = blocks[0].clone();
    without.txdata[0].input[0].witness.clear();
    assert_ne!(without, blocks[0]);
    assert_eq!(
        peer.blocks(),
        [bytes(&without), bytes(&blocks[0]), bytes(&without)]
    );
}

#[test]
fn nothing_is_announced_on_connect_and_a_new_tip_as_it_is_wanted() {
    let (mut miner, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let mut by_hash = Raw::ready(&mut world, 0);
    let mut by_header = Raw::ready(&mut world, 0);
    by_header.send(&mut world, &Message::SendHeaders);
    for peer in [&mut by_hash, &mut by_header] {
        peer.pass(&mut world, secs(1));
        assert!(peer.invs().is_empty() && peer.headers().is_empty());
        // So the node knows that it has the tip.
        peer.send(
            &mut world,
            &Message::GetHeaders {
                locator: vec![blocks[2].block_hash()],
                stop: nowhere(),
            },
        );
        peer.pass(&mut world, ms(5));
        assert_eq!(peer.headers(), [[]]);
    }
    let next = miner.extend(blocks[2].block_hash(), 1, 0);
    world.give(0, &next);
    by_hash.pass(&mut world, ms(5));
    by_header.hear();
    assert_eq!(by_hash.invs(), [[Inventory::Block(next[0].block_hash())]]);
    assert_eq!(by_header.headers(), [headers(&next)]);
    // Nine at once are too many for headers.
    let many = miner.extend(next[0].block_hash(), 9, 0);
    world.give(0, &many);
    by_header.pass(&mut world, ms(200));
    assert_eq!(by_header.invs(), [[Inventory::Block(many[8].block_hash())]]);
}

#[test]
fn addresses_are_told_once_and_those_we_dialled() {
    let mut world = World::one(settings(1), &[]);
    let other = world.add(settings(2));
    world.connect(0, other);
    world.until(secs(1), |world| world.ready(0) == 1);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::GetAddr);
    peer.send(&mut world, &Message::GetAddr);
    peer.pass(&mut world, ms(5));
    let told = peer.take(|said| match said {
        Said::Addresses(count) => Some(*count),
        _ => None,
    });
    assert_eq!(told, [1]);
}
