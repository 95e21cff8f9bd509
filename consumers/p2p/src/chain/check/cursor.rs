//! Reading bytes that a peer sent.

use thiserror::Error;

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum DecodeError {
    /// They end too early.
    #[error("it ends too early")]
    Truncated,
    /// More bytes come after it. Bitcoin Core ignores them; but what is stored and served on is the block and nothing else.
    #[error("bytes follow it")]
    Trailing,
    /// A count is not written in as few bytes as it could be.
    #[error("a count is longer than it needs to be")]
    Count,
    /// A transaction has flags that nobody knows (BIP 144).
    #[error("unknown flags of a transaction")]
    Flags,
    /// A transaction is written as one with witnesses, and all are empty (BIP 144).
    #[error("witnesses are announced, and all are empty")]
    NoWitness,
}

/// Bytes from which one after the other is taken.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor(bytes)
    }

    /// What has not been taken.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// How many bytes have not been taken.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// A count: one byte, or a byte that says how many follow. It must not be longer than needed.
    pub(super) fn compact_size(&mut self) -> Result<u64, DecodeError> {
        let (count, least) = match self.array()? {
            [253] => (u64::from(u16::from_le_bytes(*self.array()?)), 253),
            [254] => (u64::from(self.u32()?), 1 << 16),
            [255] => (u64::from_le_bytes(*self.array()?), 1 << 32),
            [count] => (u64::from(*count), 0),
        };
        if count < least {
            return Err(DecodeError::Count);
        }
        Ok(count)
    }

    /// As many bytes as the count before them says.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], DecodeError> {
        let count = self.compact_size()?;
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }
}
