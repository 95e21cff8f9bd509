//! The end of a node.

use crate::miner::Miner;
use crate::raw::Raw;
use crate::world::{PORT, World, ms, secs, settings};
use sockman::{ListenOptions, SockMan};
use sockman_backends::sim::Simulated;
use sockman_p2p::Settings;
use sockman_p2p::state::{Command, Count, Kind, Phase};
use sockman_p2p::wire::{Inventory, Message};
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

/// Held by a test: no name is looked up meanwhile.
static SLOW: Mutex<()> = Mutex::new(());

fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
    let _held = SLOW.lock();
    Err(io::ErrorKind::NotFound.into())
}

#[test]
fn a_name_that_is_found_after_the_stop_is_not_dialled() {
    for stopped in [false, true] {
        let held = SLOW.lock().unwrap();
        let resolve = slow;
        let mut world = World::one(
            Settings {
                resolve,
                ..settings(1)
            },
            &[],
        );
        let peer = Raw::ready(&mut world, 0);
        let host = world.network.host();
        let door = host.listen(&host.at(PORT), &ListenOptions::default()).unwrap();
        let handle = world.handle(0);
        handle.add_node("slow.example", Kind::Added).unwrap();
        world.pass(ms(5));
        let resolving = |phase| phase == Phase::Resolving;
        assert!(world.see(0, |state| {
            state.targets.iter().all(|target| resolving(target.phase))
        }));
        if stopped {
            let node = world.nodes[0].as_mut().unwrap();
            node.remote().stop(secs(5)).unwrap();
            world.pass(ms(5));
        }
        handle.command(Command::Resolved {
            target: 0,
            addresses: Ok(vec![SocketAddr::from((host.ip4(), PORT))]),
        });
        world.pass(ms(5));
        assert_eq!(door.accept().is_err(), stopped);
        drop((peer, held));
    }
}

#[test]
fn a_node_that_is_stopped_sends_what_it_has_begun_to_and_leaves_nothing_behind() {
    let (_, blocks) = Miner::chain(5);
    let mut world = World::one(settings(1), &blocks);
    let nobody = world.add(settings(2));
    world.hosts[nobody].crash();
    world.connect(0, nobody);
    let mut peer = Raw::ready(&mut world, 0);
    let list = blocks
        .iter()
        .map(|block| Inventory::WitnessBlock(block.block_hash()));
    peer.send(&mut world, &Message::GetData(list.collect()));
    peer.deaf = true;
    world.until(secs(1), |world| world.count(0, Count::blocks_served) == 5);
    let waits = world.handle(0);
    let waiter = std::thread::spawn(move || waits.wait(None, |_| None::<()>));
    world.nodes[1] = None;
    let node = world.nodes[0].as_mut().unwrap();
    node.remote().stop(secs(5)).unwrap();
    peer.deaf = false;
    peer.pass(&mut world, ms(100));
    assert_eq!(peer.blocks().len(), 5);
    assert!(peer.closed);
    assert_eq!(waiter.join().unwrap(), None, "whoever waited has been told");
    // It waits a while for us to close our side too.
    let connections = |world: &World| world.nodes[0].as_ref().unwrap().backend().net().connections();
    world.until(secs(6), |world| connections(world) == 0);
}
