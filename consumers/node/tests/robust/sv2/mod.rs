//! What hostile clients do to a template provider, on every backend that is compiled in: what others notice of them, and what they
//! cost.
//!
//! - here: how a scenario is run, and the client that wants an answer every millisecond
//! - `scenarios`: what hostile clients do
//!
//! Server and clients are threads of one process, so that its memory is that of all of them together.

#[path = "../../../../p2p/tests/sockets/memory.rs"]
mod memory;
#[path = "../../sv2/peer.rs"]
#[allow(dead_code, reason = "the tests of the protocol use more of it")]
pub(crate) mod peer;
mod scenarios;
#[path = "../../sv2/served.rs"]
#[allow(dead_code, reason = "the tests of the protocol use more of it")]
mod served;

use crate::ALONE;
use crate::measure::{raise_descriptor_limit, spread};
use peer::{Data, Peer, Template, constraints};
use served::Served;
use sockman_sv2::{Settings, Work};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest that an answer may take: far more than it does, as machines are that do much else.
const WORST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });

/// The time that clients have for their handshake, and for what they say after it.
const WITHIN: Duration = Duration::from_secs(2);

/// The name of each backend, and how to start a provider on it.
type Start = (&'static str, fn(Settings, Arc<Work>) -> Served);

const BACKENDS: &[Start] = &[
    #[cfg(feature = "mio")]
    ("mio", Served::start::<sockman_backends::Mio>),
    #[cfg(feature = "polling")]
    ("polling", Served::start::<sockman_backends::Polling>),
    #[cfg(feature = "uv")]
    ("uv", Served::start::<sockman_backends::Uv>),
    #[cfg(feature = "uring")]
    ("uring", Served::start::<sockman_backends::Uring>),
];

/// Runs a scenario with a provider on each backend, beside a client that asks all the time; prints what it tells, how long that
/// client's answers took, and what memory all needed. That must not be more than so many MiB.
fn everywhere(name: &str, bound: usize, script: impl Fn(&Served) -> String) {
    everywhere_within(WITHIN, name, bound, script);
}

/// As [`everywhere`], with another time for handshakes.
fn everywhere_within(within: Duration, name: &str, bound: usize, script: impl Fn(&Served) -> String) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    raise_descriptor_limit();
    sockman_node::reserve_descriptors();
    // A block that is full, as blocks of a megabyte are.
    let full = served::work(101, served::transactions(7_000, 10));
    for (backend, start) in BACKENDS {
        let settings = Settings {
            handshake_within: within,
            setup_within: within,
            ..served::settings()
        };
        let served = start(settings, full.clone());
        let bystander = Bystander::start(&served);
        let before = memory::reset_peak();
        let told = script(&served);
        let used = memory::peak().saturating_sub(before) >> 20;
        let latencies = bystander.stop();
        let answered = latencies.len();
        let worst = latencies.iter().max().copied().unwrap_or_default();
        println!(
            "{name:22} {backend:8} {told}; beside it {answered} answered, {}; {used} MiB of at most {bound}",
            spread(latencies)
        );
        assert!(answered > 0 && worst < WORST, "{name}: an answer took {worst:?}");
        assert!(used <= bound, "{name}: {used} MiB");
    }
}

/// A client that does no harm, and asks for the transactions of a small template every millisecond.
struct Bystander {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Bystander {
    fn start(served: &Served) -> Bystander {
        let done = Arc::<AtomicBool>::default();
        let mut peer = Peer::ready(served.at, &served.key);
        // Its own outputs take most of the block.
        peer.say(constraints(990_000, 0));
        let template = Template::of(peer.hear().templates());
        peer.hear();
        let over = done.clone();
        let thread = thread::spawn(move || {
            let mut latencies = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let since = Instant::now();
                peer.say(peer::request(template.id));
                let mut answer = peer.hear();
                latencies.push(since.elapsed());
                let data = Data::of(template.id, answer.templates()).expect("its tip is the last");
                assert!((1..100).contains(&data.transactions.len()));
                thread::sleep(Duration::from_millis(1));
            }
            latencies
        });
        Bystander { done, thread }
    }

    fn stop(self) -> Vec<Duration> {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("every answer came")
    }
}
