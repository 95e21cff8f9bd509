//! How many connections, and what one of them may hold.

use crate::args::values::{Seconds, Size, positive};
use crate::failure::Failure;
use sockman_backends::sockman::{Limits, ListenOptions};
use sockman_http::Settings;
use std::num::{NonZeroU64, NonZeroUsize};

fn default() -> Settings {
    Settings::default()
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Connections")]
pub(super) struct ConnectionArgs {
    /// Connections of each loop at once; those above are closed at once, without an answer. By default they wait, see
    /// --max-connections.
    #[arg(long, value_name = "N")]
    refuse_above: Option<NonZeroUsize>,
    /// The same for each address of a client. By default any number.
    #[arg(long, value_name = "N")]
    refuse_above_per_address: Option<NonZeroUsize>,
    /// Requests on one connection; the last answer says `Connection: close`. By default any number.
    #[arg(long, value_name = "N")]
    max_requests: Option<NonZeroU64>,
    /// Requests of one connection that may wait for their answers; above it nothing more is read from it.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::new(default().pipeline).unwrap_or(NonZeroUsize::MIN))]
    pipeline: NonZeroUsize,
    /// Bytes of answers that may wait for an earlier one; above it nothing more is read.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().held))]
    held: Size,
    /// Bytes of a body that nobody wants, which are read to keep the connection; above it the connection closes.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().discard as usize))]
    discard: Size,
    /// Bytes of bodies that are being received, of all connections of each loop together; above it 503.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().bodies))]
    max_bodies: Size,
    /// Received bytes that may wait until a head is complete.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().unread))]
    max_unread: Size,
    /// Bytes that wait for the client, above which nothing more is made for it or read from it.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().high))]
    send_high: Size,
    /// Bytes that wait for the client, below which that goes on.
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().low))]
    send_low: Size,
    // Not by a value of its own: it depends on another.
    #[arg(
        long,
        value_name = "SIZE",
        help = "Bytes that wait for the client, above which the connection is closed [default: 64MiB, and at least 32MiB above --max-body]"
    )]
    send_limit: Option<Size>,
    /// Connections that may wait to be accepted; the kernel may cap it.
    #[arg(long, value_name = "N", default_value_t = ListenOptions::default().backlog)]
    backlog: u32,
    /// Probe silent TCP connections (`SO_KEEPALIVE`) after so many seconds. By default never.
    #[arg(long, value_name = "SECS", value_parser = positive)]
    tcp_keepalive: Option<Seconds>,
}

/// What a head and the answer's framing may add to a body that is sent back.
const ABOVE_BODY: usize = 32 << 20;

impl ConnectionArgs {
    pub(super) fn apply(&self, to: &mut Settings) {
        to.connections = self.refuse_above.map(usize::from);
        to.connections_per_address = self.refuse_above_per_address.map(usize::from);
        to.requests = self.max_requests.map(u64::from);
        to.pipeline = self.pipeline.get();
        to.held = self.held.0;
        to.discard = self.discard.0 as u64;
        to.bodies = self.max_bodies.0;
    }

    pub(super) fn unread(&self) -> Size {
        self.max_unread
    }

    pub(super) fn limits(&self, body: Size) -> Result<Limits, Failure> {
        let least = Size(Limits::default().queued.max(body.0 + ABOVE_BODY));
        let limits = Limits {
            unread: self.max_unread.0,
            high: self.send_high.0,
            low: self.send_low.0,
            queued: self.send_limit.unwrap_or(least).0,
        };
        let (low, high, limit) = (self.send_low, self.send_high, Size(limits.queued));
        let wrong = |text: String| Err(Failure::Usage(text));
        if limit <= body {
            return wrong(format!(
                "--send-limit ({limit}) must be above --max-body ({body}), or such a body could not be sent back"
            ));
        }
        if low.0 == 0 || low > high {
            return wrong(format!(
                "--send-low ({low}) must be above 0 and at most --send-high ({high})"
            ));
        }
        if high > limit {
            return wrong(format!(
                "--send-high ({high}) must be at most --send-limit ({limit})"
            ));
        }
        Ok(limits)
    }

    pub(super) fn listen_options(&self) -> ListenOptions {
        ListenOptions {
            backlog: self.backlog,
            keepalive: self.tcp_keepalive.map(|seconds| seconds.0),
            ..ListenOptions::default()
        }
    }
}
