//! JSON-RPC: who may call, and how much.

use crate::args::values::Seconds;
use crate::failure::Failure;
use sockman_http::rpc::{Acl, Credentials, Dispatcher, Settings, Subnet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "JSON-RPC (without credentials there is none)")]
pub(crate) struct RpcArgs {
    /// A user who may call.
    #[arg(
        long,
        value_name = "NAME",
        requires = "rpc_password",
        conflicts_with = "rpc_cookie"
    )]
    rpc_user: Option<String>,
    /// The user's password. Others on this machine can read it in the list of processes; a cookie they cannot.
    #[arg(long, value_name = "PASSWORD", requires = "rpc_user")]
    rpc_password: Option<String>,
    /// Make a password and write it to this file as `__cookie__:PASSWORD`; the file is removed at the end.
    #[arg(long, value_name = "FILE")]
    rpc_cookie: Option<PathBuf>,
    /// A user whose password is known by its hash alone, as Bitcoin Core's `rpcauth`. May be given several times.
    #[arg(long, value_name = "USER:SALT$HASH")]
    rpc_auth: Vec<String>,
    /// What a user may call; the others then nothing, if --rpc-whitelist-default does not say otherwise. May be given several
    /// times.
    #[arg(long, value_name = "USER:METHOD,…")]
    rpc_whitelist: Vec<String>,
    /// Whether users without a whitelist may call nothing (true) or everything (false).
    #[arg(long, value_name = "BOOL")]
    rpc_whitelist_default: Option<bool>,
    /// Addresses that may call, as 192.168.0.0/16, besides this machine's own. May be given several times.
    #[arg(long, value_name = "SUBNET")]
    rpc_allow: Vec<Subnet>,
    /// As Bitcoin Core: JSON-RPC on `/` instead of `/rpc`, its limits, its reading of requests; Content-Type is ignored.
    #[arg(long)]
    pub(crate) bitcoin_compat: bool,
    /// How many seconds the answer to a wrong password is held back.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(Settings::default().delay))]
    rpc_delay: Seconds,
    /// Threads for calls that take long.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::new(Settings::default().workers).unwrap_or(NonZeroUsize::MIN))]
    rpc_threads: NonZeroUsize,
    /// Calls that may wait for them; above it 503.
    #[arg(long, value_name = "N", default_value_t = Settings::default().queue)]
    rpc_queue: usize,
    /// Requests of a batch.
    #[arg(long, value_name = "N", default_value_t = Dispatcher::<()>::DEFAULT_BATCH)]
    rpc_batch: usize,
}

impl RpcArgs {
    /// Those who may call. Writes the cookie's file.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut credentials = Credentials::default();
        let wrong = |flag: &str, why: &dyn std::error::Error| Failure::Usage(format!("{flag}: {why}"));
        if let (Some(user), Some(password)) = (&self.rpc_user, &self.rpc_password) {
            credentials
                .password(user, password)
                .map_err(|why| wrong("--rpc-user", &why))?;
        }
        for line in &self.rpc_auth {
            credentials
                .rpcauth(line)
                .map_err(|why| wrong("--rpc-auth", &why))?;
        }
        for line in &self.rpc_whitelist {
            credentials.whitelist(line);
        }
        if let Some(nothing) = self.rpc_whitelist_default {
            credentials.whitelist_default(nothing);
        }
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
            acl: self.rpc_allow.iter().copied().fold(Acl::default(), Acl::allow),
            delay: self.rpc_delay.0,
            any_type: self.bitcoin_compat,
            workers: self.rpc_threads.get(),
            queue: self.rpc_queue,
        }
    }

    pub(crate) fn batch(&self) -> usize {
        self.rpc_batch
    }
}
