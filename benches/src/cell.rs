//! One measurement: a server process and a load process, or the one process of the work `wake`.

use crate::child::Process;
use crate::ibd::Task;
use crate::ibd::ground::Ground;
use crate::serve::{self, Usage};
use crate::subject::Subject;
use crate::sv2::Ask;
use crate::work::Work;
use crate::{Failure, load, sys, wake};
use std::ffi::OsStr;

/// What is measured, and on whom.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The work.
    pub work: Work,
    /// Who does it.
    pub subject: &'static Subject,
    /// Connections as rows have them: idle ones of `echo-idle`, 1 of `wake`, otherwise active ones.
    pub connections: usize,
    /// Bytes of a message; over HTTP, of a request; of the work `sv2`, of a template's transactions.
    pub size: usize,
    /// Messages outstanding per active connection.
    pub depth: usize,
    /// What of the work `ibd`.
    pub task: Option<Task>,
    /// What of the work `sv2`.
    pub ask: Option<Ask>,
}

/// The figures of one measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// How the server reached the kernel; empty where that is the same everywhere.
    pub interface: String,
    /// Messages per second.
    pub ops_per_s: f64,
    /// The server's CPU time per message, in microseconds.
    pub cpu_us: f64,
    /// Median latency, in microseconds.
    pub p50_us: f64,
    /// The latency that 90 % stay below.
    pub p90_us: f64,
    /// The latency that 99 % stay below.
    pub p99_us: f64,
    /// The latency that 99.9 % stay below.
    pub p999_us: f64,
    /// System calls of the server per message, where they are counted.
    pub calls: Option<f64>,
    /// Turns of its loop per message, where they are counted.
    pub turns: Option<f64>,
    /// Highest resident memory of the server, in MiB.
    pub rss_mib: f64,
    /// Growth of the server's resident memory by a connection, in bytes.
    pub rss_per_conn: f64,
    /// Growth of the server's heap by a connection, in bytes, where it is counted.
    pub heap_per_conn: Option<f64>,
    /// Bytes per second, of the work `ibd`.
    pub bytes_per_s: Option<f64>,
    /// CPU seconds per gigabyte, of the work `ibd`.
    pub cpu_s_per_gb: Option<f64>,
    /// The worst ping of a bystander, in microseconds, where there was one.
    pub ping_us: Option<f64>,
}

/// How a load process is to end its window.
#[derive(Clone, Copy, Debug)]
pub enum Window {
    /// After so many seconds.
    Seconds(f64),
    /// After so many messages.
    Messages(u64),
}

impl Window {
    /// As the helpers' arguments say it.
    fn argument(self) -> (&'static str, String) {
        match self {
            Window::Seconds(seconds) => ("--seconds", seconds.to_string()),
            Window::Messages(messages) => ("--messages", messages.to_string()),
        }
    }
}

/// The counters around a window.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How the server reaches the kernel.
    pub interface: String,
    /// The server before anybody connected.
    pub empty: Usage,
    /// The server at the beginning of the window.
    pub before: Usage,
    /// The server at its end.
    pub after: Usage,
    /// What the load reports.
    pub load: load::Report,
}

impl Cell {
    /// Measures for so many seconds.
    pub fn measure(&self, seconds: f64, ground: &mut Ground) -> Result<Sample, Failure> {
        let mut window = Window::Seconds(seconds);
        if let Some(ask) = self.ask {
            window = Window::Messages(ask.count(self.size, ground.quick()));
        }
        match (self.work, self.task) {
            (Work::Wake, _) => self.measure_wake(window),
            (Work::Sv2, _) if self.ask == Some(Ask::Tip) => self.measure_wake(window),
            (Work::Ibd, Some(task)) if task.downloads() => ground.measure(self.subject, task),
            _ => {
                let mut server = self.server(&[], ground)?;
                let measured = self.load(&mut server, window)?;
                Ok(self.sample(measured))
            }
        }
    }

    /// Connections that send.
    pub fn active(&self) -> usize {
        if self.work == Work::EchoIdle {
            1
        } else {
            self.connections
        }
    }

    fn idle(&self) -> usize {
        if self.work == Work::EchoIdle {
            self.connections
        } else {
            0
        }
    }

    /// Starts the server, behind a tool if there is one.
    pub fn server(&self, tool: &[&OsStr], ground: &mut Ground) -> Result<Process, Failure> {
        let mut args = serve::arguments(self.subject, self.work);
        if let Some(task) = self.task {
            args.extend(ground.chain_argument(task)?);
        }
        if self.work == Work::Sv2 {
            args.extend(["--size".to_owned(), self.size.to_string()]);
        }
        if let Some((core, _)) = sys::two_cores() {
            args.extend(["--pin".to_owned(), core.to_string()]);
        }
        Process::this(tool, args)
    }

    /// Loads a server that has just been started.
    pub fn load(&self, server: &mut Process, window: Window) -> Result<Measured, Failure> {
        let line = serve::able(server.answer()?)?;
        let (at, interface) = line.split_once(' ').unwrap_or((&line, ""));
        let empty = usage(server)?;
        let (how, much) = window.argument();
        let mut args = vec!["load".to_owned(), at.to_owned()];
        for (name, value) in [
            ("--work", self.work.name().to_owned()),
            ("--connections", self.active().to_string()),
            ("--idle", self.idle().to_string()),
            ("--size", self.size.to_string()),
            ("--depth", self.depth.to_string()),
            (how, much),
        ] {
            args.extend([name.to_owned(), value]);
        }
        if let Some(ask) = self.ask {
            args.extend(["--ask", ask.name()].map(str::to_owned));
        }
        if let Some((_, core)) = sys::two_cores() {
            args.extend(["--pin".to_owned(), core.to_string()]);
        }
        let mut load = Process::this(&[], args)?;
        let ready = load.line()?;
        if ready != "ready" {
            return Err(format!("the load said `{ready}`").into());
        }
        let before = usage(server)?;
        load.tell("go")?;
        let report = serde_json::from_str(&load.line()?)?;
        let after = usage(server)?;
        Ok(Measured {
            interface: interface.to_owned(),
            empty,
            before,
            after,
            load: report,
        })
    }

    fn sample(&self, measured: Measured) -> Sample {
        let Measured {
            interface,
            empty,
            before,
            after,
            load,
        } = measured;
        let ops = load.ops.max(1) as f64;
        let connections = (self.active() + self.idle()) as f64;
        let counts = before.counts.zip(after.counts);
        let bytes = (load.bytes > 0).then_some(load.bytes as f64);
        Sample {
            interface,
            ops_per_s: load.ops as f64 * 1e9 / load.elapsed_ns.max(1) as f64,
            cpu_us: (after.cpu_ns - before.cpu_ns) as f64 / 1000.0 / ops,
            p50_us: load.p50_us,
            p90_us: load.p90_us,
            p99_us: load.p99_us,
            p999_us: load.p999_us,
            calls: counts.map(|(before, after)| (after.calls - before.calls) as f64 / ops),
            turns: counts.map(|(before, after)| (after.turns - before.turns) as f64 / ops),
            rss_mib: after.peak_kib as f64 / 1024.0,
            rss_per_conn: (before.rss_kib.saturating_sub(empty.rss_kib) * 1024) as f64 / connections,
            heap_per_conn: (before.heap.zip(empty.heap))
                .map(|(before, empty)| before.saturating_sub(empty) as f64 / connections),
            bytes_per_s: bytes.map(|bytes| bytes * 1e9 / load.elapsed_ns.max(1) as f64),
            cpu_s_per_gb: bytes.map(|bytes| (after.cpu_ns - before.cpu_ns) as f64 / bytes),
            ping_us: None,
        }
    }

    fn measure_wake(&self, window: Window) -> Result<Sample, Failure> {
        let mut args = vec!["wake".to_owned(), self.subject.name.to_owned()];
        let (how, much) = window.argument();
        for (name, value) in [
            ("--work", self.work.name().to_owned()),
            ("--size", self.size.to_string()),
            (how, much),
        ] {
            args.extend([name.to_owned(), value]);
        }
        if let Some((loop_core, peer_core)) = sys::two_cores() {
            args.extend(["--pin".to_owned(), loop_core.to_string(), peer_core.to_string()]);
        }
        let report: wake::Report = serde_json::from_str(&serve::able(Process::this(&[], args)?.line()?)?)?;
        let ops = report.ops.max(1) as f64;
        Ok(Sample {
            interface: report.interface,
            ops_per_s: report.ops as f64 * 1e9 / report.elapsed_ns.max(1) as f64,
            cpu_us: report.cpu_ns as f64 / 1000.0 / ops,
            p50_us: report.p50_us,
            p99_us: report.p99_us,
            p999_us: report.p999_us,
            calls: report.counts.map(|counts| counts.calls as f64 / ops),
            turns: report.counts.map(|counts| counts.turns as f64 / ops),
            rss_mib: report.peak_kib as f64 / 1024.0,
            ..Sample::default()
        })
    }
}

/// Asks a server for its usage.
fn usage(server: &mut Process) -> Result<Usage, Failure> {
    server.tell("usage")?;
    Ok(serde_json::from_str(&server.answer()?)?)
}
