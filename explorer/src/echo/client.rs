//! The handler of the client.

use super::PATIENCE;
use super::server::LAST;
use super::stream::Stream;
use crate::case::Run;
use crate::checked::Fates;
use fastrand::Rng;
use sockman::{
    Bytes, Closed, Config, Conn, ConnMap, DialError, DialOptions, Disconnect, Endpoint, Gone, Handler,
    Origin, SockMan,
};
use sockman_backends::sim::Network;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// Dials, and does everything to its connections, dead ones included, one step a timer; at last it finishes each and
/// waits for the end.
pub(super) struct Client {
    random: Rng,
    to: Endpoint,
    config: Config,
    /// What became of connections at the server.
    fates: Fates,
    network: Network,
    /// The server's end may be gone, and nobody says so.
    deaf: bool,
    /// The server has a last word.
    late: bool,
    /// Steps to come.
    steps: u32,
    /// The longest time between two steps.
    pace: Duration,
    streams: ConnMap<Stream>,
    /// Every connection so far, dead ones included.
    conns: Vec<Conn>,
    dialled: u32,
    dialling: u32,
    /// Dials without an outcome.
    dials: BTreeMap<u64, Dial>,
    woken: u64,
}

/// A dial without an outcome.
struct Dial {
    until: Instant,
    /// It was disconnected, or may have been.
    is_cancelled: bool,
    conn: Conn,
}

/// "Too many open files", as Linux numbers it.
const EMFILE: i32 = 24;

/// The key of the timer of steps.
const STEP: u64 = 1;
/// The key of timers that are taken back.
const NEVER: u64 = 2;

impl Client {
    pub(super) fn new(run: &mut Run, to: Endpoint, config: Config, fates: Fates) -> Client {
        let mut random = run.random.fork();
        let steps = random.u32(1..40);
        let pace = Duration::from_millis(random.u64(0..100) * random.u64(0..10));
        Client {
            random,
            to,
            config,
            fates,
            network: run.network.clone(),
            deaf: run.deaf,
            late: run.late.is_some(),
            steps,
            pace,
            streams: ConnMap::new(),
            conns: Vec::new(),
            dialled: 0,
            dialling: 0,
            dials: BTreeMap::new(),
            woken: 0,
        }
    }

    pub(super) fn begin<S: SockMan>(&mut self, net: &mut S) {
        for _ in 0..self.random.u32(1..4) {
            self.dial(net);
        }
        if self.random.u8(0..8) == 0 {
            // A crowd of which most do nothing.
            for _ in 0..30 {
                self.dial(net);
            }
        }
        self.next_step(net);
    }

    /// Whether all that is to be done has been done.
    pub(super) fn is_over(&self) -> bool {
        self.steps == 0 && self.dialling == 0 && self.streams.is_empty()
    }

    pub(super) fn conns(&self) -> &[Conn] {
        &self.conns
    }

    /// How often it was woken.
    pub(super) fn woken(&self) -> u64 {
        self.woken
    }

    fn dial<S: SockMan>(&mut self, net: &mut S) {
        self.dialled += 1;
        self.dialling += 1;
        let how = DialOptions {
            key: u64::from(self.dialled),
            timeout: Duration::from_secs(self.random.u64(1..100)),
            ..DialOptions::default()
        };
        let conn = net.dial(&self.to, &how).expect("the options are right");
        let dial = Dial {
            until: net.now() + how.timeout,
            is_cancelled: self.random.u8(0..16) == 0,
            conn,
        };
        if dial.is_cancelled {
            net.disconnect(conn, Disconnect::Now);
        }
        self.dials.insert(how.key, dial);
        self.conns.push(conn);
    }

    /// Something is done to a connection that may end a dial.
    fn cancels(&mut self, conn: Conn) {
        for dial in self.dials.values_mut().filter(|dial| dial.conn == conn) {
            dial.is_cancelled = true;
        }
    }

    fn next_step<S: SockMan>(&mut self, net: &mut S) {
        let within = self.pace.mul_f64(self.random.f64());
        net.set_timer(net.now() + within, STEP);
    }

    fn size(&mut self) -> usize {
        match self.random.u8(0..10) {
            0 => 0,
            1..=4 => self.random.usize(1..20),
            5..=8 => self.random.usize(1..2_000),
            _ => self.random.usize(1..40_000),
        }
    }

    /// Sends the next bytes of the stream, in one of the two ways.
    fn send<S: SockMan>(&mut self, net: &mut S, conn: Conn, count: usize) {
        let shared = self.random.bool();
        let Some(stream) = self.streams.get_mut(conn) else {
            assert_eq!(
                net.send(conn, b"stale"),
                Err(Gone),
                "{conn} is dead and takes bytes"
            );
            return;
        };
        if stream.is_high {
            return;
        }
        let data = stream.next(count);
        let sent = if shared {
            net.send_bytes(conn, Bytes::from(data))
        } else {
            net.send(conn, &data)
        };
        if let Ok(sent) = sent {
            stream.sent += count as u64;
            stream.is_high = sent.is_high();
        }
    }

    /// Does something to a connection, alive or dead.
    fn step<S: SockMan>(&mut self, net: &mut S) {
        let Some(&conn) = self.conns.get(self.random.usize(0..self.conns.len().max(1))) else {
            return self.dial(net);
        };
        match self.random.u8(0..33) {
            0..=11 => {
                for _ in 0..self.random.u8(1..4) {
                    let size = self.size();
                    self.send(net, conn, size);
                }
            }
            12..=14 => net.pause(conn),
            15..=18 => net.resume(conn),
            19 => {
                let _ = net.want(conn, self.random.usize(0..self.config.limits.unread * 2));
            }
            20 => {
                net.finish(conn);
                if let Some(stream) = self.streams.get_mut(conn) {
                    stream.is_finished = true;
                }
            }
            21 => {
                self.cancels(conn);
                let within = Duration::from_millis(self.random.u64(0..3_000));
                net.disconnect(conn, Disconnect::Flush { within });
            }
            22 | 23 => {
                self.cancels(conn);
                let how = if self.random.bool() {
                    Disconnect::Now
                } else {
                    Disconnect::Reset
                };
                net.disconnect(conn, how);
            }
            24 => {
                let at = net.now() + Duration::from_millis(self.random.u64(0..500));
                net.set_deadline(conn, Some(at));
                if self.random.bool() {
                    net.set_deadline(conn, None);
                }
            }
            25 => {
                let timer = net.set_timer(net.now() + self.pace, NEVER);
                net.cancel(timer);
            }
            26 | 27 => net.post(conn, Bytes::from(vec![0; self.random.usize(0..3_000)])),
            28 | 29 => {
                if let Some(stream) = self.streams.get_mut(conn) {
                    stream.hoards = true;
                }
            }
            _ => self.dial(net),
        }
    }

    /// The last step: everything goes on, and comes to its end.
    fn wind_down<S: SockMan>(&mut self, net: &mut S) {
        for (conn, stream) in self.streams.iter_mut() {
            stream.is_finished = true;
            stream.hoards = false;
            net.finish(conn);
            net.resume(conn);
            let patience = self.deaf.then(|| net.now() + PATIENCE);
            net.set_deadline(conn, patience);
        }
    }

    /// Whether the server's end of the connection was closed before all was sent. (That it had a reason is checked there.)
    fn is_cut_short(&self, local: Option<&Endpoint>) -> bool {
        let fate = local.and_then(|local| self.fates.of(local));
        fate.is_some_and(|fate| fate.closed.is_some_and(|why| why != "flushed"))
    }

    /// Whether a dial may end so.
    fn may_fail<S: SockMan>(&self, net: &S, key: u64, why: &DialError) -> bool {
        let broken = self.network.fatalities() > 0;
        match why {
            DialError::Refused(_) | DialError::Unreachable(_) => broken,
            DialError::TimedOut => self.dials.get(&key).is_some_and(|dial| dial.until <= net.now()),
            DialError::Cancelled => self.dials.get(&key).is_some_and(|dial| dial.is_cancelled),
            DialError::Failed(error) => {
                // More than the loop, or the host, may have at once; or a fault.
                let full = error.kind() == io::ErrorKind::QuotaExceeded;
                full || error.raw_os_error() == Some(EMFILE)
                    || broken && error.kind() == io::ErrorKind::AddrNotAvailable
            }
            _ => false,
        }
    }
}

/// A connection's own end, by which the server knows it.
pub(super) struct Own {
    local: Option<Endpoint>,
}

impl Handler for Client {
    type Session = Own;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Own> {
        self.dialling -= 1;
        let number = u32::try_from(origin.key).expect("a number of ours");
        assert!(self.conns.contains(&conn), "{conn} was never dialled");
        self.dials.remove(&origin.key);
        let last = if self.late { LAST } else { &[] };
        self.streams.insert(conn, Stream::new(number, last));
        let size = self.size();
        self.send(net, conn, size);
        if self.steps == 0 {
            self.wind_down(net);
        }
        let local = net.info(conn).and_then(|info| info.local);
        Some(Own { local })
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Own, data: &mut [u8]) -> usize {
        let reply = self.steps > 0 && self.random.u8(0..8) == 0;
        let leave = match self.random.u8(0..8) {
            0 => self.random.usize(0..=data.len().min(30)),
            _ => 0,
        };
        let Some(stream) = self.streams.get_mut(conn) else {
            panic!("{conn} receives, and has no stream");
        };
        stream.check(data);
        if stream.hoards {
            return 0;
        }
        let consumed = (data.len() - leave).max(1);
        stream.consume(consumed);
        if reply {
            match self.random.u8(0..4) {
                0 => net.pause(conn),
                1 => net.resume(conn),
                _ => {
                    let size = self.size();
                    self.send(net, conn, size);
                }
            }
        }
        consumed
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Own, data: Bytes) {
        self.send(net, conn, data.len());
    }

    fn drained<S: SockMan>(&mut self, _: &mut S, conn: Conn, _: &mut Own) {
        if let Some(stream) = self.streams.get_mut(conn) {
            stream.is_high = false;
        }
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, own: &mut Own, unread: &mut [u8]) {
        let excused = self.is_cut_short(own.local.as_ref());
        if let Some(stream) = self.streams.get_mut(conn) {
            stream.check(unread);
            assert!(
                excused || stream.is_complete(unread.len()),
                "stream {}: the end came after {} bytes and {} unread, of {}",
                stream.number,
                stream.heard,
                unread.len(),
                stream.sent
            );
        }
        net.disconnect(conn, Disconnect::flush());
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        assert_eq!(key, STEP, "a timer that was taken back");
        self.steps -= 1;
        if self.steps == 0 {
            self.wind_down(net);
        } else {
            self.step(net);
            self.next_step(net);
        }
    }

    fn woken<S: SockMan>(&mut self, _: &mut S) {
        self.woken += 1;
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        self.dialling -= 1;
        assert!(self.may_fail(net, key, &why), "dial {key} ended so: {why:?}");
        self.dials.remove(&key);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: Own, _: Closed) {
        self.streams.remove(conn);
        if self.steps > 0 && self.random.u8(0..4) == 0 {
            // Into the slot that has just become free.
            self.dial(net);
        }
    }
}
