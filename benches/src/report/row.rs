//! A subject's medians and ratios, as a JSON row.

use crate::cell::{Cell, Sample};
use crate::statistics::{Ratio, median, paired_ratio};
use crate::sv2::Ask;
use crate::work::Work;
use serde::{Deserialize, Serialize};

/// One row: medians over the rounds, and ratios to the baseline. What was not measured is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The work.
    pub work: String,
    /// Who did it.
    pub subject: String,
    /// `backend` or `rival`.
    pub kind: String,
    /// Idle connections of `echo-idle`, 1 of `wake`, otherwise active ones.
    pub connections: usize,
    /// Bytes of a message; over HTTP, of a request.
    pub size: usize,
    /// Messages outstanding per active connection.
    pub depth: usize,
    /// Rounds that gave figures.
    pub rounds: usize,
    /// Whom the ratios are to.
    pub baseline: String,
    /// How the server reached the kernel; empty where that is the same everywhere.
    pub interface: String,
    /// Why none did, as when a backend cannot run on this machine.
    pub error: Option<String>,
    /// What was downloaded or served, of the work `ibd`; what was asked, of the work `sv2`.
    pub shape: Option<String>,
    /// What was done with it.
    pub level: Option<String>,
    /// Messages per second.
    pub ops_per_s: Option<f64>,
    /// Bytes per second, of the work `ibd`.
    pub bytes_per_s: Option<f64>,
    /// CPU seconds per gigabyte, of the work `ibd`; its `ratio_cpu` is of these.
    pub cpu_s_per_gb: Option<f64>,
    /// The worst ping of a bystander, in microseconds: the median over the rounds (`ibd`).
    pub ping_us: Option<f64>,
    /// The server's CPU time per message, in microseconds.
    pub cpu_us_per_op: Option<f64>,
    /// Median latency, in microseconds.
    pub p50_us: Option<f64>,
    /// The latency that 90 % stay below; `wake` has none, and so do the tips of `sv2`.
    pub p90_us: Option<f64>,
    /// The latency that 99 % stay below.
    pub p99_us: Option<f64>,
    /// The latency that 99.9 % stay below.
    pub p999_us: Option<f64>,
    /// System calls of the server per message.
    pub syscalls_per_op: Option<f64>,
    /// Turns of its loop per message.
    pub turns_per_op: Option<f64>,
    /// Highest resident memory of the server, in MiB.
    pub rss_mib: Option<f64>,
    /// Growth of resident memory by a connection, in bytes (`echo-idle`).
    pub rss_bytes_per_conn: Option<f64>,
    /// Growth of the heap by a connection, in bytes (`echo-idle`).
    pub heap_bytes_per_conn: Option<f64>,
    /// CPU time against the baseline: the mean of the rounds' ratios, with the ends of its 95 % interval.
    pub ratio_cpu: Option<f64>,
    /// See `ratio_cpu`.
    pub ratio_cpu_low: Option<f64>,
    /// See `ratio_cpu`.
    pub ratio_cpu_high: Option<f64>,
    /// Messages per second against the baseline.
    pub ratio_ops: Option<f64>,
    /// See `ratio_ops`.
    pub ratio_ops_low: Option<f64>,
    /// See `ratio_ops`.
    pub ratio_ops_high: Option<f64>,
    /// Median latency against the baseline, paired as CPU time is.
    pub ratio_p50: Option<f64>,
    /// See `ratio_p50`.
    pub ratio_p50_low: Option<f64>,
    /// See `ratio_p50`.
    pub ratio_p50_high: Option<f64>,
    /// The 90 % latency against the baseline, paired as CPU time is.
    pub ratio_p90: Option<f64>,
    /// See `ratio_p90`.
    pub ratio_p90_low: Option<f64>,
    /// See `ratio_p90`.
    pub ratio_p90_high: Option<f64>,
    /// The 99 % latency against the baseline, paired as CPU time is.
    pub ratio_p99: Option<f64>,
    /// See `ratio_p99`.
    pub ratio_p99_low: Option<f64>,
    /// See `ratio_p99`.
    pub ratio_p99_high: Option<f64>,
    /// The 99.9 % latency against the baseline: the ratio of the medians, as with the other figures without an interval.
    pub ratio_p999: Option<f64>,
    /// System calls per message against the baseline.
    pub ratio_syscalls: Option<f64>,
    /// Highest resident memory against the baseline.
    pub ratio_rss: Option<f64>,
    /// CPU time against the same subject's with the fewest connections (`echo-idle`), paired.
    pub ratio_fewest: Option<f64>,
    /// See `ratio_fewest`.
    pub ratio_fewest_low: Option<f64>,
    /// See `ratio_fewest`.
    pub ratio_fewest_high: Option<f64>,
}

/// The samples of a cell by round; `None` where the measurement failed.
pub type Rounds = [Option<Sample>];

impl Row {
    /// The row of a cell without its ratios.
    pub fn new(cell: &Cell, rounds: &Rounds) -> Row {
        let of = |figure: fn(&Sample) -> f64| median(rounds.iter().flatten().map(figure));
        let perhaps = |figure: fn(&Sample) -> Option<f64>| median(rounds.iter().flatten().filter_map(figure));
        let idle = cell.work == Work::EchoIdle;
        let woken = cell.work == Work::Wake || cell.ask == Some(Ask::Tip);
        Row {
            work: cell.work.name().to_owned(),
            subject: cell.subject.name.to_owned(),
            kind: cell.subject.kind.name().to_owned(),
            connections: cell.connections,
            size: cell.size,
            depth: cell.depth,
            shape: (cell.task.map(|task| task.shape.name()))
                .or(cell.ask.map(Ask::name))
                .map(str::to_owned),
            level: cell.task.map(|task| task.level.name().to_owned()),
            rounds: rounds.iter().flatten().count(),
            interface: rounds
                .iter()
                .flatten()
                .last()
                .map_or_else(String::new, |s| s.interface.clone()),
            ops_per_s: of(|s| s.ops_per_s),
            bytes_per_s: perhaps(|s| s.bytes_per_s),
            cpu_s_per_gb: perhaps(|s| s.cpu_s_per_gb),
            ping_us: perhaps(|s| s.ping_us),
            cpu_us_per_op: of(|s| s.cpu_us),
            p50_us: of(|s| s.p50_us),
            p90_us: of(|s| s.p90_us).filter(|_| !woken),
            p99_us: of(|s| s.p99_us),
            p999_us: of(|s| s.p999_us),
            syscalls_per_op: perhaps(|s| s.calls),
            turns_per_op: perhaps(|s| s.turns),
            rss_mib: of(|s| s.rss_mib),
            rss_bytes_per_conn: of(|s| s.rss_per_conn).filter(|_| idle),
            heap_bytes_per_conn: perhaps(|s| s.heap_per_conn).filter(|_| idle),
            ..Row::default()
        }
    }

    /// Fills the ratios to the baseline, given both with their rounds.
    pub fn compare(&mut self, rounds: &Rounds, base: &Row, base_rounds: &Rounds) {
        self.baseline.clone_from(&base.subject);
        let paired = |figure| paired(rounds, base_rounds, figure);
        (self.ratio_cpu, self.ratio_cpu_low, self.ratio_cpu_high) =
            paired(|s: &Sample| s.cpu_s_per_gb.unwrap_or(s.cpu_us));
        (self.ratio_ops, self.ratio_ops_low, self.ratio_ops_high) =
            paired(|s| s.bytes_per_s.unwrap_or(s.ops_per_s));
        (self.ratio_p90, self.ratio_p90_low, self.ratio_p90_high) = paired(|s| s.p90_us);
        (self.ratio_p99, self.ratio_p99_low, self.ratio_p99_high) = paired(|s| s.p99_us);
        (self.ratio_p50, self.ratio_p50_low, self.ratio_p50_high) = paired(|s| s.p50_us);
        self.ratio_p999 = ratio(self.p999_us, base.p999_us);
        self.ratio_rss = ratio(self.rss_mib, base.rss_mib);
        self.ratio_syscalls = ratio(self.syscalls_per_op, base.syscalls_per_op);
    }

    /// Fills the ratio to the same subject's rounds with the fewest connections.
    pub fn compare_with_fewest(&mut self, rounds: &Rounds, fewest: &Rounds) {
        (self.ratio_fewest, self.ratio_fewest_low, self.ratio_fewest_high) =
            paired(rounds, fewest, |s| s.cpu_us);
    }
}

fn ratio(ours: Option<f64>, base: Option<f64>) -> Option<f64> {
    let (ours, base) = ours.zip(base)?;
    (base > 0.0).then_some(ours / base)
}

type Ends = (Option<f64>, Option<f64>, Option<f64>);

fn paired(ours: &Rounds, base: &Rounds, figure: fn(&Sample) -> f64) -> Ends {
    let pairs: Vec<(f64, f64)> = ours
        .iter()
        .zip(base)
        .filter_map(|(ours, base)| Some((figure(ours.as_ref()?), figure(base.as_ref()?))))
        .collect();
    match paired_ratio(&pairs) {
        None => (None, None, None),
        Some(Ratio { mid, low, high }) => (Some(mid), low, high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject;

    fn row(work: Work, cpu: f64) -> (Row, Vec<Option<Sample>>) {
        let subject = subject::find("epoll").expect("listed");
        let cell = Cell {
            work,
            subject,
            connections: 50,
            size: 64,
            depth: 1,
            task: None,
            ask: None,
        };
        let sample = Sample {
            cpu_us: cpu,
            ops_per_s: 10.0,
            calls: Some(2.0),
            heap_per_conn: Some(0.0),
            ..Sample::default()
        };
        let rounds = vec![Some(sample.clone()), None, Some(sample)];
        (Row::new(&cell, &rounds), rounds)
    }

    #[test]
    fn a_row_has_the_keys_that_were_promised() {
        let (mut row, rounds) = row(Work::Echo, 3.0);
        let base = row.clone();
        row.compare(&rounds, &base, &rounds);
        let value = serde_json::to_value(&row).expect("plain data");
        for key in [
            "work",
            "subject",
            "kind",
            "connections",
            "size",
            "depth",
            "ops_per_s",
            "cpu_us_per_op",
            "p50_us",
            "p99_us",
            "p999_us",
            "syscalls_per_op",
            "rss_mib",
            "ratio_cpu",
            "ratio_cpu_low",
            "ratio_cpu_high",
            "ratio_ops",
            "ratio_ops_low",
            "ratio_ops_high",
        ] {
            assert!(value.get(key).is_some(), "{key}");
        }
        assert_eq!(value["kind"], "rival");
        assert_eq!(value["ratio_cpu"], 1.0);
        assert_eq!(value["rounds"], 2);
        let back: Row = serde_json::from_value(value).expect("the same shape");
        assert_eq!(back, row);
    }

    #[test]
    fn ratios_are_ours_over_the_baseline() {
        let (mut ours, rounds) = row(Work::EchoIdle, 3.0);
        let (base, base_rounds) = row(Work::EchoIdle, 2.0);
        ours.compare(&rounds, &base, &base_rounds);
        ours.compare_with_fewest(&rounds, &base_rounds);
        assert!((ours.ratio_cpu.expect("paired") - 1.5).abs() < 1e-9);
        assert!((ours.ratio_fewest.expect("paired") - 1.5).abs() < 1e-9);
        assert_eq!(ours.ratio_syscalls, Some(1.0));
        assert_eq!(ours.ratio_rss, None, "nothing to divide by");
        assert_eq!(ours.heap_bytes_per_conn, Some(0.0));
    }
}
