//! The load generator's process: a closed loop over epoll. Each active connection keeps `depth` messages outstanding.
//!
//! - [`client`]: one connection: what it sends, what it checks
//! - here: the process, its phases and its report
//!
//! Phases: connect (the idle connections first), warm up, come to rest and say so; at a word, run the window, come to rest
//! again, and report. The server is at rest at both ends, so that its counters there enclose exactly the window's messages.

pub mod client;

use crate::cli::LoadArgs;
use crate::serve::say;
use crate::{Failure, sys};
use client::Client;
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::time::{Duration, Instant};

/// A server that answers nobody for this long hangs.
const PATIENCE: Timespec = Timespec {
    tv_sec: 20,
    tv_nsec: 0,
};

/// While connecting, so many go ahead before an answer is awaited: the backlog must not overflow.
const AHEAD: usize = 128;

/// What a load process reports of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Messages answered.
    pub ops: u64,
    /// How long that took, in nanoseconds.
    pub elapsed_ns: u64,
    /// Median of the time from sending a message to the arrival of its echo, in microseconds.
    pub p50_us: f64,
    /// The time that 99 % stay below.
    pub p99_us: f64,
    /// The time that 99.9 % stay below.
    pub p999_us: f64,
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
enum Until {
    Time(Instant),
    Messages(u64),
}

struct Load {
    poll: OwnedFd,
    clients: Vec<Client>,
    events: Vec<Event>,
    buffer: Vec<u8>,
    latency: Histogram<u64>,
    /// Messages sent, and answered.
    sent: u64,
    answered: u64,
}

/// Runs the process.
pub fn run(args: &LoadArgs) -> Result<(), Failure> {
    if let Some(core) = args.pin {
        sys::pin(core)?;
    }
    sys::raise_descriptor_limit();
    let mut idle = Vec::with_capacity(args.idle);
    for index in 0..args.idle {
        let mut client = Client::connect(args.at, index, args.size)?;
        if index % AHEAD == AHEAD - 1 {
            client.round_trip()?;
        }
        idle.push(client);
    }
    let mut load = Load::connect(args)?;
    load.run(args.depth, Until::Time(Instant::now() + args.warm_up()))?;
    say("ready");
    let mut word = String::new();
    if io::stdin().read_line(&mut word)? == 0 {
        return Ok(());
    }
    load.reset();
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
        p99_us: quantile(0.99),
        p999_us: quantile(0.999),
    };
    say(&serde_json::to_string(&report)?);
    // Closing costs the server something, which must not fall before its counters have been read.
    word.clear();
    io::stdin().read_line(&mut word)?;
    drop(idle);
    Ok(())
}

impl Load {
    fn connect(args: &LoadArgs) -> Result<Load, Failure> {
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut clients = Vec::with_capacity(args.connections);
        for index in 0..args.connections {
            let mut client = Client::connect(args.at, index, args.size)?;
            if index % AHEAD == AHEAD - 1 || index == args.connections - 1 {
                client.round_trip()?;
            }
            client.set_nonblocking()?;
            epoll::add(
                &poll,
                client.socket(),
                EventData::new_u64(index as u64),
                EventFlags::IN,
            )?;
            clients.push(client);
        }
        Ok(Load {
            poll,
            clients,
            events: Vec::with_capacity(1024),
            buffer: vec![0; (64 << 10).max(args.size)],
            latency: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
            sent: 0,
            answered: 0,
        })
    }

    fn reset(&mut self) {
        self.latency.reset();
        (self.sent, self.answered) = (0, 0);
    }

    /// Keeps `depth` messages outstanding on each connection until the end, and then waits for the last answer.
    fn run(&mut self, depth: usize, until: Until) -> Result<(), Failure> {
        let start = Instant::now();
        for index in 0..self.clients.len() {
            let more = self.allowed(until, start, depth);
            self.send(index, more, start)?;
        }
        let mut ended = false;
        while self.answered < self.sent {
            self.events.clear();
            match epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&PATIENCE)) {
                Ok(0) => return Err("the server has not answered for 20 seconds".into()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for at in 0..self.events.len() {
                let event = self.events[at];
                let (index, flags) = (event.data.u64() as usize, event.flags);
                let client = &mut self.clients[index];
                if flags.contains(EventFlags::OUT) {
                    client.flush()?;
                    client.watch(&self.poll, index)?;
                }
                let answers = client.receive(&mut self.buffer, ended)?;
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

    fn send(&mut self, index: usize, count: usize, now: Instant) -> Result<(), Failure> {
        if count == 0 {
            return Ok(());
        }
        self.sent += count as u64;
        let client = &mut self.clients[index];
        client.send(count, now)?;
        client.watch(&self.poll, index)?;
        Ok(())
    }
}
