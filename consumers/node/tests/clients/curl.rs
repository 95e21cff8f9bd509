//! curl

use crate::tool::{Said, run, succeed};
use crate::{At, over_both};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

fn curl(at: &At<'_>) -> Command {
    let mut command = Command::new("curl");
    // No file of settings, no progress; errors are told.
    command.args(["--disable", "--silent", "--show-error", "--max-time", "60"]);
    if let At::Unix(path) = at {
        command.args(["--unix-socket", path]);
    }
    command
}

fn get(at: &At<'_>, path: &str, more: &[&str]) -> Said {
    succeed(curl(at).args(more).arg(at.base() + path), "curl")
}

#[test]
fn every_method_and_every_kind_of_body() {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("body");
    // More than a MiB: curl asks whether it may send it, by Expect: 100-continue.
    let body: Vec<u8> = (0..3_000_000_u32).map(|place| (place / 11) as u8).collect();
    fs::write(&file, &body).expect("room");
    let data = format!("@{}", file.display());
    over_both(|at| {
        assert_eq!(get(at, "/hello", &[]).text(), "Hello, world!");
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            assert_eq!(
                get(at, "/echo", &["-X", method, "-d", "a=b"]).text(),
                "a=b",
                "{method}"
            );
        }
        let head = get(at, "/hello", &["--head"]).text();
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("content-length: 13"),
            "{head}"
        );
        assert!(
            get(at, "/", &["--data-binary", &data]).stdout == body,
            "by its length"
        );
        let chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", &data];
        assert!(get(at, "/", &chunked).stdout == body, "by chunks");
        assert!(
            get(at, "/echo", &["-T", &file.display().to_string()]).stdout == body,
            "by PUT"
        );
        assert_eq!(get(at, "/hello", &["--http1.0"]).text(), "Hello, world!");
        assert_eq!(get(at, "/stream/2000000?chunked", &[]).stdout.len(), 2_000_000);
        assert_eq!(get(at, "/stream/2000000", &["--http1.0"]).stdout.len(), 2_000_000);
        let missing = get(
            at,
            "/./nowhere",
            &["--path-as-is", "-o", "/dev/null", "-w", "%{http_code}"],
        );
        assert_eq!(missing.text(), "404");
    });
}

#[test]
fn one_connection_serves_several_requests() {
    over_both(|at| {
        let mut command = curl(at);
        command.args(["-w", "|%{num_connects}\n"]);
        for path in ["/hello", "/worker", "/echo", "/hello"] {
            command.arg(at.base() + path);
        }
        let text = succeed(&mut command, "curl").text();
        assert_eq!(text, "Hello, world!|1\nHello, world!|0\n|0\nHello, world!|0\n");
    });
}

#[test]
fn events_come_as_they_happen() {
    over_both(|at| {
        let url = at.base() + "/sse";
        let said = run(curl(at).args(["--no-buffer", "--max-time", "0.5", &url]), "curl");
        assert_eq!(said.code, Some(28), "it ends by its time limit: {}", said.stderr);
        assert!(
            said.text().starts_with("id: 0\ndata: tick 0\n\nid: 1\n"),
            "{}",
            said.text()
        );
    });
}
