//! The block files, and the one that is appended to.

use super::options::DiskOptions;
use crate::store::frame;
use crate::store::{Place, StoreError, names};
use crate::wire::Magic;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory of the block files and what they begin with.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) dir: PathBuf,
    pub(super) magic: Magic,
}

impl Files {
    pub(super) fn path(&self, number: u32) -> PathBuf {
        names::path(&self.dir, number)
    }

    pub(super) fn list(&self) -> Result<Vec<u32>, StoreError> {
        names::list(&self.dir)
    }

    /// Opens one to be read.
    pub(super) fn open(&self, number: u32) -> Result<File, StoreError> {
        let path = self.path(number);
        File::open(&path).map_err(|error| StoreError::io(&path, "open", error))
    }
}

/// Appends blocks to the last file, and begins the next one.
#[derive(Debug)]
pub(super) struct Writer {
    files: Files,
    file_size: u64,
    number: u32,
    /// Where the next block begins.
    end: u64,
    file: Option<Arc<File>>,
    /// A write failed: there may be a part of a block behind the end.
    ragged: bool,
}

/// What [`Writer::append`] did.
pub(super) struct Appended {
    pub(super) place: Place,
    pub(super) file: Arc<File>,
    /// The file is a new one: its name is not on the disk yet.
    pub(super) new: bool,
}

impl Writer {
    /// Goes on at the end of a file.
    pub(super) fn new(files: Files, options: &DiskOptions, number: u32, end: u64) -> Writer {
        Writer {
            files,
            file_size: options.file_size,
            number,
            end,
            file: None,
            ragged: false,
        }
    }

    pub(super) fn append(&mut self, frame: &[u8]) -> Result<Appended, StoreError> {
        frame::check(self.files.magic, frame).map_err(StoreError::NotAFrame)?;
        let length = frame.len() as u64;
        if self.end > 0 && self.end + length > self.file_size {
            self.begin_next()?;
        }
        let path = self.files.path(self.number);
        let (file, new) = match &self.file {
            Some(file) => (file.clone(), false),
            None => {
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)
                    .map_err(|error| StoreError::io(&path, "open", error))?;
                (Arc::new(file), self.end == 0)
            }
        };
        if self.ragged {
            self.cut(&file, &path)?;
        }
        if let Err(error) = file.write_all_at(frame, self.end) {
            self.ragged = true;
            // If that is refused too, it is done before the next block.
            let _ = self.cut(&file, &path);
            return Err(StoreError::io(&path, "write", error));
        }
        let place = Place {
            file: self.number,
            offset: self.end,
            length: length as u32,
        };
        self.end += length;
        self.file = Some(file.clone());
        Ok(Appended { place, file, new })
    }

    /// Takes away what a failed write has left.
    fn cut(&mut self, file: &File, path: &Path) -> Result<(), StoreError> {
        file.set_len(self.end)
            .map_err(|error| StoreError::io(path, "cut", error))?;
        self.ragged = false;
        Ok(())
    }

    fn begin_next(&mut self) -> Result<(), StoreError> {
        if self.ragged
            && let Some(file) = self.file.clone()
        {
            let path = self.files.path(self.number);
            self.cut(&file, &path)?;
        }
        self.number = self.number.checked_add(1).ok_or_else(|| {
            let none = io::Error::other("there are no more numbers");
            StoreError::io(&self.files.path(self.number), "go on after", none)
        })?;
        self.end = 0;
        self.file = None;
        Ok(())
    }
}
