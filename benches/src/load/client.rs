//! One connection of the load: what it sends, and whether what comes back is the same.

use crate::Failure;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection that sends messages and compares their echoes.
///
/// Each message is the connection's own pattern with the message's number written over its beginning, so that neither
/// another connection's bytes nor an older message pass for it. Numbers are checked on every whole message, all bytes on
/// the first and on those that come after the end of the window.
pub struct Client {
    socket: TcpStream,
    /// The pattern.
    message: Vec<u8>,
    /// Messages begun to be sent.
    next: u64,
    /// Bytes that the kernel has not taken yet.
    unsent: Vec<u8>,
    /// Bytes received, of all messages.
    received: u64,
    /// When the messages that are not answered yet were sent.
    outstanding: VecDeque<Instant>,
    /// Whether the poller watches for room to send.
    watched: bool,
}

impl Client {
    /// Connects, blocking. `index` makes the pattern, `size` is that of a message.
    pub fn connect(at: SocketAddr, index: usize, size: usize) -> Result<Client, Failure> {
        let socket = TcpStream::connect_timeout(&at, Duration::from_secs(20))
            .map_err(|error| format!("connection {index} to {at}: {error}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        // Closing by reset leaves no port waiting, of which there are tens of thousands in a comparison.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        let message = (0..size)
            .map(|at| (at.wrapping_mul(31) ^ index.wrapping_mul(131)) as u8)
            .collect();
        Ok(Client {
            socket,
            message,
            next: 0,
            unsent: Vec::new(),
            received: 0,
            outstanding: VecDeque::new(),
            watched: false,
        })
    }

    /// The socket, for the poller.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// From here on no operation blocks.
    pub fn set_nonblocking(&self) -> Result<(), Failure> {
        Ok(self.socket.set_nonblocking(true)?)
    }

    /// Sends one message and waits for its echo, blocking.
    pub fn round_trip(&mut self) -> Result<(), Failure> {
        let mut echo = vec![0; self.message.len()];
        self.append();
        self.flush()?;
        self.socket
            .read_exact(&mut echo)
            .map_err(|error| format!("no echo while connecting: {error}"))?;
        self.check(&echo, true)?;
        self.received += echo.len() as u64;
        Ok(())
    }

    /// Sends so many messages, as far as the kernel takes them; `now` is their time.
    pub fn send(&mut self, count: usize, now: Instant) -> Result<(), Failure> {
        for _ in 0..count {
            self.append();
            self.outstanding.push_back(now);
        }
        self.flush()
    }

    fn append(&mut self) {
        let start = self.unsent.len();
        self.unsent.extend_from_slice(&self.message);
        stamp(&mut self.unsent[start..], 0, self.next);
        self.next += 1;
    }

    /// Sends what the kernel had not taken.
    pub fn flush(&mut self) -> Result<(), Failure> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("sending failed: {error}").into()),
            }
        }
        Ok(())
    }

    /// Makes the poller watch for room to send while there is something to send, and not otherwise.
    pub fn watch(&mut self, poll: &OwnedFd, index: usize) -> Result<(), Failure> {
        let wanted = !self.unsent.is_empty();
        if wanted != self.watched {
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, wanted);
            epoll::modify(poll, &self.socket, EventData::new_u64(index as u64), flags)?;
            self.watched = wanted;
        }
        Ok(())
    }

    /// Receives once, and tells how many messages were completed by that. `all`: compares every byte.
    pub fn receive(&mut self, buffer: &mut [u8], all: bool) -> Result<usize, Failure> {
        let count = match self.socket.read(buffer) {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(0);
            }
            Err(error) => return Err(format!("receiving failed: {error}").into()),
        };
        self.check(&buffer[..count], all)?;
        let size = self.message.len() as u64;
        let before = self.received / size;
        self.received += count as u64;
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

    /// How long the oldest message without an answer has been under way, in nanoseconds; it is answered now.
    pub fn latency(&mut self, now: Instant) -> u64 {
        let sent = self.outstanding.pop_front().unwrap_or(now);
        now.saturating_duration_since(sent).as_nanos() as u64
    }

    /// Fails when bytes are there although every message was answered.
    pub fn expect_nothing(&mut self) -> Result<(), Failure> {
        match self.socket.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Ok(0) => Err("the server closed the connection".into()),
            Ok(_) => Err("more came back than was sent".into()),
            Err(error) => Err(error.into()),
        }
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
    use std::net::TcpListener;

    fn pair(size: usize) -> (Client, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let client = Client::connect(listener.local_addr().expect("bound"), 3, size).expect("connect");
        (client, listener.accept().expect("accept").0)
    }

    #[test]
    fn echoes_in_any_pieces_are_counted_and_changed_ones_are_found() {
        for size in [1, 5, 8, 13, 64] {
            let (mut client, mut peer) = pair(size);
            client.send(4, Instant::now()).expect("send");
            let mut bytes = vec![0; 4 * size];
            peer.read_exact(&mut bytes).expect("sent");
            let mut answers = 0;
            for byte in &bytes {
                peer.write_all(&[*byte]).expect("write");
                answers += client.receive(&mut [0; 1], true).expect("equal");
            }
            assert_eq!(answers, 4, "size {size}");

            client.send(1, Instant::now()).expect("send");
            peer.read_exact(&mut bytes[..size]).expect("sent");
            bytes[size - 1] ^= 1;
            peer.write_all(&bytes[..size]).expect("write");
            assert!(client.receive(&mut vec![0; size], true).is_err(), "size {size}");
        }
    }

    #[test]
    fn an_older_message_does_not_pass_for_a_newer_one() {
        let (mut client, mut peer) = pair(64);
        client.send(2, Instant::now()).expect("send");
        let mut first = [0; 64];
        peer.read_exact(&mut first).expect("sent");
        peer.write_all(&first).expect("write");
        assert_eq!(client.receive(&mut [0; 64], false).expect("equal"), 1);
        peer.write_all(&first).expect("write");
        assert!(client.receive(&mut [0; 64], false).is_err());
    }

    #[test]
    fn what_was_never_sent_is_found() {
        let (mut client, mut peer) = pair(64);
        client.set_nonblocking().expect("socket");
        client.expect_nothing().expect("nothing");
        peer.write_all(b"x").expect("write");
        std::thread::sleep(Duration::from_millis(20));
        assert!(client.expect_nothing().is_err());
    }
}
