//! One seed, with everything that happens.

use crate::cli::Cli;
use sockman_backends::sim::Tracing;
use sockman_explorer::{Case, Target};

/// Runs the seed and prints what happened; whether something was violated.
pub(crate) fn replay(target: &Target, cli: &Cli, seed: u64) -> bool {
    let mut case = Case::seed(seed).traced(Tracing::Text);
    if let Some(faults) = &cli.faults {
        case = case.only(&faults.0);
    }
    let ran = target.run(&case);
    print!("{}", ran.trace);
    println!(
        "seed {seed}: {} faults, {} turns, {} connections, {} bytes, {:?} of the network's time, hash {:016x}",
        ran.happened.len(),
        ran.turns,
        ran.opened,
        ran.bytes,
        ran.elapsed,
        ran.hash
    );
    match &ran.violation {
        Some(violation) => println!("VIOLATION {violation}"),
        None => println!("nothing is violated"),
    }
    ran.violation.is_some()
}
