//! JSON-RPC of the HTTP server: the cookie's file, and where calls go.

use crate::args::rpc::{CallArgs, UserArgs, wrong};
use crate::failure::Failure;
use sockman_http::rpc::{Credentials, Settings};
use std::path::PathBuf;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "JSON-RPC (without credentials there is none)")]
pub(crate) struct RpcArgs {
    #[command(flatten)]
    users: UserArgs,
    /// Make a password and write it to this file as `__cookie__:PASSWORD`; the file is removed at the end.
    #[arg(long, value_name = "FILE", conflicts_with = "rpc_user")]
    rpc_cookie: Option<PathBuf>,
    /// As Bitcoin Core: JSON-RPC on `/` instead of `/rpc`, its limits, its reading of requests; Content-Type is ignored.
    #[arg(long)]
    pub(crate) bitcoin_compat: bool,
    #[command(flatten)]
    calls: CallArgs,
}

impl RpcArgs {
    /// Those who may call. Writes the cookie's file.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut credentials = self.users.credentials()?;
        if let Some(path) = &self.rpc_cookie {
            credentials
                .cookie(path)
                .map_err(|why| wrong(&format!("--rpc-cookie {}", path.display()), &why))?;
        }
        Ok(credentials)
    }

    /// Where it is, for whom, and how much.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            path: if self.bitcoin_compat { "/" } else { "/rpc" },
            any_type: self.bitcoin_compat,
            ..self.calls.settings()
        }
    }

    pub(crate) fn batch(&self) -> usize {
        self.calls.batch()
    }
}
