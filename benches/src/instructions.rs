//! Instructions in user space per message, counted by callgrind, and system calls per message.
//!
//! Each server runs twice under the tool, with different numbers of messages; start-up, connecting and the end cancel out
//! in the difference. Unlike times these figures hardly vary, so they decide where times cannot.

use crate::Failure;
use crate::cell::{Cell, Measured, Window};
use crate::child;
use crate::cli::InstructionsArgs;
use crate::http::Exchange;
use crate::ibd::ground::Ground;
use crate::report::table::{Table, figure, ratio};
use crate::serve::Unable;
use crate::subject::{self, baseline};
use crate::work::Work;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whom to count when nobody is named: our backends, and what does the same by hand; those of them that are compiled in.
/// Not those on `io_uring`: under valgrind 3.19 a thread that waits there keeps all others from running, also the one that
/// is asked for the counts.
const USUAL: &[&str] = &[
    "epoll",
    "http-epoll",
    "mio",
    "polling-loop",
    "polling",
    "libuv-c",
    "uv",
    "evhttp",
    "hyper",
];

/// No program starts with fewer system calls than this.
const TO_START: u64 = 20;

/// A server under a tool takes its time to write down what was counted.
pub(crate) const TO_END: Duration = Duration::from_secs(60);

/// Runs the count and prints its table.
pub fn run(args: &InstructionsArgs) -> Result<(), Failure> {
    if matches!(args.work, Work::Wake | Work::Ibd | Work::Sv2) {
        return Err("of this work instructions are not counted".into());
    }
    if !child::has("valgrind") {
        return Err("valgrind is not installed; instructions are counted by its tool callgrind".into());
    }
    let folder = match &args.keep {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir(),
    };
    fs::create_dir_all(&folder)?;
    let mut names: Vec<&str> = args.subjects.iter().map(String::as_str).collect();
    if names.is_empty() {
        let does = |name: &&str| subject::find(name).is_some_and(|subject| subject.does(args.work));
        names = USUAL.iter().copied().filter(does).collect();
    }
    let mut counted = Vec::new();
    for subject in names.iter().filter_map(|name| subject::find(name)) {
        if !subject.does(args.work) {
            return Err(format!("{} does not do {}", subject.name, args.work.name()).into());
        }
        let cell = Cell {
            work: args.work,
            subject,
            connections: args.connections as usize,
            size: size(args),
            depth: args.work.depth(args.depth),
            task: None,
            ask: None,
        };
        eprintln!("instructions: {}", subject.name);
        match count(&cell, args, &folder) {
            Err(error) if error.is::<Unable>() => eprintln!("instructions: {}: {error}", subject.name),
            count => counted.push((subject.name, count?)),
        }
    }
    println!("\n{}", render(args, &counted));
    Ok(())
}

/// Bytes of a message.
fn size(args: &InstructionsArgs) -> usize {
    if args.work.is_http() {
        Exchange::new(args.work, 0).size()
    } else {
        args.size as usize
    }
}

/// What was counted, per message.
#[derive(Clone, Copy, Debug)]
struct Count {
    instructions: f64,
    calls: Option<f64>,
    turns: Option<f64>,
}

fn count(cell: &Cell, args: &InstructionsArgs, folder: &Path) -> Result<Count, Failure> {
    let under = |messages: u64| -> Result<(u64, Measured), Failure> {
        let file = folder.join(format!(
            "callgrind.{}.{messages}.{}.out",
            cell.subject.name,
            std::process::id()
        ));
        let out = option("--callgrind-out-file=", &file);
        let tool = ["valgrind", "-q", "--tool=callgrind"].map(OsStr::new);
        let measured = under_tool(
            cell,
            &[&tool[..], &[&out]].concat(),
            messages,
            &mut Ground::new(true),
        )?;
        let text = fs::read_to_string(&file)?;
        if args.keep.is_none() {
            fs::remove_file(&file)?;
        }
        let total = total_instructions(&text).ok_or("callgrind's file has no total")?;
        Ok((total, measured))
    };
    let few = args.messages / 5;
    let (least, _) = under(few)?;
    let (most, measured) = under(args.messages)?;
    let ops = measured.load.ops.max(1) as f64;
    let counts = measured.before.counts.zip(measured.after.counts);
    let per_message = |f: fn(&crate::serve::Counts) -> u64| {
        counts.map(|(before, after)| (f(&after) - f(&before)) as f64 / ops)
    };
    Ok(Count {
        instructions: most.saturating_sub(least) as f64 / (args.messages - few) as f64,
        calls: per_message(|c| c.calls).or_else(|| calls_per_message(cell, &mut Ground::new(true)).ok()),
        turns: per_message(|c| c.turns),
    })
}

/// The total in a file that callgrind wrote.
fn total_instructions(file: &str) -> Option<u64> {
    let line = file
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")))?;
    line.split_whitespace().next()?.parse().ok()
}

/// System calls of the server per message, from two runs under strace. They are a few fewer waits than without it: strace
/// slows the server, so that more messages share one.
pub fn calls_per_message(cell: &Cell, ground: &mut Ground) -> Result<f64, Failure> {
    let (few, many) = match cell.task {
        // The first blocks of a chain are tiny.
        Some(task) => ground.some_blocks(task),
        None => (500, 3500 + 4 * cell.active() as u64),
    };
    let mut under = |messages: u64| -> Result<u64, Failure> {
        let file = temporary(&format!("strace.{}.{messages}", cell.subject.name));
        let tool = ["strace", "-f", "-c", "-U", "calls,name", "-o"].map(OsStr::new);
        let tool = [&tool[..], &[file.as_os_str()]].concat();
        let outcome = match cell.task {
            Some(task) if task.downloads() => ground
                .download(cell.subject, task, &tool, Some(messages))
                .map(drop),
            _ => under_tool(cell, &tool, messages, ground).map(drop),
        };
        let text = fs::read_to_string(&file);
        // Whatever became of the run, nothing of it stays.
        let _ = fs::remove_file(&file);
        outcome?;
        Ok(total_calls(&text?))
    };
    // A summary may come out incomplete when the server ends; then once more.
    for _ in 0..3 {
        let (least, most) = (under(few)?, under(many)?);
        if least > TO_START && most > least {
            return Ok((most - least) as f64 / (many - few) as f64);
        }
    }
    Err("strace's summary is incomplete".into())
}

/// The sum of the calls in strace's summary.
fn total_calls(summary: &str) -> u64 {
    summary
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let calls: u64 = words.next()?.parse().ok()?;
            (words.next()? != "total").then_some(calls)
        })
        .sum()
}

/// Runs the cell's server under a tool, loads it with so many messages, and lets it end.
fn under_tool(cell: &Cell, tool: &[&OsStr], messages: u64, ground: &mut Ground) -> Result<Measured, Failure> {
    let mut server = cell.server(tool, ground)?;
    let measured = cell.load(&mut server, Window::Messages(messages))?;
    server.finish(TO_END)?;
    Ok(measured)
}

fn option(name: &str, value: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push(value);
    text
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{name}.{}.out", std::process::id()))
}

fn render(args: &InstructionsArgs, counted: &[(&str, Count)]) -> String {
    let base = counted.iter().find(|(name, _)| *name == baseline(args.work));
    let base = base.map(|(_, count)| count.instructions);
    let mut table = Table::new(&[
        "subject",
        "instructions/message",
        "\u{d7}",
        "calls/message",
        "turns/message",
    ]);
    for (name, count) in counted {
        table.row([
            (*name).to_owned(),
            figure(count.instructions),
            ratio(base.map(|base| count.instructions / base)),
            count.calls.map(|calls| format!("{calls:.3}")).unwrap_or_default(),
            count.turns.map(|turns| format!("{turns:.3}")).unwrap_or_default(),
        ]);
    }
    format!(
        "{}\n{}{} connections, {} bytes, depth {}; {} messages less {}. Instructions in user space, by callgrind; \u{d7} is the\n\
         ratio to `{}`. Under valgrind a server is slow, so more messages share a wait than otherwise.\n",
        table.render(),
        if args.work.is_http() {
            [args.work.name(), ": "].concat()
        } else {
            String::new()
        },
        args.connections,
        size(args),
        args.work.depth(args.depth),
        args.messages,
        args.messages / 5,
        baseline(args.work),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_found_in_what_the_tools_write() {
        assert_eq!(
            total_instructions("events: Ir\nsummary: 5\nfn=(1) x\ntotals: 123\n"),
            Some(123)
        );
        assert_eq!(total_instructions("events: Ir\nsummary: 77\n"), Some(77));
        assert_eq!(total_instructions(""), None);
        let strace = "    calls syscall\n--------- -----\n       12 recvfrom\n        3 epoll_wait\n--------- -----\n       15 total\n";
        assert_eq!(total_calls(strace), 15);
    }
}
