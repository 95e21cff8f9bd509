//! The memory that received bytes come in, lent to the kernel piece by piece.

use io_uring::types::BufRingEntry;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::io;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A piece of memory that begins on a page, as buffer rings must; all zeros at first. What has not been touched costs none.
struct Pages {
    start: NonNull<u8>,
    size: usize,
}

impl Pages {
    fn new(size: usize) -> io::Result<Pages> {
        let (may, how) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping, where the kernel likes, takes nobody's memory away.
        let start = unsafe { mmap_anonymous(ptr::null_mut(), size, may, how)? };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { start, size })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: this is the whole of what `new` mapped, which nobody uses any more: pieces do not outlive the pool, and the
        // kernel is done with it, or `Ring` would not let go of it.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.size) };
        if let Err(error) = unmapped {
            tracing::error!(%error, "lent memory cannot be given back");
        }
    }
}

/// The two pieces of memory that the kernel knows of: a ring of entries, each naming a free buffer, and the buffers. The
/// [`Ring`](super::ring::Ring) keeps them until the kernel is done with them.
pub(super) struct Memory {
    entries: Pages,
    buffers: Pages,
    pub(super) count: u16,
    size: usize,
}

impl Memory {
    /// Buffers of together about `bytes`: `count` of them, a power of two.
    pub(super) fn new(bytes: usize, count: u16) -> io::Result<Memory> {
        let count = count.max(1).next_power_of_two();
        let size = (bytes / usize::from(count)).clamp(LEAST, MOST);
        Ok(Memory {
            entries: Pages::new(usize::from(count) * size_of::<BufRingEntry>())?,
            buffers: Pages::new(usize::from(count) * size)?,
            count,
            size,
        })
    }

    /// Where a buffer lies, of which there must be so many.
    #[inline]
    fn buffer(&self, buffer: u16) -> NonNull<u8> {
        debug_assert!(buffer < self.count);
        // SAFETY: `buffer` is less than `count`, as those who call see to, so this lies within the buffers' memory.
        unsafe { self.buffers.start.add(usize::from(buffer) * self.size) }
    }

    /// Where the ring of entries lies.
    pub(super) fn address(&self) -> u64 {
        self.entries.start.as_ptr() as u64
    }
}

/// A smaller buffer is not worth its entry, and a larger one does not fit the kernel's length.
const LEAST: usize = 256;
const MOST: usize = 1 << 30;

/// Our side of the lent buffers. Each completion of a receive has one of its own.
pub struct Pool {
    memory: Rc<Memory>,
    /// How many buffers have been lent, ever.
    tail: u16,
}

/// A received piece.
pub(super) struct Piece {
    buffer: u16,
    start: NonNull<u8>,
    len: usize,
}

impl Pool {
    /// Lends every buffer of `memory`. The memory must not have been lent before.
    pub(super) fn new(memory: Rc<Memory>) -> Pool {
        let mut pool = Pool { memory, tail: 0 };
        for buffer in 0..pool.memory.count {
            pool.lend(buffer);
        }
        pool
    }

    /// Whether its memory is this.
    #[inline]
    pub(super) fn is_of(&self, memory: &Rc<Memory>) -> bool {
        Rc::ptr_eq(&self.memory, memory)
    }

    /// The piece of `len` bytes that a completion with this buffer speaks of; `None` for what no kernel would say.
    #[inline]
    pub(super) fn take(&mut self, buffer: u16, len: usize) -> Option<Piece> {
        if buffer >= self.memory.count || len > self.memory.size {
            return None;
        }
        let start = self.memory.buffer(buffer);
        Some(Piece { buffer, start, len })
    }

    /// Whether the piece is as long as its buffer.
    #[inline]
    pub(super) fn is_filled_by(&self, piece: &Piece) -> bool {
        piece.len == self.memory.size
    }

    /// The bytes of the piece are no longer needed.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "nobody is to have the piece afterwards"
    )]
    pub(super) fn give_back(&mut self, piece: Piece) {
        self.lend(piece.buffer);
    }

    fn lend(&mut self, buffer: u16) {
        let memory = &*self.memory;
        let base: *mut BufRingEntry = memory.entries.start.as_ptr().cast();
        let slot = usize::from(self.tail & (memory.count - 1));
        // SAFETY: the ring has `count` entries, a power of two, so `slot` is within it; the memory is zeroed, which is a
        // valid entry, and aligned to a page. The kernel reads entries only up to the tail, and this one is beyond: it
        // holds at most `count` buffers, and `buffer` is not among them. Entry 0 shares its bytes with the tail in the
        // field that none of the three setters touches.
        let entry = unsafe { &mut *base.add(slot) };
        entry.set_addr(memory.buffer(buffer).as_ptr() as u64);
        entry.set_len(memory.size as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `base` is the ring's first entry, properly aligned and initialised; the kernel reads the tail, and only we
        // write it, so that an atomic store with release order, after which the entry is seen complete, is what it wants
        // (io_uring_buf_ring_advance(3) does the same).
        unsafe {
            let tail = BufRingEntry::tail(base).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

impl Piece {
    /// The bytes.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the piece lies within the buffers' memory (see `take`), which was zeroed and so is initialised, and which
        // the pool keeps alive: pieces do not outlive the handling of their completion, during which the engine, and with it
        // the pool, is borrowed. The kernel has written the piece before it posted the completion and writes there again
        // only after `give_back`, which takes the piece away. No two pieces overlap: a completion has a buffer for itself.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        Pool::new(Rc::new(Memory::new(4096, 4).expect("memory")))
    }

    #[test]
    fn pieces_lie_apart_and_are_lent_again() {
        let mut pool = pool();
        let mut first = pool.take(1, 1024).expect("a piece");
        first.bytes().fill(1);
        let mut second = pool.take(2, 1024).expect("a piece");
        second.bytes().fill(2);
        assert!(first.bytes().iter().all(|byte| *byte == 1));
        let tail = pool.tail;
        pool.give_back(first);
        assert_eq!(pool.tail, tail + 1);
    }

    #[test]
    fn what_no_kernel_would_say_gives_nothing() {
        let mut pool = pool();
        assert!(pool.take(4, 1).is_none(), "no such buffer");
        assert!(pool.take(0, 1025).is_none(), "more than a buffer");
    }
}
