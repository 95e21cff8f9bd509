//! The descriptors that a process may have.

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit};
use std::os::fd::AsFd;

/// Descriptors for which there is room from the beginning, if the process may have as many: the table takes 130 KiB of the kernel's
/// memory.
const MOST: u64 = 16 << 10;

/// How many descriptors the process may have (`RLIMIT_NOFILE`).
pub fn descriptor_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Has the kernel make its table of this process's descriptors as large as it may have to be. To be called before there are threads.
///
/// The table doubles whenever it is full. With threads, who needs the next descriptor waits until none of them can be reading the old
/// one any more: an `accept` of some 10 milliseconds each, with 256 connections, 512, 1,024 and so on, during which a loop does nothing
/// else.
pub fn reserve_descriptors() {
    let last = descriptor_limit().min(MOST).saturating_sub(1);
    if let Ok(last) = i32::try_from(last) {
        // Closed at once: the table stays. Where it cannot be had now, it grows as it would have.
        drop(fcntl_dupfd_cloexec(std::io::stderr().as_fd(), last));
    }
}
