//! Why the program ends early.

use sockman_http::rpc::BadCredentials;
use sockman_node::Unavailable;
use sockman_p2p::coins::CoinsError;
use sockman_p2p::state::BanError;
use sockman_p2p::store::import::ImportError;
use sockman_p2p::store::{OpenError, StoreError};
use std::io;
use std::path::PathBuf;

/// What the user is told, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line or the environment asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// No such backend.
    #[error(transparent)]
    Backend(#[from] Unavailable),
    /// The data directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Blocks cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index of the coins cannot be used.
    #[error(transparent)]
    Coins(#[from] CoinsError),
    /// Files to be imported cannot be.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Not all that is in the imported files could be taken. What was, stays.
    #[error("{refused} blocks were refused, and {damaged} parts of files were no blocks")]
    Files {
        /// Blocks.
        refused: u64,
        /// Parts of files.
        damaged: u64,
    },
    /// The list of bans cannot be used.
    #[error(transparent)]
    Bans(#[from] BanError),
    /// The cookie cannot be written.
    #[error("cannot write {}: {why}", path.display())]
    Cookie {
        /// Its file.
        path: PathBuf,
        /// Why.
        why: BadCredentials,
    },
    /// The node ended because it could not go on.
    #[error("stopped: {0}. What was stored is safe")]
    Stopped(String),
    /// Who is at the other end does not do what it should.
    #[error("{0}")]
    Remote(String),
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
            _ => 1,
        }
    }
}
