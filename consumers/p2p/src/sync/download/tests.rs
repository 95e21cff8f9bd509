//! Downloads without any network: peers are entries in a table.

use super::*;
use crate::chain::{Params, mine, template};
use crate::state::{Direction, Peer, Version};
use crate::store::Memory;
use crate::wire::{self, Command, ServiceFlags};
use bitcoin::consensus::serialize;
use bitcoin::{Block, Network, ScriptBuf};
use sockman::{Endpoint, Id as _, RawId};
use std::time::Duration;

struct World {
    chain: Chain<Memory>,
    peers: Peers,
    download: Download,
    settings: Settings,
    now: Instant,
    dropped: Vec<usize>,
    blocks: Vec<Block>,
    ids: Vec<Id>,
}

/// What a peer was that has sent a block.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// It was not asked for it.
    Unasked,
    /// It was asked for it, before any other.
    Asked,
    /// It was asked for it after this one.
    Overtook(usize),
}

fn conn(number: usize) -> Conn {
    Conn::from_raw(RawId::new(Conn::KIND, number, 1).unwrap())
}

impl World {
    /// A chain of headers, and peers that all have it.
    fn new(headers: usize, peers: usize) -> World {
        let params = Params::of(Network::Regtest);
        let (store, loaded) = Memory::new(params.magic).crash(0);
        let mut chain = Chain::new(params, store, loaded, u64::from(u32::MAX)).unwrap();
        let (mut blocks, mut ids) = (Vec::new(), vec![Id::GENESIS]);
        for height in 0..headers {
            let parent = ids[height];
            let time = u64::from(chain.entry(parent).header.time) + 600;
            let mut block = template(
                chain.tree(),
                parent,
                ScriptBuf::from(vec![0x51]),
                time,
                Vec::new(),
            );
            assert!(mine(&mut block.header, 1 << 20));
            ids.push(chain.accept_header(&block.header, u64::from(u32::MAX)).unwrap());
            blocks.push(block);
        }
        let mut world = World {
            chain,
            peers: Peers::default(),
            download: Download::default(),
            settings: Settings::new([0; 32]),
            now: Instant::now(),
            dropped: Vec::new(),
            blocks,
            ids,
        };
        for number in 0..peers {
            world.join(number);
        }
        world
    }

    fn join(&mut self, number: usize) {
        self.join_as(number, Direction::Inbound);
    }

    fn join_as(&mut self, number: usize, direction: Direction) {
        let address = Endpoint::Tcp("192.0.2.1:1".parse().unwrap());
        let mut peer = Peer::new(address, direction, 0, self.now);
        peer.ready = true;
        peer.version = Some(Version {
            protocol: wire::PROTOCOL_VERSION,
            services: ServiceFlags::NETWORK | ServiceFlags::WITNESS,
            user_agent: String::new(),
            height: 0,
            relay: false,
            time_offset: 0,
            sees_us_at: None,
        });
        peer.best = self.ids.last().copied();
        self.peers.insert(conn(number), peer);
    }

    /// Heights that a peer is asked for now.
    fn plan(&mut self, number: usize) -> Vec<usize> {
        let planned = self.download.plan(
            &self.chain,
            &mut self.peers,
            conn(number),
            &self.settings,
            self.now,
        );
        self.heights(&planned)
    }

    fn heights(&self, ids: &[Id]) -> Vec<usize> {
        ids.iter()
            .map(|&id| self.chain.entry(id).height as usize)
            .collect()
    }

    /// A peer sends a block, which is stored.
    fn send(&mut self, number: usize, height: usize) -> Sent {
        let id = self.ids[height];
        let delivered = self
            .download
            .delivered(&mut self.peers, id, conn(number), self.now);
        let magic = self.chain.params().magic;
        let frame = wire::frame(magic, Command::BLOCK, &serialize(&self.blocks[height - 1]));
        if self.chain.accept_block(&frame, u64::from(u32::MAX)).is_ok() {
            self.download.landed(&mut self.peers, id, self.now);
        }
        match delivered {
            None => Sent::Unasked,
            Some(Delivered { overtaken: None }) => Sent::Asked,
            Some(Delivered {
                overtaken: Some((conn, _)),
            }) => Sent::Overtook(conn.raw().slot()),
        }
    }

    /// Who is asked too, and for which height; whoever is to be hung up on has left.
    fn hedge(&mut self) -> Option<(usize, usize)> {
        let hedge = self
            .download
            .hedge(&self.chain, &mut self.peers, &self.settings, self.now);
        match hedge? {
            Hedge::Ask(wanted) => Some((
                wanted.conn.raw().slot(),
                self.chain.entry(wanted.id).height as usize,
            )),
            Hedge::Drop(slow) => {
                let slow = slow.raw().slot();
                self.leave(slow);
                self.dropped.push(slow);
                None
            }
        }
    }

    fn leave(&mut self, number: usize) {
        let peer = self.peers.remove(conn(number)).unwrap();
        self.download
            .lost(conn(number), peer.in_flight.into_iter().map(|(id, _)| id));
    }

    fn in_flight(&self, number: usize) -> Vec<usize> {
        let peer = self.peers.get(conn(number)).unwrap();
        let ids: Vec<Id> = peer.in_flight.iter().map(|&(id, _)| id).collect();
        self.heights(&ids)
    }

    fn pass(&mut self, secs: f64) {
        self.now += Duration::from_secs_f64(secs);
    }
}

fn range(from: usize, to: usize) -> Vec<usize> {
    (from..=to).collect()
}

#[test]
fn sixteen_of_each_in_the_order_of_heights() {
    let mut world = World::new(40, 3);
    assert_eq!(world.plan(0), range(1, 16));
    assert!(world.plan(0).is_empty());
    assert_eq!(world.plan(1), range(17, 32));
    assert_eq!(world.plan(2), range(33, 40));
    assert_eq!(world.send(0, 1), Sent::Asked);
    assert!(world.plan(0).is_empty(), "nothing is left");
    world.leave(1);
    assert_eq!(world.plan(2), range(17, 24), "it has eight already");
    assert!(
        world.plan(0).is_empty(),
        "fifteen are under way: one more is not worth a message yet"
    );
    for height in 2..=8 {
        world.send(0, height);
    }
    assert_eq!(world.plan(0), range(25, 32));
}

#[test]
fn all_stay_within_the_window_and_its_bytes() {
    let mut world = World::new(40, 2);
    world.settings.window = 20;
    assert_eq!(world.plan(0), range(1, 16));
    assert_eq!(world.plan(1), range(17, 20));
    assert!(world.download.held_up);
    for height in 2..=20 {
        let by = usize::from(height > 16);
        world.send(by, height);
    }
    assert_eq!((world.plan(0), world.plan(1)), (vec![], vec![]));
    world.send(0, 1);
    assert_eq!(world.chain.height(), 20);
    assert_eq!(world.plan(1), range(21, 36));

    let mut world = World::new(40, 2);
    world.settings.window_bytes = 3 * 270;
    world.plan(0);
    let size = world
        .blocks
        .iter()
        .map(|block| serialize(block).len())
        .max()
        .unwrap();
    assert!((240..270).contains(&(size + 24)), "{size}");
    for height in [3, 4, 5, 6] {
        world.send(0, height);
    }
    // Behind the four there is nothing to be had, but before them.
    assert_eq!((world.plan(0), world.plan(1)), (vec![], vec![]));
    world.leave(0);
    assert_eq!(world.plan(1), [1, 2]);
    world.send(1, 1);
    assert!(world.plan(1).is_empty());
    world.send(1, 2);
    assert_eq!(world.plan(1), range(7, 22));
}

#[test]
fn what_holds_up_the_window_is_asked_of_another_who_is_idle() {
    let mut world = World::new(20, 3);
    world.plan(0);
    world.plan(1);
    world.pass(1.9);
    assert_eq!(world.hedge(), None, "not late yet");
    world.pass(0.1);
    assert_eq!(world.hedge(), Some((2, 1)));
    assert_eq!(world.hedge(), None, "once");
    assert_eq!(world.in_flight(2), [1]);
    for height in 17..=20 {
        world.send(1, height);
    }
    assert_eq!(world.hedge(), None, "two have it to send");
    world.pass(1.0);
    assert_eq!(world.send(2, 1), Sent::Overtook(0), "the first is overtaken");
    assert_eq!(world.in_flight(0), range(2, 16));
    world.leave(2);
    assert_eq!(world.hedge(), Some((1, 2)), "the next is late too");
    assert_eq!(world.send(0, 1), Sent::Unasked, "too late");
    assert_eq!(world.send(0, 2), Sent::Asked, "in time, all the same");
    assert!(world.in_flight(1).is_empty());
}

#[test]
fn the_second_counts_from_when_it_was_asked() {
    let mut world = World::new(1, 2);
    world.plan(0);
    world.pass(4.0);
    assert_eq!(world.hedge(), Some((1, 1)));
    world.leave(0);
    world.join(2);
    assert_eq!(world.hedge(), None);
    world.pass(1.5);
    assert_eq!(world.hedge(), None, "asked a second and a half ago");
    world.pass(0.5);
    assert_eq!(world.hedge(), Some((2, 1)));
}

#[test]
fn two_who_both_keep_a_block_back_do_not_keep_it_for_ever() {
    let mut world = World::new(1, 3);
    world.plan(0);
    world.pass(2.0);
    assert!(world.hedge().is_some());
    world.pass(4.9);
    assert_eq!(world.hedge(), None);
    assert!(
        world.dropped.is_empty(),
        "the second has had less than five seconds"
    );
    world.pass(0.1);
    assert_eq!(world.hedge(), None);
    assert_eq!(world.dropped, [0]);
    assert!(world.hedge().is_some(), "the third is asked");
    world.pass(5.0);
    assert_eq!(world.hedge(), None, "nobody is left to be asked");
}

#[test]
fn when_no_more_may_be_asked_for_twice_the_first_is_dropped() {
    let mut world = World::new(1, 2);
    world.download.hedged = world.settings.hedges;
    world.plan(0);
    world.pass(4.9);
    assert_eq!(world.hedge(), None);
    assert!(world.dropped.is_empty());
    world.pass(0.1);
    assert_eq!(world.hedge(), None);
    assert_eq!(world.dropped, [0]);
    assert_eq!(world.plan(1), [1]);
}

#[test]
fn at_most_two_in_a_hundred_are_asked_for_twice() {
    let mut world = World::new(1100, 2);
    world.settings.blocks_per_peer = 1;
    let mut hedged = 0_u64;
    for height in 1..=1100 {
        assert_eq!(world.plan(0), [height]);
        world.pass(3.0);
        if let Some(which) = world.hedge() {
            assert_eq!(which, (1, height));
            hedged += 1;
        }
        assert_eq!(world.send(0, height), Sent::Asked);
    }
    assert_eq!(hedged, world.settings.hedges + 1099 / 50);
    assert_eq!(world.download.in_flight(), 0);
}

#[test]
fn in_whatever_order_peers_give_up_leave_and_send() {
    let steps: [fn(&mut World); 4] = [
        |world| world.leave(0),
        |world| world.leave(1),
        |world| {
            let id = world.ids[1];
            world.download.given_up(&mut world.peers, id, conn(0), world.now);
        },
        |world| {
            let id = world.ids[1];
            world.download.given_up(&mut world.peers, id, conn(1), world.now);
        },
    ];
    for (one, first) in steps.iter().enumerate() {
        for (two, second) in steps.iter().enumerate() {
            if one % 2 == two % 2 {
                continue;
            }
            let mut world = World::new(1, 2);
            world.plan(0);
            world.pass(2.0);
            assert_eq!(world.hedge(), Some((1, 1)));
            first(&mut world);
            assert_eq!(world.download.in_flight(), 1, "the other still has it to send");
            world.join(2);
            assert!(world.plan(2).is_empty());
            second(&mut world);
            assert_eq!(world.download.in_flight(), 0);
            assert_eq!(world.plan(2), [1]);
            assert_eq!(world.send(2, 1), Sent::Asked);
        }
    }
}

#[test]
fn a_block_that_nobody_asked_this_peer_for_changes_nothing_unless_it_is_stored() {
    let mut world = World::new(2, 2);
    world.plan(0);
    let id = world.ids[1];
    let delivered = world.download.delivered(&mut world.peers, id, conn(1), world.now);
    assert_eq!(delivered, None);
    assert_eq!(world.in_flight(0), [1, 2]);
    assert_eq!(world.send(1, 1), Sent::Unasked);
    assert_eq!(world.in_flight(0), [2]);
}

#[test]
fn a_bad_block_from_one_leaves_the_other_asked() {
    let mut world = World::new(1, 2);
    world.plan(0);
    world.pass(2.0);
    world.hedge();
    // It sends something else, with the same header.
    let id = world.ids[1];
    let delivered = world.download.delivered(&mut world.peers, id, conn(0), world.now);
    assert_eq!(delivered, Some(Delivered { overtaken: None }));
    assert_eq!((world.in_flight(0), world.in_flight(1)), (vec![], vec![1]));
    assert!(world.plan(0).is_empty());
    assert_eq!(world.send(1, 1), Sent::Asked);
}

#[test]
fn who_dialled_us_is_asked_for_what_others_have_not() {
    let mut world = World::new(100, 2);
    world.join_as(2, Direction::Outbound(0));
    world.peers.get_mut(conn(1)).unwrap().has_stalled = true;
    world.peers.get_mut(conn(2)).unwrap().best = Some(world.ids[50]);
    assert_eq!(world.plan(0), (51..=66).collect::<Vec<_>>());
    assert!(
        world.plan(1).is_empty(),
        "it has stalled, and the others have it all"
    );
    assert_eq!(world.plan(2), (1..=16).collect::<Vec<_>>());
    world.leave(2);
    world.leave(0);
    world.join(0);
    assert_eq!(
        world.plan(0),
        (1..=16).collect::<Vec<_>>(),
        "there is nobody else"
    );
    world.leave(0);
    assert_eq!(world.plan(1), (1..=16).collect::<Vec<_>>());
}

#[test]
fn what_is_near_is_fetched_from_anybody() {
    let mut world = World::new(17, 1);
    world.join_as(1, Direction::Outbound(0));
    assert!(world.plan(0).is_empty());
    world.plan(1);
    world.send(1, 1);
    assert_eq!(world.plan(0), [17]);
}
