//! The fewest faults with which a case still fails.

use crate::case::{Case, Ran};
use crate::targets::Target;
use sockman_backends::sim::Occurrence;

/// What is left of a failing case.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The faults that it takes.
    pub faults: Vec<Occurrence>,
    /// What came of the case with these.
    pub ran: Ran,
    /// How many runs it took to find out.
    pub runs: usize,
}

/// Takes faults away as long as the case fails, whatever the violation, by halves, quarters and so on (Zeller and
/// Hildebrandt's delta debugging), in at most `most` runs.
pub fn shrink(target: &Target, case: &Case, failed: &Ran, most: usize) -> Shrunk {
    let mut best = Shrunk {
        faults: failed.happened.clone(),
        ran: failed.clone(),
        runs: 0,
    };
    let attempt = |best: &mut Shrunk, faults: Vec<Occurrence>| {
        best.runs += 1;
        let ran = target.run(&case.clone().only(&faults));
        let fails = ran.violation.is_some();
        if fails {
            // Of those asked for some may not have come about.
            let runs = best.runs;
            let faults = ran.happened.clone();
            *best = Shrunk { faults, ran, runs };
        }
        fails
    };
    if attempt(&mut best, Vec::new()) {
        return best;
    }
    let mut parts = 2;
    while best.faults.len() > 1 && best.runs < most {
        let size = best.faults.len().div_ceil(parts);
        let mut shrunk = false;
        let mut start = 0;
        while start < best.faults.len() && best.runs < most {
            let mut without = best.faults.clone();
            without.drain(start..(start + size).min(without.len()));
            if attempt(&mut best, without) {
                shrunk = true;
            } else {
                start += size;
            }
        }
        if shrunk {
            parts = parts.saturating_sub(1).max(2);
        } else if size == 1 {
            break;
        } else {
            parts = (parts * 2).min(best.faults.len());
        }
    }
    best
}
