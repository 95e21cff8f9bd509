//! The target of the template provider: clean, and the same whenever it is run.

use sockman_backends::sim::Tracing;
use sockman_explorer::{Case, target};

/// A first look; `explore` takes a longer one.
#[test]
fn some_scenarios_violate_nothing() {
    let sv2 = target("sv2").expect("there is one");
    let mut opened = 0;
    for seed in 0..150 {
        let ran = sv2.run(&Case::seed(seed));
        assert_eq!(ran.violation, None, "seed {seed}");
        opened += ran.opened;
    }
    assert!(opened > 1_000, "{opened} connections");
}

/// The same seed gives the same trace, byte for byte, with every handshake in it.
#[test]
fn some_seeds_have_the_same_trace_twice() {
    let sv2 = target("sv2").expect("there is one");
    for seed in 0..30 {
        let case = Case::seed(seed).traced(Tracing::Hash);
        let (first, second) = (sv2.run(&case), sv2.run(&case));
        assert_eq!(
            (first.hash, first.elapsed),
            (second.hash, second.elapsed),
            "seed {seed}"
        );
        assert!(first.hash != 0);
    }
}
