//! The form of a stored block: the frame of a `block` message.

use sha2::{Digest, Sha256};

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 24;

/// The fewest bytes a block's frame has: a block is at least a header and the number of its transactions.
pub const MIN_FRAME: usize = HEADER + 81;

/// The most bytes a block's frame has. A payload has at most 4,000,000 (`MAX_PROTOCOL_MESSAGE_LENGTH` in Bitcoin Core), which is
/// also the most that a block of 4,000,000 units of weight can have.
pub const MAX_FRAME: usize = HEADER + 4_000_000;

/// How the header of a `block` message goes on after the magic.
const COMMAND: [u8; 12] = *b"block\0\0\0\0\0\0\0";

/// Bytes of magic and command, by which the beginning of a frame is recognised.
pub(super) const MARK: usize = 16;

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends before its header or its payload does.
    #[error("the frame is cut short")]
    Short,
    /// It is of another chain, or not the beginning of a frame.
    #[error("it does not begin with the magic")]
    Magic,
    /// It is not of a `block` message.
    #[error("it is not a block message")]
    Command,
    /// Its length is not that of a block, or not the one it should have.
    #[error("its length is wrong")]
    Length,
    /// Its payload is not what was sent.
    #[error("its checksum is wrong")]
    Checksum,
}

/// By what a frame of this chain begins.
pub(super) fn mark(magic: [u8; 4]) -> [u8; MARK] {
    let mut mark = [0; MARK];
    mark[..4].copy_from_slice(&magic);
    mark[4..].copy_from_slice(&COMMAND);
    mark
}

/// The length of the frame that begins so, header included.
pub(super) fn length(magic: [u8; 4], bytes: &[u8]) -> Result<usize, FrameError> {
    let header = bytes.first_chunk::<HEADER>().ok_or(FrameError::Short)?;
    if header[..4] != magic {
        return Err(FrameError::Magic);
    }
    if header[4..MARK] != COMMAND {
        return Err(FrameError::Command);
    }
    let payload = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
    let length = HEADER + payload as usize;
    if !(MIN_FRAME..=MAX_FRAME).contains(&length) {
        return Err(FrameError::Length);
    }
    Ok(length)
}

/// Whether these bytes are one frame of this chain; its checksum apart.
pub(super) fn check(magic: [u8; 4], frame: &[u8]) -> Result<(), FrameError> {
    match length(magic, frame)? {
        length if length == frame.len() => Ok(()),
        _ => Err(FrameError::Length),
    }
}

/// The first 4 bytes of SHA-256d.
fn checksum(payload: &[u8]) -> [u8; 4] {
    let twice = Sha256::digest(Sha256::digest(payload));
    [twice[0], twice[1], twice[2], twice[3]]
}

/// The payload of a frame, when its checksum is right.
pub fn verify(frame: &[u8]) -> Result<&[u8], FrameError> {
    let (header, payload) = frame.split_at_checked(HEADER).ok_or(FrameError::Short)?;
    if header[20..] == checksum(payload) {
        Ok(payload)
    } else {
        Err(FrameError::Checksum)
    }
}

/// The frame of a block.
pub fn frame(magic: [u8; 4], block: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + block.len());
    frame.extend_from_slice(&header(magic, block));
    frame.extend_from_slice(block);
    frame
}

/// The header of a block's frame.
pub(super) fn header(magic: [u8; 4], block: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..MARK].copy_from_slice(&mark(magic));
    header[MARK..20].copy_from_slice(&(block.len() as u32).to_le_bytes());
    header[20..].copy_from_slice(&checksum(block));
    header
}
