//! `sockman sv2-client`: what a template provider tells, and how fast it answers.
//!
//! - this file: what it does; `session`: a connection; `show`: messages as text

mod session;
mod show;

use super::print;
use crate::args::sv2_client::ClientArgs;
use crate::failure::Failure;
use hdrhistogram::Histogram;
use session::Session;
use show::Shown;
use sockman_sv2::wire::{Message, Setup};
use std::fmt::Write as _;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// What the provider is told that we are.
const VENDOR: &str = concat!("sockman ", env!("CARGO_PKG_VERSION"));

/// Says what we speak and how much room we need, and prints what comes; or measures.
pub(crate) fn run(args: &ClientArgs) -> Result<(), Failure> {
    let began = Instant::now();
    let mut session = Session::connect(&args.addr, args.key, args.timeout())?;
    print(&format!(
        "connected to {} ({}); the handshake took {:.2?}\n",
        args.addr,
        session.peer(),
        began.elapsed()
    ))?;
    let began = Instant::now();
    session.send(&Message::SetupConnection(Setup::template_distribution(VENDOR)))?;
    match session.receive()? {
        Message::SetupConnectionSuccess { version, .. } => {
            let took = began.elapsed();
            print(&format!(
                "set up; it speaks version {version}, and took {took:.2?} to say so\n"
            ))?;
        }
        Message::SetupConnectionError { flags, code } => {
            let why = format!("the provider does not speak with us: {code} (flags {flags:#010x})");
            return Err(Failure::Remote(why));
        }
        other => return Err(unexpected(&other)),
    }
    session.send(&Message::CoinbaseOutputConstraints(args.constraints()))?;
    session.wait_for_ever()?;
    match args.bench {
        Some(rounds) => bench(&mut session, rounds, args.timeout()),
        None => watch(&mut session, args.messages),
    }
}

/// Prints what comes, until the provider hangs up or there was enough.
fn watch(session: &mut Session, most: Option<NonZeroU64>) -> Result<(), Failure> {
    let mut left = most.map(NonZeroU64::get);
    while left != Some(0) {
        let message = session.receive()?;
        print(&format!("{}\n", Shown(&message)))?;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

/// Asks for the transactions of the first template again and again.
fn bench(session: &mut Session, rounds: NonZeroU64, timeout: Duration) -> Result<(), Failure> {
    let template = loop {
        let message = session.receive()?;
        print(&format!("{}\n", Shown(&message)))?;
        if let Message::SetNewPrevHash(prev) = message {
            break prev.template;
        }
    };
    session.wait_at_most(timeout)?;
    // Up to a minute, to three digits.
    let mut took = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)
        .map_err(|why| Failure::Remote(why.to_string()))?;
    let (mut stale, mut bytes) = (0_u64, 0_usize);
    for _ in 0..rounds.get() {
        let began = Instant::now();
        session.send(&Message::RequestTransactionData { template })?;
        loop {
            match session.receive()? {
                Message::RequestTransactionDataSuccess { transactions, .. } => {
                    bytes = transactions
                        .iter()
                        .map(sockman_backends::sockman::Bytes::len)
                        .sum();
                    break;
                }
                Message::RequestTransactionDataError { .. } => {
                    stale += 1;
                    break;
                }
                // There may be news meanwhile.
                Message::NewTemplate(_) | Message::SetNewPrevHash(_) => {}
                other => return Err(unexpected(&other)),
            }
        }
        took.saturating_record(began.elapsed().as_nanos() as u64);
    }
    let micros = |nanos: u64| nanos as f64 / 1000.0;
    let mut text = format!("{rounds} round trips of RequestTransactionData ({bytes} bytes of transactions");
    if stale > 0 {
        let _ = write!(text, "; {stale} were told that the template is forgotten");
    }
    text.push_str(")\n");
    for (name, value) in [
        ("p50", took.value_at_quantile(0.5)),
        ("p90", took.value_at_quantile(0.9)),
        ("p99", took.value_at_quantile(0.99)),
        ("p99.9", took.value_at_quantile(0.999)),
        ("max", took.max()),
    ] {
        let _ = writeln!(text, "{name:>6} {:>10.1} µs", micros(value));
    }
    print(&text)
}

fn unexpected(message: &Message) -> Failure {
    Failure::Remote(format!(
        "the provider sent what nobody asked for: {}",
        Shown(message)
    ))
}
