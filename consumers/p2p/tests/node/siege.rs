//! Everything that hostile peers do, each with a bystander who wants answers meanwhile, and with what they may make the node hold.
//!
//! The same over sockets, with memory and time as they are, is in `tests/sockets`.

use crate::miner::{Miner, bytes, hashes, headers, remine, witness};
use crate::raw::{Raw, frame, version};
use crate::world::{World, ms, secs, settings};
use bitcoin::{Block, CompactTarget};
use sockman_p2p::Settings;
use sockman_p2p::state::Count;
use sockman_p2p::wire::{Address, Inventory, MAX_ADDRESSES, Message, ServiceFlags};
use std::time::Duration;

/// The longest that a bystander's ping may take: the network's own time, there and back, is a millisecond or two.
const WORST_PING: Duration = ms(5);

/// Bytes that may wait for one peer: the mark, and a block above it.
const QUEUED: usize = (1 << 20) + 1_000_000 + 4_096;

/// Bytes of one peer that may wait to be looked at: where reading stops, and what a turn reads.
const UNREAD: usize = (5 << 20) + (512 << 10);

/// Blocks of the chain that the node has, and of those that it only may hear of.
const HAS: usize = 20;
const ALL: u32 = 40;

struct Siege {
    world: World,
    bystander: Raw,
    miner: Miner,
    blocks: Vec<Block>,
    /// How long the bystander's worst ping took.
    worst: Duration,
    /// Bytes that ever waited at once, out and in.
    most: (usize, usize),
}

impl Siege {
    fn new(settings: Settings) -> Siege {
        let (miner, blocks) = Miner::chain(ALL);
        let mut world = World::one(settings, &blocks[..HAS]);
        let bystander = Raw::ready(&mut world, 0);
        Siege {
            world,
            bystander,
            miner,
            blocks,
            worst: Duration::ZERO,
            most: (0, 0),
        }
    }

    /// The bystander pings; what waits before and after it counts.
    fn look(&mut self) {
        self.weigh();
        let took = self.bystander.ping(&mut self.world);
        self.bystander.pong(&mut self.world);
        self.worst = self.worst.max(took);
        self.weigh();
    }

    fn weigh(&mut self) {
        let (queued, unread) = self.world.buffered(0);
        self.most = (self.most.0.max(queued), self.most.1.max(unread));
    }

    fn ready(&mut self) -> Raw {
        Raw::ready(&mut self.world, 0)
    }

    /// A peer says something.
    fn say(&mut self, peer: &mut Raw, said: &[u8]) {
        peer.write(&mut self.world, said);
        self.look();
        peer.hear();
    }

    fn tell(&mut self, peer: &mut Raw, message: &Message<'_>) {
        peer.send(&mut self.world, message);
        self.look();
        peer.hear();
    }

    /// Twenty peers, one after the other, say something for which each is hung up on.
    fn hung_up_on(&mut self, said: impl Fn(&mut Siege) -> Vec<u8>) {
        for _ in 0..20 {
            let said = said(self);
            let mut peer = self.ready();
            self.say(&mut peer, &said);
            peer.pass(&mut self.world, ms(5));
            assert!(peer.closed);
        }
    }

    fn tip(&self) -> bitcoin::BlockHash {
        self.blocks[HAS - 1].block_hash()
    }

    /// A block that would be the next, with something done to it.
    fn next(&self, change: impl Fn(&mut Block)) -> Block {
        let mut block = self.miner.block(self.miner.id(self.tip()), 7);
        change(&mut block);
        block
    }
}

struct Scenario {
    name: &'static str,
    settings: fn(&mut Settings),
    run: fn(&mut Siege),
    /// Peers for which bytes may wait.
    peers: usize,
}

fn encoded(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    sockman_p2p::wire::encode(&mut bytes, crate::raw::magic(), message);
    bytes
}

fn spoiled(at: usize) -> Vec<u8> {
    let mut said = frame("ping", &[0; 8]);
    said[at] ^= 0xff;
    said
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "bad magic",
        settings: |_| {},
        run: |siege| {
            siege.hung_up_on(|_| spoiled(0));
            assert_eq!(siege.world.count(0, Count::bad_magics), 20);
        },
        peers: 1,
    },
    Scenario {
        name: "bad checksum",
        settings: |_| {},
        run: |siege| {
            let mut peer = siege.ready();
            let mut large = frame("block", &vec![7; 1_000_000]);
            large[20] ^= 1;
            for _ in 0..20 {
                siege.say(&mut peer, &spoiled(20));
                siege.say(&mut peer, &large);
            }
            assert!(!peer.closed);
            assert_eq!(siege.world.count(0, Count::bad_checksums), 40);
        },
        peers: 1,
    },
    Scenario {
        name: "oversize length",
        settings: |_| {},
        run: |siege| {
            let mut said = frame("ping", &[0; 8]);
            said[16..20].copy_from_slice(&4_000_001_u32.to_le_bytes());
            siege.hung_up_on(|_| said.clone());
            assert_eq!(siege.world.count(0, Count::bad_lengths), 20);
        },
        peers: 1,
    },
    Scenario {
        name: "header spam",
        settings: |settings| settings.headers = 500,
        run: |siege| {
            let mut peer = siege.ready();
            for tag in 1..40 {
                let branch = siege.miner.extend(siege.tip(), 100 + u32::from(tag), tag);
                siege.tell(&mut peer, &Message::Headers(headers(&branch)));
                let unstored = siege.world.see(0, |state| state.chain.tree().unstored());
                assert!(unstored <= 500, "{unstored}");
                assert!(siege.world.see(0, |state| state.chain.tree().len()) <= 500 + HAS + 1);
            }
        },
        peers: 1,
    },
    Scenario {
        name: "unrequested blocks",
        settings: |_| {},
        run: |siege| {
            let mut peer = siege.ready();
            for round in 0..100 {
                // It is there already, or nobody knows what it is built on.
                for at in [round % HAS, HAS + 1 + round % (ALL as usize - HAS - 1)] {
                    let block = bytes(&siege.blocks[at]);
                    siege.tell(&mut peer, &Message::Block(&block));
                }
            }
            assert!(!peer.closed);
            assert_eq!(siege.world.count(0, Count::blocks_unrequested), 200);
        },
        peers: 1,
    },
    Scenario {
        name: "invalid proof of work",
        settings: |_| {},
        run: |siege| {
            siege.hung_up_on(|siege| {
                let block =
                    siege.next(|block| block.header.bits = CompactTarget::from_consensus(0x1d00_ffff));
                encoded(&Message::Headers(vec![block.header]))
            });
            assert_eq!(siege.world.count(0, Count::misbehaving), 20);
        },
        peers: 1,
    },
    Scenario {
        name: "invalid Merkle root",
        settings: |_| {},
        run: |siege| {
            siege.hung_up_on(|siege| {
                let block = siege.next(|block| {
                    block.header.merkle_root =
                        bitcoin::TxMerkleNode::from_raw_hash(bitcoin::hashes::Hash::from_byte_array([7; 32]));
                    remine(&mut block.header);
                });
                encoded(&Message::Block(&bytes(&block)))
            });
            assert_eq!(siege.world.count(0, Count::blocks_refused), 20);
        },
        peers: 1,
    },
    Scenario {
        name: "address flood",
        settings: |_| {},
        run: |siege| {
            let one = Address::new(&"192.0.2.1:1".parse().unwrap(), ServiceFlags::NETWORK);
            let all = encoded(&Message::Addr(vec![(1, one); MAX_ADDRESSES]));
            let mut peer = siege.ready();
            for _ in 0..200 {
                siege.say(&mut peer, &all);
            }
            assert!(!peer.closed);
            assert!(siege.world.count(0, Count::addresses) < 1_100);
        },
        peers: 1,
    },
    Scenario {
        name: "asks for every block and never reads",
        settings: |_| {},
        run: |siege| {
            let large = siege.miner.large(siege.tip(), 4, 1, 900_000);
            siege.world.give(0, &large);
            let ask = encoded(&Message::GetData(witness(&hashes(&large))));
            let flood: Vec<u8> = ask.iter().copied().cycle().take(ask.len() * 1_000).collect();
            let mut peers: Vec<_> = (0..4).map(|_| (siege.ready(), 0)).collect();
            for (peer, _) in &mut peers {
                peer.deaf = true;
            }
            for _ in 0..40 {
                for (peer, offset) in &mut peers {
                    *offset += peer.try_write(&flood[*offset % ask.len()..]);
                }
                siege.look();
            }
            assert!(siege.most.0 > 4 << 20, "each is sent something");
        },
        peers: 4,
    },
    Scenario {
        name: "one byte a second",
        settings: |_| {},
        run: |siege| {
            let said = encoded(&Message::Headers(headers(&siege.blocks)));
            let mut peer = siege.ready();
            for byte in &said[..60] {
                siege.say(&mut peer, &[*byte]);
                siege.world.pass(secs(1));
            }
            assert!(!peer.closed);
        },
        peers: 1,
    },
    Scenario {
        name: "a stall in the handshake",
        settings: |_| {},
        run: |siege| {
            let mut peers: Vec<_> = (0..20).map(|_| Raw::dial(&mut siege.world, 0)).collect();
            let half = encoded(&Message::Version(version()));
            for peer in peers.iter_mut().take(10) {
                siege.say(peer, &half);
            }
            for _ in 0..61 {
                siege.world.pass(secs(1));
                siege.look();
            }
            for peer in &mut peers {
                peer.hear();
                assert!(peer.closed);
            }
            assert_eq!(siege.world.count(0, Count::handshake_timeouts), 20);
        },
        peers: 20,
    },
    Scenario {
        name: "200 connections at once",
        settings: |_| {},
        run: |siege| {
            let host = siege.world.network.host();
            let at = siege.world.endpoint(0);
            let dial = |_| Raw::on(host.connect(&at).unwrap());
            let mut peers: Vec<_> = (0..200).map(dial).collect();
            siege.look();
            siege.world.pass(ms(100));
            for peer in &mut peers {
                peer.hear();
            }
            assert_eq!(peers.iter().filter(|peer| !peer.closed).count(), 124);
            siege.look();
        },
        peers: 125,
    },
    Scenario {
        name: "two nodes flood each other",
        settings: |_| {},
        run: |siege| {
            let other = siege.world.add(settings(2));
            let first: Vec<Block> = siege.blocks[..HAS].to_vec();
            siege.world.give(other, &first);
            let ours = siege.miner.large(siege.tip(), 16, 1, 900_000);
            let theirs = siege.miner.large(siege.tip(), 16, 2, 900_000);
            siege.world.give(0, &ours);
            siege.world.give(other, &theirs);
            siege.world.connect(0, other);
            siege.world.connect(other, 0);
            let done = |world: &World| [0, other].map(|node| world.count(node, Count::blocks)) == [16, 16];
            for _ in 0..10_000 {
                siege.look();
                if done(&siege.world) {
                    break;
                }
            }
            assert!(done(&siege.world), "both go on");
        },
        peers: 2,
    },
    Scenario {
        name: "announces what it never sends",
        settings: |_| {},
        run: |siege| {
            let mut peer = siege.ready();
            for block in siege.blocks.clone() {
                siege.tell(
                    &mut peer,
                    &Message::Inv(vec![Inventory::Block(block.block_hash())]),
                );
            }
            assert!(!peer.closed);
        },
        peers: 1,
    },
];

#[test]
fn hostile_peers_starve_nobody_and_what_they_make_us_hold_is_bounded() {
    for scenario in SCENARIOS {
        let mut settings = settings(1);
        (scenario.settings)(&mut settings);
        let mut siege = Siege::new(settings);
        (scenario.run)(&mut siege);
        siege.look();
        let (worst, (queued, unread)) = (siege.worst, siege.most);
        println!(
            "{:<40} worst ping {worst:?}, {queued} bytes wait for peers, {unread} of them",
            scenario.name
        );
        assert!(worst < WORST_PING, "{}: {worst:?}", scenario.name);
        assert!(queued <= scenario.peers * QUEUED, "{}: {queued}", scenario.name);
        assert!(unread <= scenario.peers * UNREAD, "{}: {unread}", scenario.name);
        assert!(!siege.bystander.closed, "{}", scenario.name);
    }
}
