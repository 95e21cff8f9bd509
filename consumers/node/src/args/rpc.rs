//! JSON-RPC, of all servers that have it: who may call, and how much.

use super::values::Seconds;
use crate::failure::Failure;
use sockman_http::rpc::{Acl, Credentials, Dispatcher, Settings, Subnet};
use std::num::NonZeroUsize;

/// For a flag that is not what it should be.
pub(crate) fn wrong(flag: &str, why: &dyn std::error::Error) -> Failure {
    Failure::Usage(format!("{flag}: {why}"))
}

/// Who may call.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UserArgs {
    /// A user who may call.
    #[arg(long, value_name = "NAME", requires = "rpc_password")]
    rpc_user: Option<String>,
    /// The user's password. Others on this machine can read it in the list of processes; a cookie they cannot.
    #[arg(long, value_name = "PASSWORD", requires = "rpc_user")]
    rpc_password: Option<String>,
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
}

impl UserArgs {
    /// Whether there is a user with a password, and so no need of a cookie.
    pub(crate) fn has_password(&self) -> bool {
        self.rpc_user.is_some()
    }

    /// Those who may call.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let mut credentials = Credentials::default();
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
        Ok(credentials)
    }
}

/// From where, and how much.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CallArgs {
    /// Addresses that may call, as 192.168.0.0/16, besides this machine's own. May be given several times.
    #[arg(long, value_name = "SUBNET")]
    rpc_allow: Vec<Subnet>,
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

impl CallArgs {
    /// Who may connect.
    pub(crate) fn acl(&self) -> Acl {
        self.rpc_allow.iter().copied().fold(Acl::default(), Acl::allow)
    }

    /// What of it is the service's, for JSON-RPC at `/`.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            acl: self.acl(),
            delay: self.rpc_delay.0,
            workers: self.rpc_threads.get(),
            queue: self.rpc_queue,
            ..Settings::default()
        }
    }

    pub(crate) fn threads(&self) -> NonZeroUsize {
        self.rpc_threads
    }

    pub(crate) fn batch(&self) -> usize {
        self.rpc_batch
    }
}
