//! A block without its witnesses.

use super::cursor::{Cursor, DecodeError};
use super::transaction::{Context, Transaction};
use bitcoin::block::Header;

/// A block as peers get it that do not ask for witnesses (BIP 144). It need not be a valid one.
pub fn strip_witness(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut cursor = Cursor::new(payload);
    cursor.take(Header::SIZE)?;
    let count = cursor.compact_size()?;
    let mut stripped = Vec::with_capacity(payload.len());
    stripped.extend_from_slice(&payload[..payload.len() - cursor.left()]);
    let mut context = Context::new(0, 0);
    for _ in 0..count {
        Transaction::read(&mut cursor, &mut context)?.strip(&mut stripped);
    }
    match cursor.left() {
        0 => Ok(stripped),
        _ => Err(DecodeError::Trailing),
    }
}
