//! What is allocated: for what has come, and never for what a header declares.

use super::ends;
use sockman_sv2::wire::{Encoder, MAX_PAYLOAD};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes that this thread has asked for.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: both methods hand their arguments to the system's allocator as they are and return what that returns, so its
// guarantees hold; counting touches no memory but the counter. The other methods are made of these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // (At the thread's end it is gone, and nobody counts.)
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + layout.size()));
        // SAFETY: the caller keeps alloc's contract, which is System's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from System through this allocator, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

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
