//! Messages of the Bitcoin P2P protocol in pieces: what comes of bytes does not depend on how they are split, and is what a reader
//! that sees all of them at once finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_p2p::wire::{FrameError, HEADER, MAX_PAYLOAD, Magic, Next, next};

const MAGIC: Magic = [0xfa, 0xbf, 0xb5, 0xda];

/// What came of some bytes.
#[derive(Debug, Default, PartialEq)]
struct Log {
    /// Where each message begins, and its payload.
    messages: Vec<(usize, Vec<u8>)>,
    error: Option<FrameError>,
}

/// As a handler does it: it looks at the bytes again when as many are there as it wanted.
fn in_pieces(bytes: &[u8], piece: usize) -> Log {
    let (mut log, mut start, mut wants) = (Log::default(), 0, 0);
    for end in (piece..bytes.len()).step_by(piece).chain([bytes.len()]) {
        while end - start >= wants {
            match next(&bytes[start..end], MAGIC) {
                Ok(Next::Whole(frame)) => {
                    assert_eq!(frame.bytes.len(), HEADER + frame.header.length);
                    log.messages.push((start, frame.payload().to_vec()));
                    start += frame.bytes.len();
                    wants = 0;
                }
                Ok(Next::Wants(count)) => {
                    assert!(count > end - start && count <= HEADER + MAX_PAYLOAD);
                    wants = count;
                }
                Err(why) => {
                    log.error = Some(why);
                    return log;
                }
            }
        }
    }
    log
}

/// By the words of the protocol.
fn reference(bytes: &[u8]) -> Log {
    let (mut log, mut at) = (Log::default(), 0);
    loop {
        let rest = &bytes[at..];
        if rest.iter().zip(MAGIC).any(|(is, should)| *is != should) {
            log.error = Some(FrameError::Magic);
            return log;
        }
        if rest.len() < 24 {
            return log;
        }
        let length = (0..4).fold(0, |length, place| {
            length | u32::from(rest[16 + place]) << (8 * place)
        });
        if length > 4_000_000 {
            log.error = Some(FrameError::Length(length));
            return log;
        }
        let Some(payload) = rest.get(24..24 + length as usize) else {
            return log;
        };
        log.messages.push((at, payload.to_vec()));
        at += 24 + length as usize;
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((size, bytes)) = data.split_first() else {
        return;
    };
    let expected = reference(bytes);
    for piece in [usize::from(*size).max(1), bytes.len().max(1)] {
        let found = in_pieces(bytes, piece);
        // What is wrong is found as soon as it is there.
        assert_eq!(found, expected);
    }
});
