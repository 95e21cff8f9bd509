//! A connection that reads blocks, as fast as they are served, and looks at nothing but the headers of their messages.

use super::line::Line;
use super::{Client, Event};
use crate::Failure;
use crate::cli::LoadArgs;
use crate::ibd::chain::{genesis, locator, magic};
use crate::ibd::talk::Role;
use bitcoin::BlockHash;
use rustix::fd::OwnedFd;
use sockman_p2p::wire::{self, Command, HEADER, Header, Inventory, MAX_HEADERS, Message, Next};
use std::time::Instant;

/// Bytes of the buffer that it reads to.
pub const BUFFER: usize = 256 << 10;

/// Receives before others have their turn.
const RECEIVES: usize = 16;

/// A connection that reads blocks.
pub struct Blocks {
    line: Line,
    /// Those of the chain, to be asked for in turn.
    hashes: Vec<BlockHash>,
    next: usize,
    /// What has come of a header.
    head: Vec<u8>,
    /// Bytes that are still to come of a block.
    left: usize,
    received: u64,
}

impl Client for Blocks {
    fn connect(args: &LoadArgs, index: usize) -> Result<Blocks, Failure> {
        let mut blocks = Blocks {
            line: Line::connect(args.at, index)?,
            hashes: Vec::new(),
            // Each begins elsewhere.
            next: index,
            head: Vec::with_capacity(HEADER),
            left: 0,
            received: 0,
        };
        blocks.greet(&mut vec![0; args.size])?;
        Ok(blocks)
    }

    fn round_trip(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.ask(1);
        self.line.flush()?;
        loop {
            let count = self.line.receive_some(buffer)?;
            if self.take(&buffer[..count])? > 0 {
                return Ok(());
            }
        }
    }

    fn register(&mut self, poll: &OwnedFd) -> Result<(), Failure> {
        self.line.register(poll)
    }

    fn send(&mut self, poll: &OwnedFd, count: usize, now: Instant) -> Result<(), Failure> {
        self.ask(count);
        self.line.begun(count, now);
        self.line.flush_and_watch(poll)
    }

    fn event(&mut self, event: &mut Event<'_>) -> Result<usize, Failure> {
        if event.writable {
            self.line.flush_and_watch(event.poll)?;
        }
        let mut blocks = 0;
        for _ in 0..RECEIVES {
            let count = self.line.receive(event.buffer)?;
            blocks += self.take(&event.buffer[..count])?;
            if count < event.buffer.len() {
                break;
            }
        }
        Ok(blocks)
    }

    fn latency(&mut self, now: Instant) -> u64 {
        self.line.latency(now)
    }

    fn expect_nothing(&mut self) -> Result<(), Failure> {
        self.line.expect_nothing()
    }

    fn received(&self) -> u64 {
        self.received
    }
}

impl Blocks {
    /// The handshake, and all headers; blocking.
    fn greet(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        Role::Download.greet(&mut self.line.unsent);
        wire::encode(&mut self.line.unsent, magic(), &Message::Verack);
        let mut unread = Vec::new();
        let mut tip = genesis();
        loop {
            let (locator, stop) = locator(tip);
            wire::encode(
                &mut self.line.unsent,
                magic(),
                &Message::GetHeaders { locator, stop },
            );
            self.line.flush()?;
            let headers = loop {
                let count = self.line.receive_some(buffer)?;
                unread.extend_from_slice(&buffer[..count]);
                if let Some(headers) = headers(&mut unread)? {
                    break headers;
                }
            };
            let full = headers.len() == MAX_HEADERS;
            self.hashes.extend(headers);
            tip = *self.hashes.last().ok_or("a chain without blocks")?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Asks for the next blocks.
    fn ask(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let mut wanted = Vec::with_capacity(count);
        for _ in 0..count {
            wanted.push(Inventory::WitnessBlock(
                self.hashes[self.next % self.hashes.len()],
            ));
            self.next += 1;
        }
        wire::encode(&mut self.line.unsent, magic(), &Message::GetData(wanted));
    }

    /// Takes bytes that have come, and tells how many blocks were completed by that.
    fn take(&mut self, mut data: &[u8]) -> Result<usize, Failure> {
        self.received += data.len() as u64;
        let mut blocks = 0;
        while !data.is_empty() {
            if self.left == 0 {
                let (more, rest) = data.split_at(data.len().min(HEADER - self.head.len()));
                self.head.extend_from_slice(more);
                data = rest;
                let Some(header) = Header::read(&self.head, magic())? else {
                    continue;
                };
                self.head.clear();
                if header.command != Command::BLOCK {
                    return Err(format!("{} came instead of a block", header.command).into());
                }
                self.left = header.length;
            }
            let gone = self.left.min(data.len());
            self.left -= gone;
            data = &data[gone..];
            blocks += usize::from(self.left == 0);
        }
        Ok(blocks)
    }
}

/// The hashes of the headers that came, when they have come; what comes before them is dropped.
fn headers(unread: &mut Vec<u8>) -> Result<Option<Vec<BlockHash>>, Failure> {
    while let Next::Whole(frame) = wire::next(unread, magic())? {
        let headers = match frame.decode()? {
            Message::Headers(headers) => {
                Some(headers.iter().map(bitcoin::block::Header::block_hash).collect())
            }
            _ => None,
        };
        let size = frame.bytes.len();
        unread.drain(..size);
        if headers.is_some() {
            return Ok(headers);
        }
    }
    Ok(None)
}
