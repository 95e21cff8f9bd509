//! Looks at a block file: whether what the index knows is there, and what is there that it does not know.

use super::files::Files;
use crate::store::frame::{self, BadFrame};
use crate::store::window::Window;
use crate::store::{Found, Note, Place, StoreError};
use crate::wire::{HEADER, Magic};
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// A block file that is looked at.
pub(super) struct Scan<'a> {
    files: &'a Files,
    number: u32,
    path: PathBuf,
    file: File,
    pub(super) length: u64,
    /// Bytes that may still be hashed in vain.
    patience: Cell<u64>,
}

/// What was found out about block files.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<Note>,
}

impl Findings {
    /// A part of a file is damaged. Together with the part before it, if that is too, it is one.
    pub(super) fn damaged(&mut self, of: &Path, part: Range<u64>, what: BadFrame) {
        if let Some(Note::Damaged {
            path, offset, length, ..
        }) = self.notes.last_mut()
            && path == of
            && *offset + *length == part.start
        {
            *length = part.end - *offset;
            return;
        }
        self.notes.push(Note::Damaged {
            path: of.to_path_buf(),
            offset: part.start,
            length: part.end - part.start,
            what,
        });
    }
}

impl<'a> Scan<'a> {
    /// Opens one. Beyond its length so many bytes may be hashed in vain.
    pub(super) fn open(files: &'a Files, number: u32, search: u64) -> Result<Scan<'a>, StoreError> {
        let file = files.open(number)?;
        let path = files.path(number);
        let about = file
            .metadata()
            .map_err(|error| StoreError::io(&path, "look at", error))?;
        Ok(Scan {
            files,
            number,
            path,
            file,
            length: about.len(),
            patience: Cell::new(about.len().saturating_add(search)),
        })
    }

    fn failed(&self, error: io::Error) -> StoreError {
        StoreError::io(&self.path, "read", error)
    }

    /// The magic of another chain, if that is what the first two blocks have, or the only one. (With one of several it is damage.)
    pub(super) fn other_chain(&self) -> Result<Option<Magic>, StoreError> {
        let read = || -> io::Result<Option<Magic>> {
            let mut window = Window::new(&self.file, self.length.min(HEADER as u64), HEADER);
            let magic = window.at(0, HEADER)?.first_chunk::<4>().copied();
            let Some(magic) = magic.filter(|magic| *magic != self.files.magic) else {
                return Ok(None);
            };
            let mut window = Window::new(&self.file, self.length, PIECE);
            let Ok(first) = whole(&mut window, magic, 0)? else {
                return Ok(None);
            };
            let next = first.len() as u64;
            let same = next == self.length || whole(&mut window, magic, next)?.is_ok();
            Ok(same.then_some(magic))
        };
        read().map_err(|error| self.failed(error))
    }

    /// Whether the header of a frame is there.
    pub(super) fn begins(&self, place: Place) -> Result<Result<(), BadFrame>, StoreError> {
        let mut window = Window::new(&self.file, place.offset + HEADER as u64, HEADER);
        let bytes = window
            .at(place.offset, HEADER)
            .map_err(|error| self.failed(error))?;
        Ok(match frame::length(self.files.magic, bytes) {
            Ok(length) if length == place.length as usize => Ok(()),
            Ok(_) => Err(BadFrame::Length),
            Err(what) => Err(what),
        })
    }

    /// Those of these places where the frame is not what was written.
    pub(super) fn damaged(&self, places: &[Place]) -> Result<Vec<(Place, BadFrame)>, StoreError> {
        let mut window = Window::new(&self.file, self.length, PIECE);
        let mut damaged = Vec::new();
        for &place in places {
            let whole =
                whole(&mut window, self.files.magic, place.offset).map_err(|error| self.failed(error))?;
            match whole {
                Ok(frame) if frame.len() == place.length as usize => {}
                Ok(_) => damaged.push((place, BadFrame::Length)),
                Err(what) => damaged.push((place, what)),
            }
        }
        Ok(damaged)
    }

    /// Goes through a part of which the index knows nothing. Between two frames that are whole it may be damaged; the next one is
    /// found by how it begins. Returns where the end of the file begins that is torn off, if it is.
    pub(super) fn gap(&self, gap: Range<u64>, findings: &mut Findings) -> Result<Option<u64>, StoreError> {
        self.try_gap(gap, findings).map_err(|error| self.failed(error))
    }

    fn try_gap(&self, gap: Range<u64>, findings: &mut Findings) -> io::Result<Option<u64>> {
        let mark = frame::mark(self.files.magic);
        let mut window = Window::new(&self.file, gap.end, PIECE);
        let mut at = gap.start;
        // What is no frame: where it begins, and why.
        let mut rubbish: Option<(u64, BadFrame)> = None;
        while at < gap.end {
            let frame = match whole(&mut window, self.files.magic, at)? {
                Ok(frame) => frame,
                Err(what) => {
                    let (from, what) = *rubbish.get_or_insert((at, what));
                    let hashed = self.hashed(&mut window, at)?;
                    self.patience.set(self.patience.get().saturating_sub(hashed));
                    let next = window.find(at + 1, &mark)?;
                    if next.is_some() && self.patience.get() == 0 {
                        findings.damaged(&self.path, from..gap.end, what);
                        return Ok(None);
                    }
                    at = next.unwrap_or(gap.end);
                    continue;
                }
            };
            let end = at + frame.len() as u64;
            findings.found.extend(found(self.number, at, frame));
            if let Some((from, what)) = rubbish.take() {
                findings.damaged(&self.path, from..at, what);
            }
            at = end;
        }
        if let Some((from, what)) = rubbish {
            if gap.end == self.length && self.is_torn(&mut window, from)? {
                return Ok(Some(from));
            }
            findings.damaged(&self.path, from..gap.end, what);
        }
        Ok(None)
    }

    /// Bytes that were hashed to see that there is no whole frame.
    fn hashed(&self, window: &mut Window<'_>, at: u64) -> io::Result<u64> {
        let length = frame::length(self.files.magic, window.at(at, HEADER)?).unwrap_or_default() as u64;
        Ok(if length > window.left(at) { 0 } else { length })
    }

    /// Whether the file ends in the beginning of a frame, or in nothing but zeros.
    fn is_torn(&self, window: &mut Window<'_>, from: u64) -> io::Result<bool> {
        let left = self.length - from;
        let bytes = window.at(from, HEADER)?;
        let mark = frame::mark(self.files.magic);
        let torn = match frame::length(self.files.magic, bytes) {
            Ok(length) => length as u64 > left,
            Err(_) => bytes.len() < HEADER && bytes.iter().zip(mark).all(|(byte, of_mark)| *byte == of_mark),
        };
        if torn {
            return Ok(true);
        }
        Ok(window.zeros(from)? == self.length)
    }

    /// Cuts off a torn end.
    pub(super) fn cut(&mut self, from: u64, findings: &mut Findings) -> Result<(), StoreError> {
        OpenOptions::new()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_len(from))
            .map_err(|error| StoreError::io(&self.path, "cut", error))?;
        findings.notes.push(Note::Torn {
            path: self.path.clone(),
            offset: from,
            length: self.length - from,
        });
        self.length = from;
        Ok(())
    }
}

/// The frame that begins at `at`, if it is whole.
fn whole<'a>(window: &'a mut Window<'_>, magic: Magic, at: u64) -> io::Result<Result<&'a [u8], BadFrame>> {
    let length = match frame::length(magic, window.at(at, HEADER)?) {
        Ok(length) => length,
        Err(what) => return Ok(Err(what)),
    };
    if length as u64 > window.left(at) {
        return Ok(Err(BadFrame::Short));
    }
    let frame = window.at(at, length)?.get(..length).unwrap_or_default();
    Ok(frame::verify(frame).map(|_| frame))
}

fn found(file: u32, offset: u64, frame: &[u8]) -> Option<Found> {
    let header: Header = deserialize(frame.get(HEADER..HEADER + Header::SIZE)?).ok()?;
    let length = frame.len() as u32;
    Some(Found {
        place: Place { file, offset, length },
        header,
        hash: header.block_hash(),
    })
}
