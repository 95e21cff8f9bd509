//! The list of what can be measured.

use crate::rivals;
use crate::serve::Ready;
use std::io;

/// The rival to which everything is compared, in the works that echo.
pub const BASELINE: &str = "epoll";
/// The rival to which everything is compared, in the work `wake`.
pub const WAKE_BASELINE: &str = "eventfd";

/// A server: it announces itself and serves until the process ends.
pub type Server = fn(Ready<'_>) -> io::Result<()>;

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of ours.
    Backend,
    /// What ours are compared with.
    Rival,
}

impl Kind {
    /// As it stands in a JSON row.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Backend => "backend",
            Kind::Rival => "rival",
        }
    }
}

/// Something that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its name in arguments, tables and rows.
    pub name: &'static str,
    /// Whose it is.
    pub kind: Kind,
    /// Its server.
    pub server: Server,
    /// Whether it echoes.
    pub echoes: bool,
    /// Whether other threads can send through it.
    pub wakes: bool,
}

#[cfg(any_backend)]
const fn backend(name: &'static str, server: Server) -> Subject {
    Subject {
        name,
        kind: Kind::Backend,
        server,
        echoes: true,
        wakes: true,
    }
}

const fn rival(name: &'static str, server: Server, echoes: bool, wakes: bool) -> Subject {
    Subject {
        name,
        kind: Kind::Rival,
        server,
        echoes,
        wakes,
    }
}

/// The backend on which the same handler runs behind `dyn` and async-trait.
#[cfg(any_backend)]
pub use sockman_backends::DefaultBackend;

/// Everything there is, in the order of the tables. A further backend is a line here.
pub const ALL: &[Subject] = &[
    rival(BASELINE, rivals::epoll::run, true, false),
    rival("epoll-again", rivals::epoll::run, true, false),
    rival(WAKE_BASELINE, rivals::eventfd::run, false, true),
    rival("eventfd-again", rivals::eventfd::run, false, true),
    #[cfg(feature = "mio")]
    backend("mio", crate::serve::backend::echo::<sockman_backends::Mio>),
    #[cfg(feature = "polling")]
    backend(
        "polling",
        crate::serve::backend::echo::<sockman_backends::Polling>,
    ),
    #[cfg(feature = "uv")]
    backend("uv", crate::serve::backend::echo::<sockman_backends::Uv>),
    #[cfg(feature = "uring")]
    backend("uring", crate::serve::backend::echo::<sockman_backends::Uring>),
    rival("polling-loop", rivals::polling_loop::run, true, false),
    #[cfg(feature = "uring")]
    rival("uring-loop", rivals::uring::run, true, false),
    #[cfg(feature = "uv")]
    rival("libuv-c", rivals::libuv::run, true, false),
    rival("tokio", rivals::tokio::run, true, false),
    #[cfg(any_backend)]
    rival("dyn", rivals::dynamic::run::<DefaultBackend>, true, false),
    #[cfg(any_backend)]
    rival(
        "async-trait",
        rivals::async_trait::run::<DefaultBackend>,
        true,
        false,
    ),
    rival("tick", rivals::tick::run, true, true),
];

/// The subject of that name.
pub fn find(name: &str) -> Option<&'static Subject> {
    ALL.iter().find(|subject| subject.name == name)
}

/// The names of all subjects of a kind.
pub fn names(kind: Kind) -> Vec<&'static str> {
    ALL.iter()
        .filter(|subject| subject.kind == kind)
        .map(|subject| subject.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_the_baselines_there() {
        for subject in ALL {
            assert_eq!(
                ALL.iter().filter(|other| other.name == subject.name).count(),
                1,
                "{}",
                subject.name
            );
            assert!(subject.echoes || subject.wakes);
        }
        assert!(find(BASELINE).is_some_and(|s| s.echoes) && find(WAKE_BASELINE).is_some_and(|s| s.wakes));
        assert_eq!(names(Kind::Backend).len() + names(Kind::Rival).len(), ALL.len());
    }
}
