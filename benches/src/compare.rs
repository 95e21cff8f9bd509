//! Runs the rounds: each round measures every subject once at each number of connections.

use crate::cell::{Cell, Sample};
use crate::cli::CompareArgs;
use crate::http::Exchange;
use crate::ibd::ground::Ground;
use crate::ibd::{self, Task};
use crate::report::{Row, tables};
use crate::serve::Unable;
use crate::subject::{self, ALL, Kind, Subject};
use crate::sv2::{self, Ask};
use crate::work::Work;
use crate::{Failure, child, instructions, load, sys, wake};
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
    let mut ground = Ground::new(args.quick);
    for plan in plans {
        let outcomes = plan.run(&progress, &mut ground, &mut failures);
        all.push((plan.work, plan.rows(&outcomes)));
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
    baseline: &'static str,
    cells: Vec<Cell>,
    rounds: usize,
    seconds: f64,
}

impl Plan {
    fn new(work: Work, args: &CompareArgs) -> Plan {
        let (rounds, seconds) = match (work, args.quick) {
            (_, true) => (2, 0.05),
            (Work::Wake, false) => (7, 1.0),
            (work, false) if work.is_http() => (7, 0.3),
            (_, false) => (7, 0.15),
        };
        let subjects = subjects(work, args);
        let cells = groups(work, args)
            .iter()
            .flat_map(|group| {
                subjects.iter().map(|subject| Cell {
                    work,
                    subject,
                    connections: group.connections,
                    size: group.size,
                    depth: (group.task).map_or(work.depth(args.depth), |task| task.shape.in_flight()),
                    task: group.task,
                    ask: group.ask,
                })
            })
            .collect();
        Plan {
            work,
            baseline: baseline(work, args),
            cells,
            rounds: args.rounds.map_or(rounds, |rounds| rounds as usize),
            seconds: args.seconds.unwrap_or(seconds),
        }
    }

    fn measurements(&self) -> usize {
        self.cells.len() * self.rounds
    }

    /// What came of each cell.
    fn run(&self, progress: &Progress, ground: &mut Ground, failures: &mut Vec<String>) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::default(); self.cells.len()];
        for round in 1..=self.rounds {
            progress.round(self.work, round, self.rounds);
            for (cell, outcome) in self.cells.iter().zip(&mut outcomes) {
                progress.step(cell);
                if !outcome.unable {
                    outcome.add(cell, cell.measure(self.seconds, ground), failures);
                }
            }
        }
        if child::has("strace") {
            self.count_calls(ground, &mut outcomes);
        }
        outcomes
    }

    /// Counts the system calls of those that do not count their own, in a short run of its own under strace.
    fn count_calls(&self, ground: &mut Ground, outcomes: &mut [Outcome]) {
        for (cell, Outcome { rounds, .. }) in self.cells.iter().zip(outcomes) {
            if rounds.iter().flatten().all(|sample| sample.calls.is_some()) {
                continue;
            }
            // The figure stays blank where strace may not trace.
            let calls = instructions::calls_per_message(cell, ground).ok();
            for sample in rounds.iter_mut().flatten() {
                sample.calls = calls;
            }
        }
    }

    fn rows(&self, outcomes: &[Outcome]) -> Vec<Row> {
        let find = |name: &str, group: Group| {
            let wanted = |cell: &Cell| cell.subject.name == name && Group::of(cell) == group;
            let (cell, outcome) = self.cells.iter().zip(outcomes).find(|(cell, _)| wanted(cell))?;
            Some((Row::new(cell, &outcome.rounds), &outcome.rounds))
        };
        let fewest = self.cells.iter().map(|cell| cell.connections).min().unwrap_or(1);
        let mut rows = Vec::new();
        for (cell, outcome) in self.cells.iter().zip(outcomes) {
            let mut row = Row::new(cell, &outcome.rounds);
            if row.rounds == 0 {
                row.error.clone_from(&outcome.error);
            }
            if let Some((base, base_rounds)) = find(self.baseline, Group::of(cell)) {
                row.compare(&outcome.rounds, &base, base_rounds);
            }
            if self.work == Work::EchoIdle
                && let Some((_, fewest)) = find(
                    cell.subject.name,
                    Group {
                        connections: fewest,
                        ..Group::of(cell)
                    },
                )
            {
                row.compare_with_fewest(&outcome.rounds, fewest);
            }
            rows.push(row);
        }
        rows
    }
}

/// What came of a cell.
#[derive(Clone, Debug, Default)]
struct Outcome {
    /// Its samples by round; `None` where the measurement failed.
    rounds: Vec<Option<Sample>>,
    /// The last failure.
    error: Option<String>,
    /// Whether the subject cannot run on this machine, so that it need not be tried again.
    unable: bool,
}

impl Outcome {
    fn add(&mut self, cell: &Cell, measured: Result<Sample, Failure>, failures: &mut Vec<String>) {
        let error = match measured {
            Ok(sample) => return self.rounds.push(Some(sample)),
            Err(error) => error,
        };
        // Once it ran it can; and that it cannot is a result, not a failure of the comparison.
        self.unable = error.is::<Unable>() && self.rounds.iter().all(Option::is_none);
        if !self.unable {
            failures.push(format!(
                "{}: {} at {} connections, {}: {error}",
                cell.work.name(),
                cell.subject.name,
                cell.connections,
                match (cell.task, cell.ask) {
                    (Some(task), _) => format!("{} {}", task.shape.name(), task.level.name()),
                    (None, Some(ask)) => format!("{} of {} bytes", ask.name(), cell.size),
                    (None, None) => format!("{} bytes", cell.size),
                }
            ));
        }
        self.error = Some(error.to_string());
        self.rounds.push(None);
    }
}

/// What is compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Group {
    size: usize,
    connections: usize,
    task: Option<Task>,
    ask: Option<Ask>,
}

impl Group {
    fn new(size: usize, connections: usize) -> Group {
        Group {
            size,
            connections,
            task: None,
            ask: None,
        }
    }

    fn of(cell: &Cell) -> Group {
        Group {
            size: cell.size,
            connections: cell.connections,
            task: cell.task,
            ask: cell.ask,
        }
    }
}

/// Message sizes with numbers of connections, in the order of the tables.
fn groups(work: Work, args: &CompareArgs) -> Vec<Group> {
    let usual: &[usize] = match (work, args.quick) {
        (Work::Wake, _) => return vec![Group::new(wake::MESSAGE.len(), 1)],
        (Work::Ibd, false) => &[1, 4, 100],
        (Work::Echo, false) => &[1, 50, 1000],
        (Work::Echo, true) => &[1, 20],
        (Work::EchoIdle, false) => &[10, 1000, 10_000],
        (Work::EchoIdle, true) => &[10, 100],
        (Work::HttpTail, false) => &[1, 2, 8],
        (Work::HttpTail | Work::Ibd, true) => &[2],
        (_, false) => &[64],
        (_, true) => &[8],
    };
    let or = |given: &[u64], usual: &[usize]| match given {
        [] => usual.to_vec(),
        given => given.iter().map(|number| *number as usize).collect(),
    };
    if work == Work::Sv2 {
        let asks = sv2::groups(&args.asks, &or(&args.size, &[])).into_iter();
        return asks
            .map(|(ask, size)| Group {
                ask: Some(ask),
                ..Group::new(size, 1)
            })
            .collect();
    }
    let connections = or(&args.connections, usual);
    if work.is_http() {
        let size = Exchange::new(work, 0).size();
        return connections
            .into_iter()
            .map(|count| Group::new(size, count))
            .collect();
    }
    if work == Work::Ibd {
        let tasks = ibd::groups(&args.shapes, &args.levels, &connections);
        return tasks
            .into_iter()
            .map(|(task, connections)| Group {
                task: Some(task),
                ..Group::new(load::blocks::BUFFER, connections)
            })
            .collect();
    }
    let mut groups: Vec<Group> = or(&args.size, &[64])
        .into_iter()
        .flat_map(|size| connections.iter().map(move |count| Group::new(size, *count)))
        .collect();
    if work == Work::Echo && args.size.is_empty() && args.connections.is_empty() {
        // Large messages show what copying and splitting cost; one number of connections does for that.
        groups.push(Group::new(64 << 10, usual[1]));
    }
    groups
}

/// Whom the ratios are to: who is named, if it does this work.
fn baseline(work: Work, args: &CompareArgs) -> &'static str {
    let named = args.baseline.as_deref().and_then(subject::find);
    named
        .filter(|named| named.does(work))
        .map_or(subject::baseline(work), |named| named.name)
}

fn subjects(work: Work, args: &CompareArgs) -> Vec<&'static Subject> {
    ALL.iter()
        .filter(|subject| subject.does(work))
        .filter(|subject| {
            let chosen = match subject.kind {
                Kind::Backend => &args.backends,
                Kind::Rival => &args.rivals,
            };
            subject.name == baseline(work, args)
                || chosen.iter().any(|name| name == "all" || name == subject.name)
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
                "{} {} × {} B {}",
                cell.work.name(),
                cell.connections,
                cell.size,
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
    use crate::subject::{BASELINE, HTTP_BASELINE, WAKE_BASELINE};
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
        let to_tokio = [&none[..], &["--baseline", "tokio"]].concat();
        assert_eq!(names(&plan(Work::Echo, &to_tokio)), ["tokio"]);
        assert_eq!(
            names(&plan(Work::Wake, &to_tokio)),
            [WAKE_BASELINE],
            "it does not wake"
        );
        assert_eq!(names(&plan(Work::HttpTail, &none)), [HTTP_BASELINE]);
    }

    #[test]
    fn everything_is_measured_by_default_with_small_messages_and_large() {
        let plan = plan(Work::Echo, &[]);
        let echoing = ALL.iter().filter(|subject| subject.does(Work::Echo)).count();
        assert_eq!(plan.cells.len(), 4 * echoing);
        assert_eq!(plan.measurements(), 4 * echoing * plan.rounds);
        assert!(names(&plan).contains(&"epoll-again"));
    }

    #[test]
    fn sizes_and_connections_that_are_given_are_all_there_is() {
        let groups = |work, args: &[&str]| {
            let plan = plan(
                work,
                &[&["--backends", "none", "--rivals", "none"], args].concat(),
            );
            let groups = plan.cells.iter().map(|cell| (cell.size, cell.connections));
            groups.collect::<Vec<_>>()
        };
        let usual = [(64, 1), (64, 50), (64, 1000), (65_536, 50)];
        assert_eq!(groups(Work::Echo, &[]), usual);
        assert_eq!(groups(Work::Echo, &["--connections", "7"]), [(64, 7)]);
        let both = ["--connections", "7,8", "--size", "9,10"];
        assert_eq!(groups(Work::Echo, &both), [(9, 7), (9, 8), (10, 7), (10, 8)]);
        assert_eq!(groups(Work::Echo, &["--size", "9"]).len(), 3);
        assert_eq!(groups(Work::Wake, &both), [(64, 1)]);
        let size = Exchange::new(Work::Http, 0).size();
        assert_eq!(groups(Work::Http, &[]), [(size, 64)]);
        assert_eq!(
            groups(Work::Http, &both),
            [(size, 7), (size, 8)],
            "requests are what they are"
        );
        assert_eq!(
            groups(
                Work::Sv2,
                &["--asks", "error,tip", "--size", "9", "--connections", "7"]
            ),
            [(9, 1), (9, 1)],
            "it has one client"
        );
        let clients = groups(Work::HttpTail, &[]).into_iter().map(|(_, count)| count);
        assert_eq!(clients.collect::<Vec<_>>(), [1, 2, 8]);
    }

    #[test]
    fn what_cannot_run_here_is_a_row_with_the_reason() {
        let plan = plan(
            Work::Echo,
            &["--backends", "none", "--rivals", "tokio", "--connections", "5"],
        );
        let mut failures = Vec::new();
        let mut outcomes = vec![Outcome::default(); 2];
        outcomes[0].add(&plan.cells[0], Ok(Sample::default()), &mut failures);
        outcomes[1].add(
            &plan.cells[1],
            Err(Unable("forbidden".to_owned()).into()),
            &mut failures,
        );
        assert!(failures.is_empty() && outcomes[1].unable);
        let rows = plan.rows(&outcomes);
        assert_eq!((rows[0].rounds, &rows[0].error), (1, &None));
        assert_eq!((rows[1].rounds, rows[1].ops_per_s), (0, None));
        assert_eq!(rows[1].error.as_deref(), Some("not on this machine: forbidden"));
        assert!(tables::render(Work::Echo, &rows).contains("tokio    not on this machine: forbidden"));

        outcomes[0].add(&plan.cells[0], Err("it hangs".into()), &mut failures);
        assert_eq!(failures.len(), 1);
        assert_eq!(plan.rows(&outcomes)[0].error, None, "a round gave figures");
    }

    #[test]
    fn rows_are_written_as_an_array() {
        let rows = [Row::default(), Row::default()];
        let text = json(rows.iter()).expect("plain data");
        let back: Vec<Row> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back, rows);
    }
}
