//! What every connection of the load has: a socket, bytes that it has not taken yet, and the times of what is under way.

use super::PATIENCE;
use crate::Failure;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection to the server.
pub struct Line {
    socket: TcpStream,
    /// Its key in the poller.
    index: usize,
    /// Bytes that the kernel has not taken yet.
    pub unsent: Vec<u8>,
    /// When the messages that are not answered yet were sent.
    outstanding: VecDeque<Instant>,
    /// Whether the poller watches for room to send.
    watched: bool,
}

impl Line {
    /// Connects, blocking.
    pub fn connect(at: SocketAddr, index: usize) -> Result<Line, Failure> {
        let socket = TcpStream::connect_timeout(&at, PATIENCE)
            .map_err(|error| format!("connection {index} to {at}: {error}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // Closing by reset leaves no port waiting, of which there are tens of thousands in a comparison.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        Ok(Line {
            socket,
            index,
            unsent: Vec::new(),
            outstanding: VecDeque::new(),
            watched: false,
        })
    }

    /// From here on no operation blocks, and the poller tells what can be received.
    pub fn register(&self, poll: &OwnedFd) -> Result<(), Failure> {
        self.socket.set_nonblocking(true)?;
        let key = EventData::new_u64(self.index as u64);
        Ok(epoll::add(poll, &self.socket, key, EventFlags::IN)?)
    }

    /// Messages were appended to what is unsent, at that time.
    pub fn begun(&mut self, count: usize, now: Instant) {
        self.outstanding.extend(std::iter::repeat_n(now, count));
    }

    /// Messages that are not answered yet.
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
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

    /// Sends, and makes the poller watch for room to send while there is something left, and not otherwise.
    pub fn flush_and_watch(&mut self, poll: &OwnedFd) -> Result<(), Failure> {
        self.flush()?;
        let wanted = !self.unsent.is_empty();
        if wanted != self.watched {
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, wanted);
            epoll::modify(poll, &self.socket, EventData::new_u64(self.index as u64), flags)?;
            self.watched = wanted;
        }
        Ok(())
    }

    /// Receives once; how much, which is nothing when there is nothing.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        match self.socket.read(buffer) {
            Ok(0) => Err("the server closed the connection".into()),
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(format!("receiving failed: {error}").into()),
        }
    }

    /// As [`receive`](Line::receive) before [`register`](Line::register), when receiving blocks: nothing is an error.
    pub fn receive_some(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        match self.receive(buffer)? {
            0 => Err("no answer while connecting".into()),
            count => Ok(count),
        }
    }

    /// How long the oldest message without an answer has been under way, in nanoseconds; it is answered now.
    pub fn latency(&mut self, now: Instant) -> u64 {
        let sent = self.outstanding.pop_front().unwrap_or(now);
        now.saturating_duration_since(sent).as_nanos() as u64
    }

    /// Fails when bytes are there although every message was answered.
    pub fn expect_nothing(&mut self) -> Result<(), Failure> {
        match self.receive(&mut [0])? {
            0 => Ok(()),
            _ => Err("more came back than was sent".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::epoll::CreateFlags;
    use std::net::TcpListener;

    #[test]
    fn what_was_never_sent_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let mut line = Line::connect(listener.local_addr().expect("bound"), 3).expect("connect");
        let (mut peer, _) = listener.accept().expect("accept");
        let poll = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
        line.register(&poll).expect("a socket");
        line.expect_nothing().expect("nothing");
        peer.write_all(b"x").expect("write");
        std::thread::sleep(Duration::from_millis(20));
        assert!(line.expect_nothing().is_err());
    }
}
