//! Reads blocks from the files.

use super::files::Files;
use crate::store::frame::{self, BadFrame, MAX_FRAME};
use crate::store::open_files::OpenFiles;
use crate::store::{Place, Reader, StoreError};
use bytes::Bytes;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Reads the blocks of a [`Disk`](super::Disk): each by one system call, into a buffer of its own.
#[derive(Clone, Debug)]
pub struct DiskReader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: Files,
    open: OpenFiles,
}

impl DiskReader {
    /// Keeps at most `limit` files open.
    pub(super) fn new(files: Files, limit: usize) -> DiskReader {
        let open = OpenFiles::new(limit);
        DiskReader(Arc::new(Shared { files, open }))
    }
}

impl Reader for DiskReader {
    fn frame(&self, place: Place) -> Result<Bytes, StoreError> {
        let path = || self.0.files.path(place.file);
        let damaged = |what| self.damaged(place, what);
        let length = place.length as usize;
        if length > MAX_FRAME {
            return Err(damaged(BadFrame::Length));
        }
        let file = match self.0.open.get(place.file, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged(BadFrame::Short)),
            file => file.map_err(|error| StoreError::io(&path(), "open", error))?,
        };
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, place.offset) {
            Ok(()) => {}
            // No file goes as far as that, or even could.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput
                ) =>
            {
                return Err(damaged(BadFrame::Short));
            }
            Err(error) => return Err(StoreError::io(&path(), "read", error)),
        }
        frame::check(self.0.files.magic, &bytes).map_err(damaged)?;
        Ok(bytes.into())
    }

    fn damaged(&self, place: Place, what: BadFrame) -> StoreError {
        StoreError::Damaged {
            path: self.0.files.path(place.file),
            offset: place.offset,
            what,
        }
    }
}
