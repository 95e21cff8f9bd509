//! How a connection begins.

use crate::raw::{Raw, Said, frame, version};
use crate::world::{World, ms, secs, settings};
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Message, PROTOCOL_VERSION, ServiceFlags, VersionMessage};

#[test]
fn whoever_dials_speaks_first_and_then_all_is_agreed_on() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::dial(&mut world, 0);
    assert!(peer.said.is_empty(), "the node waits for us: {:?}", peer.said);
    peer.send(&mut world, &Message::Version(version()));
    peer.pass(&mut world, ms(5));
    let Some(Said::Version(theirs)) = peer.said.first() else {
        panic!("no version: {:?}", peer.said);
    };
    assert_eq!(theirs.version, PROTOCOL_VERSION);
    assert!(theirs.services.has(ServiceFlags::NETWORK | ServiceFlags::WITNESS));
    assert!(!theirs.relay);
    let rest: Vec<_> = peer.said[1..].to_vec();
    let other = |name: &str| Said::Other(name.into());
    assert_eq!(rest, [other("wtxidrelay"), other("sendaddrv2"), other("verack")]);
    assert_eq!(world.ready(0), 0, "our verack is due");
    peer.send(&mut world, &Message::Verack);
    peer.pass(&mut world, ms(5));
    assert_eq!(world.ready(0), 1);
    assert!(peer.heard("sendheaders"));
    assert!(peer.said.iter().any(|said| matches!(said, Said::Ping(Some(_)))));
    assert!(peer.said.iter().any(|said| matches!(said, Said::GetHeaders(_))));
}

#[test]
fn nothing_counts_before_the_version_and_little_before_the_verack() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::dial(&mut world, 0);
    peer.send(&mut world, &Message::Ping(Some(1)));
    peer.send(&mut world, &Message::Verack);
    peer.pass(&mut world, ms(5));
    assert!(peer.said.is_empty() && !peer.closed);
    peer.send(&mut world, &Message::Version(version()));
    peer.send(&mut world, &Message::Ping(Some(2)));
    peer.send(&mut world, &Message::WtxidRelay);
    peer.send(&mut world, &Message::SendAddrV2);
    peer.send(&mut world, &Message::SendHeaders);
    peer.send(
        &mut world,
        &Message::SendCmpct {
            announce: false,
            version: 2,
        },
    );
    peer.pass(&mut world, ms(5));
    assert!(!peer.said.contains(&Said::Pong(Some(2))));
    assert_eq!(world.ready(0), 0);
    // A second version changes nothing.
    let other = VersionMessage {
        user_agent: "/other/".into(),
        ..version()
    };
    peer.send(&mut world, &Message::Version(other));
    peer.send(&mut world, &Message::Verack);
    peer.send(&mut world, &Message::FeeFilter(1000));
    peer.send(&mut world, &Message::Ping(Some(3)));
    peer.pass(&mut world, ms(5));
    assert!(peer.said.contains(&Said::Pong(Some(3))));
    world.see(0, |state| {
        let (_, peer) = state.peers.iter().next().unwrap();
        let version = peer.version.as_ref().unwrap();
        assert_eq!(version.user_agent, "/raw/");
        assert!(peer.wtxid_relay && peer.wants_addrv2 && peer.wants_headers);
        assert_eq!(peer.compact, Some((false, 2)));
        assert_eq!(peer.fee_filter, 1000);
    });
}

#[test]
fn features_cannot_be_agreed_on_after_the_verack() {
    for late in [Message::WtxidRelay, Message::SendAddrV2] {
        let mut world = World::one(settings(1), &[]);
        let mut peer = Raw::ready(&mut world, 0);
        peer.send(&mut world, &late);
        peer.pass(&mut world, ms(5));
        assert!(peer.closed, "{late:?}");
        assert_eq!(world.count(0, Count::misbehaving), 0, "it is no crime");
        assert!(world.see(0, |state| state.discouraged.is_empty()));
    }
}

#[test]
fn who_says_too_much_before_the_handshake_is_hung_up_on_and_after_it_discouraged_too() {
    for ready in [false, true] {
        let mut world = World::one(settings(1), &[]);
        let mut peer = Raw::dial(&mut world, 0);
        if ready {
            peer.shake(&mut world, version());
        }
        // 1,001 addresses.
        peer.write(&mut world, &frame("addr", &[0xfd, 0xe9, 0x03]));
        peer.pass(&mut world, ms(5));
        assert!(peer.closed);
        assert_eq!(world.count(0, Count::misbehaving), u64::from(ready));
        assert_eq!(world.see(0, |state| state.discouraged.is_empty()), !ready);
    }
}

#[test]
fn old_versions_are_too_old_below_31800() {
    for (spoken, taken) in [(31_799, false), (31_800, true), (60_000, true), (70_001, true)] {
        let mut world = World::one(settings(1), &[]);
        let mut peer = Raw::dial(&mut world, 0);
        peer.send(
            &mut world,
            &Message::Version(VersionMessage {
                version: spoken,
                ..version()
            }),
        );
        peer.send(&mut world, &Message::Verack);
        peer.pass(&mut world, ms(5));
        assert_eq!(peer.closed, !taken, "{spoken}");
        assert!(
            !peer.heard("wtxidrelay") && !peer.heard("sendheaders"),
            "{spoken}: it knows neither"
        );
        let ping = peer.said.iter().find_map(|said| match said {
            Said::Ping(nonce) => Some(*nonce),
            _ => None,
        });
        assert_eq!(ping.is_some(), taken);
        assert_eq!(ping.flatten().is_some(), spoken > 60_000, "{spoken}: BIP 31");
    }
}

#[test]
fn a_node_that_dials_itself_notices() {
    let mut world = World::one(settings(1), &[]);
    world.connect(0, 0);
    world.pass(ms(100));
    assert_eq!(world.count(0, Count::self_connections), 1);
    assert_eq!(world.see(0, |state| state.peers.len()), 0);
}

#[test]
fn a_handshake_has_sixty_seconds() {
    for stage in 0..3 {
        let mut world = World::one(settings(1), &[]);
        let mut peer = Raw::dial(&mut world, 0);
        if stage > 0 {
            peer.send(&mut world, &Message::Version(version()));
        }
        if stage > 1 {
            // Talking does not help.
            peer.send(&mut world, &Message::SendHeaders);
        }
        peer.pass(&mut world, secs(59));
        assert!(!peer.closed);
        peer.pass(&mut world, secs(2));
        assert!(peer.closed);
        assert_eq!(world.count(0, Count::handshake_timeouts), 1);
    }
}

#[test]
fn other_protocols_are_hung_up_on_at_their_first_byte() {
    // The encrypted transport (BIP 324) begins with a public key, which is random; the peer comes back with version 1.
    for first in [&[0x17u8][..], b"GET / HTTP/1.1\r\n", &[0xf9, 0xbe, 0xb4, 0xd9]] {
        let mut world = World::one(settings(1), &[]);
        let mut peer = Raw::dial(&mut world, 0);
        peer.write(&mut world, first);
        peer.pass(&mut world, ms(5));
        assert!(peer.closed && peer.said.is_empty());
        assert_eq!(world.count(0, Count::bad_magics), 1);
        assert!(
            world.see(0, |state| state.discouraged.is_empty()),
            "it did nothing wrong"
        );
    }
}

#[test]
fn a_length_above_the_limit_closes_and_a_wrong_checksum_does_not() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    let received = |world: &World| {
        world.see(0, |state| {
            let (_, peer) = state.peers.iter().next().unwrap();
            let by_command = peer.traffic.received.clone();
            let other = by_command
                .iter()
                .find(|(command, _)| command.as_str() == "*other*");
            let other = other.map_or(0, |(_, bytes)| *bytes);
            (state.bytes.0, by_command.values().sum::<u64>(), other)
        })
    };
    let before = received(&world);
    let mut wrong = frame("ping", &[1; 8]);
    wrong[20] ^= 1;
    peer.write(&mut world, &wrong);
    peer.write(&mut world, &frame("nonsense", &[0; 100]));
    peer.write(&mut world, &frame("ping", &[2; 8]));
    peer.pass(&mut world, ms(5));
    // All that came is counted: two pings, and what nobody knows, which one of them is too.
    let (all, of_peer, other) = received(&world);
    let (pings, nonsense) = (2 * (24 + 8), 24 + 100);
    assert_eq!(
        (all - before.0, of_peer - before.1),
        (pings + nonsense, pings + nonsense)
    );
    assert_eq!(other - before.2, pings / 2 + nonsense);
    let pong = |byte: u8| Said::Pong(Some(u64::from_le_bytes([byte; 8])));
    assert!(peer.said.contains(&pong(2)) && !peer.said.contains(&pong(1)));
    assert_eq!(world.count(0, Count::bad_checksums), 1);
    assert_eq!(world.count(0, Count::unknown_messages), 1);
    let mut long = frame("block", &[]);
    long[16..20].copy_from_slice(&4_000_001_u32.to_le_bytes());
    peer.write(&mut world, &long);
    peer.pass(&mut world, ms(5));
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::bad_lengths), 1);
}
