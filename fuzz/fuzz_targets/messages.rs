//! Payloads of every message of the Bitcoin P2P protocol: whatever is read is read again from what is written of it, and what
//! rust-bitcoin reads is read as well.
#![no_main]

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::p2p::message::RawNetworkMessage;
use libfuzzer_sys::fuzz_target;
use sockman_p2p::wire::{
    Command, DecodeError, HEADER, Magic, Message, Next, PROTOCOL_VERSION, decode, encode, frame, next,
};

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

/// The payload as rust-bitcoin writes it, if that reads it. Not of blocks and transactions, which are not decoded here.
fn theirs(command: Command, payload: &[u8]) -> Option<Vec<u8>> {
    if matches!(command, Command::BLOCK | Command::TX) {
        return None;
    }
    let message = deserialize::<RawNetworkMessage>(&frame(MAGIC, command, payload)).ok()?;
    Some(serialize(&message).split_off(HEADER))
}

fuzz_target!(|data: &[u8]| {
    let Some((which, payload)) = data.split_first() else {
        return;
    };
    let command = COMMANDS[usize::from(*which) % COMMANDS.len()];
    let message = match decode(command, payload) {
        Ok(message) => message,
        Err(DecodeError::TooMany { count, most, .. }) => {
            assert!(count > most as u64);
            return;
        }
        Err(DecodeError::Malformed(_)) => {
            // (A user agent may be longer there.)
            assert!(command == Command::VERSION || theirs(command, payload).is_none());
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
    if matches!(message, Message::Unknown(_)) {
        return;
    }
    if let Some(mut theirs) = theirs(command, payload) {
        if matches!(command, Command::GETHEADERS | Command::GETBLOCKS) {
            // The number before a locator means nothing.
            theirs[..4].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
        }
        assert_eq!(written[HEADER..], theirs);
    }
});
