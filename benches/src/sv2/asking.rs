//! The load's process: one client that asks, and times each answer.

use super::Ask;
use super::client::{Client, Line, hello};
use super::templates;
use crate::cli::LoadArgs;
use crate::load::Report;
use crate::serve::say;
use crate::{Failure, sys};
use hdrhistogram::Histogram;
use sockman::bytes::Bytes;
use sockman_sv2::wire::{Chance, Frame, Message, REPLY};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Asked before anything counts.
const WARM_UP: u64 = 20;

/// A number that no template has.
const NO_TEMPLATE: u64 = 1;

/// Runs the process: warms up, says so, and asks at a word.
pub fn run(args: &LoadArgs) -> Result<(), Failure> {
    let ask = args.ask.ok_or("what is to be asked?")?;
    if let Some(core) = args.pin {
        sys::pin(core)?;
    }
    let mut asking = Asking::begin(ask, args.at, args.pin.is_some(), args.size)?;
    for _ in 0..WARM_UP {
        asking.once()?;
    }
    say("ready");
    let mut word = String::new();
    if io::stdin().read_line(&mut word)? == 0 {
        return Ok(());
    }
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let begin = Instant::now();
    let enough = |count: u64| match args.messages {
        Some(messages) => count >= messages,
        None => begin.elapsed().as_secs_f64() >= args.seconds,
    };
    while !enough(latency.len()) {
        latency.saturating_record(asking.once()?.as_nanos() as u64);
    }
    let elapsed = begin.elapsed();
    let quantile = |q| latency.value_at_quantile(q) as f64 / 1000.0;
    let report = Report {
        ops: latency.len(),
        elapsed_ns: elapsed.as_nanos() as u64,
        p50_us: quantile(0.5),
        p90_us: quantile(0.9),
        p99_us: quantile(0.99),
        p999_us: quantile(0.999),
        bytes: 0,
    };
    say(&serde_json::to_string(&report)?);
    // Closing costs the server something, which must not fall before its counters have been read.
    word.clear();
    io::stdin().read_line(&mut word)?;
    Ok(())
}

/// One that asks the same all the time.
struct Asking {
    ask: Ask,
    at: SocketAddr,
    awake: bool,
    chance: Chance,
    expected: Vec<Bytes>,
    /// The connection on which everything is asked, where it is one.
    client: Client,
    /// The template that it has.
    template: u64,
    /// Whether an answer was looked at as a whole.
    looked: bool,
}

impl Asking {
    fn begin(ask: Ask, at: SocketAddr, awake: bool, size: usize) -> Result<Asking, Failure> {
        let mut chance = Chance::new([3; 32]);
        let mut client = Client::ready(at, awake, &mut chance)?;
        Ok(Asking {
            ask,
            at,
            awake,
            chance,
            expected: templates::transactions(size),
            template: client.begin()?,
            client,
            looked: false,
        })
    }

    /// Asks, and gives how long the answer took.
    fn once(&mut self) -> Result<Duration, Failure> {
        match self.ask {
            Ask::Data => self.request(self.template),
            Ask::Error => self.request(NO_TEMPLATE),
            Ask::Template => {
                let asked = Instant::now();
                let template = self.client.begin()?;
                let took = asked.elapsed();
                if template <= self.template {
                    return Err("numbers of templates do not rise".into());
                }
                self.template = template;
                Ok(took)
            }
            Ask::Setup => {
                let mut client = Client::shaken(self.at, self.awake, &mut self.chance)?;
                let asked = Instant::now();
                client.set_up()?;
                Ok(asked.elapsed())
            }
            Ask::Handshake => {
                let (hello, waits) = hello(&mut self.chance)?;
                let mut reply = [0; REPLY];
                let asked = Instant::now();
                let mut line = Line::connect(self.at, self.awake)?;
                line.write(&hello)?;
                line.fill(&mut reply)?;
                let took = asked.elapsed();
                Client::new(line, waits, reply)?;
                Ok(took)
            }
            Ask::Tip => Err("nobody asks for a tip".into()),
        }
    }

    /// Asks for a template's transactions. What it costs to look at them is the client's affair, and does not count.
    fn request(&mut self, template: u64) -> Result<Duration, Failure> {
        let asked = Instant::now();
        self.client.say(&Message::RequestTransactionData { template })?;
        let frame = self.client.hear()?;
        let took = asked.elapsed();
        self.check(template, frame)?;
        Ok(took)
    }

    /// Looks at a first answer as a whole, and at the length of others.
    fn check(&mut self, template: u64, frame: Frame) -> Result<(), Failure> {
        const EXCESS: usize = 2 + 32;
        let all: usize = self.expected.iter().map(|tx| 3 + tx.len()).sum();
        let length = 8 + EXCESS + 2 + all;
        let is_error = self.ask == Ask::Error;
        if !is_error && frame.length() != length {
            return Err(format!("an answer has {} bytes instead of {length}", frame.length()).into());
        }
        if std::mem::replace(&mut self.looked, true) {
            return Ok(());
        }
        match frame.message()? {
            Some(Message::RequestTransactionDataError { template: of, code })
                if is_error && of == template && code == "template-id-not-found" =>
            {
                Ok(())
            }
            Some(Message::RequestTransactionDataSuccess {
                template: of,
                transactions,
                ..
            }) if !is_error && of == template && transactions == self.expected => Ok(()),
            other => Err(format!("a request was answered with {other:?}").into()),
        }
    }
}
