//! A connection that sends messages and compares their echoes.

use super::line::Line;
use super::{Client, Event};
use crate::Failure;
use crate::cli::LoadArgs;
use rustix::fd::OwnedFd;
use std::time::Instant;

/// A connection that sends messages and compares their echoes.
///
/// Each message is the connection's own pattern with the message's number written over its beginning, so that neither
/// another connection's bytes nor an older message pass for it. Numbers are checked on every whole message, all bytes on
/// the first and on those that come after the end of the window.
pub struct Echo {
    line: Line,
    /// The pattern.
    message: Vec<u8>,
    /// Messages begun to be sent.
    next: u64,
    /// Bytes received, of all messages.
    received: u64,
}

impl Client for Echo {
    fn connect(args: &LoadArgs, index: usize) -> Result<Echo, Failure> {
        let message = (0..args.size)
            .map(|at| (at.wrapping_mul(31) ^ index.wrapping_mul(131)) as u8)
            .collect();
        Ok(Echo {
            line: Line::connect(args.at, index)?,
            message,
            next: 0,
            received: 0,
        })
    }

    fn round_trip(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.append();
        self.line.flush()?;
        while self.received < self.next * self.message.len() as u64 {
            let count = self.line.receive_some(buffer)?;
            self.take(&buffer[..count], true)?;
        }
        Ok(())
    }

    fn register(&mut self, poll: &OwnedFd) -> Result<(), Failure> {
        self.line.register(poll)
    }

    fn send(&mut self, poll: &OwnedFd, count: usize, now: Instant) -> Result<(), Failure> {
        for _ in 0..count {
            self.append();
        }
        self.line.begun(count, now);
        self.line.flush_and_watch(poll)
    }

    fn event(&mut self, event: &mut Event<'_>) -> Result<usize, Failure> {
        if event.writable {
            self.line.flush_and_watch(event.poll)?;
        }
        self.receive(event.buffer, event.all)
    }

    fn latency(&mut self, now: Instant) -> u64 {
        self.line.latency(now)
    }

    fn expect_nothing(&mut self) -> Result<(), Failure> {
        self.line.expect_nothing()
    }
}

impl Echo {
    fn append(&mut self) {
        let start = self.line.unsent.len();
        self.line.unsent.extend_from_slice(&self.message);
        stamp(&mut self.line.unsent[start..], 0, self.next);
        self.next += 1;
    }

    /// Receives once, and tells how many messages were completed by that. `all`: compares every byte.
    fn receive(&mut self, buffer: &mut [u8], all: bool) -> Result<usize, Failure> {
        let count = self.line.receive(buffer)?;
        self.take(&buffer[..count], all)
    }

    fn take(&mut self, data: &[u8], all: bool) -> Result<usize, Failure> {
        self.check(data, all)?;
        let size = self.message.len() as u64;
        let before = self.received / size;
        self.received += data.len() as u64;
        let after = self.received / size;
        if after > self.next {
            return Err("more came back than was sent".into());
        }
        Ok((after - before) as usize)
    }

    /// Compares bytes that follow those received.
    fn check(&self, mut data: &[u8], all: bool) -> Result<(), Failure> {
        let size = self.message.len();
        let (mut number, mut start) = (self.received / size as u64, self.received as usize % size);
        while !data.is_empty() {
            let (piece, rest) = data.split_at(data.len().min(size - start));
            let mut expected = [0; 8];
            let head = (size - start).min(8).min(piece.len());
            expected[..head].copy_from_slice(&self.message[start..start + head]);
            stamp(&mut expected[..head], start, number);
            let mut good = piece[..head] == expected[..head];
            if all || number == 0 {
                good &= if start >= 8 {
                    piece == &self.message[start..start + piece.len()]
                } else {
                    // The number's part is compared above, or was with an earlier piece.
                    let from = (8 - start).min(piece.len());
                    piece[from..] == self.message[start + from..start + piece.len()]
                };
            }
            if !good {
                return Err(format!("message {number} came back changed").into());
            }
            data = rest;
            (number, start) = (number + 1, 0);
        }
        Ok(())
    }
}

/// Writes the part of a message's number that falls into `bytes`, which begin at `start` in the message.
fn stamp(bytes: &mut [u8], start: usize, number: u64) {
    let number = number.to_le_bytes();
    if start < number.len() {
        for (byte, digit) in bytes.iter_mut().zip(&number[start..]) {
            *byte ^= digit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::{args, pair};
    use crate::work::Work;
    use std::io::{Read, Write};

    #[test]
    fn echoes_in_any_pieces_are_counted_and_changed_ones_are_found() {
        for size in [1, 5, 8, 13, 64] {
            let (mut client, mut peer, poll) = pair::<Echo>(&args(Work::Echo, size));
            client.send(&poll, 4, Instant::now()).expect("send");
            let mut bytes = vec![0; 4 * size];
            peer.read_exact(&mut bytes).expect("sent");
            let mut answers = 0;
            for byte in &bytes {
                peer.write_all(&[*byte]).expect("write");
                answers += client.receive(&mut [0; 1], true).expect("equal");
            }
            assert_eq!(answers, 4, "size {size}");

            client.send(&poll, 1, Instant::now()).expect("send");
            peer.read_exact(&mut bytes[..size]).expect("sent");
            bytes[size - 1] ^= 1;
            peer.write_all(&bytes[..size]).expect("write");
            assert!(client.receive(&mut vec![0; size], true).is_err(), "size {size}");
        }
    }

    #[test]
    fn an_older_message_does_not_pass_for_a_newer_one() {
        let (mut client, mut peer, poll) = pair::<Echo>(&args(Work::Echo, 64));
        client.send(&poll, 2, Instant::now()).expect("send");
        let mut first = [0; 64];
        peer.read_exact(&mut first).expect("sent");
        peer.write_all(&first).expect("write");
        assert_eq!(client.receive(&mut [0; 64], false).expect("equal"), 1);
        peer.write_all(&first).expect("write");
        assert!(client.receive(&mut [0; 64], false).is_err());
    }
}
