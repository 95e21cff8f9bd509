//! What a node may be told, and how much a peer may cost it.

use crate::chain::MAX_FOLLOWED;
use sockman::{Clock, Limits as ConnLimits, ListenOptions};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Looks up the addresses of a name and a port. Called on a thread of its own: it may take its time.
pub type Resolve = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// Settings of a node. Every field has a default; change what matters.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Peers that may dial us at once; more are refused. Default 125.
    pub max_inbound: usize,
    /// The time that a handshake may take. Default 60 s.
    pub handshake_within: Duration,
    /// The time between two pings. Default 2 min (Core's `PING_INTERVAL`).
    pub ping_every: Duration,
    /// A peer that sends nothing and takes nothing for so long is dropped, and so is one that leaves a ping unanswered.
    /// Default 20 min (Core's `TIMEOUT_INTERVAL`).
    pub silence: Duration,
    /// The time that a dial may take. Default 5 s.
    pub dial_within: Duration,
    /// The time before somebody is dialled again; doubles with each failure. Default 1 s.
    pub retry_after: Duration,
    /// The longest time before somebody is dialled again. Default 30 s.
    pub retry_most: Duration,
    /// When a connection has lasted so long, with a handshake, the times before somebody is dialled again begin anew: who
    /// hangs up at once is not dialled every second for ever. Default 60 s.
    pub steady_after: Duration,
    /// The time that a peer we dialled may take to answer `getheaders`. Default 2 min.
    pub headers_within: Duration,
    /// Blocks asked of one peer at once. Default 16 (Core's `MAX_BLOCKS_IN_TRANSIT_PER_PEER`).
    pub blocks_per_peer: usize,
    /// How far beyond the first missing block blocks are asked for. Default 1,024 (Core's `BLOCK_DOWNLOAD_WINDOW`).
    pub window: u32,
    /// Bytes of blocks of one chain that may be stored beyond the first missing one: those after them are not asked for before it has
    /// come. Default 1 GiB.
    ///
    /// There is no such limit for all chains together, since whoever keeps the first blocks of some back would hold up all others
    /// by it. It would not save the disk either: each block that waits has had as much work done for it as one that does not, and
    /// is of a chain with at least the work of ours.
    pub window_bytes: u64,
    /// When the block that all wait for has not come for so long, another peer is asked for it too. Of headers that another tells, a
    /// peer is asked after half that time, unless the other has told at least 8,000 meanwhile. Default 2 s.
    pub hedge_after: Duration,
    /// Blocks that may be asked of a second peer, beside one in fifty of those that came. Default 16, so that a download that has
    /// hardly begun does not wait for whoever is slow.
    pub hedges: u64,
    /// When the block that all wait for came from another peer, the first one is dropped if it has had so long. Default 5 s.
    pub stall: Duration,
    /// The time that a block may take from when it is the first that the peer owes us. Default 10 min (Core's least
    /// time for a block).
    pub block_within: Duration,
    /// The least time between two announcements of new tips, so that a node that catches up does not announce each block.
    /// The first after a pause goes out at once. Default 100 ms.
    pub announce_every: Duration,
    /// Headers kept that are not those of stored blocks. When there are more, those that no connected peer builds on are
    /// forgotten, and if that is not enough, the peer that brings more is dropped. Default 2,000,000, some 300 MB.
    pub headers: usize,
    /// Headers that a peer's chain may have, beyond those that we have too, before they come to enough work to be kept: they are
    /// followed at 8 bytes for 500 of them. Above it the peer is dropped. Default 10,000,000, more than there are in any network.
    pub followed: u32,
    /// `headers` messages that connect to nothing, in a row, before the peer is dropped. Default 10.
    pub unconnected: u32,
    /// Addresses that a peer may tell at once, and every ten seconds after that one more; the rest is ignored. Default
    /// 1,000 (Core's `MAX_ADDR_PROCESSING_TOKEN_BUCKET`).
    pub addresses: u64,
    /// How long somebody who misbehaves is discouraged, and how long whoever dials us from where a download was held up is the last to
    /// be asked for blocks. Default 24 h.
    pub discourage: Duration,
    /// How many are discouraged at once, and of how many it is known that they held a download up; above it the oldest is forgotten.
    /// Default 10,000 each, at some 100 bytes.
    pub discouraged: usize,
    /// Networks that may be banned at once; above it no more is. Default 10,000, of which a connection may be compared with each.
    pub bans: usize,
    /// Peers that may be dialled, those included that we are told of at the start: above it no more is added. Each name is looked up
    /// by a thread of its own. Default 256.
    pub targets: usize,
    /// Networks whose peers are neither hung up on for what is not valid in what they send, nor discouraged nor banned. They are hung up
    /// on as all others are when what they send cannot be read, breaks the rules of the handshake, or is late, and when they bring more
    /// headers than there is [room](Settings::headers) for: that bounds our memory, whoever they are.
    pub noban: Vec<ipnet::IpNet>,
    /// Bytes of blocks kept in memory to serve them again. Default 16 MiB.
    pub cache: usize,
    /// Bytes that a peer's requests may take that wait because it has not taken what it asked for before: when there are more, none
    /// of its messages is looked at until it has. Default 64 KiB, which is far more than a node asks for at once.
    pub requests: usize,
    /// Bytes of a peer's messages that may wait then before it is not read from any more. A larger message is waited for all the
    /// same. Default 5 MiB (Core's `DEFAULT_MAXRECEIVEBUFFER`).
    pub receive: usize,
    /// High-water mark of a peer's send queue, in bytes: above it what it asks for waits. Default 1 MiB.
    pub send_high: usize,
    /// Bytes of a peer's messages that are looked at in one go, and bytes that are read and sent for what it asks for: after so many
    /// others have their turn. One message or answer more than that is all it can be. Default 1 MiB, which takes some milliseconds.
    pub share: usize,
    /// Bytes that are read and sent in one turn of the loop for what all peers ask; what is more than a short answer waits then for the
    /// next. Default 4 MiB.
    pub turn: usize,
    /// Our name (BIP14). Default `/sockman:VERSION/`.
    pub user_agent: String,
    /// The time of day.
    pub clock: Clock,
    /// What the random numbers come from: two nodes must not have the same.
    pub seed: [u8; 32],
    /// How names are looked up. Default: as the operating system does.
    pub resolve: Resolve,
}

impl Settings {
    /// The defaults, with the seed of the random numbers.
    pub fn new(seed: [u8; 32]) -> Settings {
        Settings {
            max_inbound: 125,
            handshake_within: Duration::from_secs(60),
            ping_every: Duration::from_secs(120),
            silence: Duration::from_secs(20 * 60),
            dial_within: Duration::from_secs(5),
            retry_after: Duration::from_secs(1),
            retry_most: Duration::from_secs(30),
            steady_after: Duration::from_secs(60),
            headers_within: Duration::from_secs(120),
            blocks_per_peer: 16,
            window: 1024,
            window_bytes: 1 << 30,
            hedge_after: Duration::from_secs(2),
            hedges: 16,
            stall: Duration::from_secs(5),
            block_within: Duration::from_secs(600),
            announce_every: Duration::from_millis(100),
            headers: 2_000_000,
            followed: MAX_FOLLOWED,
            unconnected: 10,
            addresses: 1_000,
            discourage: Duration::from_secs(24 * 60 * 60),
            discouraged: 10_000,
            bans: 10_000,
            targets: 256,
            noban: Vec::new(),
            cache: 16 << 20,
            requests: 64 << 10,
            receive: 5 << 20,
            send_high: 1 << 20,
            share: 1 << 20,
            turn: 4 << 20,
            user_agent: format!("/sockman:{}/", env!("CARGO_PKG_VERSION")),
            clock: Clock::System,
            seed,
            resolve: system_resolve,
        }
    }

    /// What a connection may hold: this is what each is given, whatever the loop's own [`Config`](sockman::Config) says.
    pub fn limits(&self) -> ConnLimits {
        let message = crate::wire::HEADER + crate::wire::MAX_PAYLOAD;
        ConnLimits {
            // It is paused before this is reached.
            unread: 2 * self.receive.max(message),
            high: self.send_high,
            low: self.send_high / 2,
            // A message more than the mark, and what is announced meanwhile.
            queued: self.send_high + 4 * message,
        }
    }

    /// How long a peer waits for headers that another tells, if that one is not quick.
    pub(crate) fn headers_wait(&self) -> Duration {
        self.hedge_after / 2
    }

    pub(crate) fn listen_options(&self, key: u64) -> ListenOptions {
        ListenOptions {
            limits: Some(self.limits()),
            ..ListenOptions::key(key)
        }
    }
}

fn system_resolve(name: &str) -> io::Result<Vec<SocketAddr>> {
    std::net::ToSocketAddrs::to_socket_addrs(name).map(Iterator::collect)
}
