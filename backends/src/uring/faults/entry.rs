//! Entries of the submission queue, changed so that the kernel itself produces the fault.

use io_uring::{opcode, squeue};

/// The kernel's `struct io_uring_sqe`, byte by byte: its layout is the kernel's interface, in `linux/io_uring.h` and in
/// `io_uring_enter(2)`.
struct Raw([u8; 64]);

/// Where fields of it begin, and their bits.
const FLAGS: usize = 1;
const IOPRIO: usize = 2;
const LEN: usize = 24;
const OP_FLAGS: usize = 28;
const CQE_SKIP_SUCCESS: u8 = 1 << 6;
const NOP_INJECT_RESULT: u32 = 1;

impl Raw {
    fn of(entry: squeue::Entry) -> Raw {
        // SAFETY: `Entry` is `repr(C)` around the kernel's struct of 64 bytes (the compiler compares the sizes), which has
        // no padding, and which the crate's builders zero before they fill it.
        Raw(unsafe { std::mem::transmute::<squeue::Entry, [u8; 64]>(entry) })
    }

    fn entry(self) -> squeue::Entry {
        // SAFETY: as above; integers and unions of integers are valid with any bytes.
        unsafe { std::mem::transmute::<[u8; 64], squeue::Entry>(self.0) }
    }

    fn word(&mut self, at: usize) -> &mut [u8; 4] {
        let (word, _) = self.0[at..].split_first_chunk_mut().expect("within the entry");
        word
    }
}

/// An operation that does nothing and ends with `error` (Linux 6.10), instead of `entry` and with its user data.
pub(super) fn failing(entry: &squeue::Entry, error: i32) -> squeue::Entry {
    let mut raw = Raw::of(opcode::Nop::new().build());
    *raw.word(LEN) = (-error).to_ne_bytes();
    *raw.word(OP_FLAGS) = NOP_INJECT_RESULT.to_ne_bytes();
    raw.entry().user_data(entry.get_user_data())
}

/// Receiving or accepting that does not go on after its first completion. (What makes them go on is their only flag
/// among those called `ioprio`.)
pub(super) fn once(entry: &squeue::Entry) -> squeue::Entry {
    let mut raw = Raw::of(entry.clone());
    raw.0[IOPRIO..IOPRIO + 2].fill(0);
    raw.entry()
}

/// A poll that does not go on after its first completion. (What makes it go on is a flag in the field of the length.)
pub(super) fn poll_once(entry: &squeue::Entry) -> squeue::Entry {
    let mut raw = Raw::of(entry.clone());
    raw.word(LEN).fill(0);
    raw.entry()
}

/// A send of half the bytes, which says so.
pub(super) fn short(entry: &squeue::Entry) -> squeue::Entry {
    let mut raw = Raw::of(entry.clone());
    let half = u32::from_ne_bytes(*raw.word(LEN)) / 2;
    if half == 0 {
        return failing(entry, libc::EAGAIN);
    }
    *raw.word(LEN) = half.to_ne_bytes();
    raw.0[FLAGS] &= !CQE_SKIP_SUCCESS;
    raw.entry()
}
