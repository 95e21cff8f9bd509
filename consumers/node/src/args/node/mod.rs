//! The command line of `sockman node`, and the settings that come of it.
//!
//! - `data`: which chain, and where it is kept; `store`: how
//! - `peers`: the P2P protocol; `rpc`: JSON-RPC and REST; `http`: what their clients may do
//! - `place`: addresses whose port may be left out
//!
//! Defaults are those of the libraries, by their own values.

pub(crate) mod data;
mod http;
mod peers;
mod place;
mod rpc;
pub(crate) mod store;

use super::engine::EngineArgs;
use super::values::{Seconds, positive};
use crate::failure::Failure;
use data::DataArgs;
use http::HttpArgs;
use peers::PeerArgs;
use rpc::RpcArgs;
use sockman_backends::sockman::Config;
use std::time::Duration;
use store::StoreArgs;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NodeArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The backend, by its name in `sockman backends`; the first that is listed when it is not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// End, with exit code 0, once the chain is as long as that of the peers.
    #[arg(long)]
    pub(crate) exit_when_synced: bool,
    /// How many seconds open connections have, after SIGINT or SIGTERM, to take what is under way for them. A second
    /// signal ends it at once.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(Duration::from_secs(5)))]
    drain: Seconds,
    /// How many seconds apart the lines are that tell how far the node is, where there is no terminal for a bar.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(Duration::from_secs(10)))]
    progress_every: Seconds,
    /// Print the loop's counters at the end.
    #[arg(long)]
    pub(crate) stats: bool,
    #[command(flatten)]
    pub(crate) peers: PeerArgs,
    #[command(flatten)]
    pub(crate) rpc: RpcArgs,
    #[command(flatten)]
    pub(crate) http: HttpArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

impl NodeArgs {
    pub(crate) fn drain(&self) -> Duration {
        self.drain.0
    }

    pub(crate) fn progress_every(&self) -> Duration {
        self.progress_every.0
    }

    /// How the loop works.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = self.engine.config();
        config.limits = self.http.limits()?;
        Ok(config)
    }
}
