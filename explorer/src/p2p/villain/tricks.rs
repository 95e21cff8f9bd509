//! What a villain does unasked.

use super::Villain;
use super::talk::{message, recent};
use crate::p2p::blocks::Fault;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use fastrand::Rng;
use sockman::{Conn, Disconnect, SockMan};
use sockman_p2p::chain::mine;
use sockman_p2p::wire::{self, Command, Inventory, MAX_LOCATOR, MAX_PAYLOAD, Message};

/// How much is tried to find a nonce.
const TRIES: u64 = 1 << 20;

fn any_hash(random: &mut Rng) -> BlockHash {
    let mut hash = [0; 32];
    random.fill(&mut hash);
    BlockHash::from_byte_array(hash)
}

impl Villain {
    /// Does one thing to one of its connections, or dials.
    pub(super) fn trick<S: SockMan>(&mut self, net: &mut S) {
        let Some(conn) = self.random.choice(&self.conns).copied() else {
            return self.dial(net);
        };
        if let Some(late) = self.talks.get_mut(conn).and_then(|talk| talk.late.pop_front()) {
            let _ = net.send(conn, &late);
        }
        if self.spam.mostly && self.random.u8(0..3) > 0 {
            return self.spams(net, conn);
        }
        match self.random.u8(0..32) {
            0..=4 => self.makes_a_chain(net, conn),
            5..=7 => self.announces(net, conn),
            8 | 9 => self.spams(net, conn),
            10 | 11 => self.lies_about_headers(net, conn),
            12..=15 => self.sends_unasked(net, conn),
            16 => self.sends_garbage(net, conn),
            17..=19 => self.drips_something(net, conn),
            20 | 21 => self.wants_everything(net, conn),
            22 | 23 => self.denies(net, conn),
            24..=26 => self.chatters(net, conn),
            27 => net.pause(conn),
            28 => net.resume(conn),
            29 => {
                let how = [Disconnect::Now, Disconnect::Reset, Disconnect::flush()];
                net.disconnect(conn, how[self.random.usize(0..3)]);
            }
            _ => self.dial(net),
        }
    }

    fn say<S: SockMan>(&self, net: &mut S, conn: Conn, what: &Message<'_>) {
        if let Some(talk) = self.talks.get(conn) {
            let _ = net.send(conn, &message(talk.magic(), what));
        }
    }

    fn say_block<S: SockMan>(&self, net: &mut S, conn: Conn, payload: &[u8]) {
        if let Some(talk) = self.talks.get(conn) {
            let _ = net.send(conn, &wire::frame(talk.magic(), Command::BLOCK, payload));
        }
    }

    /// Makes some blocks on top of another one, of which some may be invalid. Nobody hears of them unless they are asked for.
    fn makes_a_chain<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        {
            let mut blocks = self.blocks.borrow_mut();
            let mut tip = recent(&mut self.random, &blocks);
            tip = blocks.below(&tip, self.random.u32(0..3));
            for _ in 0..self.random.u32(1..5).min(self.mines) {
                self.mines -= 1;
                let fault = (self.random.u8(0..3) == 0).then(|| self.random.choice(Fault::ALL));
                let spacing = self.random.u32(300..900);
                tip = blocks.mine(&mut self.random, &tip, spacing, fault.flatten());
            }
            if let Some(talk) = self.talks.get_mut(conn) {
                talk.tip = tip;
            }
        }
        self.announces(net, conn);
    }

    /// Says that it has a block, whether it has or not.
    fn announces<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let Some(tip) = self.talks.get(conn).map(|talk| talk.tip) else {
            return;
        };
        let many = self.random.u32(0..8);
        let (below, headers) = {
            let blocks = self.blocks.borrow();
            let below = blocks.below(&tip, many);
            (below, blocks.after(&tip, &[below]))
        };
        match self.random.u8(0..4) {
            0 => self.say(net, conn, &Message::Inv(vec![Inventory::Block(tip)])),
            1 => self.say(
                net,
                conn,
                &Message::Inv(vec![Inventory::Block(below), Inventory::WitnessBlock(tip)]),
            ),
            _ => self.say(net, conn, &Message::Headers(headers)),
        }
    }

    /// Headers with work behind them, of blocks that nobody will ever see.
    fn spams<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let many = self.random.bool();
        let count = if many {
            self.random.u32(1..=self.spam.most)
        } else {
            self.random.u32(1..4)
        };
        let mut headers: Vec<Header> = Vec::new();
        {
            let blocks = self.blocks.borrow();
            let parent = if many {
                recent(&mut self.random, &blocks)
            } else {
                // More than anybody has, and with the headers of all that there is.
                let order = blocks.order().iter().rev().take(6);
                *order
                    .max_by_key(|hash| blocks.work(hash))
                    .expect("genesis is there")
            };
            let over = blocks.header(&parent);
            if !many {
                headers = blocks.after(&parent, &[]);
            }
            let (bits, mut time, mut prev) = (over.bits, over.time, parent);
            if bits != blocks.params().genesis.header.bits {
                // That would be work.
                return;
            }
            for _ in 0..count {
                time += 600;
                let mut header = Header {
                    prev_blockhash: prev,
                    time,
                    bits,
                    merkle_root: TxMerkleNode::from_byte_array(any_hash(&mut self.random).to_byte_array()),
                    ..over
                };
                assert!(mine(&mut header, TRIES), "there is no such nonce");
                prev = header.block_hash();
                headers.push(header);
            }
        }
        self.say(net, conn, &Message::Headers(headers));
    }

    /// Headers that break a rule.
    fn lies_about_headers<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let headers = {
            let blocks = self.blocks.borrow();
            let parent = recent(&mut self.random, &blocks);
            let over = blocks.header(&parent);
            let mut header = Header {
                prev_blockhash: parent,
                time: over.time + 600,
                ..over
            };
            match self.random.u8(0..7) {
                0 => header.prev_blockhash = any_hash(&mut self.random),
                1 => header.bits = CompactTarget::from_consensus(0x207f_fffe),
                2 => header.time = over.time.saturating_sub(24 * 3600),
                3 => header.time = self.future + 3 * 3600,
                4 => header.version = bitcoin::block::Version::ONE,
                // The wrong way round.
                5 => {
                    let below = blocks.below(&parent, 1);
                    return self.say(net, conn, &Message::Headers(vec![over, blocks.header(&below)]));
                }
                _ => {}
            }
            // Without work, in half of the cases at least.
            if self.random.bool() && header.bits == blocks.params().genesis.header.bits {
                let _ = mine(&mut header, TRIES);
            }
            vec![header]
        };
        self.say(net, conn, &Message::Headers(headers));
    }

    /// A block that nobody has asked for, or a twin of it; often one that somebody else was asked for.
    fn sends_unasked<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let payload = {
            let blocks = self.blocks.borrow();
            let hash = recent(&mut self.random, &blocks);
            if self.random.u8(0..3) == 0 {
                blocks.twin(&mut self.random, &hash)
            } else {
                blocks.bytes(&hash)
            }
        };
        self.say_block(net, conn, &payload);
    }

    /// What is no message at all.
    fn sends_garbage<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let Some(magic) = self.talks.get(conn).map(super::talk::Talk::magic) else {
            return;
        };
        let mut bytes = vec![0; self.random.usize(1..300)];
        self.random.fill(&mut bytes);
        let ping = message(magic, &Message::Ping(Some(1)));
        match self.random.u8(0..4) {
            0 => {}
            // A wrong checksum.
            1 => {
                bytes = ping;
                bytes[20] ^= 1;
            }
            // Longer than any may be.
            2 => {
                bytes = ping;
                bytes[16..20].copy_from_slice(&(MAX_PAYLOAD as u32 + 1).to_le_bytes());
            }
            // A payload that cannot be read.
            _ => {
                let names = [Command::HEADERS, Command::BLOCK, Command::INV, Command::VERSION];
                let name = names[self.random.usize(0..names.len())];
                bytes = wire::frame(magic, name, &bytes).to_vec();
            }
        }
        let _ = net.send(conn, &bytes);
    }

    /// Begins a message that takes its time, or never ends.
    fn drips_something<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let Some(talk) = self.talks.get_mut(conn).filter(|talk| talk.drip.is_empty()) else {
            return;
        };
        let hash = match talk.asked.pop() {
            Some(hash) if self.blocks.borrow().get(&hash).is_some() => hash,
            _ => recent(&mut self.random, &self.blocks.borrow()),
        };
        let bytes = self.blocks.borrow().bytes(&hash);
        talk.drip
            .extend(&*wire::frame(talk.magic(), Command::BLOCK, &bytes));
        if !self.drips {
            self.drip_on(net);
        }
    }

    /// Asks for all that there is, more than once.
    fn wants_everything<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let mut items: Vec<_> = {
            let blocks = self.blocks.borrow();
            let all = blocks.order().iter().map(|hash| Inventory::Block(*hash));
            all.chain([Inventory::WitnessBlock(any_hash(&mut self.random))])
                .collect()
        };
        items.truncate(100);
        for _ in 0..self.random.u8(1..4) {
            self.say(net, conn, &Message::GetData(items.clone()));
        }
        if self.random.bool() {
            net.pause(conn);
        }
    }

    /// Says that it does not have what it was asked for, and some more.
    fn denies<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let mut hashes = match self.talks.get_mut(conn) {
            Some(talk) => std::mem::take(&mut talk.asked),
            None => return,
        };
        hashes.push(recent(&mut self.random, &self.blocks.borrow()));
        let items = hashes.into_iter().map(Inventory::WitnessBlock).collect();
        self.say(net, conn, &Message::NotFound(items));
    }

    /// Messages that may come at any time, and some that may not.
    fn chatters<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        let hash = any_hash(&mut self.random);
        let known = recent(&mut self.random, &self.blocks.borrow());
        let stop = BlockHash::all_zeros();
        let what = match self.random.u8(0..13) {
            0 => Message::Ping(Some(0)),
            1 => Message::Pong(Some(7)),
            2 => Message::GetAddr,
            3 => Message::Addr(Vec::new()),
            4 => Message::MemPool,
            5 => Message::GetBlocks {
                locator: vec![known],
                stop,
            },
            6 => Message::GetHeaders {
                locator: vec![hash, known],
                stop,
            },
            7 => Message::GetHeaders {
                locator: vec![known; MAX_LOCATOR + 1],
                stop,
            },
            8 => Message::GetHeaders {
                locator: Vec::new(),
                stop: known,
            },
            9 => Message::Inv(vec![
                Inventory::Block(hash),
                Inventory::Transaction(hash_of_tx(hash)),
            ]),
            10 => Message::WtxidRelay,
            11 => Message::Headers(Vec::new()),
            _ => Message::SendHeaders,
        };
        self.say(net, conn, &what);
    }
}

fn hash_of_tx(hash: BlockHash) -> bitcoin::Txid {
    bitcoin::Txid::from_byte_array(hash.to_byte_array())
}
