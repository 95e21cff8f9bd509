//! JSON-RPC and REST.

use super::place::Place;
use crate::args::rpc::{CallArgs, UserArgs};
use crate::failure::Failure;
use sockman_backends::sockman::Endpoint;
use sockman_http::rpc::{Acl, Credentials, Settings};
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::path::Path;

/// Calls that may wait for a block at once.
const WAITING: usize = 8;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "JSON-RPC and REST")]
pub(crate) struct RpcArgs {
    // Not as a comment of documentation, where the brackets would be a link.
    #[arg(
        long,
        value_name = "ADDR",
        help = "Where to serve them: IP, IP:PORT, [IPv6]:PORT or unix:PATH; port 0 lets the kernel choose. May be given several times. By default 127.0.0.1, with Bitcoin Core's port for the chain"
    )]
    rpc_bind: Vec<Place>,
    /// Serve neither.
    #[arg(long, conflicts_with_all = ["rpc_bind", "rest", "rpc_user", "rpc_password", "rpc_auth", "rpc_whitelist", "rpc_allow"])]
    no_rpc: bool,
    /// Serve REST too: blocks and headers, to whoever may connect, without a password.
    #[arg(long)]
    pub(crate) rest: bool,
    #[command(flatten)]
    users: UserArgs,
    #[command(flatten)]
    calls: CallArgs,
    /// Calls that may wait for a block at once (`waitforblockheight` and such), so that threads are left for others; above it
    /// they fail.
    #[arg(long, value_name = "N", default_value_t = WAITING)]
    rpc_waiting: usize,
    /// Threads for REST.
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) rest_threads: NonZeroUsize,
    /// Requests that may wait for them; above it 503.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) rest_queue: usize,
    /// Log each answer to standard error, as an event of the target `sockman_http::access`.
    #[arg(long)]
    pub(crate) access_log: bool,
}

impl RpcArgs {
    /// Where to serve: nowhere, if that is so wished. `port` is that of the chain.
    pub(crate) fn bind(&self, port: u16) -> Vec<Endpoint> {
        if self.no_rpc {
            Vec::new()
        } else if self.rpc_bind.is_empty() {
            vec![Endpoint::Tcp((Ipv4Addr::LOCALHOST, port).into())]
        } else {
            self.rpc_bind.iter().map(|place| place.endpoint(port)).collect()
        }
    }

    /// Those who may call, as far as flags say who.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        self.users.credentials()
    }

    /// Where there is no user with a password, one is made up, and written to this file.
    pub(crate) fn cookie(&self, credentials: &mut Credentials, path: &Path) -> Result<(), Failure> {
        if self.no_rpc || self.users.has_password() {
            return Ok(());
        }
        credentials.cookie(path).map_err(|why| Failure::Cookie {
            path: path.to_owned(),
            why,
        })
    }

    /// As Core behaves: for whom, and how much.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            any_type: true,
            ..self.calls.settings()
        }
    }

    /// Who may connect.
    pub(crate) fn acl(&self) -> Acl {
        self.calls.acl()
    }

    pub(crate) fn batch(&self) -> usize {
        self.calls.batch()
    }

    /// How many calls may wait at once.
    pub(crate) fn waiting(&self) -> Result<usize, Failure> {
        let (waiting, threads) = (self.rpc_waiting, self.calls.threads());
        if waiting >= threads.get() {
            return Err(Failure::Usage(format!(
                "--rpc-waiting ({waiting}) must be below --rpc-threads ({threads}), or no thread would be left for other calls"
            )));
        }
        Ok(waiting)
    }
}
