//! A connection to a template provider.

use crate::failure::Failure;
use sockman_sv2::wire::{AuthorityKey, Chance, Encoder, Initiator, Message, REPLY, Transport};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes that a frame may have: all that there can be.
const MOST: usize = 16 << 20;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A connection, with blocking calls.
pub(super) struct Session {
    stream: TcpStream,
    peer: SocketAddr,
    transport: Transport,
    encoder: Encoder,
    unread: Vec<u8>,
}

impl Session {
    /// Dials, and shakes hands.
    pub(super) fn connect(addr: &str, key: AuthorityKey, within: Duration) -> Result<Session, Failure> {
        let mut stream = dial(addr, within)?;
        let peer = stream
            .peer_addr()
            .map_err(Failure::system("ask for the peer's address"))?;
        stream
            .set_nodelay(true)
            .map_err(Failure::system("set TCP_NODELAY"))?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|why| Failure::system("get random numbers")(io::Error::other(why.to_string())))?;
        stream
            .set_read_timeout(Some(within))
            .map_err(Failure::system("set a time limit"))?;
        let refused = |why: &dyn std::fmt::Display| Failure::Remote(format!("the handshake failed: {why}"));
        let (hello, initiator) =
            Initiator::new(Some(key), &mut Chance::new(seed)).map_err(|why| refused(&why))?;
        stream
            .write_all(&hello)
            .map_err(Failure::system("send the key"))?;
        let mut reply = [0; REPLY];
        stream
            .read_exact(&mut reply)
            .map_err(|why| refused(&said(&why)))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let transport = initiator
            .finish(reply, now.as_secs())
            .map_err(|why| refused(&why))?;
        Ok(Session {
            stream,
            peer,
            transport,
            encoder: Encoder::default(),
            unread: Vec::new(),
        })
    }

    /// Whom it is to.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Waits for messages as long as it takes.
    pub(super) fn wait_for_ever(&self) -> Result<(), Failure> {
        self.stream
            .set_read_timeout(None)
            .map_err(Failure::system("set a time limit"))
    }

    /// Waits for messages as long as this.
    pub(super) fn wait_at_most(&self, within: Duration) -> Result<(), Failure> {
        self.stream
            .set_read_timeout(Some(within))
            .map_err(Failure::system("set a time limit"))
    }

    pub(super) fn send(&mut self, message: &Message) -> Result<(), Failure> {
        let frame = self.transport.seal(&mut self.encoder, message);
        let frame = frame.map_err(|why| Failure::Remote(why.to_string()))?;
        self.stream.write_all(&frame).map_err(Failure::system("send"))
    }

    /// The next message; what is not part of the protocol is left out.
    pub(super) fn receive(&mut self) -> Result<Message, Failure> {
        loop {
            let opened = self.transport.open(&self.unread, MOST);
            let opened = opened.map_err(|why| Failure::Remote(why.to_string()))?;
            self.unread.drain(..opened.taken);
            match opened.frame {
                Some(frame) => {
                    let message = frame.message().map_err(|why| Failure::Remote(why.to_string()))?;
                    if let Some(message) = message {
                        return Ok(message);
                    }
                }
                None => self.read()?,
            }
        }
    }

    fn read(&mut self) -> Result<(), Failure> {
        let had = self.unread.len();
        self.unread.resize(had + PIECE, 0);
        let read = self.stream.read(&mut self.unread[had..]);
        self.unread.truncate(had + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Failure::Remote("the provider has hung up".to_owned())),
            Ok(_) => Ok(()),
            Err(why) if why.kind() == ErrorKind::Interrupted => Ok(()),
            Err(why) => Err(Failure::Remote(said(&why))),
        }
    }
}

/// The first of the name's addresses that answers.
fn dial(addr: &str, within: Duration) -> Result<TcpStream, Failure> {
    let addresses = addr
        .to_socket_addrs()
        .map_err(|why| Failure::Usage(format!("{addr} is no address: {why}")))?;
    let mut last = Failure::Usage(format!("{addr} has no address"));
    for address in addresses {
        match TcpStream::connect_timeout(&address, within) {
            Ok(stream) => return Ok(stream),
            Err(why) => last = Failure::system(format!("connect to {address}"))(why),
        }
    }
    Err(last)
}

/// What has happened to a read.
fn said(why: &io::Error) -> String {
    match why.kind() {
        ErrorKind::UnexpectedEof => "the provider has hung up".to_owned(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "the provider does not answer".to_owned(),
        _ => format!("cannot receive: {why}"),
    }
}
