//! What the engine asks of a kernel.

use sockman::{Config, DialOptions, Endpoint, ListenOptions, Syscalls};
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Sockets and a poller.
///
/// What the engine relies on:
///
/// - Nothing blocks but [`wait`](Kernel::wait). What would block fails with [`io::ErrorKind::WouldBlock`].
/// - Errors are those of Linux; [`io::ErrorKind::Interrupted`] means "again".
/// - With [`LEVEL`](Kernel::LEVEL) an event is reported by each wait as long as it holds. Without, it is reported once
///   after each change: after a read or a write was cut short or would have blocked, and when a peer finishes. A socket
///   that is ready when it is added is reported.
/// - [`wait`](Kernel::wait) may report what is not so; the engine then finds `WouldBlock`.
pub trait Kernel: Sized {
    /// The name of the backend.
    const NAME: &'static str;

    /// What it is made of, for people to read.
    const INTERFACE: &'static str;

    /// Whether the poller is level-triggered.
    const LEVEL: bool;

    /// A stream socket.
    type Socket;

    /// A listening socket. It frees what it holds when dropped.
    type Listener: AsRef<Self::Socket>;

    /// Makes one from settings alone. (A simulated kernel, which its network makes, refuses here.)
    fn new(config: &Config) -> io::Result<Self>;

    /// The time. It never goes backwards.
    fn now(&self) -> Instant;

    /// How many descriptors may be open.
    fn descriptors(&self) -> usize;

    /// A waker that ends a wait, also the next one if none is under way.
    fn waker(&mut self) -> io::Result<Waker>;

    /// Makes a listening socket.
    fn listen(
        &mut self,
        at: &Endpoint,
        how: &ListenOptions,
        calls: &mut Syscalls,
    ) -> io::Result<Self::Listener>;

    /// Accepts one connection.
    fn accept(&mut self, listener: &Self::Listener) -> io::Result<(Self::Socket, Endpoint)>;

    /// Starts to connect; whether it is connected already. `WouldBlock` means that nothing was started and it is to be
    /// tried again (a Unix listener's backlog is full).
    fn dial(
        &mut self,
        to: &Endpoint,
        how: &DialOptions,
        calls: &mut Syscalls,
    ) -> io::Result<(Self::Socket, bool)>;

    /// Whether a dial has been answered; fails with the dial's own error.
    fn dialed(&mut self, socket: &Self::Socket, calls: &mut Syscalls) -> io::Result<bool>;

    /// Receives into `into`; 0 is the peer's end.
    fn read(&mut self, socket: &Self::Socket, into: &mut [u8]) -> io::Result<usize>;

    /// Sends from `from`.
    fn write(&mut self, socket: &Self::Socket, from: &[u8]) -> io::Result<usize>;

    /// Sends from several pieces.
    fn write_vectored(&mut self, socket: &Self::Socket, from: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Half-closes our side.
    fn finish(&mut self, socket: &Self::Socket) -> io::Result<()>;

    /// Takes the error that waits on the socket (`SO_ERROR`).
    fn error(&mut self, socket: &Self::Socket) -> Option<io::Error>;

    /// Closes; by RST if `reset` and the kind of socket knows it.
    fn close(&mut self, socket: Self::Socket, reset: bool, calls: &mut Syscalls);

    /// Our end's address.
    fn local_addr(&self, socket: &Self::Socket) -> Option<Endpoint>;

    /// Takes over a connected socket, and tells who is at its other end.
    fn adopt(&mut self, socket: OwnedFd, calls: &mut Syscalls) -> io::Result<(Self::Socket, Endpoint)>;

    /// Gives a socket away, which has been [removed](Kernel::remove) before.
    fn detach(&mut self, socket: Self::Socket) -> io::Result<OwnedFd>;

    /// Starts to report on a socket, under `token`.
    fn add(&mut self, socket: &Self::Socket, token: u64, interest: Interest) -> io::Result<()>;

    /// Changes what is reported. Used with [`LEVEL`](Kernel::LEVEL) only.
    fn change(&mut self, socket: &Self::Socket, token: u64, interest: Interest) -> io::Result<()>;

    /// Stops reporting.
    fn remove(&mut self, socket: &Self::Socket) -> io::Result<()>;

    /// Waits until something can be reported, at most for `timeout`, and gives each event to `each`.
    fn wait(
        &mut self,
        timeout: Option<Duration>,
        calls: &mut Syscalls,
        each: &mut impl FnMut(Event),
    ) -> io::Result<()>;
}

/// What a poller is to report on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// That it can be read, or the peer has finished.
    pub read: bool,
    /// That it can be written.
    pub write: bool,
}

impl Interest {
    /// Both directions.
    pub const BOTH: Interest = Interest {
        read: true,
        write: true,
    };
    /// Reading only.
    pub const READ: Interest = Interest {
        read: true,
        write: false,
    };
    /// Writing only.
    pub const WRITE: Interest = Interest {
        read: false,
        write: true,
    };
    /// Neither.
    pub const NONE: Interest = Interest {
        read: false,
        write: false,
    };
}

/// What a poller reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token the socket was added under; of no socket for the waker's own event.
    pub token: u64,
    /// It can be read.
    pub readable: bool,
    /// It can be written.
    pub writable: bool,
    /// The peer has finished or reset, or there is an error: reading must go on until it shows.
    pub hangup: bool,
}
