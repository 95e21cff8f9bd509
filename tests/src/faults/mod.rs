//! The io_uring backend while the kernel fails.
//!
//! - this file: [`Faulty`], a backend whose kernel fails by chance, for the whole suite
//! - `crowd`: [`Crowd`], many peers that talk to an echoing stage
//! - `spared`: the few scripts that some faults are kept from, and why

mod crowd;
mod spared;

pub use crowd::Crowd;

use crate::script;
use sockman::{Backend, Config, Sink, Turn};
use sockman_backends::Uring;
use sockman_backends::uring::faults::{self, Fault, Plan, When};
use std::cell::RefCell;
use std::env;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// One in so many operations fails, of each kind of fault.
const ONE_IN: u64 = 5;

/// The io_uring backend, over a kernel that fails by chance: by the script's name and, if it is set, by the number in
/// `SOCKMAN_FAULTS_SEED`. The seed also chooses how large the queues and the pool are, whether sends leave together, and
/// whether the kernel is an old one.
pub struct Faulty(Uring);

thread_local! {
    /// The script whose plan is installed on this thread.
    static INSTALLED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes the faults of this script those of this thread, unless they are; gives its seed, if it is to have faults.
fn install() -> Option<u64> {
    let script = script();
    let base: u64 = env::var("SOCKMAN_FAULTS_SEED").map_or(0, |seed| seed.parse().expect("a number"));
    // Fowler, Noll and Vo's hash: the same in every run.
    let seed = script.bytes().fold(base ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let seed = seed ^ seed >> 29;
    let fresh = INSTALLED.with_borrow_mut(|installed| {
        let fresh = installed.as_ref() != Some(&script);
        *installed = Some(script.clone());
        fresh
    });
    if spared::is_counted(&script) {
        faults::install(Plan::default());
        return None;
    }
    if fresh {
        let mut plan = Plan::default().by_chance(seed, ONE_IN);
        for fault in spared::from(&script) {
            plan = plan.with(*fault, When::Never);
        }
        if seed & 1 == 0 {
            plan = plan.queues(4 << (seed >> 1 & 3));
        }
        if (seed >> 3).is_multiple_of(4) {
            plan = plan.old_kernel();
        }
        eprintln!("SOCKMAN_FAULTS_SEED={base}, {script}: {seed:x}");
        faults::install(plan);
    }
    Some(seed)
}

impl Backend for Faulty {
    const NAME: &'static str = "uring-faults";
    type SockMan = <Uring as Backend>::SockMan;

    fn new(config: &Config) -> io::Result<Self> {
        let Some(seed) = install() else {
            return Uring::new(config).map(Faulty);
        };
        let mut config = config.clone();
        if seed >> 5 & 1 == 0 {
            config.lent_buffers = 4 << 10;
        }
        if seed >> 6 & 1 == 0 {
            config.batch_from = 0;
        }
        Uring::new(&config).map(Faulty)
    }

    fn sockets(&mut self) -> &mut Self::SockMan {
        self.0.sockets()
    }

    fn flush(&mut self) {
        self.0.flush();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.0.next_deadline()
    }

    fn turn(&mut self, sink: &mut impl Sink<Self::SockMan>, timeout: Option<Duration>) -> io::Result<Turn> {
        self.0.turn(sink, timeout)
    }
}

impl AsFd for Faulty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether this kernel can be made to fail; says so when it cannot.
pub fn can_inject() -> bool {
    let can = faults::can_inject().expect("a ring");
    if !can {
        eprintln!("not run: failures can be injected from Linux 6.10 on");
    }
    can
}

/// Faults that happened on this thread so far.
pub fn happened() -> Vec<(Fault, u64)> {
    Fault::ALL
        .into_iter()
        .map(|fault| (fault, faults::happened(fault)))
        .collect()
}
