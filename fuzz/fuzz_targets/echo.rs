//! The echo server, fed any bytes in any pieces, under any faults.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_explorer::feed::{End, Input, feed};
use sockman_node::Echo;

fuzz_target!(|input: Input| {
    let answer = feed(Echo::default, |_| (), &input);
    if input.end == End::Finish {
        let all: Vec<u8> = input.pieces.into_iter().flat_map(|piece| piece.bytes).collect();
        assert_eq!(answer.heard, all);
    }
});
