//! The command line of `sockman sv2-client`.

use super::values::{Seconds, positive};
use sockman_sv2::wire::{AuthorityKey, Constraints};
use std::num::NonZeroU64;
use std::time::Duration;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// The template provider, as HOST:PORT.
    pub(crate) addr: String,
    /// The public key of the authority that vouches for it: `sockman node` prints it, and `getsv2info` has it.
    pub(crate) key: AuthorityKey,
    /// Ask for the transactions of the first template so many times, one after the other; print how long that took, and end.
    #[arg(long, value_name = "N")]
    pub(crate) bench: Option<NonZeroU64>,
    /// End after so many messages.
    #[arg(long, value_name = "N", conflicts_with = "bench")]
    pub(crate) messages: Option<NonZeroU64>,
    /// Bytes that our coinbase outputs take.
    #[arg(long, value_name = "N", default_value_t = 100)]
    size: u32,
    /// Signature operations that they have.
    #[arg(long, value_name = "N", default_value_t = 4)]
    sigops: u16,
    /// How many seconds to wait for the connection, and for each answer. New templates are waited for without end.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(Duration::from_secs(10)))]
    timeout: Seconds,
}

impl ClientArgs {
    pub(crate) fn constraints(&self) -> Constraints {
        Constraints {
            size: self.size,
            sigops: self.sigops,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.0
    }
}
