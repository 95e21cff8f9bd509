//! The P2P protocol.

use super::place::Place;
use crate::args::values::{Seconds, Size, positive};
use crate::failure::Failure;
use ipnet::IpNet;
use sockman_backends::sockman::Endpoint;
use sockman_p2p::Settings;
use sockman_p2p::wire::MAX_USER_AGENT;
use std::net::Ipv4Addr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

fn default() -> Settings {
    Settings::new([0; 32])
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

fn count32(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn net(text: &str) -> Result<IpNet, String> {
    sockman_p2p::state::parse_net(text)
        .ok_or_else(|| "write ADDRESS, ADDRESS/BITS or ADDRESS/NETMASK".to_owned())
}

/// A name, whose addresses are looked up when it is dialled.
fn peer(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err("write HOST or HOST:PORT".to_owned());
    }
    Ok(text.to_owned())
}

fn user_agent(text: &str) -> Result<String, String> {
    if text.len() > MAX_USER_AGENT {
        return Err(format!(
            "longer than {MAX_USER_AGENT} bytes, which peers hang up on"
        ));
    }
    Ok(text.to_owned())
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Peers (times are in seconds)")]
pub(crate) struct PeerArgs {
    // Not as a comment of documentation, where the brackets would be a link.
    #[arg(
        long,
        value_name = "ADDR",
        help = "Where to listen for peers: IP, IP:PORT, [IPv6]:PORT or unix:PATH; port 0 lets the kernel choose. May be given several times. By default 127.0.0.1, with Bitcoin Core's port for the chain"
    )]
    p2p_bind: Vec<Place>,
    /// Do not listen for peers.
    #[arg(long, conflicts_with = "p2p_bind")]
    no_listen: bool,
    /// A peer to stay connected to, as HOST or HOST:PORT. May be given several times. (There are no others but these, those of
    /// --addnode, and those that connect to us.)
    #[arg(long, value_name = "ADDR", value_parser = peer)]
    pub(crate) connect: Vec<String>,
    /// The same; such a peer can be taken back by the RPC `addnode`.
    #[arg(long, value_name = "ADDR", value_parser = peer)]
    pub(crate) addnode: Vec<String>,
    /// Peers that may connect to us at once; more are refused.
    #[arg(long, value_name = "N", default_value_t = default().max_inbound)]
    max_connections: usize,
    /// For the handshake.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().handshake_within))]
    peer_timeout: Seconds,
    /// Between two pings.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().ping_every))]
    ping_every: Seconds,
    /// A peer that sends nothing and takes nothing, or leaves a ping unanswered, for so long is dropped.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().silence))]
    silence_timeout: Seconds,
    /// For a dial.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().dial_within))]
    dial_timeout: Seconds,
    /// Before somebody is dialled again; twice as long after each failure.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().retry_after))]
    retry_after: Seconds,
    /// The longest time before somebody is dialled again.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().retry_most))]
    retry_most: Seconds,
    /// When a connection has lasted so long, the times before that peer is dialled again begin anew.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().steady_after))]
    steady_after: Seconds,
    /// For a peer to answer when it is asked for headers.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().headers_within))]
    headers_timeout: Seconds,
    /// Blocks asked of one peer at once.
    #[arg(long, value_name = "N", default_value_t = count(default().blocks_per_peer))]
    blocks_per_peer: NonZeroUsize,
    /// How far beyond the first missing block others are asked for.
    #[arg(long, value_name = "N", default_value_t = count32(default().window))]
    window: NonZeroU32,
    /// Bytes of blocks that may be stored beyond the first missing one; above it only that one is asked for.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().window_bytes as usize))]
    window_bytes: Size,
    /// When the block that all wait for has not come for so long, another peer is asked for it too; for headers after half that
    /// time, if fewer than 8,000 have come meanwhile.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().hedge_after))]
    hedge_after: Seconds,
    /// Blocks that may be asked of a second peer so, beside one in fifty of those that came.
    #[arg(long, value_name = "N", default_value_t = default().hedges)]
    max_hedges: u64,
    /// When it then came from the other, the first is dropped if it has had so long.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().stall))]
    stall_timeout: Seconds,
    /// For a block, from when it is the first that the peer owes us.
    #[arg(long, value_name = "SECS", value_parser = positive, default_value_t = Seconds(default().block_within))]
    block_timeout: Seconds,
    /// The least time between two announcements of new blocks. The first after a pause goes out at once.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().announce_every))]
    announce_every: Seconds,
    /// Headers kept without their blocks, at some 150 bytes each; above it those that no peer builds on are forgotten.
    #[arg(long, value_name = "N", default_value_t = count(default().headers))]
    max_headers: NonZeroUsize,
    /// Headers of a peer's chain that are followed, at 8 bytes for 500, though they have too little work to be kept; above it the peer
    /// is dropped.
    #[arg(long, value_name = "N", default_value_t = count32(default().followed))]
    max_followed: NonZeroU32,
    /// Messages of headers in a row that connect to nothing, before the peer is dropped.
    #[arg(long, value_name = "N", default_value_t = count32(default().unconnected))]
    max_unconnected: NonZeroU32,
    /// Addresses that a peer may tell at once, and one more every ten seconds; the rest is ignored.
    #[arg(long, value_name = "N", default_value_t = NonZeroU64::new(default().addresses).unwrap_or(NonZeroU64::MIN))]
    max_addresses: NonZeroU64,
    /// For how long somebody who misbehaves is taken only if there is room, and not dialled; and for how long one that dialled us and
    /// held up a download is the last to be asked for blocks.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().discourage))]
    discourage: Seconds,
    /// How many are remembered who misbehave; above it the oldest are forgotten.
    #[arg(long, value_name = "N", default_value_t = default().discouraged)]
    max_discouraged: usize,
    /// Networks that the RPC `setban` may ban.
    #[arg(long, value_name = "N", default_value_t = default().bans)]
    max_bans: usize,
    /// Peers that may be dialled, those of --connect and --addnode among them: above it the RPC `addnode` adds none.
    #[arg(long, value_name = "N", default_value_t = default().targets)]
    max_targets: usize,
    /// Addresses, as 192.168.0.0/16, whose peers are neither hung up on for what is not valid in what they send, nor discouraged nor
    /// banned; but as all others if it cannot be read, is late, or is more headers than there is room for. May be given several times.
    #[arg(long, value_name = "SUBNET", value_parser = net)]
    noban: Vec<IpNet>,
    /// Bytes of blocks kept in memory to serve them again.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().cache))]
    block_cache: Size,
    /// Bytes of a peer's requests that may wait because it has not taken what it asked for before; above it none of its messages is
    /// looked at until it has.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().requests))]
    peer_requests: Size,
    /// Bytes of a peer's messages that are looked at in one go, and bytes read and sent for what it asks for, before others have
    /// their turn.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().share))]
    peer_share: Size,
    /// Bytes read and sent in one turn of the loop for what all peers ask; what is more than a short answer waits then for the next.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().turn))]
    peer_turn: Size,
    /// Bytes of a peer's messages that may wait, above which nothing more is read from it.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().receive))]
    peer_receive: Size,
    /// Bytes that wait for a peer, above which it is not answered.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().send_high))]
    peer_send_high: Size,
    /// What peers are told of us (BIP 14).
    #[arg(long, value_name = "TEXT", default_value_t = default().user_agent, value_parser = user_agent)]
    user_agent: String,
}

impl PeerArgs {
    /// Where to listen: nowhere, if that is so wished. `port` is that of the chain.
    pub(crate) fn bind(&self, port: u16) -> Vec<Endpoint> {
        if self.no_listen {
            Vec::new()
        } else if self.p2p_bind.is_empty() {
            vec![Endpoint::Tcp((Ipv4Addr::LOCALHOST, port).into())]
        } else {
            self.p2p_bind.iter().map(|place| place.endpoint(port)).collect()
        }
    }

    /// Whether there can be no peer but those that JSON-RPC adds.
    pub(crate) fn is_alone(&self) -> bool {
        self.no_listen && self.connect.is_empty() && self.addnode.is_empty()
    }

    /// What the node may do. `seed`: what its random numbers come from.
    pub(crate) fn settings(&self, seed: [u8; 32]) -> Result<Settings, Failure> {
        let (first, most) = (self.retry_after, self.retry_most);
        if first.0 > most.0 {
            return Err(Failure::Usage(format!(
                "--retry-after ({first}) must be at most --retry-most ({most})"
            )));
        }
        let settings = Settings {
            max_inbound: self.max_connections,
            handshake_within: self.peer_timeout.0,
            ping_every: self.ping_every.0,
            silence: self.silence_timeout.0,
            dial_within: self.dial_timeout.0,
            retry_after: self.retry_after.0,
            retry_most: self.retry_most.0,
            steady_after: self.steady_after.0,
            headers_within: self.headers_timeout.0,
            blocks_per_peer: self.blocks_per_peer.get(),
            window: self.window.get(),
            window_bytes: self.window_bytes.0 as u64,
            hedge_after: self.hedge_after.0,
            hedges: self.max_hedges,
            stall: self.stall_timeout.0,
            block_within: self.block_timeout.0,
            announce_every: self.announce_every.0,
            headers: self.max_headers.get(),
            followed: self.max_followed.get(),
            unconnected: self.max_unconnected.get(),
            addresses: self.max_addresses.get(),
            discourage: self.discourage.0,
            discouraged: self.max_discouraged,
            bans: self.max_bans,
            targets: self.max_targets,
            noban: self.noban.clone(),
            cache: self.block_cache.0,
            requests: self.peer_requests.0,
            share: self.peer_share.0,
            turn: self.peer_turn.0,
            receive: self.peer_receive.0,
            send_high: self.peer_send_high.0,
            user_agent: self.user_agent.clone(),
            ..Settings::new(seed)
        };
        let limits = settings.limits().check();
        limits.map_err(|why| Failure::Usage(format!("--peer-receive, --peer-send-high: {why}")))?;
        Ok(settings)
    }
}
