//! A host, as those see it who set a simulation up.

use super::kernel::Simulated;
use super::plain::{Plain, PlainListener};
use super::world::{HostId, Shared, nanos};
use rustix::io::Errno;
use sockman::{Config, Endpoint, ListenOptions};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

/// A host of a [`Network`](super::Network): where loops run, and plain sockets live. Cloning gives another handle to it.
///
/// It has an address of each version, `10.x.y.z` and `fd00::x:y`, and its own `127.0.0.1`, `::1` and socket files.
#[derive(Clone)]
pub struct Host {
    pub(super) world: Shared,
    pub(super) id: HostId,
}

impl Host {
    /// Its address of version 4.
    pub fn ip4(&self) -> Ipv4Addr {
        self.id.ip4()
    }

    /// Its address of version 6.
    pub fn ip6(&self) -> Ipv6Addr {
        self.id.ip6()
    }

    /// A port of its address of version 4.
    pub fn at(&self, port: u16) -> Endpoint {
        Endpoint::Tcp((self.ip4(), port).into())
    }

    /// A backend for a loop on it: [`Sim`](super::Sim) or [`SimLevel`](super::SimLevel). Fails for settings that contradict
    /// each other.
    ///
    /// A host has one loop at a time; a later one takes the wakes of the one before.
    pub fn backend<B: Simulated>(&self, config: &Config) -> io::Result<B> {
        B::on(self, config)
    }

    /// A plain socket that dials. Fails as `connect` does; see [`Plain::is_connected`].
    pub fn connect(&self, to: &Endpoint) -> io::Result<Plain> {
        Plain::dial(self, to)
    }

    /// A plain socket that listens. Fails as `bind` does.
    pub fn listen(&self, at: &Endpoint, how: &ListenOptions) -> io::Result<PlainListener> {
        PlainListener::listen(self, at, how)
    }

    /// Its clock.
    pub fn now(&self) -> Instant {
        let world = self.world.borrow();
        world.base() + Duration::from_nanos(world.clock(self.id))
    }

    /// Its clock leaps forward.
    pub fn leap(&self, by: Duration) {
        self.world.borrow_mut().leap(self.id, nanos(by));
    }

    /// How many sockets its programs may have open, as `RLIMIT_NOFILE`.
    pub fn set_descriptors(&self, limit: usize) {
        self.world.borrow_mut().set_limit(self.id, limit);
    }

    /// Spares it the faults of the plan: what it calls works, and what it sends arrives.
    pub fn spare(&self) {
        self.world.borrow_mut().spare(self.id);
    }

    /// It crashes: everything that was open there is gone, and nobody is told. Turns of its loop fail from here on.
    pub fn crash(&self) {
        self.world.borrow_mut().crash(self.id);
    }

    /// It is there again after a crash, for another loop.
    pub fn restart(&self) {
        self.world.borrow_mut().restart(self.id);
    }

    /// How many sockets its programs have open.
    pub fn descriptors(&self) -> usize {
        self.world.borrow().open(self.id)
    }

    pub(super) fn check(&self) -> io::Result<()> {
        if self.world.borrow().is_up(self.id) {
            Ok(())
        } else {
            Err(Errno::NETDOWN.into())
        }
    }
}

/// As `h0`.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h{}", self.id.0)
    }
}
