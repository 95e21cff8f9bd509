//! A rig with a driver that listens, and what scripts do with them again and again.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use sockman::{
    Backend, Bytes, Closed, Config, Conn, DialOptions, Driver, Endpoint, Gone, ListenOptions, Listener, Sent,
    SockMan, Stats,
};
use std::io::{self, ErrorKind};
use std::time::Duration;

/// What does not happen within this time does not happen: a bound on hangs, not a measure.
pub const LIMIT: Duration = Duration::from_secs(20);

/// How long a turn waits while a script looks for something.
const TICK: Duration = Duration::from_millis(5);

/// A driver with a [`Recorder`] that listens, in a world of its own.
pub struct Stage<R: Rig> {
    /// The loop under test. Before the rig, so that it is dropped first.
    pub driver: Driver<R::Backend, Recorder>,
    /// The world.
    pub rig: R,
    /// The listener.
    pub listener: Listener,
    /// Where it listens.
    pub at: Endpoint,
}

impl<R: Rig> Stage<R> {
    /// With the default settings.
    pub fn new(recorder: Recorder) -> Self {
        Stage::with(&Config::default(), recorder)
    }

    /// With these settings.
    pub fn with(config: &Config, recorder: Recorder) -> Self {
        Stage::on(R::new(), config, recorder)
    }

    /// In a world that is there already.
    pub fn on(mut rig: R, config: &Config, recorder: Recorder) -> Self {
        let backend = rig
            .backend(config)
            .unwrap_or_else(|error| panic!("{} does not work here: {error}", R::Backend::NAME));
        let mut driver = Driver::with_backend(backend, recorder);
        let at = rig.address();
        let (listener, at) = driver.with(|_, net| {
            let listener = net
                .listen(&at, &ListenOptions::default())
                .expect("the address is free");
            (listener, net.local_addr(listener).expect("it listens somewhere"))
        });
        Stage {
            driver,
            rig,
            listener,
            at,
        }
    }

    /// What was recorded.
    pub fn seen(&self) -> &Recorder {
        self.driver.handler()
    }

    /// What happened to a connection.
    pub fn of(&self, conn: Conn) -> Vec<Event> {
        self.seen().of(conn)
    }

    /// The counters now.
    pub fn stats(&mut self) -> Stats {
        self.driver.with(|_, net| net.stats().clone())
    }

    /// One turn that does not wait.
    pub fn poll(&mut self) {
        self.driver.turn(Some(Duration::ZERO)).expect("a turn");
    }

    /// Takes turns until `done`.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let by = self.rig.now() + LIMIT;
        while !done(self) {
            assert!(
                self.rig.now() < by,
                "did not happen: {what}; the log: {:?}",
                self.seen().log
            );
            self.driver.turn(Some(TICK)).expect("a turn");
        }
    }

    /// Lets time pass, without turns, until `done`.
    pub fn wait(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let by = self.rig.now() + LIMIT;
        while !done() {
            assert!(self.rig.now() < by, "did not happen without a turn: {what}");
            self.rig.pass(Duration::from_millis(1));
        }
    }

    /// Takes turns for a while, for what must not happen.
    pub fn idle(&mut self) {
        for _ in 0..10 {
            self.driver.turn(Some(Duration::from_millis(2))).expect("a turn");
        }
    }

    /// A peer connects and is opened.
    pub fn connect(&mut self) -> (Conn, R::Peer) {
        let before = self.seen().opened().len();
        let peer = self.rig.connect(&self.at);
        self.until("open", |stage| stage.seen().opened().len() > before);
        (self.seen().opened()[before], peer)
    }

    /// Dials from outside callbacks.
    pub fn dial(&mut self, to: &Endpoint, how: &DialOptions) -> Conn {
        self.driver
            .with(|_, net| net.dial(to, how))
            .expect("the options are right")
    }

    /// Sends from outside callbacks.
    pub fn send(&mut self, conn: Conn, data: &[u8]) -> Result<Sent, Gone> {
        self.driver.with(|_, net| net.send(conn, data))
    }

    /// Sends shared bytes from outside callbacks.
    pub fn send_bytes(&mut self, conn: Conn, data: Bytes) -> Result<Sent, Gone> {
        self.driver.with(|_, net| net.send_bytes(conn, data))
    }

    /// The peer writes all of `data`, with turns in between while it does not fit.
    pub fn write_all(&mut self, peer: &mut R::Peer, mut data: &[u8]) {
        self.until("the peer writes", |_| {
            while !data.is_empty() {
                match peer.write(data) {
                    Ok(count) => data = &data[count..],
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                    Err(error) => panic!("the peer's write: {error}"),
                }
            }
            true
        });
    }

    /// The peer reads `count` bytes, with turns in between.
    pub fn read(&mut self, peer: &mut R::Peer, count: usize) -> Vec<u8> {
        let mut data = Vec::new();
        self.until("the peer reads", |_| {
            take(peer, &mut data, count).expect("the peer's read");
            data.len() == count
        });
        data
    }

    /// The peer reads `count` bytes without a turn of the loop.
    pub fn hear(&mut self, peer: &mut R::Peer, count: usize) -> Vec<u8> {
        let mut data = Vec::new();
        self.wait("the peer reads", || {
            take(peer, &mut data, count).expect("the peer's read");
            data.len() == count
        });
        data
    }

    /// The peer reads to the end, with turns in between, and tells how it ended.
    pub fn read_end(&mut self, peer: &mut R::Peer) -> (Vec<u8>, io::Result<()>) {
        let mut data = Vec::new();
        let mut end = None;
        self.until("the peer reads to the end", |_| {
            end = match take(peer, &mut data, usize::MAX) {
                Ok(true) => Some(Ok(())),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            };
            end.is_some()
        });
        (data, end.expect("just seen"))
    }

    /// Takes turns until the connection is closed, and gives the reason.
    pub fn closing(&mut self, conn: Conn) -> &Closed {
        self.until("closed", |stage| stage.seen().reason(conn).is_some());
        self.seen().reason(conn).expect("just seen")
    }
}

/// Reads what is there, until `into` holds `count` bytes; whether the end was reached.
pub fn take<P: Peer>(peer: &mut P, into: &mut Vec<u8>, count: usize) -> io::Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    while into.len() < count {
        let room = (count - into.len()).min(buffer.len());
        match peer.read(&mut buffer[..room]) {
            Ok(0) => return Ok(true),
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Writes what fits; how much that was.
pub fn stuff<P: Peer>(peer: &mut P, data: &[u8]) -> usize {
    let mut written = 0;
    while written < data.len() {
        match peer.write(&data[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("the peer's write: {error}"),
        }
    }
    written
}

/// `count` bytes in which every place tells where it is, for a given `seed`.
pub fn pattern(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut data = Vec::with_capacity(count + 8);
    while data.len() < count {
        // Steele and Vigna's SplitMix64: short, and no part of it repeats.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        data.extend_from_slice(&(word ^ word >> 31).to_le_bytes());
    }
    data.truncate(count);
    data
}
