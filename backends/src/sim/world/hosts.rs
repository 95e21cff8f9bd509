//! Hosts.

use super::agenda::Packet;
use super::{Errno, Nanos, Result, SocketId, What, World};
use crate::sim::faults::Fault;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

/// Names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct HostId(pub(crate) u32);

/// What a waker of a loop sets.
#[derive(Debug, Default)]
pub(crate) struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(super) struct Host {
    is_up: bool,
    /// No fault happens to it.
    is_spared: bool,
    /// How often it has crashed: what was opened before is gone.
    pub(super) life: u32,
    /// How far its clock is ahead.
    skew: Nanos,
    /// Sockets that programs hold.
    open: usize,
    limit: usize,
    pub(super) port: u16,
    /// What the host's poller may have something to report of.
    pub(super) ready: VecDeque<SocketId>,
    flag: Arc<Flag>,
    /// A wake has arrived.
    pub(super) is_woken: bool,
}

/// The longest wait that a fault adds.
const STALL: Nanos = 50_000_000;
/// The furthest leap of a clock.
const LEAP: Nanos = 10_000_000_000;
/// The latest arrival of a wake.
const LATE: Nanos = 10_000_000;

/// The first port that a host gives to a socket without one (Linux: `ip_local_port_range`).
pub(super) const FIRST_PORT: u16 = 32_768;

impl HostId {
    /// The host's address: `10.x.y.z`.
    pub(crate) fn ip4(self) -> Ipv4Addr {
        // Host 0 is 10.0.0.1.
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits().wrapping_add(self.0))
    }

    /// The host's address of version 6: `fd00::x:y`.
    pub(crate) fn ip6(self) -> Ipv6Addr {
        Ipv6Addr::from_bits(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).to_bits() + u128::from(self.0))
    }
}

impl World {
    pub(crate) fn add_host(&mut self) -> HostId {
        let id = HostId(self.hosts.len() as u32);
        self.hosts.push(Host {
            is_up: true,
            is_spared: false,
            life: 0,
            skew: 0,
            open: 0,
            limit: self.descriptors,
            port: FIRST_PORT,
            ready: VecDeque::new(),
            flag: Arc::default(),
            is_woken: false,
        });
        id
    }

    #[inline]
    pub(super) fn host(&mut self, host: HostId) -> &mut Host {
        &mut self.hosts[host.0 as usize]
    }

    pub(crate) fn spare(&mut self, host: HostId) {
        self.host(host).is_spared = true;
    }

    #[inline]
    pub(super) fn is_spared(&self, host: HostId) -> bool {
        self.hosts[host.0 as usize].is_spared
    }

    pub(crate) fn is_up(&self, host: HostId) -> bool {
        self.hosts[host.0 as usize].is_up
    }

    /// Whose address this is, as seen from a host.
    pub(super) fn host_at(&self, from: HostId, ip: IpAddr) -> Option<HostId> {
        if ip.is_loopback() {
            return Some(from);
        }
        let number = match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits().wrapping_sub(HostId(0).ip4().to_bits())),
            IpAddr::V6(ip) => ip.to_bits().wrapping_sub(HostId(0).ip6().to_bits()),
        };
        (number < self.hosts.len() as u128).then_some(HostId(number as u32))
    }

    /// The host's clock, in nanoseconds since the network was made.
    #[inline]
    pub(crate) fn clock(&self, host: HostId) -> Nanos {
        self.now + self.hosts[host.0 as usize].skew
    }

    pub(crate) fn leap(&mut self, host: HostId, by: Nanos) {
        let skew = &mut self.host(host).skew;
        *skew = skew.saturating_add(by);
    }

    /// How many sockets its programs may have open.
    pub(crate) fn limit(&self, host: HostId) -> usize {
        self.hosts[host.0 as usize].limit
    }

    pub(crate) fn set_limit(&mut self, host: HostId, limit: usize) {
        self.host(host).limit = limit;
    }

    /// How many they have open.
    pub(crate) fn open(&self, host: HostId) -> usize {
        self.hosts[host.0 as usize].open
    }

    /// Whether there is anything for a loop on the host to take note of now. What its poller would not report is no reason.
    pub(crate) fn has_events(&mut self, host: HostId) -> bool {
        self.notice_wake(host);
        if self.hosts[host.0 as usize].is_woken {
            return true;
        }
        while let Some(&id) = self.host(host).ready.front() {
            if self.report(id).is_some() {
                return true;
            }
            self.host(host).ready.pop_front();
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.is_listed = false;
            }
        }
        false
    }

    pub(crate) fn flag(&mut self, host: HostId) -> Arc<Flag> {
        // A new loop does not hear the wakes of the one before.
        let host = self.host(host);
        host.flag = Arc::default();
        host.is_woken = false;
        host.flag.clone()
    }

    /// A program gets a descriptor.
    pub(super) fn take_descriptor(&mut self, host: HostId) -> Result<()> {
        let host = self.host(host);
        if host.open >= host.limit {
            return Err(Errno::MFILE);
        }
        host.open += 1;
        Ok(())
    }

    pub(super) fn give_descriptor(&mut self, host: HostId) {
        let host = self.host(host);
        host.open = host.open.saturating_sub(1);
    }

    /// What may happen to a host before it waits.
    pub(super) fn mishaps(&mut self, host: HostId) -> Result<()> {
        if let Some(time) = self.amount(host, Fault::Stalled, STALL) {
            self.advance(self.now + time);
        }
        if let Some(time) = self.amount(host, Fault::ClockJump, LEAP) {
            self.leap(host, time);
        }
        match self.hits(host, Fault::Interrupted) {
            Some(_) => Err(Errno::INTR),
            None => Ok(()),
        }
    }

    /// Takes note of a wake from outside: it reaches the loop now, or is on its way.
    fn notice_wake(&mut self, host: HostId) {
        let flag = &self.hosts[host.0 as usize].flag.0;
        // (The load spares the common case an atomic exchange.)
        if flag.load(Ordering::SeqCst) && flag.swap(false, Ordering::SeqCst) {
            match self.amount(host, Fault::WakeLate, LATE) {
                Some(time) => self.later(self.now + time, host, Packet::Wake { host }),
                None => self.host(host).is_woken = true,
            }
        }
    }

    /// Whether a wake has come.
    pub(super) fn take_wake(&mut self, host: HostId) -> bool {
        self.notice_wake(host);
        std::mem::take(&mut self.host(host).is_woken)
    }

    /// A late wake arrives.
    pub(super) fn woken(&mut self, host: HostId) {
        self.line(host, What::Wake, None, Ok(0));
        self.host(host).is_woken = true;
    }

    /// Everything on the host is gone, and nobody is told.
    pub(crate) fn crash(&mut self, host: HostId) {
        self.line(host, What::Crashed, None, Ok(0));
        let gone: Vec<_> = self
            .sockets
            .iter()
            .filter_map(|(id, socket)| (socket.host == host).then_some(id))
            .collect();
        for id in gone {
            self.sockets.remove(id);
        }
        self.names.crash(host);
        let state = self.host(host);
        state.is_up = false;
        state.life += 1;
        state.open = 0;
        state.ready.clear();
        state.is_woken = false;
        state.flag = Arc::default();
    }

    /// The host is there again, and knows nothing.
    pub(crate) fn restart(&mut self, host: HostId) {
        self.line(host, What::Restarted, None, Ok(0));
        self.host(host).is_up = true;
        self.resend();
    }

    pub(crate) fn is_running(&self, host: HostId, life: u32) -> bool {
        let host = &self.hosts[host.0 as usize];
        host.is_up && host.life == life
    }

    pub(crate) fn life(&self, host: HostId) -> u32 {
        self.hosts[host.0 as usize].life
    }
}
