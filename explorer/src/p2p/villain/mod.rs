//! A peer that does what no honest node does.
//!
//! - this file: [`Villain`], which dials honest nodes and is dialled by them, and does something from time to time
//! - `talk`: what it is like on one connection, and how it answers there
//! - `tricks`: what it does unasked

mod talk;
mod tricks;

use super::blocks::Shared;
use fastrand::Rng;
use sockman::{
    Closed, Conn, ConnMap, DialError, DialOptions, Disconnect, Endpoint, Handler, Origin, OriginKind, SockMan,
};
use std::time::Duration;
use talk::Talk;

/// Headers of blocks that nobody gets.
#[derive(Clone, Copy)]
pub(super) struct Spam {
    /// How many of them are told at once, at most.
    pub(super) most: u32,
    /// Whether a villain does that most of the time.
    pub(super) mostly: bool,
}

/// Does everything that it should not.
pub(super) struct Villain {
    random: Rng,
    blocks: Shared,
    /// Whom it dials.
    victims: Vec<Endpoint>,
    talks: ConnMap<Talk>,
    conns: Vec<Conn>,
    /// Dials to come.
    dials: u32,
    /// Tricks to come.
    tricks: u32,
    /// Blocks that it may make.
    mines: u32,
    spam: Spam,
    /// The longest time between two tricks.
    pace: Duration,
    /// Whether bytes are on their way one by one.
    drips: bool,
    /// The latest time in Unix seconds that is in no block's future.
    future: u32,
}

/// The key of the timer of tricks.
const STEP: u64 = 0;

/// The key of the timer of what goes byte by byte.
const DRIP: u64 = 1;

/// The key of dials.
const DIAL: u64 = 2;

impl Villain {
    pub(super) fn new(
        random: &mut Rng,
        blocks: &Shared,
        victims: Vec<Endpoint>,
        spam: Spam,
        future: u32,
    ) -> Villain {
        let mut random = random.fork();
        let (dials, tricks) = (random.u32(1..8), random.u32(1..60));
        let (mines, pace) = (random.u32(0..20), random.u64(20..3_000));
        Villain {
            random,
            blocks: blocks.clone(),
            victims,
            talks: ConnMap::new(),
            conns: Vec::new(),
            dials,
            tricks,
            mines,
            spam,
            pace: Duration::from_millis(pace),
            drips: false,
            future,
        }
    }

    pub(super) fn begin<S: SockMan>(&mut self, net: &mut S) {
        self.dial(net);
        self.next_step(net);
    }

    fn dial<S: SockMan>(&mut self, net: &mut S) {
        let Some(to) = self.random.choice(&self.victims).filter(|_| self.dials > 0) else {
            return;
        };
        self.dials -= 1;
        let how = DialOptions {
            timeout: Duration::from_secs(5),
            ..DialOptions::key(DIAL)
        };
        // Without a descriptor left, it does not.
        let _ = net.dial(to, &how);
    }

    fn next_step<S: SockMan>(&mut self, net: &mut S) {
        let within = self.pace.mul_f64(self.random.f64());
        net.set_timer(net.now() + within, STEP);
    }

    /// The next bytes of what goes byte by byte.
    fn drip<S: SockMan>(&mut self, net: &mut S) {
        self.drips = false;
        for (conn, talk) in self.talks.iter_mut() {
            let count = talk.drip.len().min(self.random.usize(1..20));
            let some: Vec<u8> = talk.drip.drain(..count).collect();
            let _ = net.send(conn, &some);
            self.drips |= !talk.drip.is_empty();
        }
        if self.drips {
            self.drip_on(net);
        }
    }

    fn drip_on<S: SockMan>(&mut self, net: &mut S) {
        self.drips = true;
        let within = Duration::from_millis(self.random.u64(1..300));
        net.set_timer(net.now() + within, DRIP);
    }
}

impl Handler for Villain {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        let inbound = !matches!(origin.how, OriginKind::Dialed);
        let talk = Talk::new(&mut self.random, &self.blocks, inbound);
        if !inbound && talk.shakes > 0 {
            let _ = net.send(conn, &talk.version());
        }
        if talk.deaf {
            net.pause(conn);
        }
        self.talks.insert(conn, talk);
        self.conns.push(conn);
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let Some(talk) = self.talks.get_mut(conn) else {
            return data.len();
        };
        let (taken, answer) = talk.hear(&mut self.random, &self.blocks, data);
        if !answer.is_empty() {
            let _ = net.send(conn, &answer);
        }
        taken
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), _: &mut [u8]) {
        net.disconnect(conn, Disconnect::Now);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        if key == DRIP {
            return self.drip(net);
        }
        if self.tricks > 0 {
            self.tricks -= 1;
            self.trick(net);
            self.next_step(net);
        }
    }

    fn dial_failed<S: SockMan>(&mut self, _: &mut S, _: u64, _: DialError) {}

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): (), _: Closed) {
        self.talks.remove(conn);
        self.conns.retain(|other| *other != conn);
        if self.random.bool() {
            self.dial(net);
        }
    }
}
