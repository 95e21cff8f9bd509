//! From a backend's name to its type.

use sockman_backends::sockman::Backend;
use std::fmt;

/// A backend that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// [`sockman_backends::Mio`]
    #[cfg(feature = "mio")]
    Mio,
    /// [`sockman_backends::Polling`]
    #[cfg(feature = "polling")]
    Polling,
    /// [`sockman_backends::Uv`]
    #[cfg(feature = "uv")]
    Uv,
    /// [`sockman_backends::Uring`]
    #[cfg(feature = "uring")]
    Uring,
}

/// Work that needs a backend's type.
pub trait OnBackend {
    /// What it gives.
    type Output;

    /// Does it on `B`.
    fn run<B: Backend>(self) -> Self::Output;
}

/// A backend of the project, compiled in or not.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// The cargo feature that compiles it in.
    pub feature: &'static str,
    /// The choice, if it is compiled in.
    pub choice: Option<Choice>,
}

/// Every backend of the project, in order of preference.
pub const KNOWN: &[Known] = &[
    Known {
        name: "mio",
        feature: "mio",
        #[cfg(feature = "mio")]
        choice: Some(Choice::Mio),
        #[cfg(not(feature = "mio"))]
        choice: None,
    },
    Known {
        name: "polling",
        feature: "polling",
        #[cfg(feature = "polling")]
        choice: Some(Choice::Polling),
        #[cfg(not(feature = "polling"))]
        choice: None,
    },
    Known {
        name: "uv",
        feature: "uv",
        #[cfg(feature = "uv")]
        choice: Some(Choice::Uv),
        #[cfg(not(feature = "uv"))]
        choice: None,
    },
    Known {
        name: "uring",
        feature: "uring",
        #[cfg(feature = "uring")]
        choice: Some(Choice::Uring),
        #[cfg(not(feature = "uring"))]
        choice: None,
    },
];

impl Choice {
    /// Those that are compiled in, in order of preference.
    pub fn compiled() -> impl Iterator<Item = Choice> {
        KNOWN.iter().filter_map(|known| known.choice)
    }

    /// The one to use when none is asked for.
    pub fn preferred() -> Result<Choice, Unavailable> {
        Choice::compiled().next().ok_or(Unavailable::NoneCompiled)
    }

    /// The one called `name`.
    pub fn by_name(name: &str) -> Result<Choice, Unavailable> {
        let known = KNOWN
            .iter()
            .find(|known| known.name == name)
            .ok_or_else(|| Unavailable::Unknown(name.to_owned()))?;
        known.choice.ok_or(Unavailable::NotCompiled(known))
    }

    /// Does `work` on this backend's type: the one place where a value becomes a type.
    // With no backend there is no choice, and nothing to do the work on.
    #[cfg_attr(
        not(any(feature = "mio", feature = "polling", feature = "uv", feature = "uring")),
        expect(unused_variables, clippy::needless_pass_by_value)
    )]
    pub fn run<W: OnBackend>(self, work: W) -> W::Output {
        match self {
            #[cfg(feature = "mio")]
            Choice::Mio => work.run::<sockman_backends::Mio>(),
            #[cfg(feature = "polling")]
            Choice::Polling => work.run::<sockman_backends::Polling>(),
            #[cfg(feature = "uv")]
            Choice::Uv => work.run::<sockman_backends::Uv>(),
            #[cfg(feature = "uring")]
            Choice::Uring => work.run::<sockman_backends::Uring>(),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        struct Name;
        impl OnBackend for Name {
            type Output = &'static str;
            fn run<B: Backend>(self) -> &'static str {
                B::NAME
            }
        }
        self.run(Name)
    }
}

/// Why there is no such backend here.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// The project has no backend of this name.
    #[error("unknown backend `{0}`; {Compiled}")]
    Unknown(String),
    /// The backend exists but is not compiled in.
    #[error("backend `{}` is not compiled in (build with `--features {}`); {Compiled}", .0.name, .0.feature)]
    NotCompiled(&'static Known),
    /// No backend is compiled in at all.
    #[error("no backend is compiled in; build with at least one of the features {}", names(KNOWN.iter().map(|known| known.feature)))]
    NoneCompiled,
}

/// Lists what is compiled in.
struct Compiled;

impl fmt::Display for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match names(Choice::compiled().map(Choice::name)).as_str() {
            "" => f.write_str("none is compiled in"),
            names => write!(f, "compiled in: {names}"),
        }
    }
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_types() {
        for known in KNOWN {
            match Choice::by_name(known.name) {
                Ok(choice) => assert_eq!(choice.name(), known.name),
                Err(why) => assert!(matches!(why, Unavailable::NotCompiled(_)), "{why}"),
            }
        }
    }

    #[test]
    #[cfg(any(feature = "mio", feature = "polling", feature = "uv", feature = "uring"))]
    fn the_preferred_one_is_the_default_backend() {
        let preferred = Choice::preferred().expect("one is compiled in");
        assert_eq!(preferred.name(), sockman_backends::DefaultBackend::NAME);
    }

    #[test]
    fn an_unknown_name_gets_the_list() {
        let why = Choice::by_name("kqueue")
            .expect_err("no such backend")
            .to_string();
        assert!(why.starts_with("unknown backend `kqueue`; "), "{why}");
        for choice in Choice::compiled() {
            assert!(why.contains(choice.name()), "{why}");
        }
    }
}
