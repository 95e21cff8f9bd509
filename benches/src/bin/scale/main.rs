//! Up to a million connections in one process, on the simulated network: what an idle one holds, and whether it costs anything
//! that it is there.
//!
//! - this file: the arguments, the rounds and the table; `crowd`: a server with its idle connections and an active one

#![forbid(unsafe_code)]

mod crowd;

use clap::Parser;
use crowd::Crowd;
use indicatif::{ProgressBar, ProgressStyle};
use sockman_bench::statistics::median;
use sockman_bench::{Failure, heap};
use std::process::ExitCode;
use std::time::Duration;

/// The memory of idle connections is one of the figures.
#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// Measures idle connections on the simulated network: memory of each, and the time of a turn that serves one active
/// connection beside them.
#[derive(Debug, Parser)]
#[command(name = "scale", version)]
struct Cli {
    /// Numbers of idle connections; the first is the baseline of the ratios
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1000,100000,1000000"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    idle: Vec<u32>,

    /// Rounds, in each of which every number has its turns
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Messages of each round
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    messages: u32,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scale: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template(template).expect("a template"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let all: u64 = cli.idle.iter().map(|idle| u64::from(*idle)).sum();
    let progress = bar(
        all,
        "{elapsed_precise} {bar:40} {pos}/{len} connections, {eta} left",
    );
    let mut crowds = Vec::new();
    for idle in &cli.idle {
        crowds.push(Crowd::gather(*idle, &progress)?);
    }
    progress.finish_and_clear();
    let progress = bar(
        cli.rounds.into(),
        "{elapsed_precise} {bar:40} {pos}/{len} rounds, {eta} left",
    );
    let mut times = vec![Vec::new(); crowds.len()];
    for _ in 0..cli.rounds {
        for (crowd, times) in crowds.iter_mut().zip(&mut times) {
            times.push(crowd.talk(cli.messages)?);
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    table(&crowds, &times);
    Ok(())
}

fn table(crowds: &[Crowd], times: &[Vec<f64>]) {
    println!("      idle  loop B  network B  ns/turn     ×  calls/turn  turns/message");
    for (crowd, own) in crowds.iter().zip(times) {
        let ratios = own.iter().zip(&times[0]).map(|(own, first)| own / first);
        println!(
            "{:>10} {:>7.0} {:>10.0} {:>8.0} {:>5.2} {:>11.2} {:>14.2}",
            crowd.idle,
            crowd.loop_bytes,
            crowd.network_bytes,
            median(own.iter().copied()).unwrap_or(f64::NAN),
            median(ratios).unwrap_or(f64::NAN),
            crowd.calls as f64 / crowd.turns as f64,
            crowd.turns as f64 / crowd.messages as f64,
        );
    }
    println!();
    println!(
        "loop B: heap of the loop per idle connection; network B: of the simulated network, both ends together."
    );
    println!(
        "ns/turn: median of {} rounds; ×: median of the rounds' ratios to the first row.",
        times[0].len()
    );
}
