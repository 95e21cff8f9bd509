//! Why the program ends early.

use sockman_node::Unavailable;
use std::io;

/// What the user is told, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line or the environment asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// No such backend.
    #[error(transparent)]
    Backend(#[from] Unavailable),
    /// The system refuses something.
    #[error("cannot {what}: {why}")]
    System {
        /// What was to be done.
        what: String,
        /// The system's reason.
        why: io::Error,
    },
}

impl Failure {
    /// For `map_err`: the system refused to do `what`.
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
        let what = what.into();
        |why| Failure::System { what, why }
    }

    /// 2 for what another command line would mend, as the parser of the command line has it; otherwise 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Backend(_) => 2,
            Failure::System { .. } => 1,
        }
    }
}
