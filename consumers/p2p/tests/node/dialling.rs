//! Whom a node dials, whom it refuses, and how often.

use crate::miner::{Miner, bytes};
use crate::raw::{Raw, version};
use crate::world::{World, ms, secs, settings};
use sockman::ListenOptions;
use sockman_backends::sim::{Host, PlainListener};
use sockman_p2p::Settings;
use sockman_p2p::state::{AddError, Command, Count, Kind, Phase};
use sockman_p2p::wire::Message;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Somebody who listens, and speaks when it is told to.
struct Door(PlainListener);

impl Door {
    fn at(host: &Host, port: u16) -> Door {
        Door(host.listen(&host.at(port), &ListenOptions::default()).unwrap())
    }

    fn taken(&self) -> Option<Raw> {
        self.0.accept().ok().map(Raw::on)
    }

    /// Waits for the node to dial, and goes through the handshake.
    fn ready(&self, world: &mut World) -> Raw {
        for _ in 0..100_000 {
            if let Some(mut peer) = self.taken() {
                peer.shake(world, version());
                return peer;
            }
            world.pass(ms(1));
        }
        panic!("nobody dials");
    }

    /// When, in milliseconds from now, it is dialled within `secs`; each time it hangs up at once.
    fn times(&self, world: &mut World, secs: u64) -> Vec<u64> {
        let mut times = Vec::new();
        for at in 0..secs * 100 {
            times.extend(self.taken().map(|_| at * 10));
            world.pass(ms(10));
        }
        times
    }
}

fn connect(world: &World, host: &Host, port: u16, kind: Kind) {
    let name = format!("{}:{port}", host.ip4());
    world.handle(0).add_node(&name, kind).unwrap();
}

#[test]
fn who_hangs_up_is_dialled_again_after_a_second_then_two_up_to_thirty() {
    for kind in [Kind::Connect, Kind::Added] {
        let mut world = World::one(settings(1), &[]);
        let host = world.network.host();
        let door = Door::at(&host, 1);
        connect(&world, &host, 1, kind);
        let times = door.times(&mut world, 115);
        let pauses: Vec<_> = times
            .windows(2)
            .map(|two| (two[1] - two[0] + 500) / 1000)
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        // A connection that lasts begins anew.
        let mut peer = door.ready(&mut world);
        peer.pass(&mut world, secs(61));
        drop(peer);
        let times = door.times(&mut world, 8);
        let first = times[0];
        assert!((900..1200).contains(&first), "{times:?}");
    }
}

#[test]
fn who_hangs_up_right_after_the_handshake_is_dialled_less_and_less_too() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Connect);
    let mut times = Vec::new();
    for _ in 0..6 {
        drop(door.ready(&mut world));
        times.push(world.network.elapsed().as_millis());
    }
    let pauses: Vec<_> = times
        .windows(2)
        .map(|two| (two[1] - two[0] + 500) / 1000)
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16]);
}

#[test]
fn who_refuses_or_does_not_answer_is_dialled_again_too() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    connect(&world, &host, 1, Kind::Added);
    world.pass(secs(4));
    assert_eq!(
        world.count(0, Count::dials_failed),
        3,
        "at once, after 1 s, after 2 more"
    );
    // Packets vanish: five seconds, then the pause.
    world.network.black_hole(host.ip4().into());
    world.pass(secs(4 + 4));
    assert_eq!(world.count(0, Count::dials_failed), 3);
    world.pass(secs(5));
    assert_eq!(world.count(0, Count::dials_failed), 4);
}

#[test]
fn who_stalls_in_the_handshake_is_given_up_after_a_minute() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Connect);
    world.pass(ms(10));
    let mut silent = door.taken().unwrap();
    silent.pass(&mut world, secs(59));
    assert!(
        !silent.closed && silent.said.len() == 1,
        "we dialled: our version comes first"
    );
    silent.pass(&mut world, secs(2));
    assert!(silent.closed);
    world.pass(secs(2));
    assert!(door.taken().is_some());
}

#[test]
fn whom_we_dialled_has_two_minutes_to_tell_headers() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Connect);
    let mut peer = door.ready(&mut world);
    peer.pass(&mut world, secs(119));
    assert!(!peer.closed);
    peer.pass(&mut world, secs(2));
    assert!(peer.closed);
    assert_eq!(world.count(0, Count::stalled), 1);
    let mut peer = door.ready(&mut world);
    peer.send(&mut world, &Message::Headers(Vec::new()));
    peer.pass(&mut world, secs(240));
    assert!(!peer.closed, "it has told that there is nothing");
}

#[test]
fn once_is_once_and_what_is_removed_is_not_dialled_any_more() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Once);
    assert_eq!(door.times(&mut world, 10).len(), 1);
    connect(&world, &host, 1, Kind::Added);
    let again = world
        .handle(0)
        .add_node(&format!("{}:1", host.ip4()), Kind::Added);
    assert_eq!(again, Err(AddError::Already), "it is known");
    let peer = door.ready(&mut world);
    assert!(world.handle(0).remove_node(&format!("{}:1", host.ip4())));
    world.pass(secs(5));
    assert_eq!(world.ready(0), 1, "what is connected stays");
    drop(peer);
    assert!(door.times(&mut world, 10).is_empty());
    assert_eq!(world.see(0, |state| state.targets.iter().count()), 0);
}

#[test]
fn so_many_may_be_dialled_and_no_more() {
    let settings = Settings {
        targets: 2,
        ..settings(1)
    };
    let mut world = World::one(settings, &[]);
    let host = world.network.host();
    for port in [1, 2] {
        connect(&world, &host, port, Kind::Added);
    }
    let name = |port| format!("{}:{port}", host.ip4());
    for kind in [Kind::Added, Kind::Once] {
        assert_eq!(world.handle(0).add_node(&name(3), kind), Err(AddError::Full(2)));
    }
    assert!(world.handle(0).remove_node(&name(1)));
    world.pass(secs(10));
    connect(&world, &host, 3, Kind::Once);
    world.pass(secs(1));
    assert_eq!(
        world.see(0, |state| state.targets.iter().count()),
        1,
        "once is over"
    );
}

fn resolve(name: &str) -> io::Result<Vec<SocketAddr>> {
    match name {
        "two.example:18444" => Ok(vec![
            "203.0.113.1:1".parse().unwrap(),
            "203.0.113.2:1".parse().unwrap(),
        ]),
        "none.example:18444" => Ok(Vec::new()),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

#[test]
fn names_are_looked_up_elsewhere_and_their_addresses_taken_in_turn() {
    let mut world = World::one(
        Settings {
            resolve,
            ..settings(1)
        },
        &[],
    );
    for name in ["two.example", "none.example", "wrong.example"] {
        world.handle(0).add_node(name, Kind::Added).unwrap();
    }
    let phases = |world: &World| {
        world.see(0, |state| {
            state
                .targets
                .iter()
                .map(|target| target.phase)
                .collect::<Vec<_>>()
        })
    };
    let mut dialled = Vec::new();
    // The thread that looks names up has a clock of its own.
    for _ in 0..2000 {
        world.pass(ms(10));
        std::thread::yield_now();
        let now = phases(&world);
        if let Phase::Dialling(at) = now[0]
            && !dialled.contains(&at)
        {
            dialled.push(at);
        }
        if now.contains(&Phase::Resolving) {
            std::thread::sleep(ms(1));
        }
        if dialled.len() == 2 {
            break;
        }
    }
    let tried: Vec<_> = dialled.iter().map(ToString::to_string).collect();
    let failed = world.count(0, Count::dials_failed);
    assert!(
        tried == ["203.0.113.1:1", "203.0.113.2:1"] || failed >= 2,
        "{tried:?}, {failed} failed"
    );
    assert!(matches!(phases(&world)[1], Phase::Waiting(_) | Phase::Resolving));
    assert!(matches!(phases(&world)[2], Phase::Waiting(_) | Phase::Resolving));
}

#[test]
fn slots_for_those_who_dial_us_are_so_many_and_are_given_again() {
    let mut world = World::one(
        Settings {
            max_inbound: 10,
            ..settings(1)
        },
        &[],
    );
    let mut peers: Vec<_> = (0..10).map(|_| Raw::ready(&mut world, 0)).collect();
    for _ in 0..5 {
        let refused = Raw::dial(&mut world, 0);
        assert!(refused.closed && refused.said.is_empty());
    }
    assert_eq!(world.count(0, Count::inbound_refused), 5);
    // Whom we dial needs none.
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Connect);
    let out = door.ready(&mut world);
    peers.pop();
    world.pass(ms(5));
    let mut again = Raw::ready(&mut world, 0);
    for peer in peers.iter_mut().chain([&mut again]) {
        peer.send(&mut world, &Message::Ping(Some(1)));
        peer.pass(&mut world, ms(2));
        assert!(peer.said.contains(&crate::raw::Said::Pong(Some(1))));
    }
    assert!(!out.closed);
}

#[test]
fn two_hundred_at_once_are_served_or_refused_and_all_is_given_back() {
    let (_, blocks) = Miner::chain(3);
    let mut world = World::one(settings(1), &blocks);
    let host = world.network.host();
    let at = world.endpoint(0);
    let mut all: Vec<_> = (0..200).map(|_| Raw::on(host.connect(&at).unwrap())).collect();
    world.pass(ms(50));
    for peer in &mut all {
        peer.hear();
    }
    assert_eq!(all.iter().filter(|peer| peer.closed).count(), 75);
    assert_eq!(world.see(0, |state| state.peers.len()), 125);
    for peer in all.iter_mut().filter(|peer| !peer.closed) {
        peer.shake(&mut world, version());
    }
    assert_eq!(world.ready(0), 125);
    drop(all);
    world.pass(ms(50));
    assert_eq!(
        world.see(0, |state| (state.peers.len(), state.peers.inbound())),
        (0, 0)
    );
    Raw::ready(&mut world, 0);
}

fn misbehave(world: &mut World, peer: &mut Raw) {
    let mut block = Miner::chain(1).1.remove(0);
    block.txdata.clear();
    block.header.nonce = 0;
    block.header.bits = bitcoin::CompactTarget::from_consensus(1);
    peer.send(world, &Message::Block(&bytes(&block)));
    peer.pass(world, ms(5));
}

#[test]
fn who_is_discouraged_gets_the_last_slot_only_if_nobody_is() {
    let mut world = World::one(
        Settings {
            max_inbound: 3,
            discourage: secs(3600),
            ..settings(1)
        },
        &[],
    );
    let host = world.network.host();
    let mut bad = Raw::dial_from(&mut world, &host, 0);
    bad.shake(&mut world, version());
    misbehave(&mut world, &mut bad);
    assert!(bad.closed);
    // While there is room it may come back.
    let mut one = Raw::dial_from(&mut world, &host, 0);
    one.shake(&mut world, version());
    let mut two = Raw::dial_from(&mut world, &host, 0);
    two.shake(&mut world, version());
    let three = Raw::dial_from(&mut world, &host, 0);
    assert!(three.closed, "the last one is not for it");
    let other = Raw::ready(&mut world, 0);
    assert!(!other.closed && !one.closed && !two.closed);
    drop(other);
    world.pass(secs(3600));
    let later = Raw::dial_from(&mut world, &host, 0);
    assert!(!later.closed);
}

#[test]
fn whom_we_were_told_to_connect_to_is_discouraged_by_its_port() {
    let mut world = World::one(
        Settings {
            discourage: secs(100),
            ..settings(1)
        },
        &[],
    );
    let host = world.network.host();
    let (bad, good) = (Door::at(&host, 1), Door::at(&host, 2));
    connect(&world, &host, 1, Kind::Connect);
    let mut peer = bad.ready(&mut world);
    misbehave(&mut world, &mut peer);
    assert!(peer.closed);
    // Another at the same address.
    connect(&world, &host, 2, Kind::Connect);
    let other = good.ready(&mut world);
    // And one that dials us from there is a third.
    let mut third = Raw::dial_from(&mut world, &host, 0);
    third.shake(&mut world, version());
    misbehave(&mut world, &mut third);
    assert!(third.closed, "its address is discouraged now");
    assert!(bad.times(&mut world, 90).is_empty());
    assert!(!bad.times(&mut world, 45).is_empty(), "for a while only");
    drop(other);
    assert!(!good.times(&mut world, 40).is_empty(), "it has done nothing");
    // Others than those we were told to connect to are not dialled at that address.
    let third = Door::at(&host, 3);
    let mut bad = Raw::dial_from(&mut world, &host, 0);
    bad.shake(&mut world, version());
    misbehave(&mut world, &mut bad);
    connect(&world, &host, 3, Kind::Added);
    assert!(third.times(&mut world, 60).is_empty());
    assert!(!third.times(&mut world, 100).is_empty());
}

#[test]
fn who_is_banned_is_hung_up_on_refused_and_not_dialled() {
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Connect);
    let mut dialled = door.ready(&mut world);
    let mut dials = Raw::dial_from(&mut world, &host, 0);
    dials.shake(&mut world, version());
    let mut bystander = Raw::ready(&mut world, 0);
    let handle = world.handle(0);
    let now = handle.unix();
    handle.with(|state| {
        state
            .bans
            .add(IpAddr::from(host.ip4()).into(), now, now + 100)
            .unwrap();
    });
    handle.command(Command::DropBanned);
    for peer in [&mut dialled, &mut dials, &mut bystander] {
        peer.pass(&mut world, ms(5));
    }
    assert!(dialled.closed && dials.closed && !bystander.closed);
    let refused = Raw::dial_from(&mut world, &host, 0);
    assert!(refused.closed);
    assert_eq!(world.count(0, Count::banned_refused), 1);
    assert!(door.times(&mut world, 95).is_empty());
    assert!(!door.times(&mut world, 45).is_empty());
    assert!(!Raw::dial_from(&mut world, &host, 0).closed);
}

#[test]
fn noban_is_not_banned_and_not_discouraged() {
    let mut world = World::new();
    let host = world.network.host();
    let net = ipnet::IpNet::from(IpAddr::from(host.ip4()));
    world.add(Settings {
        noban: vec![net],
        ..settings(1)
    });
    let handle = world.handle(0);
    let now = handle.unix();
    handle.with(|state| state.bans.add(net, now, now + 1000).unwrap());
    let mut peer = Raw::dial_from(&mut world, &host, 0);
    peer.shake(&mut world, version());
    handle.command(Command::DropBanned);
    misbehave(&mut world, &mut peer);
    assert!(!peer.closed);
    assert_eq!(world.count(0, Count::misbehaving), 1);
    let door = Door::at(&host, 1);
    connect(&world, &host, 1, Kind::Added);
    door.ready(&mut world);
}

#[test]
fn several_at_one_address_are_several() {
    let (_, blocks) = Miner::chain(40);
    let mut world = World::one(settings(1), &[]);
    let host = world.network.host();
    let mut peers: Vec<_> = (0..3)
        .map(|_| {
            let mut peer = Raw::dial_from(&mut world, &host, 0);
            peer.shake(&mut world, version());
            peer
        })
        .collect();
    for peer in &mut peers {
        peer.send(&mut world, &Message::Headers(crate::miner::headers(&blocks)));
        peer.pass(&mut world, ms(5));
    }
    let asked: Vec<_> = peers.iter_mut().map(|peer| peer.asked().len()).collect();
    assert_eq!(asked, [16, 16, 8]);
    misbehave(&mut world, &mut peers[0]);
    peers[1].hear();
    assert!(peers[0].closed && !peers[1].closed && !peers[2].closed);
}
