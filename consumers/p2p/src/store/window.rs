//! Reading a file front to back, in large pieces, with a look ahead.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// A part of a file in memory, which moves along. It never reads behind `end`.
pub(super) struct Window<'a> {
    file: &'a File,
    end: u64,
    /// What every byte is combined with, by its offset. Zeros for nothing.
    key: [u8; 8],
    bytes: Vec<u8>,
    start: u64,
}

impl<'a> Window<'a> {
    /// Of a file, up to `end`.
    pub(super) fn new(file: &'a File, end: u64) -> Window<'a> {
        Window {
            file,
            end,
            key: [0; 8],
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// The bytes from `at` on: as many as are wanted, or all up to the end; there may be more.
    pub(super) fn at(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let left = self.end.saturating_sub(at);
        let want = (want as u64).min(left);
        let has = self.start..=self.start + self.bytes.len() as u64;
        if !(has.contains(&at) && has.contains(&(at + want))) {
            let length = want.max(PIECE as u64).min(left) as usize;
            self.bytes.resize(length, 0);
            self.start = at;
            self.file
                .read_exact_at(&mut self.bytes, at)
                .inspect_err(|_| self.bytes.clear())?;
            if self.key != [0; 8] {
                for (byte, offset) in self.bytes.iter_mut().zip(at..) {
                    *byte ^= self.key[(offset % 8) as usize];
                }
            }
        }
        Ok(self.bytes.get((at - self.start) as usize..).unwrap_or_default())
    }

    /// Where from `at` on these bytes begin, if they do.
    pub(super) fn find(&mut self, mut at: u64, what: &[u8]) -> io::Result<Option<u64>> {
        loop {
            let bytes = self.at(at, what.len())?;
            if bytes.len() < what.len() {
                return Ok(None);
            }
            if let Some(found) = bytes.windows(what.len()).position(|here| here == what) {
                return Ok(Some(at + found as u64));
            }
            at += (bytes.len() - what.len() + 1) as u64;
        }
    }
}
