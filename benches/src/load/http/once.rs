//! A connection for each request.

use super::answers::Answers;
use crate::Failure;
use crate::cli::LoadArgs;
use crate::http::Exchange;
use crate::load::{Client, Event, PATIENCE};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with, sockopt,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One after the other: connects, asks, reads the answer up to the end that the server makes, and closes.
pub struct Once {
    at: SocketAddr,
    index: usize,
    exchange: Exchange,
    request: Vec<u8>,
    /// The connection under way, and how much of the request it has taken.
    socket: Option<OwnedFd>,
    sent: usize,
    /// When it was begun.
    begun: Instant,
    answers: Answers,
    answered: usize,
}

impl Client for Once {
    fn connect(args: &LoadArgs, index: usize) -> Result<Once, Failure> {
        let exchange = Exchange::new(args.work, index);
        let mut request = Vec::new();
        exchange.ask(0, &mut request);
        Ok(Once {
            at: args.at,
            index,
            exchange,
            request,
            socket: None,
            sent: 0,
            begun: Instant::now(),
            answers: Answers::default(),
            answered: 0,
        })
    }

    fn round_trip(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.open(SocketFlags::empty())?;
        self.ask()?;
        if self.receive(buffer)? {
            return Ok(());
        }
        Err("no answer while connecting".into())
    }

    fn register(&mut self, _: &OwnedFd) -> Result<(), Failure> {
        Ok(())
    }

    /// There is no more than one at a time.
    fn send(&mut self, poll: &OwnedFd, count: usize, now: Instant) -> Result<(), Failure> {
        if count == 0 {
            return Ok(());
        }
        let key = EventData::new_u64(self.index as u64);
        let socket = self.open(SocketFlags::NONBLOCK)?;
        // Each direction is reported once, when it becomes possible: nothing has to be changed on the way.
        let all = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(poll, socket, key, all)?;
        self.begun = now;
        Ok(())
    }

    fn event(&mut self, event: &mut Event<'_>) -> Result<usize, Failure> {
        if event.writable {
            self.ask()?;
        }
        Ok(usize::from(self.receive(event.buffer)?))
    }

    fn latency(&mut self, now: Instant) -> u64 {
        now.saturating_duration_since(self.begun).as_nanos() as u64
    }

    fn expect_nothing(&mut self) -> Result<(), Failure> {
        match self.socket {
            None => Ok(()),
            Some(_) => Err("a connection is left over".into()),
        }
    }
}

impl Once {
    /// Begins a connection.
    fn open(&mut self, flags: SocketFlags) -> Result<&OwnedFd, Failure> {
        let flags = flags | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        // Closing by reset leaves no port waiting, of which there are tens of thousands a second.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        match connect(&socket, &self.at) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(format!("connecting failed: {error}").into()),
        }
        (self.sent, self.answered) = (0, 0);
        Ok(self.socket.insert(socket))
    }

    /// Sends what the kernel has not taken of the request.
    fn ask(&mut self) -> Result<(), Failure> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        while self.sent < self.request.len() {
            match send(socket, &self.request[self.sent..], SendFlags::NOSIGNAL) {
                Ok(sent) => self.sent += sent,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                // That it was refused shows here too.
                Err(error) => return Err(format!("connecting or sending failed: {error}").into()),
            }
        }
        Ok(())
    }

    /// Receives what there is; whether the connection has ended, as it should, and was closed.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<bool, Failure> {
        let Some(socket) = &self.socket else {
            return Ok(false);
        };
        loop {
            let count = match recv(socket, &mut *buffer, RecvFlags::empty()) {
                Ok((_, count)) => count,
                Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(false),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(format!("receiving failed: {error}").into()),
            };
            if count == 0 {
                break;
            }
            let exchange = &self.exchange;
            self.answered += self.answers.feed(&buffer[..count], |body| {
                let good = exchange.is_answer(0, body).then_some(());
                good.ok_or_else(|| "the answer is wrong".into())
            })?;
        }
        if self.answered != 1 || !self.answers.is_between() {
            return Err(format!("the connection was closed after {} answers", self.answered).into());
        }
        self.answers.clear();
        self.socket = None;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::args;
    use crate::work::Work;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, world!";

    /// What comes of a connection that is answered so.
    fn answered(bytes: &'static [u8]) -> Result<(), Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let at = listener.local_addr().expect("bound");
        let server = thread::spawn(move || {
            let (mut peer, _) = listener.accept().expect("accept");
            let mut request = vec![0; Exchange::new(Work::HttpClose, 0).size()];
            peer.read_exact(&mut request).expect("a request");
            peer.write_all(bytes).expect("write");
        });
        let mut client = Once::connect(
            &LoadArgs {
                at,
                ..args(Work::HttpClose, 0)
            },
            0,
        )?;
        let outcome = client.round_trip(&mut [0; 50]);
        server.join().expect("the server");
        outcome.and_then(|()| client.expect_nothing())
    }

    #[test]
    fn one_answer_and_the_end_are_what_is_expected() {
        answered(HELLO).expect("good");
        assert!(answered(b"").is_err(), "none");
        assert!(answered(&HELLO[..HELLO.len() - 1]).is_err(), "not all of it");
        assert!(
            answered(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nBye").is_err(),
            "another"
        );
    }
}
