//! Reading a file front to back, in pieces, with a look ahead.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What the bytes of a file are combined with, by exclusive or, each by its offset. Zeros leave them as they are.
pub(super) type Key = [u8; 8];

/// A part of a file in memory, which moves along. It never reads behind its end.
pub(super) struct Window<'a> {
    file: &'a File,
    end: u64,
    /// Bytes that are read at once.
    piece: usize,
    key: Key,
    bytes: Vec<u8>,
    start: u64,
}

impl<'a> Window<'a> {
    /// Of a file, up to `end`, in pieces of so many bytes.
    pub(super) fn new(file: &'a File, end: u64, piece: usize) -> Window<'a> {
        Window {
            file,
            end,
            piece,
            key: Key::default(),
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// The same, of a file that was written with a key.
    pub(super) fn with_key(mut self, key: Key) -> Window<'a> {
        self.key = key;
        self
    }

    /// Bytes from `at` to the end.
    pub(super) fn left(&self, at: u64) -> u64 {
        self.end.saturating_sub(at)
    }

    /// The bytes from `at` on: as many as are wanted, or all up to the end; there may be more.
    pub(super) fn at(&mut self, at: u64, want: usize) -> io::Result<&[u8]> {
        let left = self.left(at);
        let want = (want as u64).min(left);
        let has = self.start..=self.start + self.bytes.len() as u64;
        if !(has.contains(&at) && has.contains(&(at + want))) {
            let length = want.max(self.piece as u64).min(left) as usize;
            self.bytes.resize(length, 0);
            self.start = at;
            let read = self.file.read_exact_at(&mut self.bytes, at);
            read.inspect_err(|_| self.bytes.clear())?;
            apply(self.key, &mut self.bytes, at);
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

    /// Where the zeros that begin at `at` end. (Zeros in the file: nothing was written there, with whatever key.)
    pub(super) fn zeros(&mut self, mut at: u64) -> io::Result<u64> {
        let key = self.key;
        while at < self.end {
            let bytes = self.at(at, 1)?;
            let is_zero = |(byte, offset): (&u8, u64)| *byte == key[(offset % 8) as usize];
            let zeros = bytes.iter().zip(at..).take_while(|here| is_zero(*here)).count();
            let all = zeros == bytes.len();
            at += zeros as u64;
            if !all {
                break;
            }
        }
        Ok(at)
    }
}

/// Combines bytes that begin at an offset with a key.
pub(super) fn apply(key: Key, bytes: &mut [u8], at: u64) {
    if key != Key::default() {
        for (byte, offset) in bytes.iter_mut().zip(at..) {
            *byte ^= key[(offset % 8) as usize];
        }
    }
}
