//! Peers that ask for more than they take, and nodes that send each other more than they can.

use super::Scenario;
use super::miner::{Miner, witness};
use super::node::{self, Running};
use super::peer::{Peer, Said, encode};
use sockman_p2p::state::{Count, Kind};
use sockman_p2p::wire::{Inventory, Message};
use std::thread;
use std::time::{Duration, Instant};

/// Large blocks that a node has here.
pub(super) const LARGE: u32 = 12;

/// Every block of a node.
fn all_blocks(node: &Running) -> Vec<Inventory> {
    node.handle.with(|state| {
        let ids = (1..).map_while(|height| state.chain.at(height));
        let hashes: Vec<_> = ids.map(|id| state.chain.entry(id).hash).collect();
        witness(&hashes)
    })
}

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "4 peers ask for every block for 3 s and never read",
        settings: |_| {},
        // For each 1 MiB and a block to send and 5 MiB and some to look at; buffers grow by doubling; 16 MiB of blocks kept.
        large: true,
        memory: 4 * 2 * (2 + 6) + 16,
        run: |node| {
            let ask = encode(&Message::GetData(all_blocks(node)));
            let flood: Vec<u8> = ask.iter().copied().cycle().take(ask.len() * 200).collect();
            let mut all: Vec<_> = (0..4).map(|_| (Peer::ready(node.at), 0)).collect();
            let end = Instant::now() + Duration::from_secs(3);
            while Instant::now() < end {
                for (peer, offset) in &mut all {
                    *offset += peer.try_write(&flood[*offset % ask.len()..]);
                }
                thread::sleep(Duration::from_millis(1));
            }
            assert!(node.count(Count::receive_pauses) > 0, "reading never stopped");
            assert_eq!(node.peers(), 4);
            // One that reads after all gets what it asked for.
            for _ in 0..30 {
                all[0].0.wait(|said| *said == Said::Block);
            }
        },
    },
    Scenario {
        // Each has at least 1 MiB waiting that the kernel does not take: 80 MiB, if it were not the same buffers for all.
        name: "80 peers ask for every block and never read",
        settings: |_| {},
        large: true,
        memory: 16 + 8,
        run: |node| {
            let whole = all_blocks(node);
            let stripped = whole.iter().map(|item| match item {
                Inventory::WitnessBlock(hash) => Inventory::Block(*hash),
                other => *other,
            });
            let asks = [
                Message::GetData(whole.clone()),
                Message::GetData(stripped.collect()),
            ];
            let mut all: Vec<_> = (0..80).map(|_| Peer::ready(node.at)).collect();
            for (peer, ask) in all.iter_mut().zip(asks.iter().cycle()) {
                peer.send(ask);
            }
            node.until(|node| node.count(Count::send_pauses) >= 80);
        },
    },
    Scenario {
        name: "a peer downloads everything, five times",
        settings: |_| {},
        large: true,
        memory: 64,
        run: |node| {
            let list = all_blocks(node);
            let mut peer = Peer::ready(node.at);
            for _ in 0..5 {
                peer.send(&Message::GetData(list.clone()));
                for _ in 0..list.len() {
                    peer.wait(|said| *said == Said::Block);
                }
            }
        },
    },
    Scenario {
        name: "a flood of pings that is never read, for 2 s",
        settings: |_| {},
        large: true,
        memory: 48,
        run: |node| {
            let mut flood = Vec::new();
            for number in 0..20_000 {
                flood.extend(encode(&Message::Ping(Some(number))));
            }
            let (mut peer, mut offset) = (Peer::ready(node.at), 0);
            let end = Instant::now() + Duration::from_secs(2);
            while Instant::now() < end {
                offset += peer.try_write(&flood[offset % flood.len()..]);
                thread::sleep(Duration::from_micros(100));
            }
        },
    },
    Scenario {
        name: "two nodes flood each other: 16 blocks of 0.9 MB each way",
        settings: |_| {},
        // Both nodes, and the blocks that each has stored of the other.
        large: false,
        memory: 16 * 4 + 96,
        run: |node| {
            let mut miner = Miner::new();
            let ours = miner.large(miner.genesis(), 16, 6, 900_000);
            let theirs = miner.large(miner.genesis(), 16, 7, 900_000);
            for block in &ours {
                node.handle.submit(&super::miner::bytes(block)).unwrap();
            }
            let other = node.another(node::settings(2), &theirs);
            for (from, to) in [(node, &other), (&other, node)] {
                let added = from.handle.add_node(&to.at.to_string(), Kind::Added);
                added.unwrap();
            }
            for one in [node, &other] {
                one.until(|one| one.count(Count::blocks) >= 16);
                assert_eq!(one.count(Count::stalled), 0);
            }
        },
    },
];
