//! Peers that mean harm, and peers that are only odd: what they send is not what it should be.

use crate::miner::{Miner, bytes, hashes, headers, remine, witness};
use crate::raw::{Raw, Said};
use crate::world::{World, ms, secs, settings};
use bitcoin::{Block, CompactTarget};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message};

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
fn an_invalid_header_costs_the_connection_and_the_address() {
    let wrong: [(&str, Spoil); 4] = [
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

/// Makes a block invalid.
type Spoil = fn(&mut Block);

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

#[test]
fn who_is_not_to_be_punished_is_hung_up_on_where_nothing_else_helps() {
    let (_, blocks) = Miner::chain(60);
    let mut bad_magic = crate::raw::frame("ping", &[0; 8]);
    bad_magic[0] ^= 1;
    let mut bad_length = crate::raw::frame("ping", &[0; 8]);
    bad_length[16..20].copy_from_slice(&4_000_001_u32.to_le_bytes());
    let mut too_many = Vec::new();
    let all = Message::Headers(headers(&blocks));
    sockman_p2p::wire::encode(&mut too_many, crate::raw::magic(), &all);
    for said in [
        bad_magic,
        bad_length,
        crate::raw::frame("sendaddrv2", &[]),
        too_many,
    ] {
        let mut world = World::one(
            Settings {
                noban: vec!["0.0.0.0/0".parse().unwrap()],
                headers: 50,
                ..settings(1)
            },
            &[],
        );
        let mut peer = Raw::ready(&mut world, 0);
        peer.write(&mut world, &said);
        peer.pass(&mut world, ms(5));
        assert!(peer.closed);
        assert!(world.see(0, |state| state.chain.tree().unstored() <= 50));
        assert!(world.see(0, |state| state.discouraged.is_empty()));
        assert_eq!(world.count(0, Count::misbehaving), 0);
        assert!(Raw::ready(&mut world, 0).heard("verack"), "it may come back");
    }
}

fn client() -> sockman_p2p::wire::VersionMessage {
    sockman_p2p::wire::VersionMessage {
        services: sockman_p2p::wire::ServiceFlags::NONE,
        ..crate::raw::version()
    }
}

#[test]
fn peers_that_leave_at_any_point_leave_nothing_behind() {
    let (_, blocks) = Miner::chain(20);
    for stage in 0..7 {
        for how in 0..3 {
            let mut world = World::one(settings(1), &blocks[..10]);
            let mut peer = Raw::dial(&mut world, 0);
            if stage > 0 {
                peer.send(&mut world, &Message::Version(crate::raw::version()));
            }
            if stage > 1 {
                peer.send(&mut world, &Message::Verack);
                peer.pass(&mut world, ms(2));
            }
            if stage > 2 {
                peer.send(&mut world, &Message::Headers(headers(&blocks)));
            }
            if stage > 3 {
                peer.send(&mut world, &Message::GetData(witness(&hashes(&blocks[..10]))));
            }
            if stage > 4 {
                let block = crate::raw::frame("block", &bytes(&blocks[10]));
                peer.write(&mut world, &block[..block.len() - 1]);
            }
            if stage > 5 {
                peer.pass(&mut world, ms(2));
            }
            match how {
                0 => drop(peer),
                1 => peer.reset(),
                _ => {
                    peer.finish();
                    peer.pass(&mut world, secs(1));
                    assert!(peer.closed, "stage {stage}");
                    if stage > 3 {
                        assert_eq!(peer.blocks().len(), 10, "it has asked for them");
                    }
                }
            }
            world.pass(secs(1));
            let left = world.see(0, |state| (state.peers.len(), state.download.in_flight()));
            assert_eq!(left, (0, 0), "stage {stage}");
            let mut next = Raw::ready(&mut world, 0);
            next.send(&mut world, &Message::Headers(headers(&blocks)));
            next.pass(&mut world, ms(5));
            assert_eq!(next.asked(), hashes(&blocks[10..]));
        }
    }
}

#[test]
fn addresses_are_counted_and_no_more() {
    use sockman_p2p::wire::{Address, MAX_ADDRESSES, ServiceFlags};
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    let one = Address::new(&"192.0.2.1:1".parse().unwrap(), ServiceFlags::NETWORK);
    for _ in 0..50 {
        peer.send(&mut world, &Message::Addr(vec![(1, one.clone()); MAX_ADDRESSES]));
    }
    peer.pass(&mut world, secs(100));
    assert_eq!(world.count(0, Count::addresses), 1000);
    peer.send(&mut world, &Message::Addr(vec![(1, one.clone()); 50]));
    peer.pass(&mut world, ms(5));
    assert!(
        (1010..=1011).contains(&world.count(0, Count::addresses)),
        "one every ten seconds"
    );
    assert!(!peer.closed);
    let mut payload = vec![0xfd, 0xe9, 0x03];
    payload.resize(3 + 1001 * 30, 0);
    peer.write(&mut world, &crate::raw::frame("addr", &payload));
    peer.pass(&mut world, ms(5));
    assert!(peer.closed, "1,001 at once");
}

#[test]
fn who_only_takes_is_served_and_told_and_never_asked() {
    let (_, blocks) = Miner::chain(5);
    let mut world = World::one(settings(1), &blocks[..3]);
    let mut peer = Raw::dial(&mut world, 0);
    peer.shake(&mut world, client());
    peer.send(&mut world, &Message::SendHeaders);
    peer.send(
        &mut world,
        &Message::Inv(vec![Inventory::Block(blocks[4].block_hash())]),
    );
    peer.send(&mut world, &Message::Headers(headers(&blocks[3..])));
    peer.pass(&mut world, secs(5));
    assert!(peer.asked().is_empty());
    assert!(!peer.said.iter().any(|said| matches!(said, Said::GetHeaders(_))));
    // A block that it sends all the same is as good as any.
    peer.send(&mut world, &Message::Block(&bytes(&blocks[3])));
    peer.pass(&mut world, ms(5));
    assert_eq!(world.height(0), 4);
}

#[test]
fn damaged_messages_change_nothing() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    for command in [
        "version",
        "verack",
        "headers",
        "inv",
        "getdata",
        "notfound",
        "getheaders",
        "getblocks",
        "addr",
        "addrv2",
        "ping",
        "pong",
        "sendcmpct",
        "feefilter",
        "getaddr",
        "mempool",
        "tx",
        "sendheaders",
    ] {
        for payload in [&[][..], &[0xff; 3], &[0xfd, 0xff, 0xff], &[0; 7], &[0x01; 40]] {
            peer.write(&mut world, &crate::raw::frame(command, payload));
            let mut damaged = crate::raw::frame(command, payload);
            damaged[20] ^= 0xff;
            peer.write(&mut world, &damaged);
        }
        peer.pass(&mut world, ms(2));
        if peer.closed {
            // What declares too many closes; anything else does not.
            assert!(world.count(0, Count::misbehaving) > 0, "{command}");
            peer = Raw::ready(&mut world, 0);
        }
    }
    assert!(world.count(0, Count::bad_checksums) > 50 && world.count(0, Count::bad_messages) > 10);
    assert_eq!(world.height(0), 3);
    let mut short = Raw::ready(&mut world, 0);
    short.write(&mut world, &crate::raw::frame("block", &[0; 79]));
    short.pass(&mut world, ms(5));
    assert!(short.closed);
}
