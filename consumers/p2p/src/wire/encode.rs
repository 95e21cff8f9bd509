//! From what a message says to its bytes.

use super::{HEADER, Header, Inventory, Magic, Message, PROTOCOL_VERSION, checksum};
use bitcoin::BlockHash;
use bitcoin::consensus::Encodable;
use bitcoin::consensus::encode::VarInt;

/// Appends a message: its header and its payload.
///
/// Nothing keeps it to the limits that [`decode`](super::decode()) has: a message with more items than those is one that peers close
/// connections for.
pub fn encode(to: &mut Vec<u8>, magic: Magic, message: &Message<'_>) {
    let start = to.len();
    to.resize(start + HEADER, 0);
    payload(to, message);
    let (_, added) = to.split_at_mut(start);
    let (head, payload) = added.split_at_mut(HEADER);
    let header = Header {
        command: message.command(),
        length: payload.len(),
        checksum: checksum(payload),
    };
    head.copy_from_slice(&header.to_bytes(magic));
}

fn payload(to: &mut Vec<u8>, message: &Message<'_>) {
    match message {
        Message::Version(version) => put(to, version),
        Message::SendCmpct { announce, version } => {
            put(to, announce);
            put(to, version);
        }
        Message::FeeFilter(rate) => put(to, rate),
        Message::Ping(number) | Message::Pong(number) => {
            if let Some(number) = number {
                put(to, number);
            }
        }
        Message::GetHeaders { locator, stop } | Message::GetBlocks { locator, stop } => {
            put_locator(to, locator, stop);
        }
        Message::Headers(headers) => {
            count(to, headers.len());
            for header in headers {
                put(to, header);
                // The number of transactions.
                to.push(0);
            }
        }
        Message::Inv(entries) | Message::GetData(entries) | Message::NotFound(entries) => {
            put_inventory(to, entries);
        }
        Message::Block(bytes) | Message::Tx(bytes) => to.extend_from_slice(bytes),
        Message::Addr(addresses) => {
            count(to, addresses.len());
            for (time, address) in addresses {
                put(to, time);
                put(to, address);
            }
        }
        Message::AddrV2(addresses) => {
            count(to, addresses.len());
            for address in addresses {
                put(to, address);
            }
        }
        Message::Verack
        | Message::WtxidRelay
        | Message::SendAddrV2
        | Message::SendHeaders
        | Message::GetAddr
        | Message::MemPool
        | Message::Unknown(_) => {}
    }
}

fn put_locator(to: &mut Vec<u8>, locator: &[BlockHash], stop: &BlockHash) {
    put(to, &PROTOCOL_VERSION);
    count(to, locator.len());
    for hash in locator {
        put(to, hash);
    }
    put(to, stop);
}

fn put_inventory(to: &mut Vec<u8>, entries: &[Inventory]) {
    count(to, entries.len());
    for entry in entries {
        put(to, entry);
    }
}

fn count(to: &mut Vec<u8>, count: usize) {
    put(to, &VarInt(count as u64));
}

fn put(to: &mut Vec<u8>, item: &impl Encodable) {
    // Writing to memory does not fail.
    let _ = item.consensus_encode(to);
}
