//! Runs the program itself.

use serde_json::Value;
use sockman_bench::work::Work;
use std::process::Command;

/// How the reason begins why a subject has no figures.
const UNABLE: &str = "not on this machine: ";

fn compare() -> Command {
    Command::new(env!("CARGO_BIN_EXE_compare"))
}

/// The subjects that a work has.
fn expected(work: Work) -> Vec<&'static str> {
    sockman_bench::subject::ALL
        .iter()
        .filter(|subject| subject.does(work))
        .map(|subject| subject.name)
        .collect()
}

/// What a machine may lack or forbid; everything else runs everywhere.
const PERHAPS: [&str; 3] = ["io_uring", "libevent", "nginx"];

/// Those whose system calls only strace can count.
const UNCOUNTED: [&str; 7] = [
    "tokio",
    "libuv-c",
    "hyper",
    "may_minihttp",
    "ntex",
    "evhttp",
    "nginx",
];

/// A work, and the sizes and numbers of connections that it has in a quick comparison.
type Groups = (Work, &'static [(usize, usize)]);

/// Runs a quick comparison of these works, and sees that every subject has its figures.
fn quick(works: &[Groups]) {
    let names: Vec<&str> = works.iter().map(|(work, _)| work.name()).collect();
    let file = std::env::temp_dir().join(format!("compare.{}.{}.json", std::process::id(), names[0]));
    let output = compare()
        .args(["--quick", "--work", &names.join(","), "--json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let fits = |line: &str| line.chars().count() <= 120 || line.contains(UNABLE);
    assert!(text.lines().all(fits), "{text}");
    let rows: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("written")).expect("JSON");
    std::fs::remove_file(&file).expect("ours");
    for (work, groups) in works {
        for (size, connections) in *groups {
            for subject in expected(*work) {
                assert!(text.contains(subject), "{subject} is in the table");
                let row = rows
                    .iter()
                    .find(|row| {
                        row["work"] == work.name()
                            && row["subject"] == subject
                            && (work.is_http() || row["size"] == *size)
                            && row["connections"] == *connections
                    })
                    .unwrap_or_else(|| panic!("{work:?} {subject} {size} {connections}"));
                if let Some(why) = row["error"].as_str() {
                    let is_known = PERHAPS.iter().any(|what| why.contains(what));
                    assert!(why.starts_with(UNABLE) && is_known, "{row}");
                    continue;
                }
                for key in [
                    "ops_per_s",
                    "cpu_us_per_op",
                    "p50_us",
                    "p99_us",
                    "p999_us",
                    "rss_mib",
                    "ratio_cpu",
                    "ratio_ops",
                    "ratio_p50_low",
                    "ratio_p99_high",
                ] {
                    assert!(
                        row[key].as_f64().is_some_and(|figure| figure > 0.0),
                        "{key} of {row}"
                    );
                }
                if !UNCOUNTED.contains(&subject) && *work != Work::HttpTail {
                    assert!(
                        row["syscalls_per_op"].as_f64().is_some_and(|calls| calls > 0.0),
                        "{row}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_quick_comparison_has_figures_for_every_subject() {
    quick(&[
        (Work::Echo, &[(64, 1), (64, 20), (65_536, 20)]),
        (Work::EchoIdle, &[(64, 10), (64, 100)]),
        (Work::Wake, &[(64, 1)]),
    ]);
}

/// One work for each way to ask; the others are asked the same way. Requests are what they are; their sizes are not repeated
/// here.
#[test]
fn a_quick_comparison_over_http_has_figures_for_every_subject() {
    quick(&[
        (Work::Http, &[(0, 8)]),
        (Work::HttpClose, &[(0, 8)]),
        (Work::HttpTail, &[(0, 2)]),
    ]);
}

#[test]
fn bad_arguments_are_told_what_is_allowed() {
    let output = compare().args(["--work", "dance"]).output().expect("it runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("echo-idle"));
}

#[test]
fn help_documents_the_options() {
    let output = compare().arg("--help").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    for option in [
        "--work",
        "--backends",
        "--rivals",
        "--baseline",
        "--connections",
        "--size",
        "--depth",
        "--shapes",
        "--levels",
        "--asks",
        "--seconds",
        "--rounds",
        "--json",
        "--quick",
        "instructions",
    ] {
        assert!(text.contains(option), "{option}");
    }
    assert!(
        !text.lines().any(|line| line.trim_start().starts_with("serve ")),
        "helpers' commands are hidden"
    );
}
