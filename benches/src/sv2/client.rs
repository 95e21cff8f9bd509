//! The client that measures, the same for all servers.

use super::templates::SECRET;
use crate::Failure;
use crate::load::PATIENCE;
use sockman_sv2::wire::{
    Authority, Chance, Constraints, Encoder, Frame, Initiator, Message, REPLY, Setup, Transport,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Bytes that are read at once, at most.
const BUFFER: usize = 1 << 20;

/// A connection. With a core of its own it looks without sleeping, so that the time to wake it is not in any figure.
pub struct Line {
    stream: TcpStream,
}

impl Line {
    /// Connects.
    pub fn connect(at: SocketAddr, awake: bool) -> Result<Line, Failure> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nonblocking(awake)?;
        Ok(Line { stream })
    }

    /// Sends. It is little, and there is room for it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Receives something.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        let mut since = None;
        loop {
            match self.stream.read(into) {
                Ok(0) => return Err("the server has hung up".into()),
                Ok(count) => return Ok(count),
                Err(why) if why.kind() == ErrorKind::WouldBlock => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE {
                        return Err(format!("the server has not answered for {PATIENCE:?}").into());
                    }
                    std::hint::spin_loop();
                }
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Fills all of it.
    pub fn fill(&mut self, into: &mut [u8]) -> Result<(), Failure> {
        let mut have = 0;
        while have < into.len() {
            have += self.read(&mut into[have..])?;
        }
        Ok(())
    }
}

/// A client's part of a handshake, before it is sent.
pub fn hello(chance: &mut Chance) -> Result<(Vec<u8>, Initiator), Failure> {
    let authority: Authority = SECRET.parse()?;
    let (hello, waits) = Initiator::new(Some(authority.key()), chance)?;
    Ok((hello.to_vec(), waits))
}

/// A client after its handshake.
pub struct Client {
    line: Line,
    transport: Transport,
    encoder: Encoder,
    buffer: Vec<u8>,
    /// Where in the buffer what is not looked at begins and ends.
    unread: (usize, usize),
}

impl Client {
    /// Takes the server's answer to a handshake.
    pub fn new(line: Line, waits: Initiator, reply: [u8; REPLY]) -> Result<Client, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Client {
            line,
            transport: waits.finish(reply, now.as_secs())?,
            encoder: Encoder::default(),
            buffer: Vec::new(),
            unread: (0, 0),
        })
    }

    /// Connects, and goes through the handshake.
    pub fn shaken(at: SocketAddr, awake: bool, chance: &mut Chance) -> Result<Client, Failure> {
        let (hello, waits) = hello(chance)?;
        let mut line = Line::connect(at, awake)?;
        line.write(&hello)?;
        let mut reply = [0; REPLY];
        line.fill(&mut reply)?;
        Client::new(line, waits, reply)
    }

    /// And agrees upon the protocol.
    pub fn ready(at: SocketAddr, awake: bool, chance: &mut Chance) -> Result<Client, Failure> {
        let mut client = Client::shaken(at, awake, chance)?;
        client.set_up()?;
        Ok(client)
    }

    /// Says what it speaks, and waits for the answer.
    pub fn set_up(&mut self) -> Result<(), Failure> {
        self.say(&Message::SetupConnection(Setup::template_distribution("compare")))?;
        match self.hear_message()? {
            Message::SetupConnectionSuccess { .. } => Ok(()),
            other => Err(format!("a set-up was answered with {other:?}").into()),
        }
    }

    /// Says how much room it needs, and waits for a template and what activates it. Gives its number.
    pub fn begin(&mut self) -> Result<u64, Failure> {
        let (size, sigops) = (100, 4);
        self.say(&Message::CoinbaseOutputConstraints(Constraints { size, sigops }))?;
        self.told()
    }

    /// Waits for a template and what activates it. Gives its number.
    pub fn told(&mut self) -> Result<u64, Failure> {
        match (self.hear_message()?, self.hear_message()?) {
            (Message::NewTemplate(new), Message::SetNewPrevHash(prev)) if new.template == prev.template => {
                Ok(new.template)
            }
            other => Err(format!("no template, but {other:?}").into()),
        }
    }

    /// Sends a message.
    pub fn say(&mut self, message: &Message) -> Result<(), Failure> {
        let sealed = self.transport.seal(&mut self.encoder, message)?;
        self.line.write(&sealed)
    }

    /// The next frame.
    pub fn hear(&mut self) -> Result<Frame, Failure> {
        if self.buffer.is_empty() {
            self.buffer.resize(BUFFER, 0);
        }
        loop {
            let (start, end) = self.unread;
            let opened = self.transport.open(&self.buffer[start..end], usize::MAX)?;
            self.unread.0 += opened.taken;
            if let Some(frame) = opened.frame {
                return Ok(frame);
            }
            // Less than a piece of a frame is left.
            let (start, end) = self.unread;
            self.buffer.copy_within(start..end, 0);
            self.unread = (0, end - start);
            self.unread.1 += self.line.read(&mut self.buffer[end - start..])?;
        }
    }

    fn hear_message(&mut self) -> Result<Message, Failure> {
        let message = self.hear()?.message()?;
        message.ok_or_else(|| "a frame of something else".into())
    }
}
