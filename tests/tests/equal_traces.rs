//! Every scenario has the same trace on every backend that is compiled in; and what compares them can tell.
#![cfg(any(feature = "mio", feature = "polling", feature = "uv", feature = "uring"))]

use sockman::{Conn, Id, RawId};
use sockman_tests::traces::{Line, Played, Trace, assert_equal, differences, played, talking};
use sockman_tests::{Real, Tcp};
use std::fs;
use std::path::Path;

sockman_tests::equal_traces! {
    real {
        #[cfg(feature = "mio")]
        Real<sockman_backends::Mio>,
        #[cfg(feature = "polling")]
        Real<sockman_backends::Polling>,
        #[cfg(feature = "uv")]
        Real<sockman_backends::Uv>,
        #[cfg(feature = "uring")]
        Real<sockman_backends::Uring>,
    }
    simulated {
        #[cfg(feature = "sim")]
        Simulated<sockman_backends::sim::Sim>,
        #[cfg(feature = "sim")]
        Simulated<sockman_backends::sim::SimLevel>,
    }
}

/// Every public scenario is a test.
#[test]
fn every_scenario_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/traces");
    let list = fs::read_to_string(folder.join("list.rs")).expect("readable");
    let words: Vec<_> = list.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let text = fs::read_to_string(entry.expect("readable").path()).expect("readable");
        for line in text.lines().filter(|line| line.ends_with("(trace: &Trace) {")) {
            let name = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('<'));
            let (name, _) = name.expect("scenarios are public");
            assert!(words.contains(&name), "{name} is in no list");
            count += 1;
        }
    }
    assert!(count >= 30, "{count} scenarios");
}

fn call(conn: usize, call: &str) -> Line {
    Line::Call {
        handler: "",
        conn: Some(conn),
        call: call.to_owned(),
        data: Vec::new(),
        left: Vec::new(),
    }
}

fn trace(backend: &'static str, lines: &[Line]) -> Played {
    Played {
        backend,
        lines: lines.to_vec(),
    }
}

/// What compares traces is no rubber stamp: a call more, fewer, moved, or about another connection is told, with its line.
#[test]
fn different_traces_are_told_apart() {
    let script = Line::Script("the peer closes".to_owned());
    let right = [script.clone(), call(1, "eof"), call(1, "closed: flushed")];
    let right = trace("one", &right);
    assert_eq!(
        differences(&[right.clone(), right.clone(), trace("two", &right.lines)]),
        None
    );
    assert_eq!(differences(&[]), None);
    let wrong = [
        vec![script.clone(), call(1, "closed: flushed")],
        vec![
            script.clone(),
            call(1, "eof"),
            call(1, "eof"),
            call(1, "closed: flushed"),
        ],
        vec![script.clone(), call(1, "closed: flushed"), call(1, "eof")],
        vec![script.clone(), call(1, "eof"), call(2, "closed: flushed")],
        vec![script.clone(), call(1, "eof"), call(1, "closed: reset")],
        vec![call(1, "eof"), script, call(1, "closed: flushed")],
        vec![],
    ];
    for lines in wrong {
        let text = differences(&[right.clone(), right.clone(), trace("two", &lines)]);
        assert!(text.is_some(), "{lines:?}");
    }
    let reset = [right.lines[0].clone(), call(1, "eof"), call(1, "closed: reset")];
    assert_eq!(
        differences(&[right, trace("two", &reset)]).expect("they differ"),
        "--- one\n+++ two\n  the peer closes\n      #1 eof\n-     #1 closed: flushed\n+     #1 closed: reset\n"
    );
}

/// How bytes are split is all that is forgiven: not one byte more, or between other calls.
#[test]
fn only_how_bytes_are_split_is_forgiven() {
    let conns = conns();
    let lines = |write: &dyn Fn(&Trace)| {
        let trace = Trace::default();
        write(&trace);
        trace.lines()
    };
    let whole = lines(&|trace| trace.received("", conns[0], b"abcd", b"e"));
    let split = lines(&|trace| {
        trace.received("", conns[0], b"", b"ab");
        trace.received("", conns[0], b"ab", b"c");
        trace.received("", conns[0], b"cd", b"e");
    });
    assert_eq!(whole, split);
    let different: [&dyn Fn(&Trace); 5] = [
        &|trace| trace.received("", conns[0], b"abcx", b"e"),
        &|trace| trace.received("", conns[0], b"abcd", b""),
        &|trace| trace.received("other", conns[0], b"abcd", b"e"),
        &|trace| {
            trace.received("", conns[0], b"ab", b"");
            trace.received("", conns[1], b"cd", b"e");
        },
        &|trace| {
            trace.received("", conns[0], b"ab", b"");
            trace.script("a step");
            trace.received("", conns[0], b"cd", b"e");
        },
    ];
    for write in different {
        assert_ne!(whole, lines(write));
    }
}

/// A scenario's trace holds what happened: it is not empty everywhere.
#[test]
fn a_trace_holds_what_happened() {
    let echo = echo();
    let lines: Vec<_> = echo.lines.iter().map(ToString::to_string).collect();
    let text = lines.join("\n") + "\n";
    for expected in [
        "a peer connects\n    #1 open: accepted, key 0\n",
        "the peer says \"two words\"\n    #1 received \"two words\"\nthe peer heard \"two words\"\n",
        "the peer finishes\n    #1 eof\n    #1 closed: flushed\n",
        "0 connections are left\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let mut other = echo.clone();
    other.lines.retain(|line| !line.to_string().contains("eof"));
    let panic = std::panic::catch_unwind(|| assert_equal(&[echo, other]));
    let message = panic.expect_err("they differ");
    let message = message.downcast_ref::<String>().expect("a text");
    assert!(message.contains("\n-     #1 eof\n"), "{message}");
}

type Backend = sockman_backends::DefaultBackend;

fn echo() -> Played {
    played::<Real<Backend, Tcp>>(talking::an_echo::<Real<Backend, Tcp>>)
}

/// Two ids.
fn conns() -> [Conn; 2] {
    [1, 2].map(|slot| Conn::from_raw(RawId::new(0, slot, 1).expect("in range")))
}
