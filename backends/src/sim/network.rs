//! The network, as those see it who set a simulation up.

use super::faults::{Fault, Occurrence, Plan};
use super::host::Host;
use super::route::Link;
use super::trace::Tracing;
use super::world::{Shared, World, nanos};
use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What a network is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides whatever is left to chance. (Faults have the seed of their [`Plan`].)
    pub seed: u64,
    /// What the way between two hosts is like that has no [link](Network::set_link) of its own.
    pub link: Link,
    /// Bytes that may be on their way to a socket, and unread there: what a sender sees as the room in its own buffer.
    /// Default 256 KiB.
    pub window: usize,
    /// How long each wait of a loop takes, whatever it finds. Default 1 µs.
    pub wait_cost: Duration,
    /// How many sockets the programs of a host may have open. Default 1,024.
    pub descriptors: usize,
    /// What goes wrong. Default nothing.
    pub plan: Plan,
    /// What is kept of what happens. Default nothing.
    pub tracing: Tracing,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            seed: 0,
            link: Link::default(),
            window: 256 << 10,
            wait_cost: Duration::from_micros(1),
            descriptors: 1024,
            plan: Plan::default(),
            tracing: Tracing::Off,
        }
    }
}

/// A simulated network: its time, its chance, and its hosts. Cloning gives another handle to it.
#[derive(Clone)]
pub struct Network {
    pub(super) world: Shared,
}

impl Network {
    /// Nobody is there yet.
    pub fn new(settings: Settings) -> Network {
        Network {
            world: Rc::new(RefCell::new(World::new(settings))),
        }
    }

    /// Adds a host.
    pub fn host(&self) -> Host {
        let id = self.world.borrow_mut().add_host();
        Host {
            world: self.world.clone(),
            id,
        }
    }

    /// The time, by a clock that does not leap.
    pub fn now(&self) -> Instant {
        let world = self.world.borrow();
        world.base() + Duration::from_nanos(world.now)
    }

    /// The time since the network was made.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.world.borrow().now)
    }

    /// Lets time pass without a turn of any loop.
    pub fn pass(&self, time: Duration) {
        let mut world = self.world.borrow_mut();
        let to = world.now.saturating_add(nanos(time));
        world.advance(to);
    }

    /// What the way between two hosts is like, from now on and in both directions.
    pub fn set_link(&self, a: &Host, b: &Host, link: Link) {
        self.world.borrow_mut().routes.set(a.id, b.id, link);
    }

    /// From now on two hosts see nothing of each other, until [`heal`](Network::heal) is called as often as this.
    pub fn part(&self, a: &Host, b: &Host) {
        self.world.borrow_mut().part(a.id, b.id);
    }

    /// They see each other again: what TCP sends again arrives.
    pub fn heal(&self, a: &Host, b: &Host) {
        self.world.borrow_mut().heal(a.id, b.id);
    }

    /// Resets every connection between two hosts, at both ends.
    pub fn reset(&self, a: &Host, b: &Host) {
        self.world.borrow_mut().reset_between(a.id, b.id);
    }

    /// Nobody answers dials to this address, from now on. (Connections that are there stay.)
    pub fn black_hole(&self, ip: IpAddr) {
        self.world.borrow_mut().routes.holes.push(ip);
    }

    /// Replaces the plan of faults; opportunities are counted anew.
    pub fn set_plan(&self, plan: Plan) {
        self.world.borrow_mut().set_plan(plan);
    }

    /// The faults that have happened since the plan was set, in order: what [`Plan::only`] takes to make them happen again.
    pub fn happened(&self) -> Vec<Occurrence> {
        self.world.borrow().faults.happened.clone()
    }

    /// How many faults have happened.
    pub fn count(&self) -> usize {
        self.world.borrow().faults.happened.len()
    }

    /// How many of them were such as connections need not survive.
    pub fn fatalities(&self) -> usize {
        self.world.borrow().faults.fatal
    }

    /// An opportunity for a fault that whoever runs the hosts carries out ([`Fault::Crash`]): if it is to happen, a random
    /// number for its use.
    pub fn occurs(&self, fault: Fault, host: &Host) -> Option<u64> {
        self.world.borrow_mut().hits(host.id, fault)
    }

    /// How many sockets there are on all hosts, those in backlogs included.
    pub fn sockets(&self) -> usize {
        self.world.borrow().sockets()
    }

    /// A number that depends on every line of the trace, and on every byte that was read or written. 0 without
    /// [`Settings::tracing`].
    pub fn trace_hash(&self) -> u64 {
        self.world.borrow().trace.hash()
    }

    /// What happened, as text: a line for each call, packet, event and fault. Empty without [`Tracing::Text`].
    pub fn trace(&self) -> String {
        self.world.borrow().trace.text().to_owned()
    }

    /// Adds a line to the trace.
    pub fn note(&self, text: fmt::Arguments<'_>) {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        world.trace.note(now, text);
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}
