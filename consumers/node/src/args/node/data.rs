//! Which chain, and where it is kept.

use crate::failure::Failure;
use bitcoin::Network;
use clap::ValueEnum;
use std::env;
use std::path::PathBuf;

/// A chain, by the name that Core's `-chain` has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Chain {
    Main,
    Testnet4,
    Signet,
    Regtest,
}

impl Chain {
    pub(crate) fn network(self) -> Network {
        match self {
            Chain::Main => Network::Bitcoin,
            Chain::Testnet4 => Network::Testnet4,
            Chain::Signet => Network::Signet,
            Chain::Regtest => Network::Regtest,
        }
    }
}

/// The directory in that of the user.
const DIRECTORY: &str = ".sockman";

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Which chain. On signet the signatures of blocks (BIP 325) are not checked.
    #[arg(long, value_name = "NAME", default_value = "main")]
    chain: Chain,
    /// Where everything is kept: the main chain in it, the others in `regtest`, `signet` and `testnet4` below it. By default
    /// `.sockman` in the home directory.
    #[arg(long, value_name = "DIR")]
    datadir: Option<PathBuf>,
}

impl DataArgs {
    pub(crate) fn network(&self) -> Network {
        self.chain.network()
    }

    /// The directory that is given, or the default.
    pub(crate) fn datadir(&self) -> Result<PathBuf, Failure> {
        if let Some(datadir) = &self.datadir {
            return Ok(datadir.clone());
        }
        let home = env::var_os("HOME").filter(|home| !home.is_empty());
        let home = home.ok_or_else(|| Failure::Usage("--datadir is needed: HOME is not set".to_owned()))?;
        Ok(PathBuf::from(home).join(DIRECTORY))
    }
}
