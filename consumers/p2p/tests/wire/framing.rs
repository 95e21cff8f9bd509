//! Headers, and messages that come in pieces.

use super::{MAIN, named, samples, whole};
use proptest::prelude::*;
use sockman_p2p::wire::{
    Command, FrameError, HEADER, Header, MAX_PAYLOAD, Message, Next, checksum, frame, next,
};

#[test]
fn a_message_is_whole_with_its_last_byte() {
    for message in samples::all() {
        let bytes = whole(&message);
        for there in 0..bytes.len() {
            let wants = match there {
                0..4 => there + 1,
                4..HEADER => HEADER,
                _ => bytes.len(),
            };
            assert_eq!(next(&bytes[..there], MAIN), Ok(Next::Wants(wants)));
        }
        let and_more = [&bytes[..], &[0xee; 30]].concat();
        let Ok(Next::Whole(frame)) = next(&and_more, MAIN) else {
            panic!("{message:?} is there");
        };
        assert_eq!(frame.bytes, bytes);
        assert_eq!(frame.payload(), &bytes[HEADER..]);
        assert_eq!(frame.header.size(), bytes.len());
        assert!(frame.is_intact());
        assert_eq!(frame.decode(), Ok(message));
    }
}

#[test]
fn the_first_wrong_byte_of_the_magic_is_enough() {
    let right = whole(&Message::Verack);
    for wrong in 0..MAIN.len() {
        let mut bytes = right.clone();
        bytes[wrong] ^= 0x80;
        for there in 0..bytes.len() {
            let expected = if there > wrong {
                Err(FrameError::Magic)
            } else {
                Ok(None)
            };
            assert_eq!(Header::read(&bytes[..there], MAIN), expected);
        }
        assert_eq!(next(&bytes, MAIN), Err(FrameError::Magic));
    }
}

/// BIP 324 begins with a public key, which looks like anything but the magic with 12 bytes of `version` behind it. Those that begin
/// as the magic does are found out a byte or two later.
#[test]
fn the_encrypted_transport_is_met_with_a_wrong_magic() {
    for first in 0..=255 {
        let key = [first; 64];
        assert_eq!(next(&key, MAIN), Err(FrameError::Magic));
        let refused_at_once = next(&key[..1], MAIN) == Err(FrameError::Magic);
        assert_eq!(refused_at_once, first != MAIN[0]);
    }
}

#[test]
fn a_length_above_the_limit_is_refused_with_the_header() {
    let header = |length: u32| {
        let mut bytes = whole(&Message::Block(b""));
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let limit = MAX_PAYLOAD as u32;
    assert_eq!(next(&header(limit), MAIN), Ok(Next::Wants(HEADER + MAX_PAYLOAD)));
    for length in [limit + 1, limit | 1 << 31, u32::MAX] {
        assert_eq!(next(&header(length), MAIN), Err(FrameError::Length(length)));
        // Not before all of the header is there: what comes next may be another one.
        assert_eq!(next(&header(length)[..23], MAIN), Ok(Next::Wants(HEADER)));
    }
}

#[test]
fn the_longest_payload_passes() {
    let payload = vec![7; MAX_PAYLOAD];
    let bytes = frame(MAIN, Command::BLOCK, &payload);
    let Ok(Next::Whole(read)) = next(&bytes, MAIN) else {
        panic!("it is there");
    };
    assert!(read.is_intact());
    assert_eq!(read.decode(), Ok(Message::Block(&payload)));
}

#[test]
fn any_wrong_bit_of_the_payload_or_of_its_checksum_is_noticed() {
    let right = whole(&Message::Ping(Some(3)));
    for at in 20..right.len() {
        for bit in 0..8 {
            let mut bytes = right.clone();
            bytes[at] ^= 1 << bit;
            let Ok(Next::Whole(frame)) = next(&bytes, MAIN) else {
                panic!("it is there");
            };
            assert!(!frame.is_intact());
        }
    }
}

#[test]
fn a_frame_is_what_encoding_makes() {
    for message in [Message::Block(b"a block"), Message::Tx(b"")] {
        let (Message::Block(bytes) | Message::Tx(bytes)) = message else {
            continue;
        };
        assert_eq!(frame(MAIN, message.command(), bytes)[..], whole(&message)[..]);
    }
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written(
        magic: [u8; 4], command: [u8; 12], length in 0..=MAX_PAYLOAD, checksum: [u8; 4]
    ) {
        let header = Header { command: Command::from_bytes(command), length, checksum };
        prop_assert_eq!(Header::read(&header.to_bytes(magic), magic), Ok(Some(header)));
    }

    /// Messages one behind the other, in pieces: the same come out, and `Wants` never asks for too little or too much.
    #[test]
    fn pieces_make_the_same_messages(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
        pieces in prop::collection::vec(1..400_usize, 1..40),
    ) {
        let mut stream = Vec::new();
        for payload in &payloads {
            stream.extend_from_slice(&frame(MAIN, named("any"), payload));
        }
        let (mut unread, mut fed, mut pieces) = (0..0, 0, pieces.into_iter().cycle());
        let (mut read, mut wants) = (Vec::new(), 0);
        while fed < stream.len() {
            fed = stream.len().min(fed + pieces.next().unwrap_or(1));
            unread.end = fed;
            // What the loop does for `want`.
            if unread.len() < wants {
                continue;
            }
            loop {
                match next(&stream[unread.clone()], MAIN) {
                    Ok(Next::Whole(frame)) => {
                        prop_assert_eq!(checksum(frame.payload()), frame.header.checksum);
                        read.push(frame.payload().to_vec());
                        unread.start += frame.bytes.len();
                    }
                    Ok(Next::Wants(count)) => {
                        prop_assert!(count > unread.len());
                        wants = count;
                        break;
                    }
                    Err(why) => return Err(TestCaseError::fail(why.to_string())),
                }
            }
        }
        prop_assert!(unread.is_empty());
        prop_assert_eq!(read, payloads);
    }
}
