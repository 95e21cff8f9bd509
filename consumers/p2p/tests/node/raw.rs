//! A peer of whom every byte is written by hand.

use crate::world::{World, ms};
use bitcoin::Network as Chains;
use bitcoin::block::Header;
use sockman_backends::sim::{Host, Plain};
use sockman_p2p::chain::Params;
use sockman_p2p::wire::{self, Command, Inventory, Message, Next, ServiceFlags, VersionMessage};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What a node has said, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Version(VersionMessage),
    Ping(Option<u64>),
    Pong(Option<u64>),
    Headers(Vec<Header>),
    Inv(Vec<Inventory>),
    GetData(Vec<Inventory>),
    NotFound(Vec<Inventory>),
    GetHeaders(Vec<bitcoin::BlockHash>),
    Block(Vec<u8>),
    Addresses(usize),
    Other(String),
}

pub(crate) struct Raw {
    plain: Plain,
    unread: Vec<u8>,
    pub(crate) said: Vec<Said>,
    pub(crate) closed: bool,
    /// It does not read while this is set.
    pub(crate) deaf: bool,
}

pub(crate) fn magic() -> wire::Magic {
    Params::of(Chains::Regtest).magic
}

/// A version message of an honest node.
pub(crate) fn version() -> VersionMessage {
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    VersionMessage {
        version: wire::PROTOCOL_VERSION,
        services: ServiceFlags::NETWORK | ServiceFlags::WITNESS,
        timestamp: 0,
        receiver: wire::Address::new(&nobody, ServiceFlags::NONE),
        sender: wire::Address::new(&nobody, ServiceFlags::NONE),
        nonce: 1,
        user_agent: "/raw/".into(),
        start_height: 0,
        relay: false,
    }
}

impl Raw {
    /// Dials a node, from a host of its own.
    pub(crate) fn dial(world: &mut World, node: usize) -> Raw {
        let host = world.network.host();
        Raw::dial_from(world, &host, node)
    }

    pub(crate) fn dial_from(world: &mut World, host: &Host, node: usize) -> Raw {
        let plain = host.connect(&world.endpoint(node)).unwrap();
        let mut raw = Raw::on(plain);
        raw.pass(world, ms(5));
        raw
    }

    pub(crate) fn on(plain: Plain) -> Raw {
        Raw {
            plain,
            unread: Vec::new(),
            said: Vec::new(),
            closed: false,
            deaf: false,
        }
    }

    /// Dials a node and goes through the handshake, as a node that serves blocks.
    pub(crate) fn ready(world: &mut World, node: usize) -> Raw {
        let mut raw = Raw::dial(world, node);
        raw.shake(world, version());
        raw
    }

    pub(crate) fn shake(&mut self, world: &mut World, version: VersionMessage) {
        self.send(world, &Message::Version(version));
        self.send(world, &Message::Verack);
        self.pass(world, ms(5));
        assert!(self.heard("verack"), "no handshake: {:?}", self.said);
    }

    pub(crate) fn send(&mut self, world: &mut World, message: &Message<'_>) {
        let mut bytes = Vec::new();
        wire::encode(&mut bytes, magic(), message);
        self.write(world, &bytes);
    }

    /// Writes, with time passing until all has been taken, or it is clear that it will not be.
    pub(crate) fn write(&mut self, world: &mut World, mut bytes: &[u8]) {
        for _ in 0..10_000 {
            match self.plain.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.closed = true;
                    return;
                }
            }
            if bytes.is_empty() {
                return;
            }
            self.pass(world, ms(1));
        }
    }

    /// Ends the connection by RST.
    pub(crate) fn reset(self) {
        self.plain.reset();
    }

    /// Says that it sends nothing any more.
    pub(crate) fn finish(&mut self) {
        self.plain.finish().unwrap();
    }

    /// As much as is taken at once.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> usize {
        self.plain.write(bytes).unwrap_or(0)
    }

    /// Lets time pass, reading meanwhile.
    pub(crate) fn pass(&mut self, world: &mut World, time: Duration) {
        let step = ms(1).min(time);
        let mut left = time;
        while !left.is_zero() {
            // Where nothing moves, larger steps do.
            let step = match left.as_secs() {
                0 | 1 => step,
                2..30 => ms(100),
                _ => ms(2000),
            };
            world.pass(step);
            left = left.saturating_sub(step);
            self.hear();
        }
    }

    /// Reads what is there.
    pub(crate) fn hear(&mut self) {
        let mut buffer = [0; 16 << 10];
        while !self.deaf && !self.closed {
            match self.plain.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.closed = true,
            }
        }
        self.understand();
    }

    /// Reads so many bytes, if they are there.
    pub(crate) fn hear_some(&mut self, bytes: usize) {
        let mut buffer = vec![0; bytes];
        let count = self.plain.read(&mut buffer).unwrap_or(0);
        self.unread.extend_from_slice(&buffer[..count]);
        self.understand();
    }

    fn understand(&mut self) {
        let mut taken = 0;
        while let Next::Whole(frame) = wire::next(&self.unread[taken..], magic()).unwrap() {
            assert!(frame.is_intact());
            self.said.push(understood(&frame));
            taken += frame.bytes.len();
        }
        self.unread.drain(..taken);
    }

    /// Whether a message with this command was heard.
    pub(crate) fn heard(&self, command: &str) -> bool {
        self.said.contains(&Said::Other(command.into()))
    }

    /// How long a ping takes.
    pub(crate) fn ping(&mut self, world: &mut World) -> Duration {
        let begin = world.network.elapsed();
        self.send(world, &Message::Ping(Some(77)));
        for _ in 0..100_000 {
            self.hear();
            if !self
                .take(|said| (*said == Said::Pong(Some(77))).then_some(()))
                .is_empty()
            {
                return world.network.elapsed().saturating_sub(begin);
            }
            assert!(!self.closed);
            world.pass(Duration::from_micros(100));
        }
        panic!("no pong");
    }

    /// Answers every ping.
    pub(crate) fn pong(&mut self, world: &mut World) {
        let pings = self.take(|said| match said {
            Said::Ping(nonce) => Some(*nonce),
            _ => None,
        });
        for nonce in pings {
            self.send(world, &Message::Pong(nonce));
        }
    }

    /// What was said that `pick` picks, which is then forgotten.
    pub(crate) fn take<R>(&mut self, pick: impl Fn(&Said) -> Option<R>) -> Vec<R> {
        let picked = self.said.iter().filter_map(&pick).collect();
        self.said.retain(|said| pick(said).is_none());
        picked
    }

    /// All blocks that it was sent.
    pub(crate) fn blocks(&mut self) -> Vec<Vec<u8>> {
        self.take(|said| match said {
            Said::Block(block) => Some(block.clone()),
            _ => None,
        })
    }

    /// All blocks that it was asked for, in order.
    pub(crate) fn asked(&mut self) -> Vec<bitcoin::BlockHash> {
        let lists = self.take(|said| match said {
            Said::GetData(list) => Some(list.clone()),
            _ => None,
        });
        let hash = |item| match item {
            Inventory::WitnessBlock(hash) => hash,
            other => panic!("asked for {other:?}"),
        };
        lists.into_iter().flatten().map(hash).collect()
    }

    /// All headers that it was told.
    pub(crate) fn headers(&mut self) -> Vec<Vec<Header>> {
        self.take(|said| match said {
            Said::Headers(headers) => Some(headers.clone()),
            _ => None,
        })
    }

    /// All that was announced to it by hash.
    pub(crate) fn invs(&mut self) -> Vec<Vec<Inventory>> {
        self.take(|said| match said {
            Said::Inv(list) => Some(list.clone()),
            _ => None,
        })
    }
}

fn understood(frame: &wire::Frame<'_>) -> Said {
    match frame.decode().unwrap() {
        Message::Version(version) => Said::Version(version),
        Message::Ping(nonce) => Said::Ping(nonce),
        Message::Pong(nonce) => Said::Pong(nonce),
        Message::Headers(headers) => Said::Headers(headers),
        Message::Inv(list) => Said::Inv(list),
        Message::GetData(list) => Said::GetData(list),
        Message::NotFound(list) => Said::NotFound(list),
        Message::GetHeaders { locator, .. } => Said::GetHeaders(locator),
        Message::Block(block) => Said::Block(block.to_vec()),
        Message::Addr(list) => Said::Addresses(list.len()),
        Message::AddrV2(list) => Said::Addresses(list.len()),
        other => Said::Other(other.command().as_str().into()),
    }
}

/// A whole message, whatever its payload.
pub(crate) fn frame(command: &str, payload: &[u8]) -> Vec<u8> {
    let mut name = [0; Command::SIZE];
    name[..command.len()].copy_from_slice(command.as_bytes());
    wire::frame(magic(), Command::from_bytes(name), payload).to_vec()
}
