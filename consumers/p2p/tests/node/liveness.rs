//! What ends a connection of which nothing is heard, and what does not.

use crate::miner::{Miner, headers};
use crate::raw::{Raw, Said, version};
use crate::world::{World, ms, secs, settings};
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message, VersionMessage};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn pings(peer: &mut Raw) -> Vec<Option<u64>> {
    peer.take(|said| match said {
        Said::Ping(nonce) => Some(*nonce),
        _ => None,
    })
}

#[test]
fn pings_every_two_minutes_each_with_its_own_number() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    let mut numbers = Vec::new();
    for _ in 0..10 {
        let now = pings(&mut peer);
        assert_eq!(now.len(), 1);
        numbers.extend(now.iter().map(|nonce| nonce.unwrap()));
        peer.send(&mut world, &Message::Pong(now[0]));
        peer.pass(&mut world, secs(119));
        assert!(pings(&mut peer).is_empty());
        peer.pass(&mut world, secs(1));
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 10);
    assert_eq!(world.count(0, Count::bad_pongs), 0);
}

#[test]
fn pongs_are_timed_and_a_wrong_one_is_none() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    let ping = |world: &World| {
        world.see(0, |state| {
            state
                .peers
                .iter()
                .next()
                .map(|(_, peer)| peer.ping.clone())
                .unwrap()
        })
    };
    for (wait, least) in [(30, 30), (10, 10), (20, 10)] {
        let number = pings(&mut peer)[0];
        peer.pass(&mut world, ms(wait));
        peer.send(&mut world, &Message::Pong(number.map(|number| number ^ 1)));
        peer.send(&mut world, &Message::Pong(None));
        peer.pass(&mut world, ms(1));
        assert!(ping(&world).out.is_some(), "neither is an answer");
        peer.send(&mut world, &Message::Pong(number));
        peer.pass(&mut world, ms(1));
        let told = ping(&world);
        assert!(told.out.is_none());
        let near = |time: Option<Duration>, what: u64| {
            let time = time.unwrap();
            (ms(what)..ms(what + 10)).contains(&time)
        };
        assert!(near(told.last, wait) && near(told.least, least), "{told:?}");
        // An answer to nothing.
        peer.send(&mut world, &Message::Pong(number));
        peer.pass(&mut world, secs(119));
        while !peer.said.iter().any(|said| matches!(said, Said::Ping(_))) {
            peer.pass(&mut world, ms(1));
        }
    }
    assert_eq!(world.count(0, Count::bad_pongs), 9);
}

#[test]
fn who_says_nothing_for_twenty_minutes_is_dropped() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::dial(&mut world, 0);
    let old = VersionMessage {
        version: 60_000,
        ..version()
    };
    peer.shake(&mut world, old);
    peer.pass(&mut world, secs(20 * 60 - 2));
    assert!(!peer.closed);
    assert_eq!(pings(&mut peer).len(), 10, "which are not to be answered");
    peer.pass(&mut world, secs(3));
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::silences), 1);
}

#[test]
fn who_answers_no_ping_is_dropped_after_twenty_minutes_whatever_else_it_says() {
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    for _ in 0..19 {
        peer.pass(&mut world, MINUTE);
        peer.send(&mut world, &Message::Ping(Some(1)));
    }
    peer.pass(&mut world, secs(58));
    assert!(!peer.closed);
    assert_eq!(
        pings(&mut peer).len(),
        1,
        "there is no other before this is answered"
    );
    peer.pass(&mut world, secs(3));
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::silences), 1);
}

#[test]
fn the_age_of_the_tip_changes_nothing() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(Vec::new()));
    peer.pong(&mut world);
    peer.said.clear();
    for _ in 0..2 * 24 * 4 {
        peer.pass(&mut world, MINUTE * 15);
        peer.pong(&mut world);
    }
    assert!(!peer.closed);
    assert!(peer.said.is_empty(), "nothing but pings: {:?}", peer.said);
}

#[test]
fn a_byte_a_second_is_slow_and_no_crime() {
    let mut world = World::one(settings(1), &[]);
    let mut bytes = Vec::new();
    sockman_p2p::wire::encode(&mut bytes, crate::raw::magic(), &Message::Ping(Some(5)));
    let mut peer = Raw::ready(&mut world, 0);
    for byte in bytes {
        peer.write(&mut world, &[byte]);
        peer.pass(&mut world, secs(1));
    }
    assert!(peer.said.contains(&Said::Pong(Some(5))));
    // But not before the end of the handshake.
    let mut slow = Raw::dial(&mut world, 0);
    let mut bytes = Vec::new();
    sockman_p2p::wire::encode(&mut bytes, crate::raw::magic(), &Message::Version(version()));
    for byte in &bytes[..62] {
        slow.write(&mut world, &[*byte]);
        slow.pass(&mut world, secs(1));
    }
    assert!(slow.closed);
    assert_eq!(world.count(0, Count::handshake_timeouts), 1);
}

#[test]
fn blocks_that_do_not_come_are_waited_for_ten_minutes() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &[]);
    let mut peer = Raw::ready(&mut world, 0);
    peer.send(&mut world, &Message::Headers(headers(&blocks)));
    peer.pass(&mut world, 9 * MINUTE);
    // One that comes gives the others time.
    peer.send(&mut world, &Message::Block(&crate::miner::bytes(&blocks[1])));
    peer.pass(&mut world, secs(599));
    assert!(!peer.closed);
    peer.pass(&mut world, secs(2));
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::stalled), 1);
    assert!(
        world.see(0, |state| state.discouraged.is_empty()),
        "it may only be slow"
    );
}

#[test]
fn who_takes_nothing_is_dropped_after_twenty_minutes_though_it_goes_on_talking() {
    let (mut miner, first) = Miner::chain(1);
    let large = miner.large(first[0].block_hash(), 3, 1, 900_000);
    let mut world = World::one(settings(1), &first);
    world.give(0, &large);
    let mut peer = Raw::ready(&mut world, 0);
    let want = |count: usize| {
        let items = large.iter().cycle().take(count);
        Message::GetData(
            items
                .map(|block| Inventory::WitnessBlock(block.block_hash()))
                .collect(),
        )
    };
    peer.deaf = true;
    peer.send(&mut world, &want(20));
    for _ in 0..19 {
        peer.pass(&mut world, MINUTE);
        peer.send(&mut world, &Message::FeeFilter(1));
    }
    assert_eq!(world.see(0, |state| state.peers.len()), 1);
    peer.pass(&mut world, MINUTE * 2);
    assert_eq!(world.see(0, |state| state.peers.len()), 0);
    assert_eq!(world.count(0, Count::silences), 1);
}

#[test]
fn who_takes_little_by_little_stays_and_its_pong_has_time() {
    let (mut miner, first) = Miner::chain(1);
    let large = miner.large(first[0].block_hash(), 3, 1, 900_000);
    let mut world = World::one(settings(1), &first);
    world.give(0, &large);
    let mut peer = Raw::ready(&mut world, 0);
    peer.pong(&mut world);
    peer.deaf = true;
    let items = large
        .iter()
        .map(|block| Inventory::WitnessBlock(block.block_hash()));
    peer.send(&mut world, &Message::GetData(items.collect()));
    peer.pass(&mut world, secs(1));
    // Some bytes every five minutes, for longer than one may be silent; pings are behind them.
    for _ in 0..9 {
        peer.hear_some(300_000);
        peer.pass(&mut world, MINUTE * 5);
        assert_eq!(world.see(0, |state| state.peers.len()), 1);
    }
    peer.deaf = false;
    peer.pass(&mut world, secs(1));
    assert_eq!(peer.blocks().len(), 3);
    peer.pong(&mut world);
    peer.pass(&mut world, MINUTE * 10);
    assert!(!peer.closed);
}
