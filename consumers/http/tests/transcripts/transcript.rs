//! Transcripts: what was said, as text, with what changes from run to run masked.

use crate::table::Case;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) heard: Vec<u8>,
    /// Whether the server hung up, with the client neither having finished nor gone.
    pub(crate) is_closed: bool,
}

/// The cases, in the order of the transcripts.
pub(crate) fn all_cases() -> Vec<Case> {
    let mut all = crate::cases::all();
    all.extend(crate::served::all());
    all
}

/// Without what changes from run to run.
pub(crate) fn masked(heard: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"date: ") && line.len() == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".len() {
            masked.extend_from_slice(b"date: *\r\n");
        } else {
            masked.extend_from_slice(line);
        }
    }
    masked
}

/// Longer lines are cut short, and repeated ones counted.
const LONG: usize = 120;

/// Adds lines of bytes, each behind a sign of who said it.
fn say(text: &mut String, who: char, bytes: &[u8]) {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let mut times = 1;
        while lines.next_if_eq(&line).is_some() {
            times += 1;
        }
        let shown = if line.len() > LONG {
            let sum = line
                .iter()
                .fold(0_u32, |sum, byte| sum.rotate_left(5) ^ u32::from(*byte));
            format!("{}… {} bytes, {sum:08x}", line[..40].escape_ascii(), line.len())
        } else {
            line.escape_ascii().to_string()
        };
        let _ = match times {
            1 => writeln!(text, "{who} {shown}"),
            times => writeln!(text, "{who} {shown}… {times} times"),
        };
    }
}

/// The transcript of one case, under its name.
pub(crate) fn transcript(case: &Case, outcome: &Outcome) -> String {
    let mut text = String::new();
    say(&mut text, '>', &case.bytes);
    say(&mut text, '<', &masked(&outcome.heard));
    let end = if outcome.is_closed { "closed" } else { "open" };
    let _ = writeln!(text, "= {end}");
    text
}

/// The file of transcripts.
pub(crate) fn file(outcomes: &[(Case, Outcome)]) -> String {
    let mut text = String::from(
        "What a client says (>), what it hears (<), and whether the connection is open or closed after that (=). Each case is run\n\
         whole, and split at every byte; `date` is masked. Made by: SOCKMAN_BLESS=1 cargo test -p sockman-http --test transcripts\n",
    );
    let mut section = "";
    for (case, outcome) in outcomes {
        if case.section != section {
            section = case.section;
            let _ = write!(text, "\n## {section}\n");
        }
        let _ = write!(text, "\n# {}\n{}", case.name, transcript(case, outcome));
    }
    text
}

/// The transcripts in a file, by name.
pub(crate) fn parse(file: &str) -> BTreeMap<&str, &str> {
    let blocks = file.split("\n# ").skip(1);
    blocks
        .filter_map(|block| block.split_once('\n'))
        .map(|(name, rest)| {
            let end = rest.find("\n= ").map_or(rest.len(), |place| {
                place + 1 + rest[place + 1..].find('\n').map_or(0, |line| line + 1)
            });
            (name, &rest[..end])
        })
        .collect()
}

/// Where a case is split: at every byte, or above 4 KiB at 64 places.
pub(crate) fn splits(case: &Case) -> Vec<usize> {
    let length = case.bytes.len();
    if length <= 4 << 10 {
        (1..length).collect()
    } else {
        let mut random = fastrand::Rng::with_seed(length as u64);
        (0..64).map(|_| random.usize(1..length)).collect()
    }
}
