//! What a loop has under way and lent, for tests to compare.

use crate::uring::UringInterface;
use crate::uring::setup::GROUP;
use io_uring::types::BufRingEntry;
use sockman::shared::Net;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

/// Operations that have not had their last completion.
pub fn under_way(net: &Net<UringInterface>) -> usize {
    net.interface.ring.under_way()
}

/// How many buffers of the pool the kernel can fill, by its own account, and how many there are. Fails on kernels that
/// give none (before Linux 6.8).
pub fn lent(net: &Net<UringInterface>) -> io::Result<(usize, usize)> {
    const REGISTER_PBUF_STATUS: libc::c_uint = 26;
    /// The kernel's `struct io_uring_buf_status`.
    #[repr(C)]
    #[derive(Default)]
    struct Status {
        group: u32,
        head: u32,
        reserved: [u32; 8],
    }
    let mut status = Status {
        group: GROUP.into(),
        ..Status::default()
    };
    let ring = &net.interface.ring;
    // SAFETY: this registers nothing; the kernel reads the one struct that the pointer names, and fills in its head. The
    // layout is the kernel's interface, in `linux/io_uring.h`.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.fd(),
            REGISTER_PBUF_STATUS,
            &raw mut status,
            1,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let memory = ring.memory();
    // SAFETY: the address is that of the pool's ring of entries, which was zeroed and which `memory` keeps alive; the tail
    // lies within the first, and is written with atomic stores alone.
    let tail = unsafe {
        let tail = BufRingEntry::tail(memory.address() as *const BufRingEntry).cast_mut();
        AtomicU16::from_ptr(tail).load(Ordering::Relaxed)
    };
    Ok((tail.wrapping_sub(status.head as u16).into(), memory.count.into()))
}
