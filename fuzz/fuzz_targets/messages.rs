//! Payloads of every message of the Bitcoin P2P protocol: whatever is read is read again from what is written of it, and what
//! rust-bitcoin reads is read as well.
#![no_main]

use bitcoin::consensus::encode::deserialize;
use bitcoin::p2p::message::RawNetworkMessage;
use libfuzzer_sys::fuzz_target;
use sockman_p2p::wire::{Command, DecodeError, HEADER, Magic, Message, Next, decode, encode, frame, next};

const MAGIC: Magic = [0xfa, 0xbf, 0xb5, 0xda];

/// Those that are decoded, and one that is not.
const COMMANDS: [Command; 22] = [
    Command::VERSION,
    Command::VERACK,
    Command::WTXIDRELAY,
    Command::SENDADDRV2,
    Command::SENDHEADERS,
    Command::SENDCMPCT,
    Command::FEEFILTER,
    Command::PING,
    Command::PONG,
    Command::GETHEADERS,
    Command::GETBLOCKS,
    Command::HEADERS,
    Command::INV,
    Command::GETDATA,
    Command::NOTFOUND,
    Command::BLOCK,
    Command::TX,
    Command::GETADDR,
    Command::ADDR,
    Command::ADDRV2,
    Command::MEMPOOL,
    Command::from_bytes(*b"filterload\0\0"),
];

/// Whether rust-bitcoin takes it for a message that it knows. It is to be asked only about messages without a block or a
/// transaction: those are not decoded here.
fn is_theirs(command: Command, payload: &[u8]) -> bool {
    deserialize::<RawNetworkMessage>(&frame(MAGIC, command, payload)).is_ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((which, payload)) = data.split_first() else {
        return;
    };
    let command = COMMANDS[usize::from(*which) % COMMANDS.len()];
    let opaque = matches!(command, Command::BLOCK | Command::TX);
    let message = match decode(command, payload) {
        Ok(message) => message,
        Err(DecodeError::TooMany { count, most, .. }) => {
            assert!(count > most as u64);
            return;
        }
        Err(DecodeError::Malformed(_)) => {
            // (A user agent may be longer there.)
            assert!(opaque || command == Command::VERSION || !is_theirs(command, payload));
            return;
        }
    };
    assert_eq!(message.command(), command);
    let mut written = Vec::new();
    encode(&mut written, MAGIC, &message);
    let Ok(Next::Whole(frame)) = next(&written, MAGIC) else {
        panic!("{message:?} is written whole");
    };
    assert!(frame.is_intact() && frame.bytes.len() == written.len());
    if matches!(&message, Message::Version(version) if version.user_agent.len() > 256) {
        // Replacing what is no UTF-8 has made it longer than a user agent may be.
        return;
    }
    assert_eq!(frame.decode().as_ref(), Ok(&message));
    if !opaque && !matches!(message, Message::Unknown(_)) && is_theirs(command, payload) {
        // What has only one form is in it: but for the number before a locator, which means nothing.
        let from = if matches!(command, Command::GETHEADERS | Command::GETBLOCKS) {
            4
        } else {
            0
        };
        assert_eq!(written[HEADER + from..], payload[from..]);
    }
});
