//! What a client of JSON-RPC and REST may do, and for how long.

use crate::args::values::{Seconds, Size, positive};
use crate::failure::Failure;
use sockman_backends::sockman::{Limits as ConnLimits, ListenOptions};
use sockman_http::{Limits, Settings};
use std::num::{NonZeroU64, NonZeroUsize};

fn default() -> Settings {
    Settings {
        limits: Limits::bitcoin_core(),
        ..Settings::default()
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Clients of JSON-RPC and REST (times are in seconds)")]
pub(crate) struct HttpArgs {
    /// Bytes of a request line; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.request_line))]
    rpc_max_request_line: Size,
    /// Bytes of a request line and all fields; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.head))]
    rpc_max_head: Size,
    /// Fields of a head or of trailers; above it 400.
    #[arg(long, value_name = "N", default_value_t = default().limits.fields)]
    rpc_max_fields: usize,
    /// Bytes of a body, decoded; above it 413. (A block, as `submitblock` has it, is twice its size.)
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.body as usize))]
    rpc_max_body: Size,
    /// Bytes of a chunk's first line; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.chunk_line))]
    rpc_max_chunk_line: Size,
    /// Bytes of all chunk extensions of a body; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.extensions))]
    rpc_max_extensions: Size,
    /// Bytes of a trailer section; above it 400.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().limits.trailers))]
    rpc_max_trailers: Size,
    /// From the first byte of a head to its last; above it 408.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().head_within))]
    rpc_head_timeout: Seconds,
    /// The period in which --rpc-body-least bytes of a body must come; otherwise 408.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().body_stall))]
    rpc_body_timeout: Seconds,
    /// See --rpc-body-timeout.
    #[arg(long, value_name = "BYTES", default_value_t = default().body_least)]
    rpc_body_least: u64,
    /// For an answer by a thread; above it 503. By default as long as it takes.
    #[arg(long, value_name = "SECS", value_parser = positive)]
    rpc_answer_timeout: Option<Seconds>,
    /// A client that takes nothing of what is queued for it for so long is reset.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().response_stall))]
    rpc_response_timeout: Seconds,
    /// Connections without a request under way, before the first one or between two, are closed.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().idle))]
    rpc_idle_timeout: Seconds,
    /// For the client to close after the last answer of a connection.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().linger))]
    rpc_linger: Seconds,
    /// After SIGINT or SIGTERM, for requests that are on their way.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().last_call))]
    rpc_last_call: Seconds,
    /// Connections at once; those above are closed at once, without an answer. By default what the limit of open files allows.
    #[arg(long, value_name = "N")]
    rpc_max_connections: Option<NonZeroUsize>,
    /// The same for each address of a client. By default any number.
    #[arg(long, value_name = "N")]
    rpc_max_per_address: Option<NonZeroUsize>,
    /// Requests on one connection; the last answer says `Connection: close`. By default any number.
    #[arg(long, value_name = "N")]
    rpc_max_requests: Option<NonZeroU64>,
    /// Requests of one connection that may wait for their answers; above it nothing more is read from it.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::new(default().pipeline).unwrap_or(NonZeroUsize::MIN))]
    rpc_pipeline: NonZeroUsize,
    /// Bytes of answers that may wait for an earlier one; above it nothing more is read.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().held))]
    rpc_held: Size,
    /// Bytes of a body that nobody wants, which are read to keep the connection; above it the connection closes.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().discard as usize))]
    rpc_discard: Size,
    /// Bytes of bodies that are being received, of all connections together; above it 503.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().bodies))]
    rpc_max_bodies: Size,
    /// Received bytes that may wait until a head is complete.
    #[arg(long, value_name = "SIZE", default_value_t = Size(ConnLimits::default().unread))]
    rpc_max_unread: Size,
    /// Bytes that wait for the client, above which nothing more is made for it or read from it.
    #[arg(long, value_name = "SIZE", default_value_t = Size(ConnLimits::default().high))]
    rpc_send_high: Size,
    /// Bytes that wait for the client, below which that goes on.
    #[arg(long, value_name = "SIZE", default_value_t = Size(ConnLimits::default().low))]
    rpc_send_low: Size,
    /// Bytes that wait for the client, above which the connection is closed.
    #[arg(long, value_name = "SIZE", default_value_t = Size(ConnLimits::default().queued))]
    rpc_send_limit: Size,
    /// Connections that may wait to be accepted; the kernel may cap it.
    #[arg(long, value_name = "N", default_value_t = ListenOptions::default().backlog)]
    rpc_backlog: u32,
}

impl HttpArgs {
    /// What the server allows.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            limits: Limits {
                request_line: self.rpc_max_request_line.0,
                head: self.rpc_max_head.0,
                fields: self.rpc_max_fields,
                body: self.rpc_max_body.0 as u64,
                chunk_line: self.rpc_max_chunk_line.0,
                extensions: self.rpc_max_extensions.0,
                trailers: self.rpc_max_trailers.0,
                ..Limits::bitcoin_core()
            },
            head_within: self.rpc_head_timeout.0,
            body_stall: self.rpc_body_timeout.0,
            body_least: self.rpc_body_least,
            answer_within: self.rpc_answer_timeout.map(|seconds| seconds.0),
            response_stall: self.rpc_response_timeout.0,
            idle: self.rpc_idle_timeout.0,
            linger: self.rpc_linger.0,
            last_call: self.rpc_last_call.0,
            connections: self.rpc_max_connections.map(usize::from),
            connections_per_address: self.rpc_max_per_address.map(usize::from),
            requests: self.rpc_max_requests.map(u64::from),
            pipeline: self.rpc_pipeline.get(),
            held: self.rpc_held.0,
            discard: self.rpc_discard.0 as u64,
            bodies: self.rpc_max_bodies.0,
            ..Settings::default()
        }
    }

    /// What one connection may hold.
    pub(crate) fn limits(&self) -> Result<ConnLimits, Failure> {
        let limits = ConnLimits {
            unread: self.rpc_max_unread.0,
            high: self.rpc_send_high.0,
            low: self.rpc_send_low.0,
            queued: self.rpc_send_limit.0,
        };
        let wrong = |text: String| Err(Failure::Usage(text));
        let (low, high, limit) = (self.rpc_send_low, self.rpc_send_high, self.rpc_send_limit);
        if low.0 == 0 || low > high || high > limit {
            return wrong(format!(
                "--rpc-send-low ({low}) must be above 0, at most --rpc-send-high ({high}), and that at most --rpc-send-limit ({limit})"
            ));
        }
        let unread_whole = [
            (self.rpc_max_head, "--rpc-max-head"),
            (self.rpc_max_trailers, "--rpc-max-trailers"),
            (self.rpc_max_chunk_line, "--rpc-max-chunk-line"),
        ];
        let unread = self.rpc_max_unread;
        // The empty line or the line's own end comes on top.
        match unread_whole.iter().find(|(size, _)| size.0 + 4 > unread.0) {
            Some((size, flag)) => wrong(format!(
                "{flag} ({size}) must be below --rpc-max-unread ({unread}), where it waits until it is complete"
            )),
            None => Ok(limits),
        }
    }

    /// How to listen.
    pub(crate) fn listen_options(&self) -> Result<ListenOptions, Failure> {
        Ok(ListenOptions {
            backlog: self.rpc_backlog,
            limits: Some(self.limits()?),
            ..ListenOptions::default()
        })
    }
}
