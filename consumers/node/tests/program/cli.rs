//! What the program says: the list of backends, and errors.

use crate::peer::{connect, ping};
use crate::server::{Server, run, sockman};
use sockman_node::{Choice, KNOWN};
use std::net::TcpListener;
use std::process::Output;

/// The one line on standard error, with the exit code checked and nothing on standard output.
fn error(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let mut lines = stderr.lines();
    let line = lines.next().expect("a line").to_owned();
    assert_eq!(lines.next(), None, "one line is enough");
    line
}

#[test]
fn backends_are_listed_with_their_state() {
    let output = run(&["backends"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), KNOWN.len(), "{text}");
    for (line, known) in lines.iter().zip(KNOWN) {
        assert_eq!(line[0], known.name);
        match known.choice {
            // And by what.
            Some(_) => assert!(line[1] == "works:" && line.len() > 2, "{text}"),
            None => assert!(
                text.contains(&format!("build with `--features {}`", known.feature)),
                "{text}"
            ),
        }
    }
    let defaults: Vec<_> = lines
        .iter()
        .filter(|line| line.last() == Some(&"(default)"))
        .collect();
    let preferred = Choice::preferred().expect("one is compiled in");
    assert_eq!(defaults.len(), 1, "{text}");
    assert_eq!(defaults[0][0], preferred.name());
}

#[test]
fn without_a_choice_the_default_backend_is_used() {
    let name = Choice::preferred().expect("one is compiled in").name();
    let mut command = sockman();
    command.args(["echo", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(&mut command, name, 1);
    ping(&mut *connect(&server.at[0]), b"hello");
    server.stop();
}

#[test]
fn an_unknown_backend_is_an_error_that_lists_what_there_is() {
    let output = run(&["echo", "--listen", "127.0.0.1:0", "--backend", "pigeon"]);
    let line = error(&output, 2);
    assert!(
        line.starts_with("sockman: unknown backend `pigeon`; compiled in: "),
        "{line}"
    );
    for choice in Choice::compiled() {
        assert!(line.contains(choice.name()), "{line}");
    }
}

#[test]
fn a_backend_that_is_not_compiled_in_is_an_error_that_names_the_feature() {
    for known in KNOWN.iter().filter(|known| known.choice.is_none()) {
        let output = run(&["echo", "--listen", "127.0.0.1:0", "--backend", known.name]);
        let line = error(&output, 2);
        assert!(
            line.contains(&format!("build with `--features {}`", known.feature)),
            "{line}"
        );
        assert!(line.contains("; compiled in: "), "{line}");
    }
}

#[test]
fn an_address_in_use_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address").to_string();
    for backend in Choice::compiled().map(Choice::name) {
        let line = error(&run(&["echo", "--listen", &at, "--backend", backend]), 1);
        assert!(
            line.starts_with(&format!("sockman: cannot listen on {at}: Address already in use")),
            "{line}"
        );
    }
}

#[test]
fn a_bad_command_line_is_explained() {
    for (args, expected) in [
        (&["echo"][..], "--listen <ADDR>"),
        (
            &["echo", "--listen", "localhost:80"],
            "write IP:PORT, [IPv6]:PORT or unix:PATH",
        ),
        (
            &["echo", "--listen", "127.0.0.1:0", "--idle-timeout", "0"],
            "must be above 0",
        ),
        (
            &["echo", "--listen", "127.0.0.1:0", "--max-connections", "0"],
            "--max-connections",
        ),
        (&["fly"], "fly"),
    ] {
        let output = run(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn logging_is_off_unless_asked_for_and_goes_to_standard_error() {
    let name = Choice::preferred().expect("one is compiled in").name();
    let listen = ["echo", "--listen", "127.0.0.1:0"];
    for (args, variable, logs) in [
        (&[][..], None, false),
        (&["-v"], None, true),
        (&[], Some("debug"), true),
        (&["-v"], Some("off"), false),
    ] {
        let mut command = sockman();
        command.args(listen).args(args);
        if let Some(value) = variable {
            command.env("SOCKMAN_LOG", value);
        }
        let server = Server::spawn(&mut command, name, 1);
        ping(&mut *connect(&server.at[0]), b"hello");
        let ended = server.stop();
        assert_eq!(
            !ended.stderr.is_empty(),
            logs,
            "{args:?} {variable:?}: {}",
            ended.stderr
        );
        assert!(ended.stdout.is_empty(), "{:?}", ended.stdout);
    }
}

#[test]
fn a_filter_that_makes_no_sense_is_an_error() {
    let mut command = sockman();
    command.arg("backends").env("SOCKMAN_LOG", "sockman=loud");
    let output = command.output().expect("the program starts");
    assert!(error(&output, 2).starts_with("sockman: SOCKMAN_LOG: "));
}
