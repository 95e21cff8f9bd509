//! What a villain is like on one connection.

use crate::p2p::blocks::{Blocks, Shared};
use bitcoin::BlockHash;
use fastrand::Rng;
use sockman_p2p::wire::{
    self, Address, Command, Inventory, Message, Next, PROTOCOL_VERSION, ServiceFlags, VersionMessage,
};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

/// How blocks are delivered that were asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delivery {
    /// As they should be.
    Good,
    /// Not at all.
    Never,
    /// Said not to be there.
    Denied,
    /// With something changed.
    Twin,
    /// Some of them, later.
    Late,
    /// Others than were asked for.
    Other,
    /// Each in one of these ways.
    Mixed,
}

impl Delivery {
    const ALL: [Delivery; 7] = [
        Delivery::Good,
        Delivery::Never,
        Delivery::Denied,
        Delivery::Twin,
        Delivery::Late,
        Delivery::Other,
        Delivery::Mixed,
    ];
}

/// A connection.
pub(super) struct Talk {
    magic: wire::Magic,
    inbound: bool,
    /// How far it goes in the handshake: 2 is to the end.
    pub(super) shakes: u8,
    pub(super) ready: bool,
    /// It never reads.
    pub(super) deaf: bool,
    pongs: bool,
    /// Whether it answers when it is asked for headers.
    tells: bool,
    services: ServiceFlags,
    delivery: Delivery,
    /// The end of the chain that it says it has.
    pub(super) tip: BlockHash,
    /// What goes byte by byte.
    pub(super) drip: VecDeque<u8>,
    /// Messages that come late.
    pub(super) late: VecDeque<Vec<u8>>,
    /// What it was asked for.
    pub(super) asked: Vec<BlockHash>,
}

/// A message.
pub(super) fn message(magic: wire::Magic, message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(&mut bytes, magic, message);
    bytes
}

/// One of the blocks that were made last.
pub(super) fn recent(random: &mut Rng, blocks: &Blocks) -> BlockHash {
    let order = blocks.order();
    let from = order.len().saturating_sub([3, 12, 1_000][random.usize(0..3)]);
    order[random.usize(from..order.len())]
}

impl Talk {
    pub(super) fn new(random: &mut Rng, blocks: &Shared, inbound: bool) -> Talk {
        let blocks = blocks.borrow();
        let full = ServiceFlags::NETWORK | ServiceFlags::WITNESS;
        Talk {
            magic: blocks.params().magic,
            inbound,
            shakes: [0, 1, 2, 2, 2, 2, 2, 2, 2, 2][random.usize(0..10)],
            ready: false,
            deaf: random.u8(0..12) == 0,
            pongs: random.u8(0..6) > 0,
            tells: random.u8(0..6) > 0,
            services: if random.u8(0..8) == 0 {
                ServiceFlags::NONE
            } else {
                full
            },
            delivery: Delivery::ALL[random.usize(0..Delivery::ALL.len())],
            tip: recent(random, &blocks),
            drip: VecDeque::new(),
            late: VecDeque::new(),
            asked: Vec::new(),
        }
    }

    pub(super) fn magic(&self) -> wire::Magic {
        self.magic
    }

    /// Who it says it is.
    pub(super) fn version(&self) -> Vec<u8> {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let version = VersionMessage {
            version: PROTOCOL_VERSION,
            services: self.services,
            timestamp: 0,
            receiver: Address::new(&nobody, ServiceFlags::NONE),
            sender: Address::new(&nobody, ServiceFlags::NONE),
            nonce: 0,
            user_agent: "/villain/".into(),
            start_height: 0,
            relay: false,
        };
        message(self.magic, &Message::Version(version))
    }

    /// Takes the messages that are there whole: how many bytes, and what it says to them.
    pub(super) fn hear(&mut self, random: &mut Rng, blocks: &Shared, data: &[u8]) -> (usize, Vec<u8>) {
        let (mut taken, mut answer) = (0, Vec::new());
        while let Next::Whole(frame) =
            wire::next(&data[taken..], self.magic).expect("an honest node keeps to the protocol")
        {
            taken += frame.bytes.len();
            assert!(frame.is_intact(), "an honest node sends a wrong checksum");
            let message = frame.decode().expect("an honest node's messages can be read");
            self.answer(random, blocks, message, &mut answer);
        }
        (taken, answer)
    }

    fn answer(&mut self, random: &mut Rng, blocks: &Shared, heard: Message<'_>, to: &mut Vec<u8>) {
        let magic = self.magic;
        let mut say = |message: &Message<'_>| wire::encode(to, magic, message);
        match heard {
            Message::Version(_) => {
                if self.inbound && self.shakes > 0 {
                    to.extend(self.version());
                }
                if self.shakes > 1 {
                    wire::encode(to, magic, &Message::Verack);
                }
            }
            Message::Verack => self.ready = self.shakes > 1,
            Message::Ping(nonce) if self.pongs => say(&Message::Pong(nonce)),
            Message::GetHeaders { locator, .. } if self.tells => {
                say(&Message::Headers(blocks.borrow().after(&self.tip, &locator)));
            }
            Message::GetData(items) => {
                for item in items {
                    let Inventory::WitnessBlock(hash) = item else {
                        panic!("an honest node asks for {item:?}");
                    };
                    self.asked.push(hash);
                    let delivered = self.deliver(random, &blocks.borrow(), hash);
                    to.extend(delivered);
                }
            }
            _ => {}
        }
    }

    /// What it says to who asks for a block.
    fn deliver(&mut self, random: &mut Rng, blocks: &Blocks, hash: BlockHash) -> Vec<u8> {
        let how = match self.delivery {
            Delivery::Mixed => Delivery::ALL[random.usize(0..Delivery::ALL.len() - 1)],
            how => how,
        };
        let block = |payload: &[u8]| wire::frame(self.magic, Command::BLOCK, payload).to_vec();
        if blocks.get(&hash).is_none() {
            // Of spam there are headers only.
            return Vec::new();
        }
        match how {
            Delivery::Good => block(&blocks.bytes(&hash)),
            Delivery::Never | Delivery::Mixed => Vec::new(),
            Delivery::Denied => {
                let denied = vec![Inventory::WitnessBlock(hash)];
                message(self.magic, &Message::NotFound(denied))
            }
            Delivery::Twin => block(&blocks.twin(random, &hash)),
            Delivery::Late => {
                if random.bool() {
                    self.late.push_back(block(&blocks.bytes(&hash)));
                }
                Vec::new()
            }
            Delivery::Other => block(&blocks.bytes(&recent(random, blocks))),
        }
    }
}
