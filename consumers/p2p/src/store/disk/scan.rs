//! Looks at a block file: whether what the index knows is there, and what is there that it does not know.

use super::files::Files;
use crate::store::frame::{self, BadFrame};
use crate::store::window::Window;
use crate::store::{Found, Note, Place, StoreError};
use crate::wire::{HEADER, Magic};
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::PathBuf;

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
    patience: u64,
}

/// What lies in a gap.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<Note>,
}

/// A part of a gap that is not a frame.
struct Rubbish {
    from: u64,
    what: BadFrame,
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
            patience: about.len().saturating_add(search),
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

    /// Goes through a part of which the index knows nothing, and cuts off a torn end. Between two frames that are whole it may be
    /// damaged; the next one is found by how it begins.
    pub(super) fn gap(&mut self, gap: Range<u64>, findings: &mut Findings) -> Result<(), StoreError> {
        let mark = frame::mark(self.files.magic);
        let file = self.file.try_clone().map_err(|error| self.failed(error))?;
        let mut window = Window::new(&file, gap.end, PIECE);
        let mut at = gap.start;
        let mut rubbish: Option<Rubbish> = None;
        while at < gap.end {
            match whole(&mut window, self.files.magic, at).map_err(|error| self.failed(error))? {
                Ok(frame) => {
                    let length = frame.len() as u32;
                    findings.found.extend(found(self.number, at, frame));
                    self.report(rubbish.take(), at, findings);
                    at += u64::from(length);
                }
                Err(what) => {
                    if what == BadFrame::Checksum {
                        let bytes = window.at(at, HEADER).map_err(|error| self.failed(error))?;
                        let length = frame::length(self.files.magic, bytes).unwrap_or_default() as u64;
                        self.patience = self.patience.saturating_sub(length);
                    }
                    rubbish.get_or_insert(Rubbish { from: at, what });
                    let next = window.find(at + 1, &mark).map_err(|error| self.failed(error))?;
                    if self.patience == 0 && next.is_some() {
                        self.report(rubbish, gap.end, findings);
                        return Ok(());
                    }
                    at = next.unwrap_or(gap.end);
                }
            }
        }
        if let Some(Rubbish { from, .. }) = rubbish
            && gap.end == self.length
            && self
                .is_torn(&mut window, from)
                .map_err(|error| self.failed(error))?
        {
            return self.cut(from, findings);
        }
        self.report(rubbish, gap.end, findings);
        Ok(())
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

    fn cut(&mut self, from: u64, findings: &mut Findings) -> Result<(), StoreError> {
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

    fn report(&self, rubbish: Option<Rubbish>, end: u64, findings: &mut Findings) {
        findings
            .notes
            .extend(rubbish.map(|Rubbish { from, what }| Note::Damaged {
                path: self.path.clone(),
                offset: from,
                length: end - from,
                what,
            }));
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
