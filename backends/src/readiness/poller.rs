//! What a poller for the real kernel implements.

use super::kernel::{Event, Interest};
use std::io;
use std::os::fd::BorrowedFd;
use std::task::Waker;
use std::time::Duration;

/// Reports on descriptors: all that differs between `mio`, `polling` and a poller of your own.
///
/// [`Engine`](super::Engine)`<`[`Os`](super::Os)`<YourPoller>>` is then a backend. See [`Kernel`](super::Kernel) for what
/// edge- and level-triggered pollers must report.
pub trait Poller: Sized {
    /// The name of the backend.
    const NAME: &'static str;

    /// What it is made of, for people to read: the operating system's interface and what leads to it.
    const INTERFACE: &'static str;

    /// Whether an event is reported by each wait as long as it holds.
    const LEVEL: bool;

    /// How many system calls a wait makes, for the statistics.
    const WAIT_CALLS: u64;

    /// Whether [`remove`](Poller::remove) must be called before a descriptor is closed.
    const REMOVE_BEFORE_CLOSE: bool;

    /// Makes one that takes up to `events` events in one wait.
    fn new(events: usize) -> io::Result<Self>;

    /// A waker that ends a wait, also the next one if none is under way.
    fn waker(&mut self) -> io::Result<Waker>;

    /// Starts to report on `fd` under `token`.
    fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()>;

    /// Changes what is reported. Called for level-triggered pollers only.
    fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Interest) -> io::Result<()>;

    /// Stops reporting.
    fn remove(&mut self, fd: BorrowedFd<'_>) -> io::Result<()>;

    /// Waits until something can be reported, at most for `timeout` (rounded up to what the interface can do), and gives
    /// each event to `each`.
    fn wait(&mut self, timeout: Option<Duration>, each: &mut impl FnMut(Event)) -> io::Result<()>;
}
