//! What a downloader says to the peer that it downloads from, and to others; without sockets.

use super::chain::{self, magic};
use super::sink::Sink;
use crate::serve::Counts;
use crate::sys;
use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};
use sockman_p2p::wire::{
    self, Address, Frame, Inventory, MAX_HEADERS, Message, Next, PROTOCOL_VERSION, ServiceFlags,
    VersionMessage,
};
use std::io;
use std::time::Instant;

/// What a peer is there for; the server is told by the name that it is greeted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blocks are downloaded from it.
    Download,
    /// It does nothing.
    Idle,
    /// It sends a block a little at a time.
    Slow,
    /// It pings.
    Bystander,
}

impl Role {
    const ALL: [Role; 4] = [Role::Download, Role::Idle, Role::Slow, Role::Bystander];

    /// The name by which it is greeted.
    fn agent(self) -> &'static str {
        match self {
            Role::Download => "/download/",
            Role::Idle => "/idle/",
            Role::Slow => "/slow/",
            Role::Bystander => "/bystander/",
        }
    }

    /// What a peer that was greeted by this name is there for.
    pub fn of(agent: &str) -> Role {
        let known = Role::ALL.into_iter().find(|role| role.agent() == agent);
        known.unwrap_or(Role::Idle)
    }

    /// As a key of a dial.
    pub fn key(self) -> u64 {
        self as u64
    }

    /// The role with that key.
    pub fn from_key(key: u64) -> Role {
        let known = Role::ALL.into_iter().find(|role| role.key() == key);
        known.unwrap_or(Role::Idle)
    }

    /// The greeting.
    pub fn greet(self, out: &mut Vec<u8>) {
        let nobody = Address {
            services: ServiceFlags::NONE,
            address: [0; 8],
            port: 0,
        };
        let version = VersionMessage {
            version: PROTOCOL_VERSION,
            services: ServiceFlags::WITNESS,
            timestamp: 0,
            receiver: nobody.clone(),
            sender: nobody,
            nonce: 0,
            user_agent: self.agent().to_owned(),
            start_height: 0,
            relay: false,
        };
        wire::encode(out, magic(), &Message::Version(version));
    }
}

/// Answers a peer that is there for nothing else.
pub fn answer(frame: &Frame<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    match frame.decode().map_err(io::Error::other)? {
        Message::Version(_) => wire::encode(out, magic(), &Message::Verack),
        Message::Ping(number) => wire::encode(out, magic(), &Message::Pong(number)),
        _ => {}
    }
    Ok(())
}

/// What a download cost, from the first block that was asked for to the last that was done with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How the subject reached the kernel, where that is not the same everywhere.
    pub interface: String,
    /// Blocks.
    pub blocks: u64,
    /// Their bytes, with the headers of their messages.
    pub bytes: u64,
    /// How long it took, in nanoseconds.
    pub elapsed_ns: u64,
    /// The process's CPU time, user and system, in nanoseconds.
    pub cpu_ns: u64,
    /// System calls and turns of the loop, where they are counted.
    pub counts: Option<Counts>,
    /// The most resident memory there was, in KiB.
    pub peak_kib: u64,
}

/// The state at the beginning of a download.
#[derive(Debug)]
struct Begin {
    at: Instant,
    cpu: u64,
    counts: Option<Counts>,
}

/// One download.
pub struct Talk {
    sink: Sink,
    in_flight: usize,
    /// Not more blocks than so many are wanted.
    most: usize,
    hashes: Vec<BlockHash>,
    asked: usize,
    received: usize,
    bytes: u64,
    begin: Option<Begin>,
    report: Option<Report>,
}

/// What came of looking at some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// So many of them were messages, and are done with.
    pub bytes: usize,
    /// So many must be there before it is worth looking at the rest again. None, if there is an answer to be sent first.
    pub wants: Option<usize>,
}

impl Talk {
    /// A download of all blocks, or of so many, with so many in flight, into `sink`.
    pub fn new(sink: Sink, in_flight: usize, most: Option<usize>) -> Talk {
        Talk {
            sink,
            in_flight,
            most: most.unwrap_or(usize::MAX),
            hashes: Vec::new(),
            asked: 0,
            received: 0,
            bytes: 0,
            begin: None,
            report: None,
        }
    }

    /// What it cost, when it is over.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// The same, when nothing else is wanted any more.
    pub fn into_report(self) -> Report {
        self.report.unwrap_or_default()
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.report.is_some()
    }

    /// Takes the messages that bytes begin with, up to the first that is to be answered, and appends the answer: who sends it at once
    /// does not keep the peer waiting while it looks at the others. `counts` tells what the loop has counted.
    pub fn take(
        &mut self,
        data: &[u8],
        out: &mut Vec<u8>,
        counts: impl Fn() -> Option<Counts>,
    ) -> io::Result<Taken> {
        let mut bytes = 0;
        loop {
            match wire::next(&data[bytes..], magic()).map_err(io::Error::other)? {
                Next::Whole(frame) => {
                    bytes += frame.bytes.len();
                    self.frame(&frame, out, &counts)?;
                    self.ask(out);
                    if !out.is_empty() {
                        return Ok(Taken { bytes, wants: None });
                    }
                }
                Next::Wants(wants) => {
                    let wants = Some(wants);
                    return Ok(Taken { bytes, wants });
                }
            }
        }
    }

    /// Takes one message, and appends what there is to answer but for what [`ask`](Talk::ask) does.
    pub fn frame(
        &mut self,
        frame: &Frame<'_>,
        out: &mut Vec<u8>,
        counts: impl Fn() -> Option<Counts>,
    ) -> io::Result<()> {
        if frame.header.command == wire::Command::BLOCK {
            return self.block(frame, counts);
        }
        match frame.decode().map_err(io::Error::other)? {
            Message::Verack => {
                let genesis = self.sink.tip();
                ask_headers(genesis, out);
            }
            Message::Headers(headers) => {
                self.hashes.extend(self.sink.headers(&headers)?);
                if headers.len() == MAX_HEADERS {
                    ask_headers(self.sink.tip(), out);
                } else {
                    self.hashes.truncate(self.most);
                    self.begin = Some(Begin {
                        at: Instant::now(),
                        cpu: sys::process_cpu(),
                        counts: counts(),
                    });
                    self.ask(out);
                }
            }
            _ => answer(frame, out)?,
        }
        Ok(())
    }

    /// Asks for blocks, when half of those that may be in flight are not: a message for each would be a system call for each.
    #[inline]
    pub fn ask(&mut self, out: &mut Vec<u8>) {
        let least = self.in_flight.div_ceil(2);
        let more = self.in_flight - (self.asked - self.received);
        let until = self.hashes.len().min(self.asked + more);
        if more < least || until == self.asked || self.begin.is_none() {
            return;
        }
        let wanted = &self.hashes[self.asked..until];
        let wanted = wanted.iter().map(|hash| Inventory::WitnessBlock(*hash)).collect();
        wire::encode(out, magic(), &Message::GetData(wanted));
        self.asked = until;
    }

    fn block(&mut self, frame: &Frame<'_>, counts: impl Fn() -> Option<Counts>) -> io::Result<()> {
        if self.received == self.asked {
            return Err(io::Error::other("a block that was not asked for"));
        }
        self.sink.block(self.received, frame)?;
        self.received += 1;
        self.bytes += frame.bytes.len() as u64;
        if self.received < self.hashes.len() {
            return Ok(());
        }
        self.sink.finish()?;
        let Some(begin) = &self.begin else { return Ok(()) };
        let counts = begin.counts.zip(counts()).map(|(before, after)| Counts {
            calls: after.calls - before.calls,
            turns: after.turns - before.turns,
        });
        self.report = Some(Report {
            interface: String::new(),
            blocks: self.received as u64,
            bytes: self.bytes,
            elapsed_ns: begin.at.elapsed().as_nanos() as u64,
            cpu_ns: sys::process_cpu() - begin.cpu,
            counts,
            peak_kib: sys::resident(None).1,
        });
        Ok(())
    }
}

fn ask_headers(after: BlockHash, out: &mut Vec<u8>) {
    let (locator, stop) = chain::locator(after);
    wire::encode(out, magic(), &Message::GetHeaders { locator, stop });
}
