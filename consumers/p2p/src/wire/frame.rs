//! The transport, version 1: a header of 24 bytes, then exactly the payload.

use super::{Command, DecodeError, Message, decode};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Bytes of a message's header: the magic, the command, the payload's length and its checksum.
pub const HEADER: usize = 24;

/// Bytes that a payload may have: Bitcoin Core's `MAX_PROTOCOL_MESSAGE_LENGTH`, which is what a block may have.
pub const MAX_PAYLOAD: usize = 4_000_000;

/// The bytes that every message of a network begins with.
pub type Magic = [u8; 4];

/// What a message's first 24 bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The message's name.
    pub command: Command,
    /// The payload's length, in bytes.
    pub length: usize,
    /// What the payload's [`checksum`] is said to be.
    pub checksum: [u8; 4],
}

/// Why what comes is no message of this network's. Nothing after it means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Its first bytes are not the network's: those of another one, of the encrypted transport (BIP 324), or of anything else.
    #[error("the first bytes are not the network's magic")]
    Magic,
    /// It is said to have a payload of more than [`MAX_PAYLOAD`] bytes: so many.
    #[error("a payload of {0} bytes, where {MAX_PAYLOAD} are allowed")]
    Length(u32),
}

impl Header {
    /// Reads the header that `bytes` begin with; `None` where they are fewer than [`HEADER`] and not wrong so far.
    ///
    /// The magic is compared as far as it is there: the first byte that is wrong is an error.
    pub fn read(bytes: &[u8], magic: Magic) -> Result<Option<Header>, FrameError> {
        let there = bytes.len().min(magic.len());
        if bytes[..there] != magic[..there] {
            return Err(FrameError::Magic);
        }
        let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [_, _, _, _, command @ .., l0, l1, l2, l3, c0, c1, c2, c3] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        if length as usize > MAX_PAYLOAD {
            return Err(FrameError::Length(length));
        }
        Ok(Some(Header {
            command: Command::from_bytes(command),
            length: length as usize,
            checksum: [c0, c1, c2, c3],
        }))
    }

    /// The header of this payload, which must not be longer than [`MAX_PAYLOAD`] for a peer to take it.
    pub fn of(command: Command, payload: &[u8]) -> Header {
        Header {
            command,
            length: payload.len(),
            checksum: checksum(payload),
        }
    }

    /// The bytes for the wire.
    pub fn to_bytes(&self, magic: Magic) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&magic);
        bytes[4..16].copy_from_slice(&self.command.to_bytes());
        bytes[16..20].copy_from_slice(&(self.length as u32).to_le_bytes());
        bytes[20..].copy_from_slice(&self.checksum);
        bytes
    }

    /// Bytes of the whole message: of its header and its payload.
    pub fn size(&self) -> usize {
        HEADER + self.length
    }
}

/// The first four bytes of the SHA-256 of the payload's SHA-256.
pub fn checksum(payload: &[u8]) -> [u8; 4] {
    let [c0, c1, c2, c3, ..] = Sha256::digest(Sha256::digest(payload)).0;
    [c0, c1, c2, c3]
}

/// What bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Nothing that is whole: with fewer bytes than so many in all there is nothing more to say. It is one more than there are where the
    /// next one may show that the magic is wrong; then a header's; then the message's.
    Wants(usize),
    /// This message; the next one begins where it ends.
    Whole(Frame<'a>),
}

/// A message whose bytes are all there. What they are has not been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What its header says.
    pub header: Header,
    /// All of its bytes, the header's too: as they came, and as a block is stored and served.
    pub bytes: &'a [u8],
}

/// Says what `bytes` begin with. It reads no more than a header, and allocates nothing.
pub fn next(bytes: &[u8], magic: Magic) -> Result<Next<'_>, FrameError> {
    let Some(header) = Header::read(bytes, magic)? else {
        let judged = bytes.len() < magic.len();
        return Ok(Next::Wants(if judged { bytes.len() + 1 } else { HEADER }));
    };
    Ok(match bytes.get(..header.size()) {
        Some(bytes) => Next::Whole(Frame { header, bytes }),
        None => Next::Wants(header.size()),
    })
}

impl<'a> Frame<'a> {
    /// The payload.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// Whether the payload has the checksum that its header says. One that has not is to be dropped.
    pub fn is_intact(&self) -> bool {
        checksum(self.payload()) == self.header.checksum
    }

    /// Decodes the payload, whatever its checksum is. Fails as [`decode`] does.
    pub fn decode(&self) -> Result<Message<'a>, DecodeError> {
        decode(self.header.command, self.payload())
    }
}

/// A message with this payload, which must not be longer than [`MAX_PAYLOAD`] for a peer to take it: to be sent to any number of
/// peers without another copy.
pub fn frame(magic: Magic, command: Command, payload: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(&Header::of(command, payload).to_bytes(magic));
    bytes.extend_from_slice(payload);
    bytes.into()
}
