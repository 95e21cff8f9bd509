//! Runs the rounds: each round measures every subject once at each number of connections.

use crate::cell::{Cell, Sample};
use crate::cli::{CompareArgs, Work};
use crate::report::{Row, tables};
use crate::subject::{ALL, BASELINE, Kind, Subject, WAKE_BASELINE};
use crate::{Failure, child, instructions, sys};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Runs the comparison, prints its tables, and writes its rows if that was asked for. Fails the process when a
/// measurement failed.
pub fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    sys::raise_descriptor_limit();
    if sys::two_cores().is_none() {
        eprintln!("compare: one core only: server and load share it, and figures mean little");
    }
    let plans: Vec<Plan> = args.work.iter().map(|work| Plan::new(*work, args)).collect();
    let progress = Progress::new(plans.iter().map(Plan::measurements).sum());
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for plan in plans {
        let outcome = plan.run(&progress, &mut failures);
        all.push((plan.work, plan.rows(outcome)));
    }
    progress.finish();
    for (work, rows) in &all {
        println!("\n{}", tables::render(*work, rows));
    }
    if let Some(path) = &args.json {
        fs::write(path, json(all.iter().flat_map(|(_, rows)| rows))?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for failure in &failures {
        eprintln!("compare: {failure}");
    }
    Ok(ExitCode::from(u8::from(!failures.is_empty())))
}

/// A JSON array with a row on each line.
fn json<'a>(rows: impl Iterator<Item = &'a Row>) -> Result<String, Failure> {
    let rows: Result<Vec<String>, _> = rows.map(serde_json::to_string).collect();
    Ok(format!("[\n{}\n]\n", rows?.join(",\n")))
}

/// What is measured for one work.
struct Plan {
    work: Work,
    cells: Vec<Cell>,
    rounds: usize,
    seconds: f64,
}

impl Plan {
    fn new(work: Work, args: &CompareArgs) -> Plan {
        let given: Vec<usize> = args.connections.iter().map(|count| *count as usize).collect();
        let connections = match (work, args.quick) {
            (Work::Wake, _) => vec![1],
            _ if !given.is_empty() => given,
            (Work::Echo, false) => vec![1, 50, 1000],
            (Work::Echo, true) => vec![1, 20],
            (Work::EchoIdle, false) => vec![10, 1000, 10_000],
            (Work::EchoIdle, true) => vec![10, 100],
        };
        let (rounds, seconds) = match (work, args.quick) {
            (Work::Wake, false) => (7, 1.0),
            (_, false) => (7, 0.2),
            (_, true) => (2, 0.05),
        };
        let subjects = subjects(work, args);
        let cells = connections
            .iter()
            .flat_map(|connections| {
                subjects.iter().map(|subject| Cell {
                    work,
                    subject,
                    connections: *connections,
                    size: args.size as usize,
                    depth: args.depth as usize,
                })
            })
            .collect();
        Plan {
            work,
            cells,
            rounds: args.rounds.map_or(rounds, |rounds| rounds as usize),
            seconds: args.seconds.unwrap_or(seconds),
        }
    }

    fn measurements(&self) -> usize {
        self.cells.len() * self.rounds
    }

    /// The samples of each cell, by round.
    fn run(&self, progress: &Progress, failures: &mut Vec<String>) -> Vec<Vec<Option<Sample>>> {
        let mut samples: Vec<Vec<Option<Sample>>> = vec![Vec::new(); self.cells.len()];
        for round in 1..=self.rounds {
            progress.round(self.work, round, self.rounds);
            for (cell, samples) in self.cells.iter().zip(&mut samples) {
                progress.step(cell);
                let measured = cell.measure(self.seconds);
                if let Err(error) = &measured {
                    let Cell {
                        subject, connections, ..
                    } = cell;
                    let work = self.work.name();
                    failures.push(format!(
                        "{work}: {} at {connections} connections: {error}",
                        subject.name
                    ));
                }
                samples.push(measured.ok());
            }
        }
        if child::has("strace") {
            self.count_calls(&mut samples);
        }
        samples
    }

    /// Counts the system calls of those that do not count their own, in a short run of its own under strace.
    fn count_calls(&self, samples: &mut [Vec<Option<Sample>>]) {
        for (cell, samples) in self.cells.iter().zip(samples) {
            if samples.iter().flatten().all(|sample| sample.calls.is_some()) {
                continue;
            }
            // The figure stays blank where strace may not trace.
            let calls = instructions::calls_per_message(cell).ok();
            for sample in samples.iter_mut().flatten() {
                sample.calls = calls;
            }
        }
    }

    fn rows(&self, samples: Vec<Vec<Option<Sample>>>) -> Vec<Row> {
        let base_name = baseline(self.work);
        let measured: Vec<(&Cell, Vec<Option<Sample>>)> = self.cells.iter().zip(samples).collect();
        let find = |name: &str, connections: usize| {
            let found = measured
                .iter()
                .find(|(cell, _)| cell.subject.name == name && cell.connections == connections)?;
            Some((Row::new(found.0, &found.1)?, &found.1))
        };
        let fewest = self.cells.iter().map(|cell| cell.connections).min().unwrap_or(1);
        let mut rows = Vec::new();
        for (cell, rounds) in &measured {
            let Some(mut row) = Row::new(cell, rounds) else {
                continue;
            };
            if let Some((base, base_rounds)) = find(base_name, cell.connections) {
                row.compare(rounds, &base, base_rounds);
            }
            if self.work == Work::EchoIdle
                && let Some((_, fewest)) = find(cell.subject.name, fewest)
            {
                row.compare_with_fewest(rounds, fewest);
            }
            rows.push(row);
        }
        rows
    }
}

fn baseline(work: Work) -> &'static str {
    match work {
        Work::Wake => WAKE_BASELINE,
        Work::Echo | Work::EchoIdle => BASELINE,
    }
}

fn subjects(work: Work, args: &CompareArgs) -> Vec<&'static Subject> {
    ALL.iter()
        .filter(|subject| match work {
            Work::Wake => subject.wakes,
            Work::Echo | Work::EchoIdle => subject.echoes,
        })
        .filter(|subject| {
            let chosen = match subject.kind {
                Kind::Backend => &args.backends,
                Kind::Rival => &args.rivals,
            };
            subject.name == baseline(work) || chosen.iter().any(|name| name == "all" || name == subject.name)
        })
        .collect()
}

/// A bar where somebody watches, and otherwise a line for each round.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(length: usize) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(length as u64);
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta} left  {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar }
    }

    fn round(&self, work: Work, round: usize, rounds: usize) {
        if self.bar.is_none() {
            eprintln!("{}: round {round} of {rounds}", work.name());
        }
    }

    fn step(&self, cell: &Cell) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "{} {} {}",
                cell.work.name(),
                cell.connections,
                cell.subject.name
            ));
            bar.inc(1);
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn plan(work: Work, args: &[&str]) -> Plan {
        let cli = Cli::try_parse_from(std::iter::once("compare").chain(args.iter().copied()));
        Plan::new(work, &cli.expect("valid").compare)
    }

    fn names(plan: &Plan) -> Vec<&str> {
        plan.cells.iter().map(|cell| cell.subject.name).collect()
    }

    #[test]
    fn the_baseline_runs_whatever_is_chosen() {
        let none = ["--backends", "none", "--rivals", "none", "--connections", "5"];
        assert_eq!(names(&plan(Work::Echo, &none)), [BASELINE]);
        assert_eq!(names(&plan(Work::Wake, &none)), [WAKE_BASELINE]);
        let tick = ["--backends", "none", "--rivals", "tick", "--connections", "5"];
        assert_eq!(names(&plan(Work::EchoIdle, &tick)), [BASELINE, "tick"]);
    }

    #[test]
    fn everything_is_measured_by_default_at_three_numbers_of_connections() {
        let plan = plan(Work::Echo, &[]);
        let echoing = ALL.iter().filter(|subject| subject.echoes).count();
        assert_eq!(plan.cells.len(), 3 * echoing);
        assert_eq!(plan.measurements(), 3 * echoing * plan.rounds);
        assert!(names(&plan).contains(&"epoll-again"));
    }

    #[test]
    fn rows_are_written_as_an_array() {
        let rows = [Row::default(), Row::default()];
        let text = json(rows.iter()).expect("plain data");
        let back: Vec<Row> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back, rows);
    }
}
