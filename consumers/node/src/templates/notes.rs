//! What whoever runs the node should know.

use std::sync::{Mutex, PoisonError};

/// How many notes wait to be read at most. They are read ten times a second; what comes above that is in the log alone.
const MOST_NOTES: usize = 100;

/// Notes that wait to be read.
#[derive(Default)]
pub(super) struct Notes(Mutex<Vec<String>>);

impl Notes {
    pub(super) fn add(&self, text: String) {
        tracing::warn!("{text}");
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MOST_NOTES {
            notes.push(text);
        }
    }

    /// Those that were not read yet, oldest first.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_once_and_are_not_too_many() {
        let notes = Notes::default();
        (0..=MOST_NOTES).for_each(|number| notes.add(number.to_string()));
        let read = notes.take();
        assert_eq!((read.len(), read[0].as_str()), (MOST_NOTES, "0"));
        assert!(notes.take().is_empty());
        notes.add("again".to_owned());
        assert_eq!(notes.take(), ["again"]);
    }
}
