//! Where the blocks of a file are.

use super::Source;
use super::error::{Damage, Damaged};
use crate::store::StoreError;
use crate::store::window::Window;
use crate::wire::{MAX_PAYLOAD, Magic};
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::deserialize;
use std::fs::File;
use std::io;

/// Bytes before a block: the magic and the length.
const RECORD: usize = 8;

/// Bytes that are read at once. Of large blocks only the beginning is read, small ones come by the hundred.
const PIECE: usize = 64 << 10;

/// The fewest zeros that are room made in advance.
const ROOM: u64 = 8;

/// A block in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located {
    /// The number of the file.
    pub(super) file: u32,
    /// Where its record begins.
    pub(super) offset: u64,
    /// Bytes of the block.
    pub(super) length: u32,
    pub(super) hash: BlockHash,
    pub(super) parent: BlockHash,
}

impl Located {
    /// Where the block begins.
    pub(super) fn payload(&self) -> u64 {
        self.offset + RECORD as u64
    }

    /// Where its record ends.
    fn end(&self) -> u64 {
        self.payload() + u64::from(self.length)
    }
}

/// What is at an offset.
enum Here {
    Block(Located),
    /// The beginning of a block that is longer than the file.
    CutShort,
    /// Zeros, up to there.
    Room(u64),
    Rubbish,
}

/// Looks for the blocks of a file.
pub(super) fn scan(
    source: &Source,
    file: u32,
    magic: Magic,
    blocks: &mut Vec<Located>,
    damaged: &mut Vec<Damaged>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(&source.path, "read", error);
    let opened = File::open(&source.path).map_err(failed)?;
    let end = opened.metadata().map_err(failed)?.len();
    let window = Window::new(&opened, end, PIECE).with_key(source.key);
    let mut scan = Scan {
        window,
        end,
        file,
        magic,
    };
    let mut damage = |offset, until: u64, what| {
        let path = source.path.to_path_buf();
        let length = until - offset;
        damaged.push(Damaged {
            path,
            offset,
            length,
            what,
        });
    };
    let mut at = 0;
    while at < end {
        match scan.here(at).map_err(failed)? {
            Here::Room(until) => at = until,
            Here::Block(block) => {
                blocks.push(block);
                let next = block.end();
                at = if scan.goes_on(next).map_err(failed)? {
                    next
                } else {
                    // Either it is not as long as it says, or what is behind it is damaged.
                    let found = scan.next(block.payload()).map_err(failed)?;
                    if found < next {
                        damage(at, found, Damage::Length);
                    } else {
                        damage(next, found, Damage::Rubbish);
                    }
                    found
                };
            }
            Here::CutShort => {
                let found = scan.next(at + 1).map_err(failed)?;
                damage(at, found, Damage::CutShort);
                at = found;
            }
            Here::Rubbish => {
                let found = scan.next(at + 1).map_err(failed)?;
                damage(at, found, Damage::Rubbish);
                at = found;
            }
        }
    }
    Ok(())
}

struct Scan<'a> {
    window: Window<'a>,
    end: u64,
    file: u32,
    magic: Magic,
}

impl Scan<'_> {
    fn here(&mut self, at: u64) -> io::Result<Here> {
        let bytes = self.window.at(at, RECORD + Header::SIZE)?;
        let whole = bytes
            .first_chunk::<RECORD>()
            .filter(|record| record[..4] == self.magic);
        let Some([_, _, _, _, length @ ..]) = whole else {
            let zeros = self.window.zeros(at)?;
            return Ok(if zeros >= at + ROOM || zeros == self.end {
                Here::Room(zeros)
            } else {
                Here::Rubbish
            });
        };
        let length = u32::from_le_bytes(*length);
        if length as usize <= Header::SIZE || length as usize > MAX_PAYLOAD {
            return Ok(Here::Rubbish);
        }
        if at + RECORD as u64 + u64::from(length) > self.end {
            return Ok(Here::CutShort);
        }
        let header = bytes.get(RECORD..RECORD + Header::SIZE).unwrap_or_default();
        let Ok(header) = deserialize::<Header>(header) else {
            return Ok(Here::Rubbish);
        };
        Ok(Here::Block(Located {
            file: self.file,
            offset: at,
            length,
            hash: header.block_hash(),
            parent: header.prev_blockhash,
        }))
    }

    /// Whether the file ends there, or what is there may follow a block.
    fn goes_on(&mut self, at: u64) -> io::Result<bool> {
        Ok(
            at == self.end || self.window.at(at, 4)?.starts_with(&self.magic) || {
                let zeros = self.window.zeros(at)?;
                zeros >= at + ROOM || zeros == self.end
            },
        )
    }

    /// Where the next block may begin; the end of the file if there is none.
    fn next(&mut self, at: u64) -> io::Result<u64> {
        Ok(self.window.find(at, &self.magic)?.unwrap_or(self.end))
    }
}
