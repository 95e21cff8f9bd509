//! The bytes of a payload, from front to back, no further than they go.

use super::DecodeError;
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

/// What is left of a payload.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(DecodeError::Malformed("it is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(DecodeError::Malformed("it is too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn hash(&mut self) -> Result<BlockHash, DecodeError> {
        self.array().map(BlockHash::from_byte_array)
    }

    /// A number in one to nine bytes, which must be as few as will do.
    pub(super) fn compact(&mut self) -> Result<u64, DecodeError> {
        let (number, least) = match self.u8()? {
            0xfd => (self.array().map(u16::from_le_bytes)?.into(), 0xfd),
            0xfe => (self.u32()?.into(), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            small => (small.into(), 0),
        };
        if number < least {
            return Err(DecodeError::Malformed("a number takes more bytes than it needs"));
        }
        Ok(number)
    }

    /// A number of bytes, and so many bytes, `most` at most.
    pub(super) fn short(&mut self, most: usize, too_long: &'static str) -> Result<&'a [u8], DecodeError> {
        match usize::try_from(self.compact()?) {
            Ok(length) if length <= most => self.take(length),
            _ => Err(DecodeError::Malformed(too_long)),
        }
    }

    /// A number of items, `most` at most, and so many items of at least `size` bytes each, as `read` reads them.
    ///
    /// There is never more room for items than what is left could be.
    pub(super) fn items<T>(
        &mut self,
        what: &'static str,
        most: usize,
        size: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.compact()?;
        if count > most as u64 {
            return Err(DecodeError::TooMany { what, count, most });
        }
        let mut items = Vec::with_capacity((count as usize).min(self.0.len() / size));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }
}
