//! What happened, where a test fails.

use super::network::Network;
use super::trace::Tracing;

/// In the environment it asks for a trace of simulations that fail.
const ASKED: &str = "SOCKMAN_TRACE";

impl Tracing {
    /// [`Tracing::Text`] if `SOCKMAN_TRACE` is in the environment, otherwise nothing.
    pub fn from_env() -> Tracing {
        if std::env::var_os(ASKED).is_some() {
            Tracing::Text
        } else {
            Tracing::Off
        }
    }
}

/// Prints the network's trace to the standard error stream when it is dropped by a panic. [`Network::teller`] makes one.
#[must_use = "it tells when it is dropped"]
pub struct Teller(Network);

impl Network {
    /// Tells what happened, if a panic comes while it is held.
    pub fn teller(&self) -> Teller {
        Teller(self.clone())
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprint!("{}", self.0.trace());
        }
    }
}
