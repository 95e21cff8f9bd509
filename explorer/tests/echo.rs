//! The echo target: clean, and the same whenever it is run.

use sockman_backends::sim::Tracing;
use sockman_explorer::{Case, target};

/// A first look; `explore` takes a longer one.
#[test]
fn a_thousand_scenarios_violate_nothing() {
    let echo = target("echo").expect("there is one");
    let mut opened = 0;
    for seed in 0..1_000 {
        let ran = echo.run(&Case::seed(seed));
        assert_eq!(ran.violation, None, "seed {seed}");
        opened += ran.opened;
    }
    assert!(opened > 5_000, "{opened} connections");
}

/// The same seed gives the same trace, byte for byte, and other seeds others.
#[test]
fn a_hundred_seeds_have_the_same_trace_twice() {
    let echo = target("echo").expect("there is one");
    let mut hashes = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let case = Case::seed(seed).traced(Tracing::Hash);
        let (first, second) = (echo.run(&case), echo.run(&case));
        assert_eq!(
            (first.hash, first.elapsed),
            (second.hash, second.elapsed),
            "seed {seed}"
        );
        assert!(first.hash != 0);
        hashes.insert(first.hash);
    }
    assert_eq!(hashes.len(), 100);
    let case = Case::seed(7).traced(Tracing::Text);
    let (first, second) = (echo.run(&case), echo.run(&case));
    assert_eq!(first.trace, second.trace);
    assert!(first.trace.lines().count() > 100);
}

/// What is traced, and how, changes nothing of what happens; and what happened by chance happens again by name.
#[test]
fn a_run_is_the_same_with_and_without_a_trace_and_chance() {
    let echo = target("echo").expect("there is one");
    for seed in 0..50 {
        let case = Case::seed(seed);
        let plain = echo.run(&case);
        let traced = echo.run(&case.clone().traced(Tracing::Hash));
        let named = echo.run(&case.only(&plain.happened).traced(Tracing::Hash));
        assert_eq!(
            (plain.turns, plain.bytes, plain.elapsed),
            (traced.turns, traced.bytes, traced.elapsed)
        );
        assert_eq!(
            (&named.happened, named.hash),
            (&traced.happened, traced.hash),
            "seed {seed}"
        );
    }
}
