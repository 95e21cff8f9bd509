//! Any bytes into a template provider, in any pieces, under any faults: nobody has the keys, so that nothing but the handshake is
//! ever answered, and what is answered does not depend on how the bytes were split, but for what is lost when it hangs up.
#![no_main]

#[path = "../provider.rs"]
mod provider;

use libfuzzer_sys::fuzz_target;
use sockman_explorer::feed::{End, Input, feed_cut};
use sockman_sv2::Count;
use sockman_sv2::wire::{HELLO, REPLY};

fuzz_target!(|input: Input| {
    let said: usize = input.pieces.iter().map(|piece| piece.bytes.len()).sum();
    let answer = feed_cut(provider::new, provider::counted, &input);
    let count = |what: Count| answer.known[what as usize];
    assert_eq!(count(Count::frames), 0);
    let shaken = said >= HELLO;
    // A header that is encrypted has 22 bytes.
    let broken = said >= HELLO + 22;
    let heard = if shaken { REPLY } else { 0 };
    if input.end == End::Finish {
        assert_eq!(answer.heard.len(), heard);
        assert_eq!(count(Count::handshakes), u64::from(shaken));
        assert_eq!(count(Count::undecryptable), u64::from(broken));
    } else {
        // Who closes at once may be gone before it is looked at.
        assert!(answer.heard.len() <= heard);
        assert!(count(Count::handshakes) <= u64::from(shaken));
        assert!(count(Count::undecryptable) <= u64::from(broken));
    }
});
