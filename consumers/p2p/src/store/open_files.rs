//! Files that are kept open, so that not every read opens one.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A few of the files that are read, by their numbers.
#[derive(Debug)]
pub(super) struct OpenFiles {
    /// The one used last is at the end.
    files: Mutex<Vec<(u32, Arc<File>)>>,
    limit: usize,
}

impl OpenFiles {
    /// Keeps at most `limit` files open, and at least one.
    pub(super) fn new(limit: usize) -> OpenFiles {
        OpenFiles {
            files: Mutex::default(),
            limit: limit.max(1),
        }
    }

    /// A file, opened if it has to be. (Whoever is slow may hold one that is no longer kept.)
    pub(super) fn get(&self, number: u32, path: impl FnOnce() -> PathBuf) -> io::Result<Arc<File>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match files.iter().position(|(of, _)| *of == number) {
            Some(at) => files.remove(at),
            None => {
                let file = Arc::new(File::open(path())?);
                if files.len() >= self.limit {
                    files.remove(0);
                }
                (number, file)
            }
        };
        let file = entry.1.clone();
        files.push(entry);
        Ok(file)
    }
}
