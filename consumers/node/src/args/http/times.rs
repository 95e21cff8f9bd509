//! For how long.

use crate::args::values::{Seconds, positive};
use sockman_http::Settings;
use std::time::Duration;

fn default() -> Settings {
    Settings::default()
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "For how long (in seconds)")]
pub(super) struct TimeArgs {
    /// From the first byte of a head to its last; above it 408.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().head_within))]
    head_timeout: Seconds,
    /// The period in which --body-least bytes of a body must come; otherwise 408.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().body_stall))]
    body_timeout: Seconds,
    /// See --body-timeout.
    #[arg(long, value_name = "BYTES", default_value_t = default().body_least)]
    body_least: u64,
    /// For an answer by a worker; above it 503. By default as long as it takes.
    #[arg(long, value_name = "SECS", value_parser = positive)]
    answer_timeout: Option<Seconds>,
    /// A client that takes nothing of what is queued for it for so long is reset.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().response_stall))]
    response_timeout: Seconds,
    /// Connections without a request under way, before the first one or between two, are closed.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().idle))]
    idle_timeout: Seconds,
    /// For the client to close after the last answer of a connection.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().linger))]
    linger: Seconds,
    /// After SIGINT or SIGTERM, for requests that are on their way.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().last_call))]
    last_call: Seconds,
    /// Between two events of `/sse`.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(Duration::from_secs(1)))]
    sse_every: Seconds,
}

impl TimeArgs {
    pub(super) fn apply(&self, to: &mut Settings) {
        to.head_within = self.head_timeout.0;
        to.body_stall = self.body_timeout.0;
        to.body_least = self.body_least;
        to.answer_within = self.answer_timeout.map(|seconds| seconds.0);
        to.response_stall = self.response_timeout.0;
        to.idle = self.idle_timeout.0;
        to.linger = self.linger.0;
        to.last_call = self.last_call.0;
    }

    pub(super) fn sse_every(&self) -> Duration {
        self.sse_every.0
    }
}
