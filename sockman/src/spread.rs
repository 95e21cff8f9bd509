//! One loop accepts for several.

use crate::handler::{Handler, Origin, OriginKind};
use crate::id::Conn;
use crate::net::SockMan;
use crate::options::AdoptOptions;
use crate::reason::{Closed, DialError};
use crate::remote::Remote;
use bytes::Bytes;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// A handler around a handler, on each of several loops: connections that one of them accepts go to whichever has the fewest.
///
/// A connection that goes to another loop is [detached](SockMan::detach) there and [adopted](SockMan::adopt) here: its
/// [`Origin`] says [`Adopted`](OriginKind::Adopted), with the listener's key. That costs a wake of the other loop, once a
/// connection; in exchange connections are spread evenly, which `SO_REUSEPORT` does not do with few of them.
///
/// ```no_run
/// # use sockman::{Backend, Config, Driver, Endpoint, Handler, ListenOptions, Seat, Shards, SockMan, Spread};
/// # fn run<B: Backend, H: Handler>(at: Endpoint, echo: fn() -> H) -> std::io::Result<()> {
/// let seats = Seat::group(4);
/// let shards = Shards::start(4, move |shard| {
///     let spread = Spread::new(echo(), seats[shard].clone());
///     let mut driver = Driver::<B, _>::new(&Config::default(), spread)?;
///     driver.with(|spread, net| {
///         spread.join(net);
///         if shard == 0 {
///             net.listen(&at, &ListenOptions::default())?;
///         }
///         Ok::<_, std::io::Error>(())
///     })?;
///     Ok(driver)
/// })?;
/// shards.join().map(drop)
/// # }
/// ```
#[derive(Debug)]
pub struct Spread<H> {
    handler: H,
    seat: Seat,
    /// Where adopted sockets are collected, emptied each time.
    arrived: Vec<(OwnedFd, u64)>,
}

/// The place of one loop among several.
#[derive(Clone, Debug)]
pub struct Seat {
    group: Arc<[Place]>,
    number: usize,
}

/// What the others know of a loop.
#[derive(Debug, Default)]
struct Place {
    /// Set when it takes part.
    remote: OnceLock<Remote>,
    /// Connections that it has, or that are on their way to it.
    load: AtomicUsize,
    /// Sockets that are on their way, with their keys.
    sockets: Mutex<Vec<(OwnedFd, u64)>>,
}

impl Seat {
    /// Seats for so many loops.
    pub fn group(count: usize) -> Vec<Seat> {
        let group: Arc<[Place]> = (0..count).map(|_| Place::default()).collect();
        (0..count)
            .map(|number| Seat {
                group: group.clone(),
                number,
            })
            .collect()
    }

    fn own(&self) -> &Place {
        &self.group[self.number]
    }

    /// The loop with the fewest connections among those that take part; this one, if there is no better.
    fn best(&self) -> usize {
        let own = self.own().load.load(Ordering::Relaxed);
        let mut best = (own, self.number);
        for (number, place) in self.group.iter().enumerate() {
            let load = place.load.load(Ordering::Relaxed);
            if load < best.0 && place.remote.get().is_some() {
                best = (load, number);
            }
        }
        best.1
    }

    /// Gives a socket to another loop.
    fn give(&self, number: usize, socket: OwnedFd, key: u64) {
        let place = &self.group[number];
        place.load.fetch_add(1, Ordering::Relaxed);
        let mut sockets = place.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.push((socket, key));
        if let Some(remote) = place.remote.get() {
            remote.wake();
        }
    }
}

impl<H> Spread<H> {
    /// Puts a handler on a seat.
    pub fn new(handler: H, seat: Seat) -> Self {
        Spread {
            handler,
            seat,
            arrived: Vec::new(),
        }
    }

    /// Takes part: from now on this loop may be given connections.
    pub fn join<S: SockMan>(&self, net: &mut S) {
        self.seat.own().remote.get_or_init(|| net.remote());
    }

    /// The handler inside.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The handler inside.
    pub fn handler_mut(&mut self) -> &mut H {
        &mut self.handler
    }

    fn left(&self) {
        self.seat.own().load.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H: Handler> Handler for Spread<H> {
    type Session = H::Session;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<H::Session> {
        match origin.how {
            OriginKind::Accepted(_) => {
                let best = self.seat.best();
                // A socket that cannot be given away stays.
                if best != self.seat.number
                    && let Ok(socket) = net.detach(conn)
                {
                    self.seat.give(best, socket, origin.key);
                    return None;
                }
                self.seat.own().load.fetch_add(1, Ordering::Relaxed);
            }
            // Adopted ones were counted when they were given.
            OriginKind::Adopted => {}
            OriginKind::Dialed => {
                self.seat.own().load.fetch_add(1, Ordering::Relaxed);
            }
        }
        let session = self.handler.open(net, conn, origin);
        if session.is_none() {
            self.left();
        }
        session
    }

    #[inline]
    fn received<S: SockMan>(
        &mut self,
        net: &mut S,
        conn: Conn,
        session: &mut H::Session,
        data: &mut [u8],
    ) -> usize {
        self.handler.received(net, conn, session, data)
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session, data: Bytes) {
        self.handler.posted(net, conn, session, data);
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session) {
        self.handler.drained(net, conn, session);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session, unread: &mut [u8]) {
        self.handler.eof(net, conn, session, unread);
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: &mut H::Session) {
        self.handler.deadline(net, conn, session);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        self.handler.timer(net, key);
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        let mut arrived = std::mem::take(&mut self.arrived);
        {
            let mut sockets = self
                .seat
                .own()
                .sockets
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *sockets, &mut arrived);
        }
        for (socket, key) in arrived.drain(..) {
            // One that cannot be taken, for want of room, is closed by being dropped.
            if net.adopt(socket, &AdoptOptions::key(key)).is_err() {
                self.left();
            }
        }
        self.arrived = arrived;
        self.handler.woken(net);
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        self.handler.dial_failed(net, key, why);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: H::Session, why: Closed) {
        self.left();
        self.handler.closed(net, conn, session, why);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        self.handler.stopping(net, within);
    }
}
