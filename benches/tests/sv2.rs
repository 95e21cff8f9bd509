//! Runs `compare --work sv2` shortly, with every subject.

use serde_json::Value;
use sockman_bench::subject;
use sockman_bench::sv2::{Ask, groups};
use sockman_bench::work::Work;
use std::process::Command;

#[test]
fn a_quick_comparison_has_figures_for_every_subject() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.json");
    let output = Command::new(env!("CARGO_BIN_EXE_compare"))
        .args(["--quick", "--work", "sv2", "--json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    let rows: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("written")).expect("JSON");
    let subjects = || subject::ALL.iter().filter(|subject| subject.does(Work::Sv2));
    assert!(subjects().count() >= 2);
    let expected = groups(&[], &[]);
    assert_eq!(rows.len(), expected.len() * subjects().count());
    for (ask, size) in expected {
        for subject in subjects() {
            let row = rows.iter().find(|row| {
                row["subject"] == subject.name && row["shape"] == ask.name() && row["size"] == size
            });
            let row = row.unwrap_or_else(|| panic!("{ask:?} of {}", subject.name));
            if let Some(why) = row["error"].as_str() {
                // A machine may forbid it; everything else runs everywhere.
                assert!(why.contains("io_uring"), "{row}");
                continue;
            }
            let mut keys = vec!["ops_per_s", "p50_us", "p99_us", "ratio_p50", "syscalls_per_op"];
            // The clock of CPU time may be too coarse for twenty tips.
            if ask != Ask::Tip {
                keys.push("cpu_us_per_op");
            }
            for key in keys {
                assert!(
                    row[key].as_f64().is_some_and(|figure| figure > 0.0),
                    "{key} of {row}"
                );
            }
        }
    }
}
