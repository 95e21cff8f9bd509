//! Reads blocks from the files.

use super::files::Files;
use crate::store::frame::{self, BadFrame, MAX_FRAME};
use crate::store::{Place, Reader, StoreError};
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the blocks of a [`Disk`](super::Disk): each by one system call, into a buffer of its own.
#[derive(Clone, Debug)]
pub struct DiskReader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: Files,
    /// Those that are open, the one used last at the end.
    open: Mutex<Vec<(u32, Arc<File>)>>,
    limit: usize,
}

impl DiskReader {
    /// Keeps at most `limit` files open.
    pub(super) fn new(files: Files, limit: usize) -> DiskReader {
        DiskReader(Arc::new(Shared {
            files,
            open: Mutex::default(),
            limit,
        }))
    }

    /// The file with this number, opened if it has to be. (A reader that was slow may still hold one that is no longer kept.)
    fn file(&self, number: u32) -> Result<Arc<File>, StoreError> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match open.iter().position(|(of, _)| *of == number) {
            Some(at) => open.remove(at),
            None => {
                let file = Arc::new(self.0.files.open(number)?);
                if open.len() >= self.0.limit.max(1) {
                    open.remove(0);
                }
                (number, file)
            }
        };
        let file = entry.1.clone();
        open.push(entry);
        Ok(file)
    }
}

impl Reader for DiskReader {
    fn frame(&self, place: Place) -> Result<Bytes, StoreError> {
        let path = || self.0.files.path(place.file);
        let damaged = |what| StoreError::Damaged {
            path: path(),
            offset: place.offset,
            what,
        };
        let length = place.length as usize;
        if length > MAX_FRAME {
            return Err(damaged(BadFrame::Length));
        }
        let file = match self.file(place.file) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(BadFrame::Short));
            }
            file => file?,
        };
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, place.offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged(BadFrame::Short));
            }
            Err(error) => return Err(StoreError::io(&path(), "read", error)),
            Ok(()) => {}
        }
        frame::check(self.0.files.magic, &bytes).map_err(damaged)?;
        Ok(bytes.into())
    }
}
