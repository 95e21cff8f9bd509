//! The echo target.

use sockman_explorer::{Case, target};

#[test]
fn a_thousand_scenarios() {
    let echo = target("echo").expect("there is one");
    let first: u64 = std::env::var("FIRST").map_or(0, |text| text.parse().unwrap());
    for seed in first..first + 1000 {
        let ran = echo.run(&Case::seed(seed));
        if let Some(v) = ran.violation {
            panic!("seed {seed}: {v}");
        }
    }
}
