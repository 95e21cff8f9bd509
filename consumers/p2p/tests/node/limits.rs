//! That a node keeps to what it is set to: so many are banned, discouraged, remembered, asked beside another, and no more.

use crate::miner::{Miner, bytes, headers};
use crate::raw::{Raw, frame, version};
use crate::world::{World, ms, settings};
use bitcoin::Block;
use sockman_backends::sim::Host;
use sockman_p2p::Settings;
use sockman_p2p::state::{BanError, Count};
use sockman_p2p::wire::{MAX_ADDRESSES, Message};

/// Dials the node from there, and goes through the handshake.
fn ready_from(world: &mut World, host: &Host) -> Raw {
    let mut peer = Raw::dial_from(world, host, 0);
    peer.shake(world, version());
    peer
}

#[test]
fn so_many_networks_can_be_banned() {
    for most in [1, 2] {
        let world = World::one(
            Settings {
                bans: most,
                ..settings(1)
            },
            &[],
        );
        let ban = |number| {
            let net = format!("10.0.{number}.0/24").parse().unwrap();
            world
                .handle(0)
                .change_bans(|bans, now| bans.add(net, now, now + 100))
        };
        for number in 0..most {
            ban(number).unwrap();
        }
        assert!(matches!(ban(most), Err(BanError::Full(limit)) if limit == most));
    }
}

#[test]
fn so_many_are_discouraged() {
    for most in [1, 2] {
        let mut world = World::one(
            Settings {
                discouraged: most,
                ..settings(1)
            },
            &[],
        );
        let hosts = [(); 3].map(|()| world.network.host());
        let mut too_many = vec![0xfd];
        too_many.extend((MAX_ADDRESSES as u16 + 1).to_le_bytes());
        for host in &hosts {
            let mut peer = ready_from(&mut world, host);
            peer.write(&mut world, &frame("addr", &too_many));
            peer.pass(&mut world, ms(5));
            assert!(peer.closed);
        }
        assert_eq!(world.count(0, Count::misbehaving), 3);
        let now = world.network.now();
        let is =
            hosts.map(|host| world.see(0, |state| state.discouraged.has_address(host.ip4().into(), now)));
        assert_eq!(is, [false, most > 1, true]);
    }
}

/// A node is told of these blocks by peers from these hosts, who have none of them, and then by one who has, and downloads them.
fn download_beside(settings: Settings, blocks: &[Block], hosts: usize) -> (World, Vec<Host>) {
    let mut world = World::one(settings, &[]);
    let hosts: Vec<Host> = (0..hosts).map(|_| world.network.host()).collect();
    let mut bad: Vec<Raw> = hosts.iter().map(|host| ready_from(&mut world, host)).collect();
    let mut good = Raw::ready(&mut world, 0);
    for peer in bad.iter_mut().chain([&mut good]) {
        peer.send(&mut world, &Message::Headers(headers(blocks)));
        peer.pass(&mut world, ms(5));
    }
    for _ in 0..6_000 {
        for hash in good.asked() {
            let block = blocks.iter().find(|block| block.block_hash() == hash).unwrap();
            good.send(&mut world, &Message::Block(&bytes(block)));
        }
        good.pass(&mut world, ms(10));
    }
    assert_eq!(world.height(0) as usize, blocks.len());
    (world, hosts)
}

#[test]
fn so_many_are_remembered_who_held_up_a_download() {
    let (_, blocks) = Miner::chain(60);
    for most in [1, 2] {
        let settings = Settings {
            discouraged: most,
            ..settings(1)
        };
        let (mut world, hosts) = download_beside(settings, &blocks, 3);
        assert_eq!(world.count(0, Count::stalled), 3);
        let again: Vec<Raw> = hosts.iter().map(|host| ready_from(&mut world, host)).collect();
        let stalled = world.see(0, |state| {
            state.peers.iter().filter(|(_, peer)| peer.has_stalled).count()
        });
        assert_eq!((again.len(), stalled), (3, most));
    }
}

#[test]
fn so_many_blocks_are_asked_of_a_second_peer() {
    // So few that none more may be asked for the sake of those that came.
    let (_, blocks) = Miner::chain(49);
    for hedges in 0..3 {
        let settings = Settings {
            hedges,
            ..settings(1)
        };
        let (world, _) = download_beside(settings, &blocks, 1);
        assert_eq!(world.count(0, Count::hedged), hedges);
    }
}
