//! The form of a stored block: the frame of a `block` message.

use crate::wire::{self, Command, HEADER, MAX_PAYLOAD, Magic};

/// The fewest bytes a block's frame has: a block is at least a header and the number of its transactions.
pub const MIN_FRAME: usize = HEADER + 81;

/// The most bytes a block's frame has.
pub const MAX_FRAME: usize = HEADER + MAX_PAYLOAD;

/// Bytes of magic and command, by which the beginning of a frame is recognised.
pub(super) const MARK: usize = 16;

/// What is wrong with the frame of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It ends before its header or its payload does.
    #[error("a block is cut short")]
    Short,
    /// It is of another chain, or not the beginning of a frame.
    #[error("no block begins there")]
    Magic,
    /// It is not of a `block` message.
    #[error("it is not a block")]
    Command,
    /// Its length is not that of a block, or not the one it should have.
    #[error("the length of a block is wrong")]
    Length,
    /// Its payload is not what was sent.
    #[error("the checksum of a block is wrong")]
    Checksum,
}

/// By what a block's frame begins.
pub(super) fn mark(magic: Magic) -> [u8; MARK] {
    let mut mark = [0; MARK];
    mark[..4].copy_from_slice(&magic);
    mark[4..].copy_from_slice(&Command::BLOCK.to_bytes());
    mark
}

/// The length of the block's frame that begins so, header included.
pub(super) fn length(magic: Magic, bytes: &[u8]) -> Result<usize, BadFrame> {
    let header = match wire::Header::read(bytes, magic) {
        Ok(Some(header)) => header,
        Ok(None) => return Err(BadFrame::Short),
        Err(wire::FrameError::Magic) => return Err(BadFrame::Magic),
        Err(wire::FrameError::Length(_)) => return Err(BadFrame::Length),
    };
    if header.command != Command::BLOCK {
        return Err(BadFrame::Command);
    }
    if header.size() < MIN_FRAME {
        return Err(BadFrame::Length);
    }
    Ok(header.size())
}

/// Whether these bytes are one block's frame; its checksum apart.
pub(super) fn check(magic: Magic, frame: &[u8]) -> Result<(), BadFrame> {
    match length(magic, frame)? {
        length if length == frame.len() => Ok(()),
        _ => Err(BadFrame::Length),
    }
}

/// The payload of a frame, when its checksum is right.
pub fn verify(frame: &[u8]) -> Result<&[u8], BadFrame> {
    let (header, payload) = frame.split_at_checked(HEADER).ok_or(BadFrame::Short)?;
    if header[HEADER - 4..] == wire::checksum(payload) {
        Ok(payload)
    } else {
        Err(BadFrame::Checksum)
    }
}
