//! Stratum V2.

use super::place::Place;
use crate::args::values::{Seconds, Size, positive};
use crate::failure::Failure;
use bitcoin::Network;
use sockman_backends::sockman::Endpoint;
use sockman_sv2::Settings;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

fn default() -> Settings {
    Settings::new([0; 32])
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// What the largest solution has, twice over.
const LEAST_FRAME: Size = Size(128 << 10);

fn frame(text: &str) -> Result<Size, String> {
    match text.parse()? {
        size if size >= LEAST_FRAME => Ok(size),
        _ => Err(format!(
            "must be at least {LEAST_FRAME}: solutions can have half of that"
        )),
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Stratum V2: templates for pools (times are in seconds)")]
pub(crate) struct Sv2Args {
    // Not as a comment of documentation, where the brackets would be a link.
    #[arg(
        long,
        value_name = "ADDR",
        help = "Where to serve templates: IP, IP:PORT, [IPv6]:PORT or unix:PATH; port 0 lets the kernel choose. May be given several times. Without it, none are, and there is no pool of transactions"
    )]
    sv2_bind: Vec<Place>,
    /// The secret key that vouches for the node, as base58check; made if it is not there. By default `sv2_authority_key` in the
    /// chain's directory.
    #[arg(long, value_name = "FILE")]
    sv2_authority_key_file: Option<PathBuf>,
    /// The least time between two templates of the same tip.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().interval))]
    sv2_interval: Seconds,
    /// How many satoshis more a template of the same tip has to pay than the last.
    #[arg(long, value_name = "SATS", default_value_t = default().fee_delta)]
    sv2_fee_delta: u64,
    /// Clients at once, whatever their address; more are refused.
    #[arg(long, value_name = "N", default_value_t = count(default().max_clients))]
    sv2_max_clients: NonZeroUsize,
    /// For the handshake.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().handshake_within))]
    sv2_handshake_timeout: Seconds,
    /// After it, for a client to say what it speaks. After that it may be silent as long as it likes.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().setup_within))]
    sv2_setup_timeout: Seconds,
    /// Handshakes that are answered in one turn of the loop; each takes half a millisecond.
    #[arg(long, value_name = "N", default_value_t = count(default().handshakes))]
    sv2_handshakes: NonZeroUsize,
    /// Bytes that are received from a client and sent to it in one go, before others have their turn.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().share))]
    sv2_share: Size,
    /// Bytes of answers larger than --sv2-share that all clients together are sent in one turn of the loop. An answer is not divided.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().turn))]
    sv2_turn: Size,
    /// Bytes that a frame of a client may have, at least 128KiB; it is hung up on for more.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().frame), value_parser = frame)]
    sv2_max_frame: Size,
    /// Bytes that wait for a client, above which it is not answered, and new templates wait.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().send_high))]
    sv2_send_high: Size,
    /// Bytes that may wait for a client; it is hung up on for more. One answer can have 16 MiB.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().send_most))]
    sv2_send_most: Size,
    /// For a client to take most of what it is sent, once there is more than --sv2-send-high.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().taken_within))]
    sv2_send_timeout: Seconds,
    /// How long templates are kept once their tip is not the last any more.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().stale_for))]
    sv2_stale: Seconds,
    /// Templates that are kept for a client; of more the oldest are forgotten.
    #[arg(long, value_name = "N", default_value_t = count(default().templates))]
    sv2_max_templates: NonZeroUsize,
    /// How long a certificate is valid; only the handshake looks at it.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().certificate))]
    sv2_certificate: Seconds,
    /// After how long a silence the kernel asks whether a client is still there; 0 for never.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().keepalive.unwrap_or_default()))]
    sv2_keepalive: Seconds,
}

impl Sv2Args {
    /// Whether templates are to be served.
    pub(crate) fn is_on(&self) -> bool {
        !self.sv2_bind.is_empty()
    }

    /// Where to listen.
    pub(crate) fn bind(&self, network: Network) -> Vec<Endpoint> {
        let port = port(network);
        self.sv2_bind.iter().map(|place| place.endpoint(port)).collect()
    }

    /// Where the authority's key is.
    pub(crate) fn key_file(&self, dir: &Path) -> PathBuf {
        let given = self.sv2_authority_key_file.clone();
        given.unwrap_or_else(|| dir.join("sv2_authority_key"))
    }

    /// What the provider may do. `seed`: what its random numbers come from.
    pub(crate) fn settings(&self, network: Network, seed: [u8; 32]) -> Result<Settings, Failure> {
        if self.is_on() && network == Network::Signet {
            let why = "--sv2-bind: blocks of signet need a signature (BIP 325), which neither we nor pools can give";
            return Err(Failure::Usage(why.to_owned()));
        }
        let keepalive = self.sv2_keepalive.0;
        let settings = Settings {
            max_clients: self.sv2_max_clients.get(),
            handshake_within: self.sv2_handshake_timeout.0,
            setup_within: self.sv2_setup_timeout.0,
            handshakes: self.sv2_handshakes.get(),
            share: self.sv2_share.0,
            turn: self.sv2_turn.0,
            frame: self.sv2_max_frame.0,
            send_high: self.sv2_send_high.0,
            send_most: self.sv2_send_most.0,
            taken_within: self.sv2_send_timeout.0,
            interval: self.sv2_interval.0,
            fee_delta: self.sv2_fee_delta,
            stale_for: self.sv2_stale.0,
            templates: self.sv2_max_templates.get(),
            certificate: self.sv2_certificate.0,
            keepalive: (!keepalive.is_zero()).then_some(keepalive),
            ..Settings::new(seed)
        };
        let limits = settings.limits().check();
        limits.map_err(|why| Failure::Usage(format!("--sv2-send-high, --sv2-send-most: {why}")))?;
        Ok(settings)
    }
}

/// The port where Bitcoin Core's template provider listens.
fn port(network: Network) -> u16 {
    match network {
        Network::Bitcoin => 8336,
        Network::Testnet4 => 48336,
        Network::Regtest => 18447,
        Network::Testnet => 18336,
        // Nothing is served there.
        Network::Signet => 38336,
    }
}
