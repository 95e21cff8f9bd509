//! The transactions of a template, written from where they are.
//!
//! The library's own type for this message is made of a list, of which another one is made before anything is written; for a full block
//! that was a twelfth of an answer's time. What is in the message is written by the library here too, one after the other.

use super::transport::{TooLarge, header};
use binary_sv2::{B016M, B064K, Serialize};
use framing_sv2::Error;
use framing_sv2::framing::EncodableFrame;
use framing_sv2::header::Header;
use template_distribution_sv2::MESSAGE_TYPE_REQUEST_TRANSACTION_DATA_SUCCESS;

/// The frame of an answer with transactions (`RequestTransactionDataSuccess`; specification, 7.5).
pub(super) struct Data<'a, I> {
    header: Header,
    template: u64,
    excess: B064K<'a>,
    count: u16,
    transactions: I,
}

impl<'a, I: Iterator<Item = &'a [u8]> + Clone> Data<'a, I> {
    pub(super) fn new(template: u64, excess: &'a [u8], transactions: I) -> Result<Self, TooLarge> {
        let excess = B064K::new(excess).map_err(|why| TooLarge(why.to_string()))?;
        let (count, bytes) = transactions
            .clone()
            .fold((0_usize, 0_usize), |(count, bytes), tx| {
                (count + 1, bytes + 3 + tx.len())
            });
        let count = u16::try_from(count).map_err(|_| TooLarge(format!("{count} transactions")))?;
        let payload = 8 + 2 + excess.as_bytes().len() + 2 + bytes;
        Ok(Data {
            header: header(0, MESSAGE_TYPE_REQUEST_TRANSACTION_DATA_SUCCESS, payload)?,
            template,
            excess,
            count,
            transactions,
        })
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> EncodableFrame for Data<'a, I> {
    fn encoded_length(&self) -> usize {
        Header::SIZE + self.header.payload_length()
    }

    fn encode_into(self, into: &mut [u8]) -> Result<(), Error> {
        self.header.write_into(into)?;
        let mut written = Header::SIZE;
        put(into, &mut written, self.template)?;
        put(into, &mut written, self.excess)?;
        put(into, &mut written, self.count)?;
        for tx in self.transactions {
            put(into, &mut written, B016M::new(tx).map_err(Error::BinarySv2Error)?)?;
        }
        Ok(())
    }
}

/// Writes what comes next.
fn put(into: &mut [u8], written: &mut usize, what: impl Serialize) -> Result<(), Error> {
    let bytes = what.to_bytes(&mut into[*written..]);
    *written += bytes.map_err(Error::BinarySv2Error)?;
    Ok(())
}
