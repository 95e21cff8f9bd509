//! The command line of `sockman node`, and the settings that come of it.
//!
//! - `data`: which chain, and where it is kept; `store`: how
//! - `peers`: the P2P protocol; `rpc`: JSON-RPC and REST; `http`: what their clients may do
//! - `sv2`: Stratum V2; `pool`: transactions and coins for it
//! - `place`: addresses whose port may be left out
//!
//! Defaults are those of the libraries, by their own values.

pub(crate) mod data;
mod http;
mod peers;
mod place;
mod pool;
mod rpc;
pub(crate) mod store;
mod sv2;

use super::engine::EngineArgs;
use super::values::{Seconds, positive};
use crate::failure::Failure;
use data::DataArgs;
use http::HttpArgs;
use peers::PeerArgs;
use pool::PoolArgs;
use rpc::RpcArgs;
use sockman_backends::sockman::Config;
use std::time::Duration;
use store::StoreArgs;
use sv2::Sv2Args;

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
    pub(crate) sv2: Sv2Args,
    #[command(flatten)]
    pub(crate) pool: PoolArgs,
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
        if self.exit_when_synced && self.peers.is_alone() {
            let why = "--exit-when-synced needs a peer: --connect, --addnode, or to listen (no --no-listen)";
            return Err(Failure::Usage(why.to_owned()));
        }
        let mut config = self.engine.config();
        config.limits = self.http.limits()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use bitcoin::Network;
    use clap::Parser;
    use sockman_backends::sockman::{Endpoint, Limits as ConnLimits, ListenOptions};
    use sockman_http::{Limits, rpc};
    use sockman_p2p::Settings;
    use sockman_p2p::coins::CoinsOptions;
    use sockman_p2p::pool::PoolSettings;
    use sockman_p2p::store::DiskOptions;

    type Set<T> = fn(&mut T);
    type SetTime = fn(&mut Settings, Duration);

    fn args(more: &[&str]) -> Box<NodeArgs> {
        match Args::parse_from(["sockman", "node"].iter().chain(more)).command {
            Command::Node(args) => args,
            other => panic!("{other:?}"),
        }
    }

    /// Settings have functions in them, which cannot be compared.
    fn shown(settings: &Settings) -> String {
        format!("{settings:#?}")
    }

    #[test]
    fn the_defaults_are_those_of_the_libraries() {
        let args = args(&[]);
        let settings = args.peers.settings([7; 32]).expect("they agree");
        assert_eq!(shown(&settings), shown(&Settings::new([7; 32])));
        assert_eq!(args.store.options(), DiskOptions::default());
        assert_eq!(args.pool.settings(), PoolSettings::default());
        assert_eq!(args.pool.coins(), CoinsOptions::default());
        assert_eq!(args.config().expect("they agree"), Config::default());
        let http = sockman_http::Settings {
            limits: Limits::bitcoin_core(),
            ..sockman_http::Settings::default()
        };
        assert_eq!(args.http.settings(), http);
        let listen = ListenOptions {
            limits: Some(ConnLimits::default()),
            ..ListenOptions::default()
        };
        assert_eq!(args.http.listen_options().expect("they agree"), listen);
        let (ours, core) = (args.rpc.settings(), rpc::Settings::bitcoin_core());
        assert_eq!(format!("{ours:?}"), format!("{core:?}"));
    }

    #[test]
    fn where_it_listens() {
        let at = |text: &str| text.parse::<Endpoint>().expect("an address");
        let given = args(&[]);
        assert_eq!(given.peers.bind(18444), [at("127.0.0.1:18444")]);
        assert_eq!(given.rpc.bind(18443), [at("127.0.0.1:18443")]);
        assert!(given.sv2.bind(Network::Regtest).is_empty() && !given.sv2.is_on());
        let given = args(&[
            "--p2p-bind",
            "0.0.0.0",
            "--p2p-bind",
            "[::]:1",
            "--rpc-bind",
            "unix:/x",
            "--sv2-bind",
            "0.0.0.0",
            "--sv2-bind",
            "unix:/y",
        ]);
        let ports = [
            (Network::Bitcoin, "0.0.0.0:8336"),
            (Network::Testnet4, "0.0.0.0:48336"),
            (Network::Regtest, "0.0.0.0:18447"),
        ];
        for (network, first) in ports {
            assert_eq!(given.sv2.bind(network), [at(first), at("unix:/y")]);
        }
        assert!(given.sv2.settings(Network::Signet, [7; 32]).is_err());
        assert_eq!(given.peers.bind(18444), [at("0.0.0.0:18444"), at("[::]:1")]);
        assert_eq!(given.rpc.bind(18443), [at("unix:/x")]);
        let given = args(&["--no-listen", "--no-rpc"]);
        assert!(given.peers.bind(18444).is_empty() && given.rpc.bind(18443).is_empty());
    }

    /// Each flag sets what it says, and nothing else.
    #[test]
    fn flags_of_peers_set_what_they_say() {
        let seconds = Duration::from_secs;
        let settings = |flag: &str, value: &str| {
            let settings = args(&[flag, value]).peers.settings([7; 32]);
            shown(&settings.expect("they agree"))
        };
        let cases: [(&str, &str, SetTime); 33] = [
            ("--max-connections", "3", |to, _| to.max_inbound = 3),
            ("--peer-timeout", "7", |to, time| to.handshake_within = time),
            ("--ping-every", "7", |to, time| to.ping_every = time),
            ("--silence-timeout", "7", |to, time| to.silence = time),
            ("--dial-timeout", "7", |to, time| to.dial_within = time),
            ("--retry-after", "7", |to, time| to.retry_after = time),
            ("--retry-most", "7", |to, time| to.retry_most = time),
            ("--headers-timeout", "7", |to, time| to.headers_within = time),
            ("--blocks-per-peer", "3", |to, _| to.blocks_per_peer = 3),
            ("--window", "3", |to, _| to.window = 3),
            ("--window-bytes", "3KiB", |to, _| to.window_bytes = 3 << 10),
            ("--hedge-after", "7", |to, time| to.hedge_after = time),
            ("--max-hedges", "3", |to, _| to.hedges = 3),
            ("--stall-timeout", "7", |to, time| to.stall = time),
            ("--block-timeout", "7", |to, time| to.block_within = time),
            ("--announce-every", "7", |to, time| to.announce_every = time),
            ("--max-headers", "3", |to, _| to.headers = 3),
            ("--max-followed", "3", |to, _| to.followed = 3),
            ("--max-unconnected", "3", |to, _| to.unconnected = 3),
            ("--max-addresses", "3", |to, _| to.addresses = 3),
            ("--discourage", "7", |to, time| to.discourage = time),
            ("--max-discouraged", "3", |to, _| to.discouraged = 3),
            ("--max-bans", "3", |to, _| to.bans = 3),
            ("--max-targets", "3", |to, _| to.targets = 3),
            ("--noban", "10.0.0.0/8", |to, _| {
                to.noban = vec!["10.0.0.0/8".parse().expect("a network")];
            }),
            ("--block-cache", "3KiB", |to, _| to.cache = 3 << 10),
            ("--peer-share", "3KiB", |to, _| to.share = 3 << 10),
            ("--peer-turn", "3KiB", |to, _| to.turn = 3 << 10),
            ("--steady-after", "7", |to, time| to.steady_after = time),
            ("--peer-requests", "3KiB", |to, _| to.requests = 3 << 10),
            ("--peer-receive", "3KiB", |to, _| to.receive = 3 << 10),
            ("--peer-send-high", "3KiB", |to, _| to.send_high = 3 << 10),
            ("--user-agent", "/x:1/", |to, _| {
                to.user_agent = "/x:1/".to_owned();
            }),
        ];
        for (flag, value, set) in cases {
            let mut expected = Settings::new([7; 32]);
            set(&mut expected, seconds(7));
            assert_eq!(settings(flag, value), shown(&expected), "{flag}");
        }
    }

    #[test]
    fn flags_of_the_data_directory_set_what_they_say() {
        let cases: [(&str, &str, Set<DiskOptions>); 8] = [
            ("--block-file", "5MiB", |to| to.file_size = 5 << 20),
            ("--open-files", "3", |to| to.open_files = 3),
            ("--commit-every", "3", |to| {
                to.commit_every = Duration::from_secs(3);
            }),
            ("--commit-at", "3", |to| to.commit_at = 3),
            ("--commit-queue", "3", |to| to.queue = 3),
            ("--index-cache", "3KiB", |to| to.cache = 3 << 10),
            ("--verify", "3KiB", |to| to.verify = 3 << 10),
            ("--search", "3KiB", |to| to.search = 3 << 10),
        ];
        for (flag, value, set) in cases {
            let mut expected = DiskOptions::default();
            set(&mut expected);
            assert_eq!(args(&[flag, value]).store.options(), expected, "{flag}");
        }
    }

    #[test]
    fn flags_of_the_pool_set_what_they_say() {
        let cases: [(&str, &str, Set<PoolSettings>); 4] = [
            ("--maxmempool", "3", |to| to.bytes = 3_000_000),
            ("--mempool-count", "3", |to| to.count = 3),
            ("--limitancestorcount", "3", |to| to.ancestors = 3),
            ("--minrelaytxfee", "0.00001", |to| to.min_feerate = 1_000),
        ];
        for (flag, value, set) in cases {
            let mut expected = PoolSettings::default();
            set(&mut expected);
            assert_eq!(args(&[flag, value]).pool.settings(), expected, "{flag}");
        }
        let cases: [(&str, &str, Set<CoinsOptions>); 6] = [
            ("--coins-undo", "3", |to| to.undo = 3),
            ("--coins-step-blocks", "3", |to| to.step_blocks = 3),
            ("--coins-step-bytes", "3KiB", |to| to.step_bytes = 3 << 10),
            ("--coins-step-coins", "3", |to| to.step_coins = 3),
            ("--coins-cache", "3KiB", |to| to.cache = 3 << 10),
            ("--coins-verify", "3KiB", |to| to.verify = 3 << 10),
        ];
        for (flag, value, set) in cases {
            let mut expected = CoinsOptions::default();
            set(&mut expected);
            assert_eq!(args(&[flag, value]).pool.coins(), expected, "{flag}");
        }
    }

    #[test]
    fn flags_of_templates_set_what_they_say() {
        use sockman_sv2::Settings;

        let settings = |more: &[&str]| {
            let settings = args(more).sv2.settings(Network::Regtest, [7; 32]);
            format!("{:#?}", settings.expect("they agree"))
        };
        let cases: [(&str, &str, Set<Settings>); 17] = [
            ("--sv2-interval", "7", |to| to.interval = Duration::from_secs(7)),
            ("--sv2-fee-delta", "3", |to| to.fee_delta = 3),
            ("--sv2-max-clients", "3", |to| to.max_clients = 3),
            ("--sv2-handshake-timeout", "7", |to| {
                to.handshake_within = Duration::from_secs(7);
            }),
            ("--sv2-setup-timeout", "7", |to| {
                to.setup_within = Duration::from_secs(7);
            }),
            ("--sv2-handshakes", "3", |to| to.handshakes = 3),
            ("--sv2-share", "3KiB", |to| to.share = 3 << 10),
            ("--sv2-turn", "3KiB", |to| to.turn = 3 << 10),
            ("--sv2-max-frame", "3MiB", |to| to.frame = 3 << 20),
            ("--sv2-send-high", "3KiB", |to| to.send_high = 3 << 10),
            ("--sv2-send-most", "300MiB", |to| to.send_most = 300 << 20),
            ("--sv2-send-timeout", "7", |to| {
                to.taken_within = Duration::from_secs(7);
            }),
            ("--sv2-stale", "7", |to| to.stale_for = Duration::from_secs(7)),
            ("--sv2-max-templates", "3", |to| to.templates = 3),
            ("--sv2-certificate", "7", |to| {
                to.certificate = Duration::from_secs(7);
            }),
            ("--sv2-keepalive", "7", |to| {
                to.keepalive = Some(Duration::from_secs(7));
            }),
            ("--sv2-keepalive", "0", |to| to.keepalive = None),
        ];
        assert_eq!(settings(&[]), format!("{:#?}", Settings::new([7; 32])));
        for (flag, value, set) in cases {
            let mut expected = Settings::new([7; 32]);
            set(&mut expected);
            assert_eq!(settings(&[flag, value]), format!("{expected:#?}"), "{flag}");
        }
    }

    #[test]
    fn flags_of_clients_set_what_they_say() {
        let cases: [(&str, &str, Set<sockman_http::Settings>); 22] = [
            ("--rpc-max-request-line", "3KiB", |to| {
                to.limits.request_line = 3 << 10;
            }),
            ("--rpc-max-head", "3KiB", |to| to.limits.head = 3 << 10),
            ("--rpc-max-fields", "3", |to| to.limits.fields = 3),
            ("--rpc-max-body", "3KiB", |to| to.limits.body = 3 << 10),
            ("--rpc-max-chunk-line", "3KiB", |to| {
                to.limits.chunk_line = 3 << 10;
            }),
            ("--rpc-max-extensions", "3KiB", |to| {
                to.limits.extensions = 3 << 10;
            }),
            ("--rpc-max-trailers", "3KiB", |to| to.limits.trailers = 3 << 10),
            ("--rpc-head-timeout", "7", |to| {
                to.head_within = Duration::from_secs(7);
            }),
            ("--rpc-body-timeout", "7", |to| {
                to.body_stall = Duration::from_secs(7);
            }),
            ("--rpc-body-least", "3", |to| to.body_least = 3),
            ("--rpc-answer-timeout", "7", |to| {
                to.answer_within = Some(Duration::from_secs(7));
            }),
            ("--rpc-response-timeout", "7", |to| {
                to.response_stall = Duration::from_secs(7);
            }),
            ("--rpc-idle-timeout", "7", |to| to.idle = Duration::from_secs(7)),
            ("--rpc-linger", "7", |to| to.linger = Duration::from_secs(7)),
            ("--rpc-last-call", "7", |to| to.last_call = Duration::from_secs(7)),
            ("--rpc-max-connections", "3", |to| to.connections = Some(3)),
            ("--rpc-max-per-address", "3", |to| {
                to.connections_per_address = Some(3);
            }),
            ("--rpc-max-requests", "3", |to| to.requests = Some(3)),
            ("--rpc-pipeline", "3", |to| to.pipeline = 3),
            ("--rpc-held", "3KiB", |to| to.held = 3 << 10),
            ("--rpc-discard", "3KiB", |to| to.discard = 3 << 10),
            ("--rpc-max-bodies", "3KiB", |to| to.bodies = 3 << 10),
        ];
        for (flag, value, set) in cases {
            let mut expected = args(&[]).http.settings();
            set(&mut expected);
            assert_eq!(args(&[flag, value]).http.settings(), expected, "{flag}");
        }
        let given = args(&[
            "--rpc-max-unread",
            "3MiB",
            "--rpc-send-high",
            "3KiB",
            "--rpc-send-low",
            "2KiB",
            "--rpc-send-limit",
            "4KiB",
            "--rpc-backlog",
            "5",
        ]);
        let listen = given.http.listen_options().expect("they agree");
        let limits = ConnLimits {
            unread: 3 << 20,
            high: 3 << 10,
            low: 2 << 10,
            queued: 4 << 10,
        };
        assert_eq!((listen.backlog, listen.limits), (5, Some(limits)));
    }
}
