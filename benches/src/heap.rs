//! How many bytes this process holds on its heap: what an idle connection costs of ours.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe to implement; this one only counts"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static ELSEWHERE: AtomicBool = AtomicBool::new(false);

/// The system's allocator, with a count of the bytes that are allocated.
#[derive(Debug)]
pub struct Counting;

/// Bytes allocated and not freed; 0 where [`Counting`] is not the global allocator, and `None` after [`elsewhere`].
pub fn live() -> Option<usize> {
    (!ELSEWHERE.load(Ordering::Relaxed)).then(|| LIVE.load(Ordering::Relaxed))
}

/// Says that this process allocates past this count, in C.
pub fn elsewhere() {
    ELSEWHERE.store(true, Ordering::Relaxed);
}

// SAFETY: every method hands its arguments to the system's allocator as they are and returns what that returns, so its
// guarantees hold; counting touches no memory but the counter.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps alloc's contract, which is System's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps alloc_zeroed's contract, which is System's too.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `memory` came from System through this allocator, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `memory` came from System through this allocator, with this layout; the caller vouches for `size`.
        unsafe { System.realloc(memory, layout, size) }
    }
}
