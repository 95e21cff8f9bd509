//! What this process is told by the kernel: its cores, CPU time, limits and memory.

#![allow(
    unsafe_code,
    reason = "getrusage is called through libc: the wrappers at hand offer only clocks, which valgrind breaks"
)]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::io;
use std::mem::MaybeUninit;

/// The cores this process may use.
pub fn cores() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()
}

/// A core for the server and one for the load, when there are two.
pub fn two_cores() -> Option<(usize, usize)> {
    let cores = cores();
    let (first, last) = (*cores.first()?, *cores.last()?);
    (first != last).then_some((first, last))
}

/// Keeps this thread, and those it starts, on one core.
pub fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}

/// Raises the limit of descriptors as far as is allowed.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // If it is refused, opening too many connections will say so.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// CPU time of this process, user and system, in nanoseconds.
pub fn process_cpu() -> u64 {
    cpu_of(libc::RUSAGE_SELF)
}

/// CPU time of this thread, user and system, in nanoseconds.
pub fn thread_cpu() -> u64 {
    cpu_of(libc::RUSAGE_THREAD)
}

fn cpu_of(who: libc::c_int) -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to memory of the size of a rusage, which getrusage fills.
    unsafe { libc::getrusage(who, usage.as_mut_ptr()) };
    // SAFETY: a rusage is made of integers, for which all zeros, the state before the call, is a value as well.
    let usage = unsafe { usage.assume_init() };
    let nanoseconds = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
            + u64::try_from(time.tv_usec).unwrap_or(0) * 1000
    };
    nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
}

/// Resident memory of this process, now and at its highest, in KiB.
pub fn resident() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    (field(&status, "VmRSS:"), field(&status, "VmHWM:"))
}

fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers() {
        assert!(!cores().is_empty());
        let (now, peak) = resident();
        assert!(now > 0 && peak >= now);
        assert!(process_cpu() > 0 && thread_cpu() > 0);
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        assert_eq!(field("VmHWM:\t    12 kB\nVmRSS:\t 7 kB\n", "VmRSS:"), 7);
        assert_eq!(field("", "VmRSS:"), 0);
    }
}
