//! A loop's counters as text.

use sockman_backends::sockman::{Closed, Stats};
use std::fmt::Write;

/// One line for each counter: its name, a space, its value.
pub(crate) fn lines(stats: &Stats) -> String {
    let single = [
        ("turns", stats.turns),
        ("wakeups", stats.wakeups),
        ("remote_wakeups", stats.remote_wakeups),
        ("events", stats.events),
        ("bytes_in", stats.bytes_in),
        ("bytes_out", stats.bytes_out),
        ("accepts", stats.accepts),
        ("refusals", stats.refusals),
        ("accept_errors", stats.accept_errors),
        ("accept_backoffs", stats.accept_backoffs),
        ("accept_waits", stats.accept_waits),
    ];
    let mut text = format!("interface {}\n", stats.interface);
    for (name, value) in single {
        let _ = writeln!(text, "{name} {value}");
    }
    for (kind, value) in stats.syscalls.iter() {
        let _ = writeln!(text, "syscalls.{kind} {value}");
    }
    for (reason, value) in Closed::NAMES.iter().zip(stats.closes) {
        let _ = writeln!(text, "closes.{reason} {value}");
    }
    text
}
