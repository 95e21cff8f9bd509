//! One loop accepts for several.

use crate::handler::{Handler, Origin, OriginKind};
use crate::id::Conn;
use crate::net::SockMan;
use crate::options::AdoptOptions;
use crate::reason::{Closed, DialError};
use crate::remote::Remote;
use bytes::Bytes;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handler around a handler, on each of several loops: connections that one of them accepts go to whichever has the fewest.
///
/// A connection that goes to another loop is [detached](SockMan::detach) there and [adopted](SockMan::adopt) here: its
/// [`Origin`] says [`Adopted`](OriginKind::Adopted), with the listener's key, and its [limits](crate::Limits) are those it was
/// accepted with. That costs a wake of the other loop, once a connection; in exchange connections are spread evenly, which
/// `SO_REUSEPORT` does not do with few of them.
///
/// A loop takes part from [`join`](Spread::join) until it is asked to stop or this is dropped, as it is when the backend fails
/// or a handler panics. From then on it is given nothing, and what was on its way to it is closed; the others go on.
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
    /// How much of the seat's load is this one's: what has been opened here, and what is adopted and about to be.
    counted: usize,
    /// Of these, what was given and is not opened yet.
    expected: usize,
    /// Where adopted sockets are collected, emptied each time.
    arrived: Vec<Arrival>,
}

/// The place of one loop among several: of one [`Spread`] at a time. When that is gone another may [join](Spread::join) there.
#[derive(Clone, Debug)]
pub struct Seat {
    group: Arc<[Place]>,
    number: usize,
}

/// What the others know of a loop.
#[derive(Debug, Default)]
struct Place {
    /// Connections that it has, or that are on their way to it.
    load: AtomicUsize,
    /// Whether `part` is there, for those who compare loads: they take no lock.
    takes: AtomicBool,
    /// While it takes part.
    part: Mutex<Option<Part>>,
}

/// What it takes to give a loop a connection.
#[derive(Debug)]
struct Part {
    remote: Remote,
    /// What is on its way.
    sockets: Vec<Arrival>,
}

type Arrival = (OwnedFd, AdoptOptions);

impl Place {
    /// A panic leaves nothing half-changed here, so poisoning says nothing.
    fn part(&self) -> MutexGuard<'_, Option<Part>> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, remote: Remote) {
        let mut part = self.part();
        part.get_or_insert(Part {
            remote,
            sockets: Vec::new(),
        });
        self.takes.store(true, Ordering::Relaxed);
    }

    /// Takes no more, and closes what is on its way.
    fn leave(&self) {
        let mut part = self.part();
        self.takes.store(false, Ordering::Relaxed);
        let left = part.take();
        drop(part);
        // Closing takes its time; those who look for this loop meanwhile need not wait.
        if let Some(part) = left {
            self.load.fetch_sub(part.sockets.len(), Ordering::Relaxed);
        }
    }
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
            if load < best.0 && place.takes.load(Ordering::Relaxed) {
                best = (load, number);
            }
        }
        best.1
    }

    /// Gives a connection that this loop has accepted to the one with the fewest. Whether it is that one's now; otherwise it
    /// stays.
    fn give<S: SockMan>(&self, net: &mut S, conn: Conn, key: u64) -> bool {
        loop {
            let best = self.best();
            if best == self.number {
                return false;
            }
            let place = &self.group[best];
            // Held until the socket lies there: once it is detached there must be somebody who takes it.
            let mut part = place.part();
            let Some(part) = &mut *part else {
                // It has left since, and is not the best any more.
                continue;
            };
            let limits = net.info(conn).map(|info| info.limits);
            let Ok(socket) = net.detach(conn) else {
                return false;
            };
            place.load.fetch_add(1, Ordering::Relaxed);
            part.sockets.push((socket, AdoptOptions { key, limits }));
            part.remote.wake();
            return true;
        }
    }
}

impl<H> Spread<H> {
    /// Puts a handler on a seat.
    pub fn new(handler: H, seat: Seat) -> Self {
        Spread {
            handler,
            seat,
            counted: 0,
            expected: 0,
            arrived: Vec::new(),
        }
    }

    /// Takes part: from now on this loop may be given connections.
    pub fn join<S: SockMan>(&self, net: &mut S) {
        self.seat.own().enter(net.remote());
    }

    /// The handler inside.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// The handler inside.
    pub fn handler_mut(&mut self) -> &mut H {
        &mut self.handler
    }

    fn count(&mut self) {
        self.counted += 1;
        self.seat.own().load.fetch_add(1, Ordering::Relaxed);
    }

    fn uncount(&mut self) {
        self.counted -= 1;
        self.seat.own().load.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H> Drop for Spread<H> {
    fn drop(&mut self) {
        let place = self.seat.own();
        place.leave();
        // The connections that are open now have no `closed`; whoever is next on the seat begins with none.
        place.load.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

impl<H: Handler> Handler for Spread<H> {
    type Session = H::Session;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<H::Session> {
        match origin.how {
            OriginKind::Accepted(_) if self.seat.give(net, conn, origin.key) => return None,
            // Counted when it was given. (Of those that the handler has adopted by itself one may stand for one of these: all
            // of them come, and it is their number that counts.)
            OriginKind::Adopted if self.expected > 0 => self.expected -= 1,
            OriginKind::Accepted(_) | OriginKind::Adopted | OriginKind::Dialed => self.count(),
        }
        let session = self.handler.open(net, conn, origin);
        if session.is_none() {
            self.uncount();
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
        if let Some(part) = &mut *self.seat.own().part() {
            std::mem::swap(&mut part.sockets, &mut arrived);
        }
        self.counted += arrived.len();
        for (socket, how) in arrived.drain(..) {
            // One that cannot be taken, for want of room, is closed by being dropped.
            match net.adopt(socket, &how) {
                Ok(_) => self.expected += 1,
                Err(_) => self.uncount(),
            }
        }
        self.arrived = arrived;
        self.handler.woken(net);
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        self.handler.dial_failed(net, key, why);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, session: H::Session, why: Closed) {
        self.uncount();
        self.handler.closed(net, conn, session, why);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        // First: what came later would find a loop that does not turn any more.
        self.seat.own().leave();
        self.handler.stopping(net, within);
    }
}
