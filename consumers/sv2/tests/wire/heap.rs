//! What is allocated: for what has come, and never for what a header declares.

use super::counting::ASKED;
use super::ends;
use sockman_sv2::wire::{Encoder, MAX_PAYLOAD};

#[test]
fn sixteen_megabytes_that_are_only_declared_are_not_allocated() {
    let (mut client, mut server) = ends();
    let payload = vec![0; MAX_PAYLOAD as usize];
    let frame = client
        .seal_payload(&mut Encoder::default(), 0, 0x76, &payload)
        .unwrap();
    assert!(frame.len() > 16_000_000);
    let before = ASKED.get();
    let opened = server.open(&frame[..22], 256 << 10).unwrap();
    assert!(opened.taken == 22 && opened.frame.is_none());
    assert!(ASKED.get() - before < 1_000, "{}", ASKED.get() - before);
    assert!(server.wants() <= 65_535);
    // Nor while they come: what is there doubles at most, until the limit.
    let mut taken = 22;
    let why = loop {
        match server.open(&frame[taken..taken + 65_535], 256 << 10) {
            Ok(opened) => taken += opened.taken,
            Err(why) => break why,
        }
    };
    assert_eq!(why.to_string(), "a frame is longer than 262144 bytes");
    assert!(taken < 270_000, "{taken}");
    assert!(ASKED.get() - before < 1_000_000, "{}", ASKED.get() - before);
}
