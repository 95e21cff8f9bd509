//! Cases on the simulated network.

use crate::rig::{End, Rig, ms};
use crate::table::Case;
use crate::transcript::{Outcome, all_cases, masked, splits};
use sockman_http::Settings;

/// What comes of bytes in these pieces.
fn run(rig: &mut Rig, pieces: &[&[u8]]) -> Outcome {
    let mut client = rig.connect();
    for piece in pieces {
        rig.send(&mut client, piece);
    }
    rig.pass(ms(50), &mut [&mut client]);
    Outcome {
        is_closed: client.end != End::Open,
        heard: client.heard,
    }
}

/// Runs a case whole and split; the outcome is the same.
fn check(case: &Case) -> Outcome {
    let mut rig = Rig::new(Settings::default());
    let whole = run(&mut rig, &[&case.bytes]);
    let heard = masked(&whole.heard);
    for cut in splits(case) {
        let split = run(&mut rig, &[&case.bytes[..cut], &case.bytes[cut..]]);
        assert_eq!(
            (masked(&split.heard).escape_ascii().to_string(), split.is_closed),
            (heard.escape_ascii().to_string(), whole.is_closed),
            "{}, split at {cut}",
            case.name
        );
    }
    whole
}

pub(crate) fn run_all() -> Vec<(Case, Outcome)> {
    let run = |case| {
        let outcome = check(&case);
        (case, outcome)
    };
    all_cases().into_iter().map(run).collect()
}
