//! Two protocols on one loop.

use crate::endpoint::Endpoint;
use crate::handler::{Handler, Origin};
use crate::id::{Conn, Listener, Timer};
use crate::net::SockMan;
use crate::options::{AdoptOptions, DialOptions, ListenOptions};
use crate::reason::{Closed, DialError};
use crate::wrapper::Wrapper;
use bytes::Bytes;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Which of the two handlers of a [`Mux`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The key by which the loop below knows what this side calls `key`: the side is its lowest bit.
    fn outer(self, key: u64) -> u64 {
        key << 1 | u64::from(self == Side::B)
    }

    /// Splits a key of the loop below.
    fn split(outer: u64) -> (Side, u64) {
        (if outer & 1 == 0 { Side::A } else { Side::B }, outer >> 1)
    }
}

/// The session of a connection of a [`Mux`]: that of the handler it belongs to.
#[derive(Debug)]
pub enum MuxSession<A, B> {
    /// A connection of the first handler.
    A(A),
    /// A connection of the second handler.
    B(B),
}

/// Two handlers on one loop: whose listener, dial, timer or adoption it was decides who gets what comes of it.
///
/// Each side lists and dials through a [`Sided`] `SockMan` that marks its keys. Each level of `Mux` takes one bit of the
/// key: keys given to a `Mux` of two must stay below 2⁶³, in a `Mux` of a `Mux` below 2⁶², and so on. Listening, dialling
/// or adopting with a larger key fails with [`io::ErrorKind::InvalidInput`]; a timer's key loses its highest bit.
/// `woken` and `stopping` go to both.
#[derive(Debug)]
pub struct Mux<A, B> {
    /// The first handler.
    pub a: A,
    /// The second handler.
    pub b: B,
}

impl<A, B> Mux<A, B> {
    /// Puts two handlers on one loop.
    pub fn new(a: A, b: B) -> Self {
        Mux { a, b }
    }

    /// For listening, dialling or setting timers from outside callbacks on behalf of one side.
    pub fn on<S: SockMan>(net: &mut S, side: Side) -> Sided<'_, S> {
        Sided { net, side }
    }
}

/// The `SockMan` that one side of a [`Mux`] sees.
#[derive(Debug)]
pub struct Sided<'a, S> {
    net: &'a mut S,
    side: Side,
}

impl<S> Sided<'_, S> {
    fn key(&self, key: u64) -> io::Result<u64> {
        if key >> 63 == 0 {
            Ok(self.side.outer(key))
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the key's highest bit belongs to Mux",
            ))
        }
    }
}

impl<S: SockMan> Wrapper for Sided<'_, S> {
    type Inner = S;

    fn inner(&self) -> &S {
        self.net
    }

    fn inner_mut(&mut self) -> &mut S {
        self.net
    }

    fn listen(&mut self, at: &Endpoint, how: &ListenOptions) -> io::Result<Listener> {
        let key = self.key(how.key)?;
        self.net.listen(at, &ListenOptions { key, ..how.clone() })
    }

    fn dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn> {
        let key = self.key(how.key)?;
        self.net.dial(to, &DialOptions { key, ..how.clone() })
    }

    fn adopt(&mut self, socket: OwnedFd, how: &AdoptOptions) -> io::Result<Conn> {
        let key = self.key(how.key)?;
        self.net.adopt(socket, &AdoptOptions { key, ..how.clone() })
    }

    fn set_timer(&mut self, at: Instant, key: u64) -> Timer {
        self.net.set_timer(at, self.side.outer(key))
    }
}

/// Calls the same method of the handler that the session belongs to.
macro_rules! to_owner {
    ($self:ident, $net:ident, $session:ident, $method:ident($conn:ident $(, $arg:expr)*)) => {
        match $session {
            MuxSession::A(s) => $self.a.$method(&mut Sided { net: $net, side: Side::A }, $conn, s $(, $arg)*),
            MuxSession::B(s) => $self.b.$method(&mut Sided { net: $net, side: Side::B }, $conn, s $(, $arg)*),
        }
    };
}

impl<A: Handler, B: Handler> Handler for Mux<A, B> {
    type Session = MuxSession<A::Session, B::Session>;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Self::Session> {
        let (side, key) = Side::split(origin.key);
        let origin = Origin {
            key,
            ..origin.clone()
        };
        let net = &mut Sided { net, side };
        match side {
            Side::A => self.a.open(net, conn, &origin).map(MuxSession::A),
            Side::B => self.b.open(net, conn, &origin).map(MuxSession::B),
        }
    }

    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        session: &mut Self::Session,
        data: &mut [u8],
    ) -> usize {
        to_owner!(self, net, session, received(conn, data))
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session, data: Bytes) {
        to_owner!(self, net, session, posted(conn, data));
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session) {
        to_owner!(self, net, session, drained(conn));
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session, unread: &mut [u8]) {
        to_owner!(self, net, session, eof(conn, unread));
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut Self::Session) {
        to_owner!(self, net, session, deadline(conn));
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        match Side::split(key) {
            (side @ Side::A, key) => self.a.timer(&mut Sided { net, side }, key),
            (side @ Side::B, key) => self.b.timer(&mut Sided { net, side }, key),
        }
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        self.a.woken(&mut Sided { net, side: Side::A });
        self.b.woken(&mut Sided { net, side: Side::B });
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        match Side::split(key) {
            (side @ Side::A, key) => self.a.dial_failed(&mut Sided { net, side }, key, why),
            (side @ Side::B, key) => self.b.dial_failed(&mut Sided { net, side }, key, why),
        }
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: Self::Session, why: Closed) {
        to_owner!(self, net, session, closed(conn, why));
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        self.a.stopping(&mut Sided { net, side: Side::A }, within);
        self.b.stopping(&mut Sided { net, side: Side::B }, within);
    }
}
