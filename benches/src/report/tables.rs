//! The table of each work, and what must be known to read it.

use super::row::Row;
use super::table::{Table, figure, interval, perhaps, with_ratio};
use crate::ibd::{Level, Shape};
use crate::subject;
use crate::sv2::Ask;
use crate::work::Work;
use clap::ValueEnum;

/// No line is longer, in characters.
const WIDTH: usize = 120;

/// The rows of one work as a table, with what must be known to read it.
pub fn render(work: Work, rows: &[Row]) -> String {
    let mut table = match work {
        Work::Echo => Table::new(&[
            "subject",
            "op/s    \u{d7}",
            "CPU \u{b5}s   \u{d7}      95 %",
            "p50 \u{b5}s   \u{d7}      95 %",
            "p99 \u{b5}s   \u{d7}      95 %",
            "p99.9",
            "calls   \u{d7}",
            "MiB    \u{d7}",
        ]),
        Work::EchoIdle => Table::new(&[
            "subject",
            "CPU \u{b5}s   \u{d7}      95 %",
            "fewest   95 %",
            "p50 \u{b5}s    \u{d7}",
            "p99 \u{b5}s    \u{d7}",
            "calls   \u{d7}",
            "turns",
            "B/conn",
            "heap",
        ]),
        Work::Wake => Table::new(&[
            "subject",
            "p50 \u{b5}s    \u{d7}",
            "p99 \u{b5}s   \u{d7}      95 %",
            "p99.9 \u{b5}s    \u{d7}",
            "CPU \u{b5}s    \u{d7}",
            "calls   \u{d7}",
            "sends/s",
        ]),
        Work::Ibd => Table::new(&[
            "subject",
            "CPU s/GB   \u{d7}      95 %",
            "MB/s   \u{d7}      95 %",
            "blocks/s",
            "\u{b5}s/block",
            "calls/block   \u{d7}",
            "MiB    \u{d7}",
            "ping ms",
        ]),
        Work::Sv2 => Table::new(&[
            "subject",
            "p50 \u{b5}s   \u{d7}      95 %",
            "p99 \u{b5}s   \u{d7}      95 %",
            "CPU \u{b5}s   \u{d7}      95 %",
            "calls    \u{d7}",
            "turns",
            "MiB    \u{d7}",
        ]),
        _ => Table::new(&[
            "subject",
            "CPU \u{b5}s   \u{d7}      95 %",
            "req/s    \u{d7}",
            "p50 \u{b5}s    \u{d7}",
            "p90 \u{b5}s    \u{d7}",
            "p99 \u{b5}s   \u{d7}      95 %",
            "calls    \u{d7}",
        ]),
    };
    let mut group = None;
    for row in rows {
        let of = (row.size, row.connections, &row.shape, &row.level);
        if work != Work::Wake && group != Some(of) {
            group = Some(of);
            table.text(heading(work, row));
        }
        if let Some(error) = &row.error {
            table.note(&row.subject, error);
            continue;
        }
        table.row(match work {
            Work::Echo => echo(row),
            Work::EchoIdle => idle(row),
            Work::Wake => wake(row),
            Work::Ibd => ibd(row),
            Work::Sv2 => sv2(row),
            _ => http(row),
        });
    }
    format!("{}\n{}", table.render(), legend(work, rows))
}

fn heading(work: Work, row: &Row) -> String {
    match work {
        Work::Ibd => ibd_heading(row),
        Work::Sv2 => sv2_heading(row),
        Work::EchoIdle => format!(
            "\u{2014} 1 active among {} idle connections, {} bytes, depth {}",
            row.connections, row.size, row.depth
        ),
        _ => format!(
            "\u{2014} {}{} connection{}, {} bytes, depth {}",
            if work.is_http() {
                [work.name(), ": "].concat()
            } else {
                String::new()
            },
            row.connections,
            if row.connections == 1 { "" } else { "s" },
            row.size,
            row.depth
        ),
    }
}

fn ibd_heading(row: &Row) -> String {
    let shape = row
        .shape
        .as_deref()
        .and_then(|name| Shape::from_str(name, false).ok());
    let level = row
        .level
        .as_deref()
        .and_then(|name| Level::from_str(name, false).ok());
    let (Some(shape), Some(level)) = (shape, level) else {
        return String::new();
    };
    let what = match shape {
        Shape::Big => "big blocks, 16 in flight".to_owned(),
        Shape::Tiny => "tiny blocks, 16 in flight".to_owned(),
        Shape::Single => "tiny blocks, one at a time".to_owned(),
        Shape::Crowd => "big blocks, beside 200 idle and 4 slow peers and one that pings".to_owned(),
        Shape::Serve => {
            let plural = if row.connections == 1 { "" } else { "s" };
            return format!("\u{2014} serve: big blocks to {} reader{plural}", row.connections);
        }
    };
    let (shape, text) = (shape.name(), level.text());
    format!(
        "\u{2014} {shape}, {}: {what}; {text}",
        level.name().to_uppercase()
    )
}

fn sv2_heading(row: &Row) -> String {
    let name = row.shape.as_deref().unwrap_or_default();
    let text = Ask::from_str(name, false).map_or("", Ask::text);
    format!("\u{2014} {name}, {} bytes of transactions: {text}", row.size)
}

fn cpu(row: &Row) -> String {
    let ratio = interval(row.ratio_cpu, row.ratio_cpu_low, row.ratio_cpu_high);
    format!("{} {ratio}", perhaps(row.cpu_us_per_op))
}

fn p50(row: &Row) -> String {
    let ratio = interval(row.ratio_p50, row.ratio_p50_low, row.ratio_p50_high);
    format!("{} {ratio}", perhaps(row.p50_us))
}

fn p99(row: &Row) -> String {
    let ratio = interval(row.ratio_p99, row.ratio_p99_low, row.ratio_p99_high);
    format!("{} {ratio}", perhaps(row.p99_us))
}

fn echo(row: &Row) -> Vec<String> {
    vec![
        row.subject.clone(),
        with_ratio(row.ops_per_s, row.ratio_ops),
        cpu(row),
        p50(row),
        p99(row),
        perhaps(row.p999_us),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
        with_ratio(row.rss_mib, row.ratio_rss),
    ]
}

fn idle(row: &Row) -> Vec<String> {
    vec![
        row.subject.clone(),
        cpu(row),
        interval(row.ratio_fewest, row.ratio_fewest_low, row.ratio_fewest_high),
        with_ratio(row.p50_us, row.ratio_p50),
        with_ratio(row.p99_us, row.ratio_p99),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
        perhaps(row.turns_per_op),
        row.rss_bytes_per_conn
            .map(|b| format!("{b:.0}"))
            .unwrap_or_default(),
        row.heap_bytes_per_conn
            .map(|b| format!("{b:.0}"))
            .unwrap_or_default(),
    ]
}

fn wake(row: &Row) -> Vec<String> {
    vec![
        row.subject.clone(),
        with_ratio(row.p50_us, row.ratio_p50),
        p99(row),
        with_ratio(row.p999_us, row.ratio_p999),
        with_ratio(row.cpu_us_per_op, row.ratio_cpu),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
        perhaps(row.ops_per_s),
    ]
}

fn http(row: &Row) -> Vec<String> {
    vec![
        row.subject.clone(),
        cpu(row),
        with_ratio(row.ops_per_s, row.ratio_ops),
        with_ratio(row.p50_us, row.ratio_p50),
        with_ratio(row.p90_us, row.ratio_p90),
        p99(row),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
    ]
}

fn ibd(row: &Row) -> Vec<String> {
    let cpu = interval(row.ratio_cpu, row.ratio_cpu_low, row.ratio_cpu_high);
    let speed = interval(row.ratio_ops, row.ratio_ops_low, row.ratio_ops_high);
    vec![
        row.subject.clone(),
        format!("{} {cpu}", perhaps(row.cpu_s_per_gb)),
        format!("{} {speed}", perhaps(row.bytes_per_s.map(|bytes| bytes / 1e6))),
        perhaps(row.ops_per_s),
        perhaps(row.ops_per_s.filter(|ops| *ops > 0.0).map(|ops| 1e6 / ops)),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
        with_ratio(row.rss_mib, row.ratio_rss),
        row.ping_us.map(|us| figure(us / 1e3)).unwrap_or_default(),
    ]
}

fn sv2(row: &Row) -> Vec<String> {
    vec![
        row.subject.clone(),
        p50(row),
        p99(row),
        cpu(row),
        with_ratio(row.syscalls_per_op, row.ratio_syscalls),
        perhaps(row.turns_per_op),
        with_ratio(row.rss_mib, row.ratio_rss),
    ]
}

fn legend(work: Work, rows: &[Row]) -> String {
    let rounds = rows.iter().map(|row| row.rounds).max().unwrap_or(0);
    let base = rows.first().map_or("", |row| &row.baseline);
    let mut text = format!(
        "Medians of {rounds} interleaved rounds. \u{d7} is the ratio to `{base}`; with 95 %: the mean of the rounds' ratios and its\n\
         paired interval (Student's t on their logarithms)."
    );
    if base == subject::baseline(work) {
        text += &[
            " `",
            base,
            "-again` is the same program: what it differs by is noise.",
        ]
        .concat();
    }
    text.push('\n');
    text.push_str(match work {
        Work::Echo => {
            "CPU: the server process's, user and system, per message, between two moments of rest; calls: system calls per\n\
             message; MiB: peak resident memory.\n"
        },
        Work::EchoIdle => {
            "CPU, calls, turns: the server's, per message; fewest: CPU against the same subject among the fewest idle\n\
             connections; B/conn: growth of resident memory by a connection; heap: of the heap,\n\
             with the room that growing tables keep.\n"
        }
        Work::Wake => {
            "From just before the send on another thread to the arrival at the peer, which looks without sleeping where\n\
             there are two cores. The loop sleeps before each send. CPU and calls: the loop's, per send.\n"
        }
        Work::Ibd => {
            "CPU: the subject's process, user and system, from the first block that it asks for to the last that it is done with;\n\
             calls: its system calls; MiB: its peak resident memory, with the chain where it serves that; ping: the worst answer to\n\
             a peer that pings all the time.\n\
             L0: blocks are discarded; L1: their checksums compared; L2: and they are decoded; L3: or checked (proof of work,\n\
             merkle root, witness commitment); L4: and stored, and all of it on the disk at the end.\n\
             In a node that validates all of a block the network's thread has about 7 % of the CPU of an initial download: L1\n\
             and the tiny blocks rank socket layers, and L4 shows what a user would feel.\n"
        }
        Work::Sv2 => {
            "From before the question is sent to when its answer is decrypted, by one client, which looks without sleeping where\n\
             there are two cores; of `tip` from just before another thread of the server tells it. `std`: a thread for each\n\
             connection that blocks, with the same codec, and for tips a second one that waits for a condition variable, which is\n\
             not among its calls. CPU and calls: the server's, per answer; of `setup` and `handshake` with all that a connection costs.\n"
        }
        _ => {
            "CPU: the server's, user and system, per request, between two moments of rest: most of it is the kernel's, so that it\n\
             tells more than requests per second; calls: system calls per request. Bytes: of a request, with its head.\n"
        }
    });
    let mut said = Vec::new();
    for row in rows.iter().filter(|row| !row.interface.is_empty()) {
        if !said.contains(&&row.subject) {
            said.push(&row.subject);
            text.push_str(&wrapped(&format!("`{}`: {}", row.subject, row.interface)));
        }
    }
    text
}

/// A text in lines that fit.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let more = word.chars().count();
        let separator = match width {
            0 => "",
            _ if width + 1 + more > WIDTH => {
                width = 0;
                "\n"
            }
            _ => " ",
        };
        width += more + separator.trim_end_matches('\n').len();
        lines.push_str(separator);
        lines.push_str(word);
    }
    lines + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_table_fits() {
        let mut row = Row {
            interface: "io_uring with everything there is, ".repeat(9),
            ops_per_s: Some(888_888.0),
            cpu_us_per_op: Some(888.8),
            p50_us: Some(88_888.0),
            p90_us: Some(88_888.0),
            p99_us: Some(88_888.0),
            p999_us: Some(88_888.0),
            syscalls_per_op: Some(8.88),
            turns_per_op: Some(1.0),
            rss_mib: Some(88.8),
            rss_bytes_per_conn: Some(88_888.0),
            heap_bytes_per_conn: Some(88_888.0),
            ratio_cpu: Some(8.88),
            ratio_cpu_low: Some(8.88),
            ratio_cpu_high: Some(8.88),
            ratio_ops: Some(8.88),
            ratio_ops_low: Some(8.88),
            ratio_ops_high: Some(8.88),
            ratio_p50: Some(8.88),
            ratio_p50_low: Some(8.88),
            ratio_p50_high: Some(8.88),
            ratio_p90: Some(8888.0),
            ratio_p99: Some(8888.0),
            ratio_p99_low: Some(8888.0),
            ratio_p99_high: Some(8888.0),
            ratio_p999: Some(8888.0),
            ratio_syscalls: Some(8.88),
            ratio_rss: Some(88.88),
            ratio_fewest: Some(88.88),
            ratio_fewest_low: Some(88.88),
            ratio_fewest_high: Some(88.88),
            bytes_per_s: Some(8888.8e6),
            cpu_s_per_gb: Some(8.88),
            ping_us: Some(88_888.0),
            ..Row::default()
        };
        for (work, longest) in [
            (Work::Echo, "polling-loop"),
            (Work::EchoIdle, "polling-loop"),
            (Work::Wake, "eventfd-again"),
            (Work::HttpPipeline, "http-epoll-again"),
            (Work::Ibd, "std-again"),
            (Work::Sv2, "std-again"),
        ] {
            longest.clone_into(&mut row.subject);
            let text = render(work, std::slice::from_ref(&row));
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{}: {line}", line.chars().count());
            }
            assert!(text.contains(longest));
        }
    }
}
