//! What a script needs of the world: the backend under test, its peers, and time.
//!
//! - this file: the traits [`Rig`], [`Peer`], [`Host`], and [`Machine`] for scripts about real descriptors or threads
//! - [`Real`]: the rig over real sockets, in the families [`Tcp`], [`Tcp6`] and [`Unix`]
//! - `socket`: the plain peers of that rig, sockets of the standard library
//! - [`Simulated`](crate::Simulated): the rig over simulated ones, with the feature `sim`
//! - `child`: runs a script in a process of its own

mod child;
mod real;
#[cfg(feature = "sim")]
mod simulated;
mod socket;

pub use child::{in_child, named, open_descriptors, raise_descriptor_limit, script};
pub use real::{Kind, Net, Real, Tcp, Tcp6, Unix, has_ipv6};
#[cfg(feature = "sim")]
pub use simulated::Simulated;
pub use socket::{Plain, PlainHost};

use sockman::{Backend, Config, Endpoint};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// The two families of stream sockets, where scripts expect different things of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// TCP, of either version.
    Tcp,
    /// Unix stream sockets.
    Unix,
}

/// Makes the backend under test and its peers, and lets time pass.
///
/// Everything is single-threaded: a script takes turns with the loop, so a simulated world can implement this too.
pub trait Rig: Sized {
    /// The backend under test.
    type Backend: Backend;
    /// A socket at the other end.
    type Peer: Peer;
    /// A listening socket at the other end.
    type Host: Host<Peer = Self::Peer>;

    /// The family of the sockets.
    const FAMILY: Family;

    /// A world of its own for one script.
    fn new() -> Self;

    /// Makes the backend under test.
    fn backend(&mut self, config: &Config) -> io::Result<Self::Backend>;

    /// Where the backend may listen: nobody else does. With TCP the port may be 0.
    fn address(&mut self) -> Endpoint;

    /// Where a dial is refused.
    fn nowhere(&mut self) -> Endpoint;

    /// Where a dial finds no way to, or no such socket.
    fn unreachable(&mut self) -> Endpoint;

    /// Connects a peer to the backend. Must not need a turn of the loop: the backlog takes it.
    fn connect(&mut self, to: &Endpoint) -> Self::Peer;

    /// A peer that listens, to be dialled.
    fn host(&mut self) -> Self::Host;

    /// A peer that listens but answers no dial until [`accept`](Host::accept) has made room.
    fn deaf_host(&mut self) -> Self::Host;

    /// Lets time pass without the loop.
    fn pass(&mut self, time: Duration);

    /// The time, for bounds.
    fn now(&self) -> Instant;
}

/// A plain socket at the other end. Nothing here blocks.
pub trait Peer: Sized {
    /// Reads what is there: 0 at the end, `WouldBlock` when nothing is.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Writes what fits.
    fn write(&mut self, data: &[u8]) -> io::Result<usize>;

    /// Half-closes the peer's sending side.
    fn finish(&mut self);

    /// Closes by RST; on Unix sockets, which know none, closes.
    fn reset(self);
}

/// A plain listening socket at the other end.
pub trait Host {
    /// What it accepts.
    type Peer;

    /// Where to dial it.
    fn at(&self) -> Endpoint;

    /// Accepts a connection, if one waits.
    fn accept(&mut self) -> Option<Self::Peer>;
}

/// A rig with real descriptors and threads: what scripts need that a simulation cannot run.
pub trait Machine: Rig<Backend: AsFd, Peer: AsFd + Into<OwnedFd> + Send + 'static> {}

impl<R: Rig<Backend: AsFd, Peer: AsFd + Into<OwnedFd> + Send + 'static>> Machine for R {}
