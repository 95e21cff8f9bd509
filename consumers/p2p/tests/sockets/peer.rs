//! A peer on a blocking socket.

use bitcoin::Network;
use bitcoin::block::Header;
use sockman_p2p::chain::Params;
use sockman_p2p::wire::{
    self, Address, Command, Inventory, Message, Next, PROTOCOL_VERSION, ServiceFlags, VersionMessage,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a peer waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// What a node says, as far as it is looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Verack,
    Pong(u64),
    GetData(Vec<Inventory>),
    Block,
    Other(Command),
}

pub(super) fn magic() -> wire::Magic {
    Params::of(Network::Regtest).magic
}

/// A whole message, whatever its payload.
pub(super) fn frame(command: Command, payload: &[u8]) -> Vec<u8> {
    wire::frame(magic(), command, payload).to_vec()
}

pub(super) fn encode(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::encode(&mut bytes, magic(), message);
    bytes
}

fn version() -> VersionMessage {
    let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    VersionMessage {
        version: PROTOCOL_VERSION,
        services: ServiceFlags::NETWORK | ServiceFlags::WITNESS,
        timestamp: 0,
        receiver: Address::new(&nobody, ServiceFlags::NONE),
        sender: Address::new(&nobody, ServiceFlags::NONE),
        nonce: 0,
        user_agent: "/peer/".into(),
        start_height: 0,
        relay: false,
    }
}

impl Peer {
    pub(super) fn dial(to: SocketAddr) -> Peer {
        let stream = TcpStream::connect(to).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let unread = Vec::new();
        Peer { stream, unread }
    }

    /// Dials, and goes through the handshake.
    pub(super) fn ready(to: SocketAddr) -> Peer {
        let mut peer = Peer::dial(to);
        peer.shake();
        peer
    }

    pub(super) fn shake(&mut self) {
        self.send(&Message::Version(version()));
        self.send(&Message::Verack);
        self.wait(|said| *said == Said::Verack);
    }

    pub(super) fn send(&mut self, message: &Message<'_>) {
        self.write(&encode(message));
    }

    /// Writes all of it, unless the node has hung up.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Writes what is taken at once.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> usize {
        self.stream.set_nonblocking(true).unwrap();
        let count = self.stream.write(bytes).unwrap_or(0);
        self.stream.set_nonblocking(false).unwrap();
        count
    }

    pub(super) fn headers(&mut self, headers: Vec<Header>) {
        self.send(&Message::Headers(headers));
    }

    /// The next message; `None` when there is none for a moment, or the node has hung up: which it is, comes with it.
    fn next(&mut self) -> (Option<Said>, bool) {
        loop {
            if let Next::Whole(frame) = wire::next(&self.unread, magic()).unwrap() {
                let said = match frame.header.command {
                    Command::VERACK => Said::Verack,
                    Command::BLOCK => Said::Block,
                    command => match frame.decode().unwrap() {
                        Message::Pong(Some(number)) => Said::Pong(number),
                        Message::GetData(list) => Said::GetData(list),
                        _ => Said::Other(command),
                    },
                };
                let size = frame.bytes.len();
                self.unread.drain(..size);
                return (Some(said), false);
            }
            let mut buffer = [0; 16 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => return (None, true),
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return (None, false);
                }
                Err(_) => return (None, true),
            }
        }
    }

    /// Waits until the node says that. What it says before is forgotten.
    #[track_caller]
    pub(super) fn wait(&mut self, what: impl Fn(&Said) -> bool) -> Said {
        let latest = Instant::now() + PATIENCE;
        while Instant::now() < latest {
            match self.next() {
                (Some(said), _) if what(&said) => return said,
                (None, true) => panic!("the node has hung up"),
                _ => {}
            }
        }
        panic!("the node did not say it");
    }

    /// Waits until the node hangs up.
    #[track_caller]
    pub(super) fn hung_up(&mut self) {
        let latest = Instant::now() + PATIENCE;
        while Instant::now() < latest {
            if let (None, true) = self.next() {
                return;
            }
        }
        panic!("the node did not hang up");
    }

    /// How long an answer takes.
    pub(super) fn ping(&mut self, number: u64) -> Duration {
        let begin = Instant::now();
        self.send(&Message::Ping(Some(number)));
        self.wait(|said| *said == Said::Pong(number));
        begin.elapsed()
    }
}
