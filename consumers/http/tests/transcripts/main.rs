//! What the server answers to each case, whole and split at every byte, on the simulated network and on a real backend: always
//! what stands in `transcripts.txt`.
//!
//! - `table`, `cases`, `served`: the cases; `transcript`: what came of them, as text
//! - `simulated`, `real`: running them
//!
//! `SOCKMAN_BLESS=1` in the environment writes the file anew, from the simulation; then each answer that has changed is to be
//! held against its RFC.

#[path = "../server/answers.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod answers;
#[path = "../server/app.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod app;
#[path = "../server/rig.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod rig;
#[macro_use]
mod table;
#[path = "../requests/cases.rs"]
mod cases;
mod real;
mod served;
mod simulated;
mod transcript;

use sockman_backends::Mio;
use transcript::{all_cases, file, parse, transcript};

const GOLDEN: &str = include_str!("transcripts.txt");

#[test]
fn every_case_in_the_simulation() {
    let outcomes = simulated::run_all();
    assert!(outcomes.len() >= 250, "{} cases", outcomes.len());
    let text = file(&outcomes);
    if std::env::var_os("SOCKMAN_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts/transcripts.txt");
        std::fs::write(path, text).expect("the file can be written");
        return;
    }
    let golden = parse(GOLDEN);
    for (case, outcome) in &outcomes {
        let expected = golden.get(case.name).copied().unwrap_or_default();
        let came = transcript(case, outcome);
        assert!(came == expected, "{}: {came}\ninstead of\n{expected}", case.name);
    }
    assert_eq!(text, GOLDEN);
}

#[test]
fn every_case_on_mio() {
    real::check::<Mio>(&all_cases(), GOLDEN);
}

#[test]
fn names_are_there_once() {
    let mut names: Vec<_> = all_cases().iter().map(|case| case.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
