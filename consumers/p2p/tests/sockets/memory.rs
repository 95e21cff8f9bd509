//! How much memory the process needs.

use std::fs;

/// The most that the process has needed, in bytes, since [`reset_peak`].
pub(super) fn peak() -> usize {
    status("VmHWM:")
}

/// Forgets the peak. Gives what is needed now, in bytes.
pub(super) fn reset_peak() -> usize {
    // The meaning of 5: proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5").expect("it is this process");
    status("VmRSS:")
}

fn status(name: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").expect("it is this process");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.expect("the kernel tells it");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}
