//! Programs that send many requests.

use crate::tool::{Said, succeed};
use crate::{At, over_both, over_tcp};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// The number behind a word at the beginning of a line.
fn number(said: &Said, word: &str) -> u64 {
    let text = said.text();
    let value = text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix(word)?;
        rest.split_whitespace().next()?.parse().ok()
    });
    value.unwrap_or_else(|| panic!("no {word} in {text}"))
}

#[test]
fn wrk() {
    over_tcp(|at| {
        for path in ["/hello", "/worker", "/stream/10000"] {
            let url = at.base() + path;
            let said = succeed(Command::new("wrk").args(["-t1", "-c50", "-d1s", &url]), "wrk");
            let text = said.text();
            assert!(text.contains(" requests in "), "{text}");
            for wrong in ["Socket errors", "Non-2xx"] {
                assert!(!text.contains(wrong), "{path}: {text}");
            }
        }
    });
}

#[test]
fn ab() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("body");
    fs::write(&file, vec![b'x'; 20_000]).expect("room");
    let file = file.display().to_string();
    over_tcp(|at| {
        let kept: [&[&str]; 2] = [&["-k"], &["-k", "-p", &file, "-T", "text/plain"]];
        for flags in kept {
            let said = succeed(
                Command::new("ab")
                    .args(["-q", "-n", "2000", "-c", "20"])
                    .args(flags)
                    .arg(at.base() + "/echo"),
                "apache2-utils",
            );
            assert_eq!(number(&said, "Complete requests:"), 2000);
            assert_eq!(number(&said, "Failed requests:"), 0, "{}", said.text());
            assert_eq!(number(&said, "Keep-Alive requests:"), 2000, "{}", said.text());
        }
        let url = at.base() + "/hello";
        let said = succeed(
            Command::new("ab").args(["-q", "-n", "500", "-c", "20", &url]),
            "apache2-utils",
        );
        assert_eq!(number(&said, "Failed requests:"), 0, "{}", said.text());
    });
}

/// Sixteen requests of each connection are under way at any time.
#[test]
fn h2load() {
    over_both(|at| {
        for path in ["/hello", "/worker", "/stream/3000"] {
            let mut command = Command::new("h2load");
            command.args(["--h1", "-m16", "-c10", "-n", "4000"]);
            if let At::Unix(path) = at {
                command.args(["--base-uri", &format!("unix:{path}")]);
            }
            let said = succeed(command.arg(at.base() + path), "nghttp2-client");
            let text = said.text();
            assert!(
                text.contains("4000 succeeded, 0 failed, 0 errored, 0 timeout"),
                "{text}"
            );
            assert!(text.contains("status codes: 4000 2xx"), "{text}");
        }
    });
}
