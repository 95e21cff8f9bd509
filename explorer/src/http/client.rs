//! The handler of the client.

use super::PATIENCE;
use super::app::Shared;
use super::talk::Talk;
use crate::case::Run;
use crate::checked::Fates;
use fastrand::Rng;
use sockman::{
    Closed, Conn, ConnMap, DialError, DialOptions, Disconnect, Endpoint, Handler, Origin, SockMan,
};
use sockman_backends::sim::Network;
use sockman_http::Settings;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Dials, and sends requests in pieces, one step a timer, with pauses and sudden ends; at last it sends what is left,
/// finishes each connection and waits for its end.
pub(super) struct Client {
    random: Rng,
    to: Endpoint,
    settings: Settings,
    shared: Rc<Shared>,
    /// What became of connections at the server.
    fates: Fates,
    network: Network,
    /// The server's end may be gone, and nobody says so.
    deaf: bool,
    /// Steps to come.
    steps: u32,
    /// The longest time between two steps.
    pace: Duration,
    talks: ConnMap<Talk>,
    conns: Vec<Conn>,
    dialled: u32,
    dialling: u32,
    /// Until when dials without an outcome must have one.
    dials: BTreeMap<u64, Instant>,
    numbers: u32,
}

/// "Too many open files", as Linux numbers it.
const EMFILE: i32 = 24;

/// The key of the timer of steps.
const STEP: u64 = 1;

/// A peer that cannot be reached for this long is given up by TCP.
const GIVEN_UP: Duration = Duration::from_secs(900);

impl Client {
    pub(super) fn new(
        run: &mut Run,
        to: Endpoint,
        settings: Settings,
        shared: &Rc<Shared>,
        fates: Fates,
    ) -> Client {
        let mut random = run.random.fork();
        let steps = random.u32(1..40);
        let pace = Duration::from_millis(random.u64(0..100) * random.u64(0..10));
        Client {
            random,
            to,
            settings,
            shared: shared.clone(),
            fates,
            network: run.network.clone(),
            deaf: run.deaf,
            steps,
            pace,
            talks: ConnMap::new(),
            conns: Vec::new(),
            dialled: 0,
            dialling: 0,
            dials: BTreeMap::new(),
            numbers: 0,
        }
    }

    pub(super) fn begin<S: SockMan>(&mut self, net: &mut S) {
        for _ in 0..self.random.u32(1..4) {
            self.dial(net);
        }
        self.next_step(net);
    }

    /// Whether all that is to be done has been done.
    pub(super) fn is_over(&self) -> bool {
        self.steps == 0 && self.dialling == 0 && self.talks.is_empty()
    }

    /// Where it stands, in words.
    pub(super) fn status(&self) -> String {
        let talks = self.talks.iter().map(|(conn, talk)| format!("{conn}: {talk}"));
        talks.collect::<Vec<_>>().join("; ")
    }

    fn dial<S: SockMan>(&mut self, net: &mut S) {
        self.dialled += 1;
        self.dialling += 1;
        let how = DialOptions {
            key: u64::from(self.dialled),
            timeout: Duration::from_secs(self.random.u64(1..100)),
            ..DialOptions::default()
        };
        net.dial(&self.to, &how).expect("the options are right");
        self.dials.insert(how.key, net.now() + how.timeout);
    }

    fn next_step<S: SockMan>(&mut self, net: &mut S) {
        let within = self.pace.mul_f64(self.random.f64());
        net.set_timer(net.now() + within, STEP);
    }

    /// Whether connections may have broken, or deadlines have passed, by no fault of anybody's.
    fn is_excused(&self) -> bool {
        self.network.fatalities() > 0 || self.network.elapsed() > GIVEN_UP
    }

    /// Sends the next bytes, so many at most.
    fn send<S: SockMan>(&mut self, net: &mut S, conn: Conn, most: usize) {
        let Some(talk) = self
            .talks
            .get_mut(conn)
            .filter(|talk| !talk.is_high && !talk.is_finished)
        else {
            return;
        };
        let data = talk.next(most);
        if !data.is_empty()
            && let Ok(sent) = net.send(conn, &data)
        {
            talk.is_high = sent.is_high();
        }
    }

    /// Sends what is left, as far as that is possible, and finishes when that is all.
    fn rush<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        loop {
            self.send(net, conn, 2_000);
            let Some(talk) = self.talks.get_mut(conn) else {
                return;
            };
            if talk.is_finished || talk.is_aborted {
                return;
            }
            if talk.is_sent() {
                talk.is_finished = true;
                return net.finish(conn);
            }
            if talk.is_high || talk.waits() {
                return;
            }
        }
    }

    fn wind_down<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        net.resume(conn);
        if self.deaf {
            net.set_deadline(conn, Some(net.now() + PATIENCE * 2));
        }
        self.rush(net, conn);
    }

    /// Does something to a connection.
    fn step<S: SockMan>(&mut self, net: &mut S) {
        let Some(&conn) = self.conns.get(self.random.usize(0..self.conns.len().max(1))) else {
            return self.dial(net);
        };
        match self.random.u8(0..40) {
            0..=15 => {
                let most = match self.random.u8(0..4) {
                    0 => 1,
                    1 => self.random.usize(1..100),
                    _ => self.random.usize(1..5_000),
                };
                self.send(net, conn, most);
            }
            16..=23 => self.send(net, conn, 10_000),
            24..=27 => net.pause(conn),
            28..=31 => net.resume(conn),
            32 => self.rush(net, conn),
            33 => {
                let how = [Disconnect::Now, Disconnect::Reset, Disconnect::flush()][self.random.usize(0..3)];
                if let Some(talk) = self.talks.get_mut(conn) {
                    talk.is_aborted = true;
                    net.disconnect(conn, how);
                }
            }
            _ => self.dial(net),
        }
    }

    /// Whether a dial may end so.
    fn may_fail<S: SockMan>(&self, net: &S, key: u64, why: &DialError) -> bool {
        let broken = self.network.fatalities() > 0;
        match why {
            DialError::Refused(_) => broken || self.shared.is_stopped(),
            DialError::Unreachable(_) => broken,
            DialError::TimedOut => self.dials.get(&key).is_some_and(|until| *until <= net.now()),
            DialError::Failed(error) => {
                // More than the loop, or the host, may have at once; or a fault.
                let full = error.kind() == io::ErrorKind::QuotaExceeded;
                full || error.raw_os_error() == Some(EMFILE)
                    || broken && error.kind() == io::ErrorKind::AddrNotAvailable
            }
            _ => false,
        }
    }

    /// Whether the server's end of the connection was closed before all was sent. (That it had a reason is checked there.)
    fn is_cut_short(&self, local: Option<&Endpoint>) -> bool {
        let fate = local.and_then(|local| self.fates.of(local));
        // It was never opened, the server having stopped listening first.
        let never = fate.is_none() && self.shared.is_stopped();
        never || fate.is_some_and(|fate| fate.closed.is_some_and(|why| why != "flushed"))
    }

    /// The connection has come to its end at the server's.
    fn ended(&mut self, conn: Conn, local: Option<&Endpoint>) {
        let is_excused = self.is_excused() || self.is_cut_short(local);
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.end(&self.shared, is_excused);
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
        self.dials.remove(&origin.key);
        let talk = Talk::new(&mut self.random, &self.settings, &mut self.numbers);
        self.talks.insert(conn, talk);
        self.conns.push(conn);
        let most = self.random.usize(0..3_000);
        self.send(net, conn, most);
        if self.steps == 0 {
            self.wind_down(net, conn);
        }
        let local = net.info(conn).and_then(|info| info.local);
        Some(Own { local })
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Own, data: &mut [u8]) -> usize {
        let is_excused = self.is_excused();
        let Some(talk) = self.talks.get_mut(conn) else {
            panic!("{conn} receives, and has no talk");
        };
        talk.hear(data, &self.shared, is_excused);
        if self.steps == 0 {
            self.rush(net, conn);
        } else if self.random.u8(0..16) == 0 {
            net.pause(conn);
        }
        data.len()
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Own) {
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.is_high = false;
        }
        if self.steps == 0 {
            self.rush(net, conn);
        }
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, own: &mut Own, _: &mut [u8]) {
        self.ended(conn, own.local.as_ref());
        net.disconnect(conn, Disconnect::flush());
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, _: &mut Own) {
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.is_aborted = true;
        }
        net.disconnect(conn, Disconnect::Now);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, _: u64) {
        self.steps -= 1;
        if self.steps == 0 {
            for conn in self.talks.iter().map(|(conn, _)| conn).collect::<Vec<_>>() {
                self.wind_down(net, conn);
            }
        } else {
            self.step(net);
            self.next_step(net);
        }
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        self.dialling -= 1;
        assert!(self.may_fail(net, key, &why), "dial {key} ended so: {why:?}");
        self.dials.remove(&key);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, own: Own, why: Closed) {
        if let Closed::Reset(_) = why {
            self.ended(conn, own.local.as_ref());
        }
        self.talks.remove(conn);
        if self.steps > 0 && self.random.u8(0..4) == 0 {
            self.dial(net);
        }
    }
}
