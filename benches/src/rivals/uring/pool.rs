//! The receive buffers: memory that the kernel fills, and the ring through which it takes free ones.

use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use std::io;
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};

/// How many there are, a power of two. Some twenty are filled by a turn, for with deferred task work an enter carries out
/// no more, and as many are sent from meanwhile. Running dry ends receive operations, which is dear; memory that is
/// seldom touched is dear as well.
const COUNT: u16 = 128;
/// So large that a large message arrives in few pieces.
const SIZE: usize = 64 << 10;
/// What the kernel asks of the ring's address.
const PAGE: usize = 4096;

/// The group's number in receive operations.
pub(super) const GROUP: u16 = 0;

/// The buffers, which stay allocated for as long as the process lives.
pub(super) struct Pool {
    ring: *mut BufRingEntry,
    memory: *mut u8,
    tail: u16,
    /// Buffers that the kernel may fill.
    free: u16,
}

impl Pool {
    /// Allocates the buffers and gives all of them to the kernel.
    pub(super) fn new(submitter: &Submitter<'_>) -> io::Result<Pool> {
        let entries = usize::from(COUNT);
        let mut pool = Pool {
            ring: allocate(entries * size_of::<BufRingEntry>()).cast(),
            memory: allocate(entries * SIZE),
            tail: 0,
            free: 0,
        };
        // SAFETY: the ring's memory is page-aligned, has so many entries and is never freed.
        unsafe { submitter.register_buf_ring_with_flags(pool.ring as u64, COUNT, GROUP, 0)? };
        for buffer in 0..COUNT {
            pool.give(buffer);
        }
        pool.publish();
        Ok(pool)
    }

    /// Where a buffer begins.
    pub(super) fn start(&self, buffer: u16) -> *const u8 {
        // SAFETY: numbers are below COUNT (the kernel hands back those it was given), so this stays in the allocation.
        unsafe { self.memory.add(usize::from(buffer) * SIZE) }
    }

    /// What the kernel has written there; it writes there again only when the buffer is given back.
    pub(super) fn bytes(&self, buffer: u16, part: Range<u32>) -> &[u8] {
        let part = part.start as usize..part.end as usize;
        // SAFETY: the buffer was allocated with this size, zeroed, and until `give`, which takes the pool mutably and so
        // after this borrow, nobody writes to it.
        let whole = unsafe { slice::from_raw_parts(self.start(buffer), SIZE) };
        &whole[part]
    }

    /// The same and what follows it in the buffer, to write there what is sent from it.
    pub(super) fn whole(&mut self, buffer: u16) -> &mut [u8] {
        // SAFETY: as above: the kernel has handed the buffer out and writes to it only when it is given back, and no other
        // reference to any buffer exists, for they all borrow the pool.
        unsafe { slice::from_raw_parts_mut(self.memory.add(usize::from(buffer) * SIZE), SIZE) }
    }

    /// The kernel has filled one.
    pub(super) fn taken(&mut self) {
        self.free -= 1;
    }

    /// Queues a buffer for the kernel, which sees it after [`publish`](Pool::publish).
    pub(super) fn give(&mut self, buffer: u16) {
        let at = usize::from(self.tail & (COUNT - 1));
        // SAFETY: `at` is within the ring. The kernel reads no entry at or behind the published tail, and there are no
        // more buffers than entries, so it does not read this one.
        let entry = unsafe { &mut *self.ring.add(at) };
        entry.set_addr(self.start(buffer) as u64);
        entry.set_len(SIZE as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        self.free += 1;
    }

    /// Shows the kernel what was given.
    pub(super) fn publish(&self) {
        // SAFETY: the ring lives, and its first entry holds the tail, two aligned bytes that only this thread writes.
        let tail = unsafe { &*BufRingEntry::tail(self.ring).cast::<AtomicU16>() };
        // Release: the entries are written before the kernel sees the tail that covers them.
        tail.store(self.tail, Ordering::Release);
    }

    /// How many the kernel has.
    pub(super) fn free(&self) -> usize {
        usize::from(self.free)
    }
}

/// Zeroed memory at the beginning of a page, for ever; what is not touched never becomes resident.
fn allocate(bytes: usize) -> *mut u8 {
    let memory = vec![0; bytes + PAGE].leak();
    let skip = memory.as_ptr().align_offset(PAGE);
    memory[skip..].as_mut_ptr()
}
