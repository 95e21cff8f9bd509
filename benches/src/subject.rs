//! The list of what can be measured.

#[cfg(any_backend)]
use crate::ibd;
use crate::ibd::Part;
use crate::rivals;
use crate::rivals::http::floor::{Get, Post, Rpc};
use crate::serve::Ready;
#[cfg(any_backend)]
use crate::serve::{backend, http};
use crate::sv2;
use crate::work::Work;
#[cfg(any_backend)]
use sockman::Backend;
use std::io;
#[cfg(any_backend)]
use std::marker::PhantomData;

/// The rival to which everything is compared, in the works that echo.
pub const BASELINE: &str = "epoll";
/// The rival to which everything is compared, in the work `wake`.
pub const WAKE_BASELINE: &str = "eventfd";
/// The rival to which everything is compared, in the works over HTTP.
pub const HTTP_BASELINE: &str = "http-epoll";
/// The rival to which everything is compared in the work `ibd`.
pub const IBD_BASELINE: &str = "std";
/// The rival to which everything is compared in the work `sv2`.
pub const SV2_BASELINE: &str = "std";

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

/// What a server can do, and it.
pub type Duty = (&'static [Work], Server);

/// Something that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its name in arguments, tables and rows.
    pub name: &'static str,
    /// Whose it is.
    pub kind: Kind,
    /// Its servers, each with the works that it does.
    pub duties: &'static [Duty],
    /// How it takes part in the work `ibd`, if it does.
    pub part: Option<Part>,
    /// Its server of the work `sv2`, if it has one.
    pub sv2: Option<sv2::Serve>,
}

impl Subject {
    /// Its server for a work, if it does that.
    pub fn server(&self, work: Work) -> Option<Server> {
        let duty = self.duties.iter().find(|(works, _)| works.contains(&work))?;
        Some(duty.1)
    }

    /// Whether it does that work.
    pub fn does(&self, work: Work) -> bool {
        match work {
            Work::Ibd => self.part.is_some(),
            Work::Sv2 => self.sv2.is_some(),
            work => self.server(work).is_some(),
        }
    }

    const fn with_part(self, part: Part) -> Subject {
        Subject {
            part: Some(part),
            ..self
        }
    }

    const fn with_sv2(self, serve: sv2::Serve) -> Subject {
        Subject {
            sv2: Some(serve),
            ..self
        }
    }
}

/// What an echo server does.
const ECHO: &[Work] = &[Work::Echo, Work::EchoIdle];
/// What a server does that other threads can send through.
const WAKE: &[Work] = &[Work::Wake];
/// What a server of HTTP does.
const GET: &[Work] = &[Work::Http, Work::HttpPipeline, Work::HttpClose];
/// What one does that does not close connections.
const KEPT: &[Work] = &[Work::Http, Work::HttpPipeline];
const CLOSE: &[Work] = &[Work::HttpClose];
const POST: &[Work] = &[Work::HttpPost];
const RPC: &[Work] = &[Work::Jsonrpc];
const TAIL: &[Work] = &[Work::HttpTail];

#[cfg(any_backend)]
const fn ours<B: Backend>(name: &'static str) -> Subject {
    Subject {
        name,
        kind: Kind::Backend,
        duties: Ours::<B>::DUTIES,
        part: Some(Part {
            download: ibd::backend::download::<B>,
            serve: ibd::backend::serve::<B>,
        }),
        sv2: Some(sv2::backend::serve::<B>),
    }
}

/// What every backend does.
#[cfg(any_backend)]
struct Ours<B>(PhantomData<B>);

#[cfg(any_backend)]
impl<B: Backend> Ours<B> {
    const DUTIES: &'static [Duty] = &[
        (ECHO, backend::echo::<B>),
        (WAKE, backend::echo::<B>),
        (GET, http::run::<B>),
        (POST, http::run::<B>),
        (RPC, http::run_rpc::<B>),
        (TAIL, http::run_uncounted::<B>),
    ];
}

const fn rival(name: &'static str, duties: &'static [Duty]) -> Subject {
    Subject {
        name,
        kind: Kind::Rival,
        duties,
        part: None,
        sv2: None,
    }
}

/// The backend on which the same handler runs behind `dyn` and async-trait.
#[cfg(any_backend)]
pub use sockman_backends::DefaultBackend;

/// Everything there is, in the order of the tables. A further backend is a line here.
pub const ALL: &[Subject] = &[
    rival(BASELINE, &[(ECHO, rivals::epoll::run)]),
    rival("epoll-again", &[(ECHO, rivals::epoll::run)]),
    rival(WAKE_BASELINE, &[(WAKE, rivals::eventfd::run)]),
    rival("eventfd-again", &[(WAKE, rivals::eventfd::run)]),
    rival(HTTP_BASELINE, HTTP_FLOOR),
    rival("http-epoll-again", HTTP_FLOOR),
    rival(IBD_BASELINE, &[])
        .with_part(IBD_FLOOR)
        .with_sv2(rivals::sv2::run),
    rival("std-again", &[])
        .with_part(IBD_FLOOR)
        .with_sv2(rivals::sv2::run),
    #[cfg(feature = "mio")]
    ours::<sockman_backends::Mio>("mio"),
    #[cfg(feature = "polling")]
    ours::<sockman_backends::Polling>("polling"),
    #[cfg(feature = "uv")]
    ours::<sockman_backends::Uv>("uv"),
    #[cfg(feature = "uring")]
    ours::<sockman_backends::Uring>("uring"),
    rival("polling-loop", &[(ECHO, rivals::polling_loop::run)]),
    #[cfg(feature = "uring")]
    rival("uring-loop", &[(ECHO, rivals::uring::run)]),
    #[cfg(feature = "uv")]
    rival("libuv-c", &[(ECHO, rivals::libuv::run)]),
    rival("tokio", &[(ECHO, rivals::tokio::run)]).with_part(Part {
        download: rivals::ibd::tokio::download,
        serve: rivals::ibd::tokio::serve,
    }),
    #[cfg(any_backend)]
    rival("dyn", &[(ECHO, rivals::dynamic::run::<DefaultBackend>)]).with_part(Part {
        download: rivals::ibd::dynamic::download::<DefaultBackend>,
        serve: rivals::ibd::dynamic::serve::<DefaultBackend>,
    }),
    #[cfg(any_backend)]
    rival(
        "async-trait",
        &[(ECHO, rivals::async_trait::run::<DefaultBackend>)],
    ),
    rival("tick", &[(ECHO, rivals::tick::run), (WAKE, rivals::tick::run)]),
    #[cfg(feature = "uring")]
    rival(
        "http-uring",
        &[
            (KEPT, rivals::http::uring::run::<Get<false>>),
            (CLOSE, rivals::http::uring::run::<Get<true>>),
            (POST, rivals::http::uring::run::<Post>),
            (RPC, rivals::http::uring::run::<Rpc>),
        ],
    ),
    #[cfg(feature = "http-rivals")]
    rival(
        "hyper",
        &[
            (GET, rivals::http::hyper::run),
            (POST, rivals::http::hyper::run),
            (RPC, rivals::http::hyper::run),
            (TAIL, rivals::http::hyper::run),
        ],
    ),
    #[cfg(feature = "http-rivals")]
    rival(
        "may_minihttp",
        &[
            (KEPT, rivals::http::may_minihttp::run),
            (POST, rivals::http::may_minihttp::run),
        ],
    ),
    #[cfg(feature = "http-rivals")]
    rival(
        "ntex",
        &[(GET, rivals::http::ntex::run), (POST, rivals::http::ntex::run)],
    ),
    #[cfg(feature = "http-rivals")]
    rival(
        "evhttp",
        &[
            (GET, rivals::http::evhttp::run),
            (POST, rivals::http::evhttp::run),
            (RPC, rivals::http::evhttp::run),
            (TAIL, rivals::http::evhttp::run),
        ],
    ),
    rival("nginx", &[(GET, rivals::http::nginx::run)]),
];

/// What the floor does: each work by itself.
const HTTP_FLOOR: &[Duty] = &[
    (KEPT, rivals::http::epoll::run::<Get<false>>),
    (CLOSE, rivals::http::epoll::run::<Get<true>>),
    (POST, rivals::http::epoll::run::<Post>),
    (RPC, rivals::http::epoll::run::<Rpc>),
    (TAIL, rivals::http::tail::run),
];

/// What the floor does of the work `ibd`.
const IBD_FLOOR: Part = Part {
    download: rivals::ibd::std::download,
    serve: rivals::ibd::std::serve,
};

/// Who serves the chain that the others download: one of ours, if there is one.
pub fn source() -> &'static str {
    let ours = ALL.iter().find(|subject| subject.kind == Kind::Backend);
    ours.map_or(IBD_BASELINE, |subject| subject.name)
}

/// The subject to which everything is compared in a work.
pub fn baseline(work: Work) -> &'static str {
    match work {
        Work::Echo | Work::EchoIdle => BASELINE,
        Work::Wake => WAKE_BASELINE,
        Work::Ibd => IBD_BASELINE,
        Work::Sv2 => SV2_BASELINE,
        _ => HTTP_BASELINE,
    }
}

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
    use clap::ValueEnum;

    #[test]
    fn names_are_unique_and_everybody_does_something() {
        for subject in ALL {
            assert_eq!(
                ALL.iter().filter(|other| other.name == subject.name).count(),
                1,
                "{}",
                subject.name
            );
            assert!(Work::value_variants().iter().any(|work| subject.does(*work)));
        }
        assert_eq!(names(Kind::Backend).len() + names(Kind::Rival).len(), ALL.len());
    }

    #[test]
    fn every_work_has_a_baseline_that_is_there_twice() {
        for work in Work::value_variants() {
            let again = [baseline(*work), "-again"].concat();
            for name in [baseline(*work), &again] {
                assert!(find(name).is_some_and(|subject| subject.does(*work)), "{name}");
            }
        }
    }

    #[test]
    fn no_work_is_done_by_two_servers_of_a_subject() {
        for subject in ALL {
            for work in Work::value_variants() {
                let servers = subject
                    .duties
                    .iter()
                    .filter(|(works, _)| works.contains(work))
                    .count();
                assert!(servers <= 1, "{} {}", subject.name, work.name());
            }
        }
    }
}
