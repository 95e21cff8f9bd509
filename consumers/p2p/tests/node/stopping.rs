//! The end of a node.

use crate::miner::Miner;
use crate::raw::Raw;
use crate::world::{World, ms, secs, settings};
use sockman::SockMan;
use sockman_backends::sim::Simulated;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Inventory, Message};

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
