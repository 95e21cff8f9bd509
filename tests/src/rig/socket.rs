//! Plain peers: sockets of the standard library, non-blocking.

use super::{Host, Peer};
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use sockman::Endpoint;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

/// A plain connected socket.
#[derive(Debug)]
pub enum Plain {
    /// TCP, of either version.
    Tcp(TcpStream),
    /// A Unix stream socket.
    Unix(UnixStream),
}

impl Plain {
    /// Connects, waiting for it: the kernel answers for a listener whose backlog has room.
    pub fn connect(to: &Endpoint) -> io::Result<Plain> {
        match to {
            Endpoint::Tcp(at) => Plain::tcp(TcpStream::connect(at)?),
            Endpoint::Unix(path) => Plain::unix(UnixStream::connect(path)?),
        }
    }

    fn tcp(stream: TcpStream) -> io::Result<Plain> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Plain::Tcp(stream))
    }

    fn unix(stream: UnixStream) -> io::Result<Plain> {
        stream.set_nonblocking(true)?;
        Ok(Plain::Unix(stream))
    }
}

impl Peer for Plain {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Plain::Tcp(stream) => stream.read(into),
            Plain::Unix(stream) => stream.read(into),
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Plain::Tcp(stream) => stream.write(data),
            Plain::Unix(stream) => stream.write(data),
        }
    }

    fn finish(&mut self) {
        // Fails when the connection is gone already, and then there is nothing to finish.
        let _ = match self {
            Plain::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Plain::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }

    fn reset(self) {
        if let Plain::Tcp(stream) = &self {
            sockopt::set_socket_linger(stream, Some(Duration::ZERO)).expect("SO_LINGER");
        }
    }
}

impl AsFd for Plain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Plain::Tcp(stream) => stream.as_fd(),
            Plain::Unix(stream) => stream.as_fd(),
        }
    }
}

impl From<Plain> for OwnedFd {
    fn from(peer: Plain) -> OwnedFd {
        match peer {
            Plain::Tcp(stream) => stream.into(),
            Plain::Unix(stream) => stream.into(),
        }
    }
}

/// A plain listening socket, and the connections that fill its backlog.
#[derive(Debug)]
pub struct PlainHost {
    listener: Listening,
    at: Endpoint,
    fillers: Vec<OwnedFd>,
}

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// More connections than this do not fit into a backlog of 0.
const FILLERS: usize = 8;

/// A connection that is not there after this long was not answered.
const UNANSWERED: Duration = Duration::from_millis(200);

impl PlainHost {
    /// Listens with this backlog.
    pub fn listen(at: &Endpoint, backlog: i32) -> io::Result<PlainHost> {
        let listener = match at {
            Endpoint::Tcp(at) => {
                let family = if at.is_ipv6() {
                    AddressFamily::INET6
                } else {
                    AddressFamily::INET
                };
                let socket = net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
                net::bind(&socket, at)?;
                net::listen(&socket, backlog)?;
                Listening::Tcp(socket.into())
            }
            Endpoint::Unix(path) => {
                let socket = net::socket_with(
                    AddressFamily::UNIX,
                    SocketType::STREAM,
                    SocketFlags::CLOEXEC,
                    None,
                )?;
                net::bind(&socket, &SocketAddrUnix::new(path)?)?;
                net::listen(&socket, backlog)?;
                Listening::Unix(socket.into())
            }
        };
        let at = match &listener {
            Listening::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Endpoint::Tcp(listener.local_addr()?)
            }
            Listening::Unix(listener) => {
                listener.set_nonblocking(true)?;
                at.clone()
            }
        };
        Ok(PlainHost {
            listener,
            at,
            fillers: Vec::new(),
        })
    }

    /// Connects until no further connection is answered.
    pub(super) fn fill(&mut self) {
        for _ in 0..FILLERS {
            match self.filler() {
                Ok(socket) => self.fillers.push(socket),
                Err(_) => return,
            }
        }
        panic!("the backlog takes every connection");
    }

    fn filler(&self) -> io::Result<OwnedFd> {
        match &self.at {
            Endpoint::Tcp(at) => Ok(TcpStream::connect_timeout(at, UNANSWERED)?.into()),
            Endpoint::Unix(path) => {
                let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
                let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
                net::connect(&socket, &SocketAddrUnix::new(path)?)?;
                Ok(socket)
            }
        }
    }
}

impl Host for PlainHost {
    type Peer = Plain;

    fn at(&self) -> Endpoint {
        self.at.clone()
    }

    fn accept(&mut self) -> Option<Plain> {
        let accepted = match &self.listener {
            Listening::Tcp(listener) => listener.accept().and_then(|(stream, _)| Plain::tcp(stream)),
            Listening::Unix(listener) => listener.accept().and_then(|(stream, _)| Plain::unix(stream)),
        };
        match accepted {
            Ok(peer) => Some(peer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("accept: {error}"),
        }
    }
}
