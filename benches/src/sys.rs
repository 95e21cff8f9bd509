//! What this process is told by the kernel: its cores, CPU time, limits and memory.

#![allow(
    unsafe_code,
    reason = "through libc are called: getrusage, for the wrappers at hand offer only clocks, which valgrind breaks; the \
              clock of another process, which they do not offer; and what a child does before it becomes another program"
)]

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

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

/// CPU time of another process, all its threads, user and system, in nanoseconds; 0 when there is no such process.
pub fn cpu_of_process(process: Pid) -> u64 {
    let mut clock = 0;
    // SAFETY: the pointer is to a clock's number, which is written there.
    if unsafe { libc::clock_getcpuclockid(process.as_raw_nonzero().get(), &raw mut clock) } != 0 {
        return 0;
    }
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec, which is written there, or not if that fails.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Starts a program that is asked to end when the thread that starts it does, however that comes.
pub fn spawn_bound(command: &mut Command) -> io::Result<Child> {
    let parent = getpid();
    // SAFETY: between fork and exec it makes two system calls and touches no memory of the process.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::TERM))?;
            // It may have ended before it could be told to.
            match getppid() {
                Some(now) if now == parent => Ok(()),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        });
    }
    command.spawn()
}

/// The children of a process.
pub fn children(of: Pid) -> Vec<Pid> {
    let parent = |process: Pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
        // Behind the name, which may contain anything: the state, and the parent.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|process| parent(*process) == Some(of.as_raw_nonzero().get()))
        .collect()
}

/// Resident memory of a process, or of this one, now and at its highest, in KiB.
pub fn resident(of: Option<Pid>) -> (u64, u64) {
    let of = of.map_or_else(
        || "self".to_owned(),
        |process| process.as_raw_nonzero().to_string(),
    );
    let status = fs::read_to_string(format!("/proc/{of}/status")).unwrap_or_default();
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
    use std::thread;

    #[test]
    fn the_kernel_answers() {
        assert!(!cores().is_empty());
        let (now, peak) = resident(None);
        assert!(now > 0 && peak >= now);
        assert!(process_cpu() > 0 && thread_cpu() > 0);
    }

    #[test]
    fn what_another_process_uses_is_known() {
        let mut child = spawn_bound(Command::new("sleep").arg("60")).expect("sleep is everywhere");
        let process = Pid::from_child(&child);
        assert!(children(getpid()).contains(&process));
        assert!(cpu_of_process(process) > 0 && resident(Some(process)).0 > 0);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        assert_eq!((cpu_of_process(process), resident(Some(process))), (0, (0, 0)));
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let start = || spawn_bound(Command::new("sleep").arg("60")).expect("sleep is everywhere");
        let mut child = thread::spawn(start).join().expect("a thread");
        let status = child.wait().expect("it ends");
        assert!(!status.success());
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        assert_eq!(field("VmHWM:\t    12 kB\nVmRSS:\t 7 kB\n", "VmRSS:"), 7);
        assert_eq!(field("", "VmRSS:"), 0);
    }
}
