//! Finding out what this kernel has.

use super::pool::{Memory, Pool};
use io_uring::{IoUring, cqueue, opcode, types};
use sockman::Config;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// Why io_uring cannot be used here. It is the inner error of the [`io::Error`] that making the backend fails with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The kernel has no io_uring, or that of a Linux before 6.0; [`io::ErrorKind::Unsupported`].
    TooOld {
        /// What the kernel calls itself.
        release: String,
    },
    /// The kernel has io_uring without something that is needed; [`io::ErrorKind::Unsupported`].
    Missing {
        /// What the kernel calls itself.
        release: String,
        /// What is missing.
        feature: &'static str,
    },
    /// The kernel has it and does not let this process use it; [`io::ErrorKind::PermissionDenied`].
    Forbidden {
        /// By the setting `kernel.io_uring_disabled`, if that is not 0; otherwise by a seccomp filter or a security
        /// module.
        sysctl: Option<u8>,
    },
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::TooOld { release } => write!(
                f,
                "this kernel ({release}) is too old for io_uring, or was built without it: Linux 6.0 or newer is needed"
            ),
            Unavailable::Missing { release, feature } => write!(
                f,
                "io_uring of this kernel ({release}) lacks {feature}: Linux 6.0 or newer has it"
            ),
            Unavailable::Forbidden { sysctl: Some(value) } => write!(
                f,
                "io_uring is forbidden to this process: the sysctl kernel.io_uring_disabled is {value}"
            ),
            Unavailable::Forbidden { sysctl: None } => write!(
                f,
                "io_uring is forbidden to this process, by a seccomp filter (as containers have) or a security module"
            ),
        }
    }
}

impl std::error::Error for Unavailable {}

impl From<Unavailable> for io::Error {
    fn from(why: Unavailable) -> io::Error {
        let kind = match why {
            Unavailable::TooOld { .. } | Unavailable::Missing { .. } => io::ErrorKind::Unsupported,
            Unavailable::Forbidden { .. } => io::ErrorKind::PermissionDenied,
        };
        io::Error::new(kind, why)
    }
}

fn release() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

fn too_old() -> io::Error {
    Unavailable::TooOld { release: release() }.into()
}

fn missing(feature: &'static str) -> io::Error {
    let release = release();
    Unavailable::Missing { release, feature }.into()
}

/// What the kernel has of what is not needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Completions are worked out when we ask for them, on our own thread (Linux 6.1).
    pub(super) deferred: bool,
    /// How many operations fit the submission queue.
    pub(super) entries: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deferred = if self.deferred { "deferred" } else { "cooperative" };
        write!(f, "io_uring, {deferred} task work")
    }
}

/// Operations that fit the submission queue; more are submitted in several calls.
const ENTRIES: u32 = 256;

/// The group of the one pool of buffers.
pub(super) const GROUP: u16 = 0;

/// Sets up the queues and the pool, and tries what is needed of them.
pub(super) fn set_up(config: &Config) -> io::Result<(IoUring, Rc<Memory>, Found)> {
    let (uring, deferred) = queues(config)?;
    let memory = lend(&uring, config)?;
    let found = Found {
        deferred,
        entries: uring.params().sq_entries() as usize,
    };
    Ok((uring, memory, found))
}

/// The queues, set up as well as this kernel can, and whether task work is deferred.
fn queues(config: &Config) -> io::Result<(IoUring, bool)> {
    let completions = u32::try_from(config.events.max(2 * ENTRIES as usize)).unwrap_or(u32::MAX);
    let entries = ENTRIES;
    #[cfg(feature = "uring-faults")]
    let (entries, completions) = super::faults::queues().unwrap_or((entries, completions));
    // The submission queue without its array of indices is Linux 6.6's, deferred task work 6.1's.
    for (deferred, without_array) in [(true, true), (true, false), (false, false)] {
        let mut builder = IoUring::builder();
        builder
            .setup_cqsize(completions)
            .setup_clamp()
            .setup_submit_all()
            .setup_single_issuer()
            .setup_taskrun_flag();
        if deferred {
            builder.setup_defer_taskrun();
            #[cfg(feature = "uring-faults")]
            super::faults::age(&mut builder);
        } else {
            builder.setup_coop_taskrun();
        }
        if without_array {
            builder.setup_no_sqarray();
        }
        match builder.build(entries) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(error) => return Err(refused(error)),
            Ok(uring) => return Ok((uring, deferred)),
        }
    }
    Err(too_old())
}

/// Why there is no ring.
fn refused(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => too_old(),
        Some(libc::EPERM | libc::EACCES) => {
            let sysctl = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok();
            let sysctl = sysctl
                .and_then(|text| text.trim().parse().ok())
                .filter(|value| *value != 0);
            Unavailable::Forbidden { sysctl }.into()
        }
        _ => error,
    }
}

/// Makes the pool known to the kernel: buffers as large as one read, [`Config::read_buffer`], and as many as are allowed.
fn lend(uring: &IoUring, config: &Config) -> io::Result<Rc<Memory>> {
    // With one buffer alone, every receive would end for want of a second.
    let count = (config.lent_buffers / config.read_buffer).clamp(2, 1 << 15) as u16;
    let memory = Rc::new(Memory::new(config.lent_buffers, count)?);
    // SAFETY: the address is that of zeroed memory, aligned to a page, of `count` entries, a power of two; the ring keeps it
    // until every operation that could use it is over, and then is torn down before it.
    unsafe {
        uring
            .submitter()
            .register_buf_ring_with_flags(memory.address(), memory.count, GROUP, 0)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::EINVAL) => missing("rings of buffers"),
                _ => error,
            })?;
    }
    Ok(memory)
}

/// Receives a byte the way the backend will, to find out whether this kernel can. (Multishot receiving has no flag of its
/// own to be asked for.)
pub(super) fn try_receiving(uring: &mut IoUring, pool: &mut Pool) -> io::Result<()> {
    let (ours, mut theirs) = UnixStream::pair()?;
    theirs.write_all(b"?")?;
    drop(theirs);
    let entry = opcode::RecvMulti::new(types::Fd(ours.as_raw_fd()), GROUP).build();
    // SAFETY: the entry points to nothing; the buffers it takes are the pool's.
    unsafe {
        if uring.submission().push(&entry).is_err() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
    }
    let feature = "multishot receiving into a ring of buffers";
    let mut received = 0;
    loop {
        uring.submit_and_wait(1)?;
        let done: Vec<cqueue::Entry> = uring.completion().collect();
        for entry in done {
            let count = usize::try_from(entry.result()).map_err(|_| missing(feature))?;
            received += count;
            if let Some(buffer) = cqueue::buffer_select(entry.flags())
                && let Some(piece) = pool.take(buffer, count)
            {
                pool.give_back(piece);
            }
            if !cqueue::more(entry.flags()) {
                let end = if received == 1 {
                    Ok(())
                } else {
                    Err(missing(feature))
                };
                return end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(error: &io::Error) -> &Unavailable {
        let inner = error.get_ref().expect("an inner error");
        inner.downcast_ref().expect("the reason")
    }

    #[test]
    fn the_reasons_are_told_apart() {
        let old = refused(io::Error::from_raw_os_error(libc::ENOSYS));
        assert_eq!(old.kind(), io::ErrorKind::Unsupported);
        assert!(matches!(why(&old), Unavailable::TooOld { release } if !release.is_empty()));

        let lacking = missing("wings");
        assert_eq!(lacking.kind(), io::ErrorKind::Unsupported);
        assert!(lacking.to_string().contains("lacks wings"), "{lacking}");

        for code in [libc::EPERM, libc::EACCES] {
            let forbidden = refused(io::Error::from_raw_os_error(code));
            assert_eq!(forbidden.kind(), io::ErrorKind::PermissionDenied);
            assert!(matches!(why(&forbidden), Unavailable::Forbidden { .. }));
        }
        let by_sysctl = Unavailable::Forbidden { sysctl: Some(2) }.to_string();
        assert!(by_sysctl.contains("kernel.io_uring_disabled is 2"), "{by_sysctl}");

        // Anything else is what it is.
        let other = refused(io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(other.raw_os_error(), Some(libc::EMFILE));
    }
}
