//! Names of messages.

use super::{named, payload, samples};
use sockman_p2p::wire::{Command, Message, decode};

#[test]
fn a_name_is_what_comes_before_the_nul() {
    assert_eq!(Command::VERACK.to_bytes(), *b"verack\0\0\0\0\0\0");
    assert_eq!(Command::VERACK.as_str(), "verack");
    assert_eq!(Command::VERACK.to_string(), "verack");
    assert_eq!(Command::from_bytes(*b"abcdefghijkl").as_str(), "abcdefghijkl");
    assert_eq!(Command::from_bytes([0; 12]).as_str(), "");
}

#[test]
fn a_name_that_is_none_is_no_message() {
    for bytes in [
        *b"verack\0\0\0\0\0x",
        *b"\0verack\0\0\0\0\0",
        *b"verack\x1f\0\0\0\0\0",
        *b"verack\x7f\0\0\0\0\0",
        *b"verack\xff\0\0\0\0\0",
        [0xff; 12],
    ] {
        let command = Command::from_bytes(bytes);
        assert_eq!(command.as_str(), "unknown");
        assert_eq!(decode(command, b"anything"), Ok(Message::Unknown(command)));
    }
}

#[test]
fn names_are_those_of_the_protocol() {
    // (As they are written in the BIPs and in Bitcoin Core's protocol.h.)
    let names = "version verack wtxidrelay sendaddrv2 sendheaders sendcmpct feefilter ping ping pong pong getheaders getblocks \
        headers inv getdata notfound block tx getaddr addr addrv2 mempool cmpctblock";
    let all = samples::all();
    assert_eq!(names.split_whitespace().count(), all.len());
    for (name, message) in names.split_whitespace().zip(all) {
        assert_eq!(message.command(), named(name));
        let bytes = payload(&message);
        assert_eq!(decode(named(name), &bytes), Ok(message));
    }
}
