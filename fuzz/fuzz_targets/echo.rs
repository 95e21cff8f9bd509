//! The echo server, fed any bytes in any pieces, under any faults.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_explorer::feed::{End, Meal, feed};
use sockman_node::Echo;

fuzz_target!(|meal: Meal| {
    let answer = feed(Echo::default, |_| (), &meal);
    if meal.end == End::Finish {
        let all: Vec<u8> = meal.pieces.into_iter().flat_map(|piece| piece.bytes).collect();
        assert_eq!(answer.heard, all);
    }
});
