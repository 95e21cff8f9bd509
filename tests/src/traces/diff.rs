//! Where traces differ, for people.

use super::trace::Line;
use std::fmt::Write;

/// A trace and the backend it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The backend's name.
    pub backend: &'static str,
    /// What happened.
    pub lines: Vec<Line>,
}

/// How each trace differs from the first: the whole of both, with `-` before lines that only the first has and `+` before
/// those that only the other has. `None` when all are the same.
pub fn differences(traces: &[Played]) -> Option<String> {
    let (first, others) = traces.split_first()?;
    let mut text = String::new();
    for other in others.iter().filter(|other| other.lines != first.lines) {
        let _ = writeln!(text, "--- {}\n+++ {}", first.backend, other.backend);
        compare(&first.lines, &other.lines, &mut text);
    }
    (!text.is_empty()).then_some(text)
}

/// By the longest common subsequence: traces are short, so the table of all pairs is too.
fn compare(old: &[Line], new: &[Line], text: &mut String) {
    // common[i][j]: how many lines old[i..] and new[j..] have in common.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let line = if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            (' ', &old[i - 1])
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            i += 1;
            ('-', &old[i - 1])
        } else {
            j += 1;
            ('+', &new[j - 1])
        };
        let _ = writeln!(text, "{} {}", line.0, line.1);
    }
}
