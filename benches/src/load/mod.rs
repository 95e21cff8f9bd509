//! The load generator's process: a closed loop over epoll. Each active connection keeps `depth` messages outstanding.
//!
//! - [`echo`]: a connection whose messages come back
//! - [`blocks`]: one that reads blocks of a chain
//! - [`http`]: one that sends requests and checks their answers, and one that is made anew for each
//! - [`line`](mod@line): what they have in common: a socket, what it has not taken, and when what is under way was sent
//! - of the work `sv2` the load is [`sv2::asking`], which has one client and no poller
//! - here: the process, its phases, its loop and its report
//!
//! Phases: connect (the idle connections first), warm up, come to rest and say so; at a word, run the window, come to rest
//! again, and report. The server is at rest at both ends, so that its counters there enclose exactly the window's messages.

pub mod blocks;
pub mod echo;
pub mod http;
pub mod line;

use crate::cli::LoadArgs;
use crate::serve::say;
use crate::work::Work;
use crate::{Failure, sv2, sys};
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::{Duration, Instant};

/// A server that answers nobody for this long hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// While connecting, so many go ahead before an answer is awaited: the backlog must not overflow.
const AHEAD: usize = 128;

/// What a load process reports of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages answered.
    pub ops: u64,
    /// How long that took, in nanoseconds.
    pub elapsed_ns: u64,
    /// Median of the time from sending a message to the arrival of its answer, in microseconds.
    pub p50_us: f64,
    /// The time that 90 % stay below.
    pub p90_us: f64,
    /// The time that 99 % stay below.
    pub p99_us: f64,
    /// The time that 99.9 % stay below.
    pub p999_us: f64,
    /// Bytes received, where that is what counts.
    pub bytes: u64,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
enum Until {
    Time(Instant),
    Messages(u64),
}

/// One connection of the load.
pub trait Client: Sized {
    /// Connects, blocking. `index` is its number among all, and its key in the poller.
    fn connect(args: &LoadArgs, index: usize) -> Result<Self, Failure>;

    /// Sends one message and waits for its answer, blocking.
    fn round_trip(&mut self, buffer: &mut [u8]) -> Result<(), Failure>;

    /// From here on no operation blocks, and the poller reports what there is to do.
    fn register(&mut self, poll: &OwnedFd) -> Result<(), Failure>;

    /// Sends so many messages, as far as the kernel takes them; `now` is their time.
    fn send(&mut self, poll: &OwnedFd, count: usize, now: Instant) -> Result<(), Failure>;

    /// Does what there is to do, and tells how many messages were answered by that.
    fn event(&mut self, event: &mut Event<'_>) -> Result<usize, Failure>;

    /// How long the oldest message without an answer has been under way, in nanoseconds; it is answered now.
    fn latency(&mut self, now: Instant) -> u64;

    /// Bytes received since it was made, where that is what counts.
    fn received(&self) -> u64 {
        0
    }

    /// Fails when bytes are there although every message was answered.
    fn expect_nothing(&mut self) -> Result<(), Failure>;
}

/// What a connection is told when the poller reports it, and given to work with.
pub struct Event<'a> {
    /// The poller.
    pub poll: &'a OwnedFd,
    /// Whether there is room to send.
    pub writable: bool,
    /// Where to receive.
    pub buffer: &'a mut [u8],
    /// Whether to compare every byte: the window is over, and there is time for it.
    pub all: bool,
}

struct Load<C> {
    poll: OwnedFd,
    clients: Vec<C>,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    latency: Histogram<u64>,
    /// Messages sent, and answered.
    sent: u64,
    answered: u64,
}

/// Runs the process.
pub fn run(args: &LoadArgs) -> Result<(), Failure> {
    match args.work {
        Work::Ibd => run_with::<blocks::Blocks>(args),
        Work::Sv2 => sv2::asking::run(args),
        Work::HttpClose => run_with::<http::Once>(args),
        work if work.is_http() => run_with::<http::Kept>(args),
        _ => run_with::<echo::Echo>(args),
    }
}

fn run_with<C: Client>(args: &LoadArgs) -> Result<(), Failure> {
    if let Some(core) = args.pin {
        sys::pin(core)?;
    }
    sys::raise_descriptor_limit();
    let mut buffer = vec![0; (64 << 10).max(args.size)];
    let mut idle = Vec::with_capacity(args.idle);
    for index in 0..args.idle {
        let mut client = C::connect(args, index)?;
        if index % AHEAD == AHEAD - 1 {
            client.round_trip(&mut buffer)?;
        }
        idle.push(client);
    }
    let mut load = Load::<C>::connect(args, buffer)?;
    load.run(args.depth, Until::Time(Instant::now() + args.warm_up()))?;
    say("ready");
    let mut word = String::new();
    if io::stdin().read_line(&mut word)? == 0 {
        return Ok(());
    }
    load.reset();
    let received = load.received();
    let begin = Instant::now();
    let until = match args.messages {
        Some(messages) => Until::Messages(messages),
        None => Until::Time(begin + Duration::from_secs_f64(args.seconds)),
    };
    load.run(args.depth, until)?;
    let elapsed = begin.elapsed();
    for client in &mut load.clients {
        client.expect_nothing()?;
    }
    let quantile = |q| load.latency.value_at_quantile(q) as f64 / 1000.0;
    let report = Report {
        ops: load.answered,
        elapsed_ns: elapsed.as_nanos() as u64,
        p50_us: quantile(0.5),
        p90_us: quantile(0.9),
        p99_us: quantile(0.99),
        p999_us: quantile(0.999),
        bytes: load.received() - received,
    };
    say(&serde_json::to_string(&report)?);
    // Closing costs the server something, which must not fall before its counters have been read.
    word.clear();
    io::stdin().read_line(&mut word)?;
    drop(idle);
    Ok(())
}

impl<C: Client> Load<C> {
    fn connect(args: &LoadArgs, mut buffer: Vec<u8>) -> Result<Load<C>, Failure> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut clients = Vec::with_capacity(args.connections);
        for index in 0..args.connections {
            let mut client = C::connect(args, index)?;
            if index % AHEAD == AHEAD - 1 || index == args.connections - 1 {
                client.round_trip(&mut buffer)?;
            }
            client.register(&poll)?;
            clients.push(client);
        }
        Ok(Load {
            poll,
            clients,
            events: Vec::with_capacity(1024),
            buffer,
            latency: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
            sent: 0,
            answered: 0,
        })
    }

    fn reset(&mut self) {
        self.latency.reset();
        (self.sent, self.answered) = (0, 0);
    }

    fn received(&self) -> u64 {
        self.clients.iter().map(Client::received).sum()
    }

    /// Keeps `depth` messages outstanding on each connection until the end, and then waits for the last answer.
    fn run(&mut self, depth: usize, until: Until) -> Result<(), Failure> {
        let start = Instant::now();
        for index in 0..self.clients.len() {
            let more = self.allowed(until, start, depth);
            self.send(index, more, start)?;
        }
        let patience = Timespec {
            tv_sec: PATIENCE.as_secs().cast_signed(),
            tv_nsec: 0,
        };
        let mut ended = false;
        while self.answered < self.sent {
            self.events.clear();
            match epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&patience)) {
                Ok(0) => {
                    return Err(
                        format!("the server has not answered for {} seconds", patience.tv_sec).into(),
                    );
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for at in 0..self.events.len() {
                let (index, flags) = (self.events[at].data.u64() as usize, self.events[at].flags);
                let client = &mut self.clients[index];
                let answers = client.event(&mut Event {
                    poll: &self.poll,
                    writable: flags.contains(EventFlags::OUT),
                    buffer: &mut self.buffer,
                    all: ended,
                })?;
                if answers == 0 {
                    continue;
                }
                let now = Instant::now();
                for _ in 0..answers {
                    self.latency.saturating_record(client.latency(now));
                }
                self.answered += answers as u64;
                let more = self.allowed(until, now, answers);
                ended |= more == 0;
                self.send(index, more, now)?;
            }
        }
        Ok(())
    }

    /// How many of `wanted` messages may still be sent.
    fn allowed(&self, until: Until, now: Instant, wanted: usize) -> usize {
        match until {
            Until::Time(end) if now >= end => 0,
            Until::Time(_) => wanted,
            Until::Messages(most) => wanted.min(most.saturating_sub(self.sent) as usize),
        }
    }

    /// Also nothing is sent: a client that had put messages off until now lets them go.
    fn send(&mut self, index: usize, count: usize, now: Instant) -> Result<(), Failure> {
        self.sent += count as u64;
        self.clients[index].send(&self.poll, count, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    /// The arguments of a load of one connection to nowhere.
    pub(super) fn args(work: Work, size: usize) -> LoadArgs {
        LoadArgs {
            at: (Ipv4Addr::LOCALHOST, 0).into(),
            work,
            ask: None,
            connections: 1,
            idle: 0,
            size,
            depth: 1,
            seconds: 0.0,
            messages: None,
            pin: None,
        }
    }

    /// A client that blocks, its peer, and a poller.
    pub(super) fn pair<C: Client>(args: &LoadArgs) -> (C, TcpStream, OwnedFd) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let at = listener.local_addr().expect("bound");
        let client = C::connect(&LoadArgs { at, ..args.clone() }, 3).expect("connect");
        let poll = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
        (client, listener.accept().expect("accept").0, poll)
    }
}
