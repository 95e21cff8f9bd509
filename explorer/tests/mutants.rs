//! What looks for bugs finds bugs: each of those that can be planted, by the seed it takes; and what is left of it after
//! shrinking is what it takes.
#![cfg(mutants)]

use sockman_backends::sim::Occurrence;
use sockman_explorer::{Case, Ran, Shrunk, Target, quiet, report, shrink, target};
use std::fmt::Debug;

/// None hides from more seeds than this.
const MOST: u64 = 5_000;

/// Runs that are spent on finding the fewest faults.
const MOST_RUNS: usize = 3_000;

/// The same where a run takes longer.
const FEWER_RUNS: usize = 300;

/// The first seed that fails.
fn hunt(target: &Target) -> Option<(u64, Ran)> {
    (0..MOST).find_map(|seed| {
        let ran = target.run(&Case::seed(seed));
        ran.violation.is_some().then_some((seed, ran))
    })
}

/// Whether the seed fails with exactly these faults.
fn fails(target: &Target, seed: u64, faults: &[Occurrence]) -> bool {
    target.run(&Case::seed(seed).only(faults)).violation.is_some()
}

/// What the report says is true: the seed fails with the faults that it names, in the way it tells.
fn check_report(target: &Target, seed: u64, ran: &Ran, shrunk: &Shrunk) {
    let text = report(target, &Case::seed(seed), ran, shrunk);
    let violation = ran.violation.as_deref().expect("it failed");
    for words in [
        &format!("VIOLATION with seed {seed}: {violation}"),
        "h0 listen",
        "    VIOLATION ",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let (_, faults) = text.rsplit_once("--faults ").expect("how to see it again");
    let faults = faults.trim();
    let named: Vec<Occurrence> = match faults {
        "none" => Vec::new(),
        faults => faults
            .split(',')
            .map(|fault| fault.parse().expect("a fault"))
            .collect(),
    };
    assert!(
        text.contains(&format!("--seed {seed} ")) && fails(target, seed, &named),
        "{faults}"
    );
}

/// What is left fails, and does not without any one of its faults.
fn check(target: &Target, seed: u64, ran: &Ran, shrunk: &Shrunk) {
    assert!(shrunk.faults.len() <= ran.happened.len());
    assert!(
        fails(target, seed, &shrunk.faults),
        "seed {seed}: what is left does not fail"
    );
    for place in 0..shrunk.faults.len() {
        let mut fewer = shrunk.faults.clone();
        let taken = fewer.remove(place);
        assert!(
            !fails(target, seed, &fewer),
            "seed {seed}: it does not take {taken}"
        );
    }
}

/// Plants each bug and looks for it with a target.
fn find_all<M: Copy + Debug>(name: &str, all: &[M], most_runs: usize, plant: impl Fn(Option<M>)) {
    quiet();
    let target = target(name).expect("there is one");
    let mut hidden = Vec::new();
    for mutant in all {
        plant(Some(*mutant));
        let Some((seed, ran)) = hunt(target) else {
            println!("{mutant:?}: not found with {MOST} seeds");
            hidden.push(mutant);
            continue;
        };
        let shrunk = shrink(target, &Case::seed(seed), &ran, most_runs);
        println!(
            "{mutant:?}: found with {} seeds; of {} faults it takes {}: {}",
            seed + 1,
            ran.happened.len(),
            shrunk.faults.len(),
            ran.violation
                .as_deref()
                .and_then(|text| text.lines().next())
                .unwrap_or_default()
        );
        check_report(target, seed, &ran, &shrunk);
        if shrunk.runs < most_runs {
            check(target, seed, &ran, &shrunk);
        }
        plant(None);
        // It was the bug that was found, and not something else.
        assert_eq!(target.run(&Case::seed(seed)).violation, None, "seed {seed}");
    }
    plant(None);
    assert!(hidden.is_empty(), "not found with {MOST} seeds: {hidden:?}");
}

#[test]
fn every_planted_bug_is_found() {
    use sockman::mutant::{Mutant, plant};
    find_all("echo", &Mutant::ALL, MOST_RUNS, plant);
}

#[test]
fn every_bug_that_is_planted_in_the_http_server_is_found() {
    use sockman_http::mutant::{Mutant, plant};
    find_all("http", &Mutant::ALL, MOST_RUNS, plant);
}

#[test]
fn every_bug_that_is_planted_in_the_p2p_node_is_found() {
    use sockman_p2p::mutant::{Mutant, plant};
    find_all("p2p", &Mutant::ALL, FEWER_RUNS, plant);
}

#[test]
fn every_bug_that_is_planted_in_the_template_provider_is_found() {
    use sockman_sv2::mutant::{Mutant, plant};
    find_all("sv2", &Mutant::ALL, FEWER_RUNS, plant);
}
