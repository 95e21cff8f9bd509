//! How much memory the process needs.

use std::fs;

/// The most that the process has needed, in bytes, since [`reset_peak`].
pub(super) fn peak() -> usize {
    status("VmHWM:")
}

/// Forgets the peak. Gives what is needed now, in bytes.
pub(super) fn reset_peak() -> usize {
    // The meaning of 5: proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    status("VmRSS:")
}

fn status(name: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib << 10
}
