//! What is to be known of a case that failed.

use crate::case::{Case, Ran};
use crate::shrink::Shrunk;
use crate::targets::Target;
use sockman_backends::sim::{Occurrence, Tracing};
use std::fmt::Write as _;

/// Tells what was violated, the faults that it takes, everything that happened with these, and how to see it again.
pub fn report(target: &Target, case: &Case, ran: &Ran, shrunk: &Shrunk) -> String {
    let seed = case.seed;
    let violation = ran.violation.as_deref().unwrap_or("nothing");
    let faults = list(&shrunk.faults);
    let again = target.run(&case.clone().only(&shrunk.faults).traced(Tracing::Text));
    let mut text = format!("VIOLATION with seed {seed}: {violation}\n");
    if let Some(now) = shrunk.ran.violation.as_deref().filter(|now| *now != violation) {
        let _ = writeln!(text, "with fewer faults: {now}");
    }
    let _ = writeln!(
        text,
        "of {} faults it takes {} (found in {} runs): {faults}",
        ran.happened.len(),
        shrunk.faults.len(),
        shrunk.runs
    );
    if again.violation.is_none() {
        let _ = writeln!(
            text,
            "by the names of its faults it does not fail: replay it with --seed {seed} alone"
        );
    }
    let _ = write!(text, "\n{}\n", again.trace);
    let name = target.name;
    let _ = writeln!(
        text,
        "again, with this trace: explore --handler {name} --seed {seed} --faults {faults}"
    );
    text
}

/// Faults as the command line takes them.
fn list(faults: &[Occurrence]) -> String {
    if faults.is_empty() {
        return "none".to_owned();
    }
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
