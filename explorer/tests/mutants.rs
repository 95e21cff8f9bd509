//! What looks for bugs finds bugs: each of those that can be planted, by the seed it takes; and what is left of it after
//! shrinking is what it takes.
#![cfg(mutants)]

use sockman::mutant::{Mutant, plant};
use sockman_backends::sim::Occurrence;
use sockman_explorer::{Case, Ran, Shrunk, Target, quiet, report, shrink, target};

/// None hides from more seeds than this.
const MOST: u64 = 5_000;

fn echo() -> &'static Target {
    target("echo").expect("there is one")
}

/// The first seed that fails.
fn hunt() -> Option<(u64, Ran)> {
    (0..MOST).find_map(|seed| {
        let ran = echo().run(&Case::seed(seed));
        ran.violation.is_some().then_some((seed, ran))
    })
}

/// Whether the seed fails with exactly these faults.
fn fails(seed: u64, faults: &[Occurrence]) -> bool {
    echo().run(&Case::seed(seed).only(faults)).violation.is_some()
}

/// What the report says is true: the seed fails with the faults that it names, in the way it tells.
fn check_report(seed: u64, ran: &Ran, shrunk: &Shrunk) {
    let text = report(echo(), &Case::seed(seed), ran, shrunk);
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
        text.contains(&format!("--seed {seed} ")) && fails(seed, &named),
        "{faults}"
    );
}

/// What is left fails, and does not without any one of its faults.
fn check(seed: u64, ran: &Ran, shrunk: &Shrunk) {
    assert!(shrunk.faults.len() <= ran.happened.len());
    assert!(
        fails(seed, &shrunk.faults),
        "seed {seed}: what is left does not fail"
    );
    for place in 0..shrunk.faults.len() {
        let mut fewer = shrunk.faults.clone();
        let taken = fewer.remove(place);
        assert!(!fails(seed, &fewer), "seed {seed}: it does not take {taken}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    quiet();
    let mut hidden = Vec::new();
    for mutant in Mutant::ALL {
        plant(Some(mutant));
        let Some((seed, ran)) = hunt() else {
            hidden.push(mutant);
            continue;
        };
        let shrunk = shrink(echo(), &Case::seed(seed), &ran, 3_000);
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
        check_report(seed, &ran, &shrunk);
        if shrunk.runs < 3_000 {
            check(seed, &ran, &shrunk);
        }
        plant(None);
        // It was the bug that was found, and not something else.
        assert_eq!(echo().run(&Case::seed(seed)).violation, None, "seed {seed}");
    }
    plant(None);
    assert!(hidden.is_empty(), "not found with {MOST} seeds: {hidden:?}");
}
