//! Downloads and serves short chains as `compare --work ibd` does, with every subject.

use serde_json::Value;
use sockman_bench::ibd::chain::{self, Kind};
use sockman_bench::ibd::talk::Report;
use sockman_bench::ibd::{Level, Shape, groups};
use sockman_bench::subject::{self, Subject};
use sockman_bench::work::Work;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Those whose system calls only strace can count.
const UNCOUNTED: &str = "tokio";

fn compare() -> Command {
    Command::new(env!("CARGO_BIN_EXE_compare"))
}

/// Those that take part and can run on this machine.
fn everybody() -> impl Iterator<Item = &'static Subject> {
    subject::ALL.iter().filter(|subject| subject.does(Work::Ibd))
}

/// A machine may forbid io_uring; everything else runs everywhere.
fn is_known(why: &str) -> bool {
    why.contains("io_uring")
}

#[test]
fn a_quick_comparison_has_figures_for_every_subject() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.json");
    let output = compare()
        .args(["--quick", "--work", "ibd", "--json"])
        .arg(&file)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    let rows: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(&file).expect("written")).expect("JSON");
    let expected = groups(&[], &[], &[2]);
    assert_eq!(rows.len(), expected.len() * everybody().count());
    for (task, connections) in expected {
        for subject in everybody() {
            let row = rows.iter().find(|row| {
                row["subject"] == subject.name
                    && row["shape"] == task.shape.name()
                    && row["level"] == task.level.name()
                    && row["connections"] == connections
            });
            let row = row.unwrap_or_else(|| panic!("{task:?} of {}", subject.name));
            if let Some(why) = row["error"].as_str() {
                assert!(is_known(why), "{row}");
                continue;
            }
            let mut keys = vec!["ops_per_s", "bytes_per_s", "rss_mib", "ratio_ops"];
            if subject.name != UNCOUNTED {
                keys.push("syscalls_per_op");
            }
            if task.shape == Shape::Crowd {
                keys.push("ping_us");
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

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves a chain with a subject, and tells where; `None` where it cannot run.
fn serve(subject: &str, chain: &Path) -> Option<(Running, String)> {
    let mut child = compare()
        .args(["serve", subject, "--work", "ibd", "--chain"])
        .arg(chain)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let output = child.stdout.take().expect("piped");
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("a line");
    if line.starts_with("unable: ") {
        assert!(is_known(&line), "{line}");
        return None;
    }
    let at = line.split_whitespace().next().expect("an address");
    Some((running, at.to_owned()))
}

/// Downloads with a subject, in this way, into this folder; `None` where it cannot run.
fn download(subject: &str, at: &str, (shape, level): (Shape, Level), folder: &Path) -> Option<Report> {
    let output = compare()
        .args(["download", subject, "--at", at])
        .args(["--shape", shape.name(), "--level", level.name(), "--folder"])
        .arg(folder)
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    if text.starts_with("unable: ") {
        assert!(is_known(&text), "{text}");
        return None;
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Some(serde_json::from_str(&text).unwrap_or_else(|why| panic!("{subject}: {why}: {text}{errors}")))
}

/// Whoever serves, and whoever downloads: it is the whole chain, and every block of it is valid.
#[test]
fn every_subject_serves_and_downloads_the_whole_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let kind = Kind {
        tiny: false,
        quick: true,
    };
    let file = folder.path().join("chain");
    chain::write(kind, &file).expect("written");
    let bytes = file.metadata().expect("it is there").len();
    let blocks = chain::Chain::read(&file).expect("a chain").frames.len() as u64;
    let whole = |report: Report| assert_eq!((report.blocks, report.bytes), (blocks, bytes));
    let (_source, source) = serve("std", &file).expect("threads are everywhere");
    for subject in everybody() {
        if let Some((_server, at)) = serve(subject.name, &file) {
            let ways = (Shape::Big, Level::L3);
            download("std", &at, ways, folder.path())
                .map(whole)
                .expect("std runs everywhere");
        }
        for ways in [
            (Shape::Big, Level::L4),
            (Shape::Single, Level::L3),
            (Shape::Crowd, Level::L2),
        ] {
            download(subject.name, &source, ways, folder.path()).map(whole);
        }
    }
}

/// A chain that is changed on its way is noticed at every level but the first.
#[test]
fn a_changed_block_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let kind = Kind {
        tiny: true,
        quick: true,
    };
    let file = folder.path().join("chain");
    chain::write(kind, &file).expect("written");
    let mut bytes = std::fs::read(&file).expect("written");
    *bytes.last_mut().expect("there are blocks") ^= 1;
    std::fs::write(&file, bytes).expect("written");
    let (_source, at) = serve("std", &file).expect("threads are everywhere");
    for level in [Level::L1, Level::L3] {
        let output = compare()
            .args([
                "download",
                "std",
                "--at",
                &at,
                "--shape",
                "tiny",
                "--level",
                level.name(),
                "--folder",
            ])
            .arg(folder.path())
            .output()
            .expect("it runs");
        assert!(!output.status.success(), "{level:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("came changed"));
    }
    assert!(download("std", &at, (Shape::Tiny, Level::L0), folder.path()).is_some());
}
