//! Peers that send what they should not.

use super::Scenario;
use super::miner::{Miner, bytes, remine};
use super::node::Running;
use super::peer::{Peer, Said, encode, frame};
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{Block, CompactTarget, TxMerkleNode};
use sockman_p2p::state::Count;
use sockman_p2p::store::Reader;
use sockman_p2p::wire::{Address, Command, MAX_ADDRESSES, MAX_PAYLOAD, Message, ServiceFlags};
use std::thread;
use std::time::Duration;

/// What a node has: ten small blocks, and so many large ones.
pub(super) fn chain(large: u32) -> Vec<Block> {
    let (mut miner, mut blocks) = Miner::chain(10);
    blocks.extend(miner.large(blocks[9].block_hash(), large, 1, 900_000));
    blocks
}

/// A miner that knows that chain.
fn miner(chain: &[Block]) -> Miner {
    let mut miner = Miner::new();
    for block in chain {
        miner.adopt(block, 0);
    }
    miner
}

fn tip(node: &Running) -> Header {
    node.handle
        .with(|state| state.chain.entry(state.chain.tip()).header)
}

/// Headers on top of one, of no blocks in particular.
fn branch(parent: Header, count: u32, tag: u32) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut parent = parent;
    for number in 0..count {
        let mut root = [0; 32];
        root[..4].copy_from_slice(&tag.to_le_bytes());
        root[4..8].copy_from_slice(&number.to_le_bytes());
        parent = Header {
            version: Version::NO_SOFT_FORK_SIGNALLING,
            prev_blockhash: parent.block_hash(),
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: parent.time + 1,
            bits: parent.bits,
            nonce: 0,
        };
        remine(&mut parent);
        headers.push(parent);
    }
    headers
}

/// A block that could come next, which is the same each time.
fn next_block(node: &Running) -> Block {
    let chain = node.handle.with(|state| {
        let place = |height| state.chain.at(height).and_then(|id| state.chain.place(id));
        (1..=state.chain.height()).filter_map(place).collect::<Vec<_>>()
    });
    let read = |place| {
        let frame = node.handle.reader().frame(place).unwrap();
        bitcoin::consensus::deserialize(&frame[sockman_p2p::wire::HEADER..]).unwrap()
    };
    let chain: Vec<Block> = chain.into_iter().map(read).collect();
    let miner = miner(&chain);
    miner.block(miner.id(chain[chain.len() - 1].block_hash()), 9)
}

fn usual(_: &mut sockman_p2p::Settings) {}

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "bad magic",
        settings: usual,
        large: false,
        memory: 16,
        run: |node| {
            for _ in 0..50 {
                let mut peer = Peer::dial(node.at);
                peer.write(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n");
                peer.hung_up();
            }
            assert_eq!(node.count(Count::bad_magics), 50);
        },
    },
    Scenario {
        name: "bad checksum, 4 MB each",
        settings: usual,
        large: false,
        memory: 48,
        run: |node| {
            let mut peer = Peer::ready(node.at);
            let mut bad = frame(Command::BLOCK, &vec![7; MAX_PAYLOAD]);
            bad[20] ^= 1;
            for _ in 0..20 {
                peer.write(&bad);
            }
            peer.ping(1);
            assert_eq!(node.count(Count::bad_checksums), 20);
        },
    },
    Scenario {
        name: "oversize length",
        settings: usual,
        large: false,
        memory: 16,
        run: |node| {
            for length in [MAX_PAYLOAD as u32 + 1, u32::MAX] {
                let mut peer = Peer::ready(node.at);
                let mut long = frame(Command::BLOCK, &[]);
                long[16..20].copy_from_slice(&length.to_le_bytes());
                peer.write(&long);
                peer.hung_up();
            }
            assert_eq!(node.count(Count::bad_lengths), 2);
        },
    },
    Scenario {
        name: "header spam: 50 branches, 1,000 headers each",
        settings: |settings| settings.headers = 5_000,
        large: false,
        memory: 48,
        run: |node| {
            let mut peer = Peer::ready(node.at);
            let tip = tip(node);
            for tag in 0..50 {
                peer.headers(branch(tip, 1_000 + tag, tag));
                peer.ping(u64::from(tag));
                assert!(node.handle.with(|state| state.chain.tree().unstored()) <= 5_000);
            }
        },
    },
    Scenario {
        name: "unrequested blocks, old and unconnected",
        settings: usual,
        large: false,
        memory: 48,
        run: |node| {
            let mut peer = Peer::ready(node.at);
            let mut miner = Miner::new();
            let old = miner.large(miner.genesis(), 2, 5, 900_000);
            for block in old.iter().cycle().take(60) {
                peer.send(&Message::Block(&bytes(block)));
            }
            peer.ping(1);
            assert_eq!(node.count(Count::blocks_unrequested), 60);
        },
    },
    Scenario {
        name: "invalid proof of work",
        settings: usual,
        large: false,
        memory: 16,
        run: |node| {
            for bits in [0, 0x0300_0001, 0x1d00_ffff, 0x207f_ffff] {
                let mut header = branch(tip(node), 1, 1)[0];
                header.bits = CompactTarget::from_consensus(bits);
                while bits == 0x207f_ffff
                    && bitcoin::Target::from_compact(header.bits).is_met_by(header.block_hash())
                {
                    header.nonce += 1;
                }
                let mut peer = Peer::ready(node.at);
                peer.headers(vec![header]);
                peer.hung_up();
            }
            assert_eq!(node.count(Count::misbehaving), 4);
        },
    },
    Scenario {
        name: "invalid merkle root, and the good block from another",
        settings: usual,
        large: false,
        memory: 64,
        run: |node| {
            let good = next_block(node);
            let mut bad = good.clone();
            bad.txdata[0].output[0].script_pubkey = bitcoin::ScriptBuf::new();
            let mut peer = Peer::ready(node.at);
            peer.headers(vec![good.header]);
            peer.wait(|said| matches!(said, Said::GetData(_)));
            peer.send(&Message::Block(&bytes(&bad)));
            peer.hung_up();
            let mut peer = Peer::ready(node.at);
            peer.headers(vec![good.header]);
            peer.wait(|said| matches!(said, Said::GetData(_)));
            peer.send(&Message::Block(&bytes(&good)));
            node.until(|node| tip(node) == good.header);
            peer.ping(1);
        },
    },
    Scenario {
        name: "address flood: 500,000",
        settings: usual,
        large: false,
        memory: 24,
        run: |node| {
            let mut peer = Peer::ready(node.at);
            let one = Address::new(&"192.0.2.1:1".parse().unwrap(), ServiceFlags::NETWORK);
            let many = encode(&Message::Addr(vec![(1, one); MAX_ADDRESSES]));
            for _ in 0..500 {
                peer.write(&many);
            }
            peer.ping(1);
            let taken = node.count(Count::addresses);
            assert!((1_000..1_100).contains(&taken), "{taken}");
        },
    },
    Scenario {
        name: "one byte a second",
        settings: usual,
        large: false,
        memory: 16,
        run: |node| {
            let mut peer = Peer::ready(node.at);
            let ping = encode(&Message::Ping(Some(5)));
            peer.write(&ping[..ping.len() - 3]);
            for byte in &ping[ping.len() - 3..] {
                thread::sleep(Duration::from_secs(1));
                peer.write(&[*byte]);
            }
            peer.wait(|said| *said == Said::Pong(5));
        },
    },
    Scenario {
        name: "60 peers stall in the handshake",
        settings: |settings| settings.handshake_within = Duration::from_secs(1),
        large: false,
        memory: 16,
        run: |node| {
            let mut all: Vec<_> = (0..60).map(|_| Peer::dial(node.at)).collect();
            for (number, peer) in all.iter_mut().enumerate() {
                peer.write(&encode(&Message::Verack)[..number % 24]);
            }
            for peer in &mut all {
                peer.hung_up();
            }
            assert_eq!(node.count(Count::handshake_timeouts), 60);
        },
    },
    Scenario {
        name: "200 connections at once",
        settings: usual,
        large: false,
        memory: 32,
        run: |node| {
            let mut all: Vec<_> = (0..200).map(|_| Peer::dial(node.at)).collect();
            node.until(|node| node.count(Count::inbound_refused) == 76);
            // The bystander has a slot too.
            assert_eq!(node.peers(), 124);
            for peer in &mut all[124..] {
                peer.hung_up();
            }
            for peer in &mut all[..124] {
                peer.shake();
            }
            drop(all);
            node.until(|node| node.peers() == 0);
            Peer::ready(node.at).ping(1);
        },
    },
];
