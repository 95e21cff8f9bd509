//! The simulated world: time, hosts, sockets, and what is on its way between them.
//!
//! - this file: [`World`], its time, its faults
//! - `agenda`: what will happen, by time; `route`: what becomes of a packet on its way: delay, loss, partition
//! - `hosts`: hosts, their clocks, descriptors, crashes; `names`: who listens where
//! - `sockets`: what a socket is; `listen`, `dial`, `stream`: what the calls of the same names do to it; `close`: how it ends
//! - `ready`: what a poller reports

mod agenda;
mod close;
mod dial;
mod hosts;
mod listen;
mod names;
mod ready;
mod route;
mod sockets;
mod stream;

pub(super) use hosts::HostId;
pub(super) use ready::Report;

use super::faults::{Fault, Faults, Plan};
use super::network::Settings;
use super::route::Routes;
pub(super) use super::trace::SocketId;
use super::trace::{Outcome, Trace, What};
use agenda::{Agenda, Entry};
use hosts::Host;
use names::Names;
use rustix::io::Errno;
use sockets::Socket;
use sockman::shared::Slots;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Nanoseconds since the network was made.
pub(super) type Nanos = u64;

/// What a call gives.
pub(super) type Result<T> = std::result::Result<T, Errno>;

/// The world, with those who have a handle to it.
pub(super) type Shared = Rc<RefCell<World>>;

pub(super) struct World {
    pub(super) now: Nanos,
    base: Instant,
    pub(super) random: fastrand::Rng,
    window: usize,
    wait_cost: Nanos,
    descriptors: usize,
    pub(super) routes: Routes,
    hosts: Vec<Host>,
    names: Names,
    sockets: Slots<SocketId, Socket>,
    agenda: Agenda,
    /// Packets that cannot get through for the time being.
    held: Vec<Entry>,
    pub(super) faults: Faults,
    pub(super) trace: Trace,
}

/// A length of time as the world counts it.
pub(super) fn nanos(time: Duration) -> Nanos {
    u64::try_from(time.as_nanos()).unwrap_or(Nanos::MAX)
}

impl World {
    pub(super) fn new(settings: Settings) -> World {
        World {
            now: 0,
            base: Instant::now(),
            random: fastrand::Rng::with_seed(settings.seed),
            window: settings.window.max(1),
            wait_cost: nanos(settings.wait_cost),
            descriptors: settings.descriptors,
            routes: Routes::new(settings.link),
            hosts: Vec::new(),
            names: Names::default(),
            sockets: Slots::new(),
            agenda: Agenda::default(),
            held: Vec::new(),
            faults: Faults::new(settings.plan),
            trace: Trace::new(settings.tracing),
        }
    }

    pub(super) fn set_plan(&mut self, plan: Plan) {
        self.faults = Faults::new(plan);
    }

    /// When the network was made.
    pub(super) fn base(&self) -> Instant {
        self.base
    }

    /// How many sockets there are, those in backlogs included.
    pub(super) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// An opportunity for a fault: the random number that it may use, if it happens.
    #[inline]
    pub(super) fn hits(&mut self, host: HostId, fault: Fault) -> Option<u64> {
        if self.faults.is_idle() || self.is_spared(host) {
            return None;
        }
        let chance = self.faults.hits(fault, self.now)?;
        if let Some(occurrence) = self.faults.happened.last() {
            self.trace.fault(self.now, host.0, *occurrence);
        }
        Some(chance)
    }

    /// As [`hits`](World::hits), giving a number from 1 to `most`.
    #[inline]
    fn amount(&mut self, host: HostId, fault: Fault, most: u64) -> Option<u64> {
        self.hits(host, fault).map(|chance| Fault::amount(chance, most))
    }

    #[inline]
    fn line(&mut self, host: HostId, what: What, socket: Option<SocketId>, came: Outcome) {
        if self.trace.is_on() {
            self.trace.line(self.now, host.0, what, socket, came);
        }
    }

    /// When something happens next by itself, if ever.
    pub(super) fn next_time(&self) -> Option<Nanos> {
        self.agenda.next_time()
    }

    /// Lets time pass until `to`, and everything happen that is due by then.
    pub(super) fn advance(&mut self, to: Nanos) {
        while let Some(entry) = self.agenda.take(to) {
            self.now = self.now.max(entry.at);
            self.arrive(entry);
        }
        self.now = self.now.max(to);
    }
}
