//! The handler of the clients.

use super::model::Model;
use super::place::{BEGIN, PATIENCE};
use super::talk::Talk;
use crate::case::Run;
use fastrand::Rng;
use sockman::{
    Closed, Conn, ConnMap, DialError, DialOptions, Disconnect, Endpoint, Handler, Origin, SockMan,
};
use sockman_backends::sim::Network;
use sockman_sv2::Settings;
use sockman_sv2::wire::AuthorityKey;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Dials, and says something, one step a timer, with pauses and sudden ends; at last each asks for the last time, waits until it
/// knows the latest, and finishes.
pub(super) struct Client {
    random: Rng,
    to: Endpoint,
    key: AuthorityKey,
    model: Rc<RefCell<Model>>,
    network: Network,
    /// The provider's end may be gone, and nobody says so.
    deaf: bool,
    /// Steps to come.
    steps: u32,
    /// The longest time between two steps.
    pace: Duration,
    talks: ConnMap<Talk>,
    conns: Vec<Conn>,
    dialled: u64,
    dialling: u32,
    /// The largest number of a template that was told to anybody.
    number: u64,
    /// That number when each dial began.
    floors: Vec<u64>,
}

/// A peer that cannot be reached for this long is given up by TCP.
const GIVEN_UP: Duration = Duration::from_secs(900);

/// In the end it is looked at so often whether somebody has nothing to wait for any more.
const LOOK: Duration = Duration::from_millis(500);

impl Client {
    pub(super) fn new(
        run: &mut Run,
        to: Endpoint,
        key: AuthorityKey,
        settings: &Settings,
        model: &Rc<RefCell<Model>>,
    ) -> Client {
        let mut random = run.random.fork();
        let steps = random.u32(1..120);
        let stale = u64::try_from(settings.stale_for.as_millis()).unwrap_or(0);
        let pace = Duration::from_millis(random.u64(0..100) * random.u64(0..10) + stale / 20);
        Client {
            random,
            to,
            key,
            model: model.clone(),
            network: run.network.clone(),
            deaf: run.deaf,
            steps,
            pace,
            talks: ConnMap::new(),
            conns: Vec::new(),
            dialled: 0,
            dialling: 0,
            number: 0,
            floors: Vec::new(),
        }
    }

    pub(super) fn begin<S: SockMan>(&mut self, net: &mut S) {
        for _ in 0..self.random.u32(1..5) {
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
        // Handshakes are most of what a run costs.
        if self.dialled == 16 {
            return;
        }
        let how = DialOptions {
            key: self.dialled,
            timeout: Duration::from_secs(self.random.u64(1..100)),
            ..DialOptions::default()
        };
        self.dialled += 1;
        self.dialling += 1;
        self.floors.push(self.number);
        net.dial(&self.to, &how).expect("the options are right");
    }

    fn next_step<S: SockMan>(&mut self, net: &mut S) {
        let within = if self.steps == 0 {
            LOOK
        } else {
            self.pace.mul_f64(self.random.f64())
        };
        net.set_timer(net.now() + within, 0);
    }

    fn unix(&self) -> u64 {
        // (The provider's clock, which may have leapt.)
        let model = self.model.borrow();
        model.settings.clock.unix(model.now()).max(BEGIN)
    }

    /// Whether connections may have broken by no fault of anybody's.
    fn is_excused(&self) -> bool {
        self.network.fatalities() > 0 || self.network.elapsed() > GIVEN_UP || self.model.borrow().is_stopped
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

    /// Comes to the end: says what is left to be said, and finishes when there is nothing to wait for.
    fn wind_down<S: SockMan>(&mut self, net: &mut S, conn: Conn) {
        if let Some(talk) = self.talks.get_mut(conn)
            && talk.is_sent()
        {
            talk.say(true);
        }
        self.send(net, conn, 3_000);
        if let Some(talk) = self.talks.get_mut(conn)
            && talk.is_sent()
            && !talk.is_finished
            && talk.is_content()
        {
            talk.is_finished = true;
            net.finish(conn);
        }
    }

    fn wind_all_down<S: SockMan>(&mut self, net: &mut S) {
        for conn in self.talks.iter().map(|(conn, _)| conn).collect::<Vec<_>>() {
            self.wind_down(net, conn);
        }
    }

    /// Does something to a connection.
    fn step<S: SockMan>(&mut self, net: &mut S) {
        let Some(&conn) = self.conns.get(self.random.usize(0..self.conns.len().max(1))) else {
            return self.dial(net);
        };
        match self.random.u8(0..40) {
            0..=24 => {
                if let Some(talk) = self.talks.get_mut(conn) {
                    for _ in 0..self.random.u8(1..6) {
                        talk.say(false);
                    }
                }
                let most = match self.random.u8(0..6) {
                    0 => 1,
                    1 => self.random.usize(1..100),
                    _ => 5_000,
                };
                self.send(net, conn, most);
            }
            25..=26 => self.send(net, conn, 10_000),
            27..=29 => self.all_ask(net),
            30..=32 => net.pause(conn),
            33..=35 => net.resume(conn),
            36 => {
                let how = [Disconnect::Now, Disconnect::Reset, Disconnect::flush()][self.random.usize(0..3)];
                if let Some(talk) = self.talks.get_mut(conn) {
                    talk.is_aborted = true;
                    net.disconnect(conn, how);
                }
            }
            _ => self.dial(net),
        }
    }

    /// All want their transactions at the same time.
    fn all_ask<S: SockMan>(&mut self, net: &mut S) {
        for conn in self.talks.iter().map(|(conn, _)| conn).collect::<Vec<_>>() {
            if let Some(talk) = self.talks.get_mut(conn) {
                talk.ask();
            }
            self.send(net, conn, 10_000);
        }
    }

    /// The connection has come to its end at the provider's.
    fn ended(&mut self, conn: Conn) {
        let is_excused = self.is_excused();
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.end(is_excused);
        }
    }
}

impl Handler for Client {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        self.dialling -= 1;
        let floor = self.floors[usize::try_from(origin.key).unwrap_or(0)];
        let talk = Talk::new(&mut self.random, &self.model, self.key, floor);
        self.talks.insert(conn, talk);
        self.conns.push(conn);
        if self.steps == 0 {
            if self.deaf {
                net.set_deadline(conn, Some(net.now() + PATIENCE * 2));
            }
            self.wind_down(net, conn);
        }
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        let unix = self.unix();
        let Some(talk) = self.talks.get_mut(conn) else {
            panic!("{conn} receives, and has no talk");
        };
        talk.hear(data, unix);
        self.number = self.number.max(talk.hears.number());
        if self.steps == 0 {
            self.wind_down(net, conn);
        } else if self.random.u8(0..16) == 0 {
            net.pause(conn);
        }
        data.len()
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.is_high = false;
        }
        if self.steps == 0 {
            self.wind_down(net, conn);
        }
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), _: &mut [u8]) {
        self.ended(conn);
        net.disconnect(conn, Disconnect::flush());
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut ()) {
        if let Some(talk) = self.talks.get_mut(conn) {
            talk.is_aborted = true;
        }
        net.disconnect(conn, Disconnect::Now);
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, _: u64) {
        if self.steps > 0 {
            self.steps -= 1;
            if self.steps > 0 {
                self.step(net);
                return self.next_step(net);
            }
            for conn in self.talks.iter().map(|(conn, _)| conn).collect::<Vec<_>>() {
                net.resume(conn);
                if self.deaf {
                    net.set_deadline(conn, Some(net.now() + PATIENCE * 2));
                }
            }
        }
        self.wind_all_down(net);
        if !self.is_over() {
            self.next_step(net);
        }
    }

    fn dial_failed<S: SockMan>(&mut self, _: &mut S, _: u64, _: DialError) {
        self.dialling -= 1;
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): (), why: Closed) {
        if let Closed::Reset(_) = why {
            self.ended(conn);
        }
        self.talks.remove(conn);
        self.conns.retain(|other| *other != conn);
        if self.steps > 0 && self.random.u8(0..4) == 0 {
            self.dial(net);
        }
    }
}
