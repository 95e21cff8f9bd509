//! Sending from another thread to an idle connection: how long it takes from just before the send to the arrival of the
//! bytes at the peer, loop and peer being threads of one process. The tips of the work `sv2` are measured likewise.

use crate::cli::WakeArgs;
use crate::serve::{self, Counts, Running, say};
use crate::work::Work;
use crate::{Failure, subject, sv2, sys};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// What is sent.
pub const MESSAGE: &[u8] = &[0x5a; 64];

/// Between two sends the loop goes to sleep; so long is enough for that.
const REST: Duration = Duration::from_micros(100);

/// A loop that takes longer than this waits for a tick, and is met at any point between two.
const TICKS: Duration = Duration::from_millis(10);

/// What a measurement gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How the loop reaches the kernel; empty where that is the same everywhere.
    pub interface: String,
    /// Messages sent.
    pub ops: u64,
    /// How long the measurement took, in nanoseconds, rests included.
    pub elapsed_ns: u64,
    /// The loop's CPU time, in nanoseconds.
    pub cpu_ns: u64,
    /// What the loop counted.
    pub counts: Option<Counts>,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// The latency that 99 % stay below.
    pub p99_us: f64,
    /// The latency that 99.9 % stay below.
    pub p999_us: f64,
    /// Highest resident memory, in KiB.
    pub peak_kib: u64,
}

/// Runs the process: the loop on this thread, the one that sends and receives on another.
pub fn run(args: &WakeArgs) -> Result<(), Failure> {
    let subject = subject::find(&args.subject).ok_or("no such subject")?;
    if let Some(core) = args.pin.first() {
        sys::pin(*core)?;
    }
    let unfit = "it does not do this work";
    if args.work == Work::Sv2 {
        let server = subject.sv2.ok_or(unfit)?;
        run_with::<sv2::client::Client>(args, |ready| server(args.size, ready))
    } else {
        let server = subject.server(Work::Wake).ok_or(unfit)?;
        run_with::<Line>(args, server)
    }
}

fn run_with<P: Peer>(
    args: &WakeArgs,
    server: impl FnOnce(serve::Ready<'_>) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let how = How {
        core: args.pin.get(1).copied(),
        seconds: args.seconds,
        messages: args.messages,
    };
    serve::start(server, &mut |running| {
        thread::spawn(move || {
            match measure::<P>(running, how).and_then(|report| {
                say(&serde_json::to_string(&report)?);
                Ok(())
            }) {
                Ok(()) => std::process::exit(0),
                Err(error) => {
                    eprintln!("wake: {error}");
                    std::process::exit(1);
                }
            }
        });
    })?;
    Ok(())
}

/// On which core the other thread is to be, and for how long, or how often, it sends.
#[derive(Clone, Copy)]
struct How {
    core: Option<usize>,
    seconds: f64,
    messages: Option<u64>,
}

/// Who receives what was sent from another thread.
pub trait Peer: Sized {
    /// Connects, and waits until what is sent from now on arrives. With `awake` it looks without sleeping from then on.
    fn connect(at: SocketAddr, awake: bool, post: &mut dyn FnMut()) -> Result<Self, Failure>;

    /// Receives what was sent once.
    fn receive(&mut self) -> Result<(), Failure>;
}

/// One to whom messages are sent.
struct Line(TcpStream);

impl Peer for Line {
    fn connect(at: SocketAddr, awake: bool, post: &mut dyn FnMut()) -> Result<Line, Failure> {
        let mut peer = TcpStream::connect(at)?;
        peer.set_nodelay(true)?;
        until_open(&mut peer, post)?;
        peer.set_nonblocking(awake)?;
        Ok(Line(peer))
    }

    fn receive(&mut self) -> Result<(), Failure> {
        receive(&mut self.0)
    }
}

fn measure<P: Peer>(running: Running, how: How) -> Result<Report, Failure> {
    let Running {
        at,
        interface,
        mut probe,
        post,
        ..
    } = running;
    let mut post = post.ok_or("this subject takes nothing from outside")?;
    if let Some(core) = how.core {
        sys::pin(core)?;
    }
    // With a core of its own this thread looks without sleeping, so that the time to wake it is not in the figure.
    let mut peer = P::connect(at, how.core.is_some(), &mut post)?;
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let before = probe();
    let (cpu, own) = (sys::process_cpu(), sys::thread_cpu());
    let begin = Instant::now();
    let mut rest = REST;
    let enough = |count: u64| match how.messages {
        Some(messages) => count >= messages,
        None => begin.elapsed().as_secs_f64() >= how.seconds,
    };
    while !enough(latency.len()) {
        thread::sleep(rest);
        let sent = Instant::now();
        post();
        peer.receive()?;
        let took = sent.elapsed();
        latency.saturating_record(took.as_nanos() as u64);
        rest = if took > TICKS {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Duration::from_micros((seed >> 33) % 50_000)
        } else {
            REST
        };
    }
    let elapsed = begin.elapsed();
    let cpu_ns = (sys::process_cpu() - cpu).saturating_sub(sys::thread_cpu() - own);
    let counts = before.zip(probe()).map(|(before, after)| Counts {
        calls: after.calls - before.calls,
        turns: after.turns - before.turns,
    });
    let quantile = |q| latency.value_at_quantile(q) as f64 / 1000.0;
    Ok(Report {
        interface,
        ops: latency.len(),
        elapsed_ns: elapsed.as_nanos() as u64,
        cpu_ns,
        counts,
        p50_us: quantile(0.5),
        p99_us: quantile(0.99),
        p999_us: quantile(0.999),
        peak_kib: sys::resident(None).1,
    })
}

/// Sends until the loop has the connection and something arrives, and then takes everything that does.
fn until_open(peer: &mut TcpStream, post: &mut dyn FnMut()) -> Result<(), Failure> {
    peer.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut bytes = [0; 4096];
    let end = Instant::now() + Duration::from_secs(20);
    let mut open = false;
    while Instant::now() < end {
        if !open {
            post();
        }
        match peer.read(&mut bytes) {
            Ok(0) => return Err("the loop closed the connection".into()),
            Ok(_) => open = true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if open {
                    return Ok(());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err("nothing that was sent has arrived within 20 seconds".into())
}

fn receive(peer: &mut TcpStream) -> Result<(), Failure> {
    let mut bytes = [0; 64];
    let mut have = 0;
    let mut begin = None;
    while have < MESSAGE.len() {
        match peer.read(&mut bytes[have..]) {
            Ok(0) => return Err("the loop closed the connection".into()),
            Ok(count) => have += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let begin = *begin.get_or_insert_with(Instant::now);
                if begin.elapsed() > Duration::from_secs(20) {
                    return Err("a message has not arrived within 20 seconds".into());
                }
                std::hint::spin_loop();
            }
            Err(error) => return Err(error.into()),
        }
    }
    if bytes != MESSAGE {
        return Err("a message arrived changed".into());
    }
    Ok(())
}
