//! The command line of `sockman http`, and the settings that come of it.
//!
//! - `requests`: what a request may be; `times`: for how long; `connections`: how many, and what one may hold
//! - `rpc`: JSON-RPC
//!
//! Defaults are those of the libraries, by their own values.

mod connections;
mod requests;
mod rpc;
mod times;

use super::ServerArgs;
use super::engine::EngineArgs;
use crate::failure::Failure;
use connections::ConnectionArgs;
use requests::RequestArgs;
use rpc::RpcArgs;
use sockman_backends::sockman::{Config, ListenOptions};
use sockman_http::Settings;
use std::num::NonZeroUsize;
use std::time::Duration;
use times::TimeArgs;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HttpArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Loops, each on a thread of its own. Connections go to the one that has the fewest.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    pub(crate) shards: NonZeroUsize,
    /// Threads for what would block a loop, as `/worker` pretends to.
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) workers: NonZeroUsize,
    /// Jobs that may wait for a worker; above it the answer is 503.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub(crate) worker_queue: usize,
    /// Log each answer to standard error, as an event of the target `sockman_http::access`.
    #[arg(long)]
    pub(crate) access_log: bool,
    /// Number the requests, and give each answer its number as `x-request-id`.
    #[arg(long)]
    request_ids: bool,
    /// Serve what probes of other projects expect: `/` says OK and echoes POST, `/echo` lists the fields that were received,
    /// `/cookie` the cookies.
    #[arg(long, conflicts_with_all = ["bitcoin_compat", "rpc_user", "rpc_cookie", "rpc_auth"])]
    pub(crate) probe: bool,
    #[command(flatten)]
    pub(crate) rpc: RpcArgs,
    #[command(flatten)]
    requests: RequestArgs,
    #[command(flatten)]
    times: TimeArgs,
    #[command(flatten)]
    connections: ConnectionArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

impl HttpArgs {
    /// What the server allows.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings {
            limits: self.requests.limits(self.rpc.bitcoin_compat),
            request_ids: self.request_ids,
            ..Settings::default()
        };
        self.times.apply(&mut settings);
        self.connections.apply(&mut settings);
        self.requests.check(self.connections.unread())?;
        Ok(settings)
    }

    /// How the loop works.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = self.engine.config();
        config.max_connections = self.server.max_connections.map(usize::from);
        config.limits = self.connections.limits(self.requests.body())?;
        Ok(config)
    }

    /// How to listen.
    pub(crate) fn listen_options(&self) -> ListenOptions {
        self.connections.listen_options()
    }

    /// How often `/sse` has an event.
    pub(crate) fn sse_every(&self) -> Duration {
        self.times.sse_every()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;
    use sockman_http::Limits;

    fn args(more: &[&str]) -> Box<HttpArgs> {
        let start = ["sockman", "http", "--listen", "127.0.0.1:0"];
        match Args::parse_from(start.iter().chain(more)).command {
            Command::Http(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_libraries() {
        let args = args(&[]);
        assert_eq!(args.settings().expect("they agree"), Settings::default());
        assert_eq!(args.config().expect("they agree"), Config::default());
        assert_eq!(args.listen_options(), ListenOptions::default());
    }

    #[test]
    fn for_bitcoin_the_limits_are_cores() {
        let settings = args(&["--bitcoin-compat"]).settings().expect("they agree");
        assert_eq!(settings.limits, Limits::bitcoin_core());
        let more = args(&["--bitcoin-compat", "--max-head", "9KiB", "--max-body", "1MiB"]);
        let limits = more.settings().expect("they agree").limits;
        assert_eq!(
            (limits.head, limits.request_line, limits.body),
            (9 << 10, 8 << 10, 1 << 20)
        );
    }

    #[test]
    fn a_large_body_can_be_sent_back() {
        let args = args(&["--max-body", "100MiB"]);
        assert!(args.config().expect("they agree").limits.queued > 100 << 20);
    }

    #[test]
    fn contradictions_are_told_by_the_names_of_flags() {
        for (flags, expected) in [
            (&["--send-low", "1MiB"][..], "--send-low"),
            (&["--send-high", "1GiB"], "--send-high"),
            (
                &["--send-limit", "32MiB"],
                "--send-limit (32MiB) must be above --max-body (32MiB)",
            ),
            (&["--max-head", "2MiB"], "--max-head (2MiB)"),
            (&["--max-trailers", "1MiB"], "--max-trailers (1MiB)"),
            (&["--max-unread", "32KiB"], "--max-unread (32KiB)"),
        ] {
            let args = args(flags);
            let why = args.config().map(drop).and_then(|()| args.settings().map(drop));
            let why = why.expect_err("a contradiction");
            assert_eq!(why.exit_code(), 2);
            assert!(why.to_string().contains(expected), "{why}");
        }
    }
}
