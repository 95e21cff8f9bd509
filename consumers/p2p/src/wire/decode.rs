//! From the bytes of a payload to what they say.

use super::reader::Reader;
use super::{
    Command, Inventory, MAX_ADDRESSES, MAX_HEADERS, MAX_INVENTORY, MAX_LOCATOR, Message, address, version,
};
use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::Decodable;

/// Why a payload is not what its command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is said to have more items than a message may have. No peer that keeps to the protocol says so.
    #[error("{count} {what}, where {most} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are said to be.
        count: u64,
        /// How many there may be: one of the limits of this module.
        most: usize,
    },
    /// It does not say what it should. Bitcoin Core drops such a message, and so should everybody.
    #[error("{0}")]
    Malformed(&'static str),
}

/// Decodes the payload of a message.
///
/// What comes after the last byte that means something is ignored, as Bitcoin Core does, so that later versions can add to
/// messages. No memory is taken for a number that the payload only says, but has no bytes for.
pub fn decode(command: Command, payload: &[u8]) -> Result<Message<'_>, DecodeError> {
    let mut from = Reader(payload);
    let from = &mut from;
    Ok(match command {
        Command::VERSION => Message::Version(version::read(from)?),
        Command::VERACK => Message::Verack,
        Command::WTXIDRELAY => Message::WtxidRelay,
        Command::SENDADDRV2 => Message::SendAddrV2,
        Command::SENDHEADERS => Message::SendHeaders,
        Command::SENDCMPCT => Message::SendCmpct {
            announce: from.u8()? != 0,
            version: from.u64()?,
        },
        Command::FEEFILTER => Message::FeeFilter(from.i64()?),
        Command::PING => Message::Ping(if from.is_empty() { None } else { Some(from.u64()?) }),
        // Bitcoin Core takes one that is too short for an answer to whatever it asked.
        Command::PONG => Message::Pong(from.u64().ok()),
        Command::GETHEADERS => {
            let (locator, stop) = locator(from)?;
            Message::GetHeaders { locator, stop }
        }
        Command::GETBLOCKS => {
            let (locator, stop) = locator(from)?;
            Message::GetBlocks { locator, stop }
        }
        Command::HEADERS => Message::Headers(headers(from)?),
        Command::INV => Message::Inv(inventory(from)?),
        Command::GETDATA => Message::GetData(inventory(from)?),
        Command::NOTFOUND => Message::NotFound(inventory(from)?),
        Command::BLOCK => Message::Block(payload),
        Command::TX => Message::Tx(payload),
        Command::GETADDR => Message::GetAddr,
        Command::ADDR => {
            let read = |from: &mut Reader<'_>| Ok((from.u32()?, address::read(from)?));
            Message::Addr(from.items("addresses", MAX_ADDRESSES, 4 + address::SIZE, read)?)
        }
        Command::ADDRV2 => {
            Message::AddrV2(from.items("addresses", MAX_ADDRESSES, address::LEAST, address::read_v2)?)
        }
        Command::MEMPOOL => Message::MemPool,
        other => Message::Unknown(other),
    })
}

/// A `getheaders` or a `getblocks`: a version, which nobody looks at, a locator, and where to stop.
fn locator(from: &mut Reader<'_>) -> Result<(Vec<BlockHash>, BlockHash), DecodeError> {
    from.u32()?;
    let hashes = from.items("hashes in a locator", MAX_LOCATOR, 32, Reader::hash)?;
    Ok((hashes, from.hash()?))
}

/// Headers, each with the number of its transactions, which is said to be 0 and not looked at.
fn headers(from: &mut Reader<'_>) -> Result<Vec<Header>, DecodeError> {
    from.items("headers", MAX_HEADERS, Header::SIZE + 1, |from| {
        let header = item(from.take(Header::SIZE)?)?;
        from.compact()?;
        Ok(header)
    })
}

/// Bytes of an entry of an `inv`: its kind and its hash.
const ENTRY: usize = 4 + 32;

fn inventory(from: &mut Reader<'_>) -> Result<Vec<Inventory>, DecodeError> {
    from.items("inventory entries", MAX_INVENTORY, ENTRY, |from| {
        item(from.take(ENTRY)?)
    })
}

/// What has always the same size, and which any bytes are.
fn item<T: Decodable>(mut bytes: &[u8]) -> Result<T, DecodeError> {
    T::consensus_decode(&mut bytes).map_err(|_| DecodeError::Malformed("an item is not what it should be"))
}
