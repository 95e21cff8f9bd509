//! What looks for bugs finds bugs: each of those that can be planted, by the seed it takes.
#![cfg(mutants)]

use sockman::mutant::{Mutant, plant};
use sockman_explorer::{Case, Target, quiet, shrink, target};

/// None hides from more seeds than this.
const MOST: u64 = 3_000;

fn echo() -> &'static Target {
    target("echo").expect("there is one")
}

/// Plants it, looks for it, and takes it out again: the first seed that fails.
fn hunt(mutant: Mutant) -> Option<u64> {
    plant(Some(mutant));
    let found = (0..MOST).find_map(|seed| {
        let ran = echo().run(&Case::seed(seed));
        let violation = ran.violation.clone()?;
        let shrunk = shrink(echo(), &Case::seed(seed), &ran, 100);
        println!(
            "{mutant:?}: found with {} seeds, and {} faults of {}: {}",
            seed + 1,
            shrunk.faults.len(),
            ran.happened.len(),
            violation.lines().next().unwrap_or_default()
        );
        Some(seed)
    });
    plant(None);
    found
}

#[test]
fn every_planted_bug_is_found() {
    quiet();
    let mut hidden = Vec::new();
    for mutant in Mutant::ALL {
        match hunt(mutant) {
            // It was the bug that was found, and not something else.
            Some(seed) => assert_eq!(echo().run(&Case::seed(seed)).violation, None, "seed {seed}"),
            None => hidden.push(mutant),
        }
    }
    assert!(hidden.is_empty(), "not found with {MOST} seeds: {hidden:?}");
}
