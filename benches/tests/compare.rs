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

#[test]
fn a_quick_comparison_has_figures_for_every_subject() {
    let file = std::env::temp_dir().join(format!("compare.{}.json", std::process::id()));
    let output = compare()
        .args(["--quick", "--work", "echo,echo-idle,wake", "--json"])
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
    for (work, groups) in [
        (Work::Echo, &[(64, 1), (64, 20), (65_536, 20)][..]),
        (Work::EchoIdle, &[(64, 10), (64, 100)]),
        (Work::Wake, &[(64, 1)]),
    ] {
        for (size, connections) in groups {
            for subject in expected(work) {
                assert!(text.contains(subject), "{subject} is in the table");
                let row = rows
                    .iter()
                    .find(|row| {
                        row["work"] == work.name()
                            && row["subject"] == subject
                            && row["size"] == *size
                            && row["connections"] == *connections
                    })
                    .unwrap_or_else(|| panic!("{work:?} {subject} {size} {connections}"));
                if let Some(why) = row["error"].as_str() {
                    // Machines may forbid io_uring, and old kernels lack it; everything else runs everywhere.
                    assert!(why.starts_with(UNABLE) && why.contains("io_uring"), "{row}");
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
                if !["tokio", "libuv-c"].contains(&subject) {
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
