//! Messages on the wire: bytes that others have published, round trips, limits, what is cut short, and what is allocated.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe to implement; `counting` only counts"
)]

#[path = "wire/commands.rs"]
mod commands;
#[path = "wire/counting.rs"]
mod counting;
#[path = "wire/framing.rs"]
mod framing;
#[path = "wire/heap.rs"]
mod heap;
#[path = "wire/limits.rs"]
mod limits;
#[path = "wire/round_trips.rs"]
mod round_trips;
#[path = "wire/samples.rs"]
mod samples;
#[path = "wire/short.rs"]
mod short;
#[path = "wire/vectors.rs"]
mod vectors;

use sockman_p2p::wire::{Command, DecodeError, HEADER, Magic, Message, decode, encode};

/// Of the main network.
const MAIN: Magic = [0xf9, 0xbe, 0xb4, 0xd9];

/// A whole message.
fn whole(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, MAIN, message);
    bytes
}

/// The payload of a message.
fn payload(message: &Message<'_>) -> Vec<u8> {
    whole(message).split_off(HEADER)
}

/// Bytes in hexadecimal; whatever else is there is there to be read.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = (text.chars())
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A number as messages have it.
fn compact(number: u64) -> Vec<u8> {
    match number {
        0..0xfd => vec![number as u8],
        0xfd..0x1_0000 => [&[0xfd][..], &(number as u16).to_le_bytes()].concat(),
        0x1_0000..0x1_0000_0000 => [&[0xfe][..], &(number as u32).to_le_bytes()].concat(),
        _ => [&[0xff][..], &number.to_le_bytes()].concat(),
    }
}

/// Which command a name from the wire is.
fn named(name: &str) -> Command {
    let mut bytes = [0; Command::SIZE];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Command::from_bytes(bytes)
}

fn is_malformed(command: Command, payload: &[u8]) -> bool {
    matches!(decode(command, payload), Err(DecodeError::Malformed(_)))
}
