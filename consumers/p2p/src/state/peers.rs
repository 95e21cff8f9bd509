//! Whom we are connected to.

use super::Serving;
use crate::chain::Id;
use crate::sync::Headers;
use crate::wire::{Command, ServiceFlags};
use sockman::{Conn, ConnMap, Endpoint};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Who dialled whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The peer dialled us.
    Inbound,
    /// We dialled the peer: which of [`Targets`](super::Targets) it is.
    Outbound(u64),
}

/// How much is left to a peer on which others depend. The greatest is trusted most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// It dialled us, and somebody at its address has held up a download.
    Stalled,
    /// It dialled us.
    Accepted,
    /// We dialled it.
    Dialled,
}

/// A connected peer.
#[derive(Debug)]
pub struct Peer {
    /// Counts up from 0, never the same again.
    pub id: u64,
    /// The other end.
    pub address: Endpoint,
    /// Our end.
    pub local: Option<Endpoint>,
    /// Who dialled.
    pub direction: Direction,
    /// What it was called when we dialled it.
    pub name: Option<String>,
    /// It is not punished for what is not valid in what it sends ([`Settings::noban`](crate::Settings::noban)).
    pub noban: bool,
    /// Somebody at its address has held up a download.
    pub has_stalled: bool,
    /// When the connection came about.
    pub since: Instant,
    /// What it said of itself, once it has.
    pub version: Option<Version>,
    /// It has acknowledged our version: the handshake is done.
    pub ready: bool,
    /// It understands `addrv2` (BIP155).
    pub wants_addrv2: bool,
    /// It announces transactions by `wtxid` (BIP339).
    pub wtxid_relay: bool,
    /// It wants new blocks announced by `headers` (BIP130).
    pub wants_headers: bool,
    /// It wants compact blocks announced to it, and of which version (BIP152).
    pub compact: Option<(bool, u64)>,
    /// Fee rate, in satoshi per 1,000 virtual bytes, below which it wants to hear of no transaction (BIP133).
    pub fee_filter: u64,
    /// Its pings.
    pub ping: Ping,
    /// The header with the most work that it is known to have.
    pub best: Option<Id>,
    /// The last block that we announced to it, or that it told us of.
    pub announced: Option<Id>,
    /// The last block whose header we have sent it. What was announced by its hash alone it may not have yet.
    pub(crate) told: Option<Id>,
    /// What we know of its headers.
    pub headers: Headers,
    /// Blocks that we have asked it for, oldest first, and when.
    pub in_flight: VecDeque<(Id, Instant)>,
    /// Since when the oldest of them has been the oldest.
    pub head_since: Instant,
    /// When its last block came.
    pub last_block: Option<Instant>,
    /// Messages, by command, in and out.
    pub traffic: Traffic,
    /// Addresses that it has told us of.
    pub addresses: Addresses,
    /// What it still is to be sent.
    pub(crate) serving: Serving,
    /// The nonce of our version message.
    pub(crate) nonce: u64,
    /// When it last was of any use: sent something, or took what we sent.
    pub(crate) moved: Instant,
    /// The send queue is above its high-water mark.
    pub(crate) high: bool,
    /// Bytes sent since then.
    pub(crate) over: usize,
    /// What it wants goes on in a later turn, which is under way: it has had its share of this one.
    pub(crate) yielded: bool,
    /// Since when the peer has taken nothing, while the queue is above its mark, and how many bytes it had taken then.
    pub(crate) stuck: Option<(Instant, u64)>,
    /// When it last had taken all that it wanted: what it owes us may have had to wait for that.
    pub(crate) eased: Instant,
    /// Its messages wait, and it may not be read from.
    pub(crate) held: bool,
    /// We have hung up.
    pub(crate) gone: bool,
    /// What [`set_deadline`](sockman::SockMan::set_deadline) was last told.
    pub(crate) armed: Option<Instant>,
}

/// What a peer said of itself (`version`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its protocol version.
    pub protocol: u32,
    /// What it offers.
    pub services: ServiceFlags,
    /// Its name, with what is not printable replaced, and cut off at 256 bytes.
    pub user_agent: String,
    /// The height of its chain at the time.
    pub height: i32,
    /// Whether it wants to hear of transactions (BIP37).
    pub relay: bool,
    /// What its clock said, less what ours did, in seconds.
    pub time_offset: i64,
    /// Our address as it sees it.
    pub sees_us_at: Option<std::net::SocketAddr>,
}

/// What is known of the time that a peer takes to answer (BIP31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ping {
    /// What is out: its nonce, and when it was sent.
    pub out: Option<(u64, Instant)>,
    /// When the next is due.
    pub(crate) next: Option<Instant>,
    /// The last time it took.
    pub last: Option<Duration>,
    /// The least it took.
    pub least: Option<Duration>,
}

/// Bytes by command, headers included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of messages received, by command; what is not known, or has a wrong checksum, is `*other*`.
    pub received: BTreeMap<Command, u64>,
    /// Bytes of messages sent, by command.
    pub sent: BTreeMap<Command, u64>,
    /// When the last message came.
    pub last_received: Option<Instant>,
    /// When the last message was sent.
    pub last_sent: Option<Instant>,
}

/// Addresses that a peer has told us of: so many at once, and one more every ten seconds (Core's
/// `MAX_ADDR_RATE_PER_SECOND`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// How many were looked at.
    pub processed: u64,
    /// How many were ignored because they were too many.
    pub limited: u64,
    allowed: u64,
    most: u64,
    since: Instant,
}

/// The time for which a peer may tell one address more.
const ADDRESS_EVERY: Duration = Duration::from_secs(10);

impl Addresses {
    pub(crate) fn new(most: u64, now: Instant) -> Self {
        Addresses {
            processed: 0,
            limited: 0,
            allowed: most,
            most,
            since: now,
        }
    }

    /// So many were told. Says how many of them are to be looked at.
    pub(crate) fn told(&mut self, count: u64, now: Instant) -> u64 {
        let earned = now.saturating_duration_since(self.since).as_secs() / ADDRESS_EVERY.as_secs();
        self.since += ADDRESS_EVERY * u32::try_from(earned).unwrap_or(u32::MAX);
        self.allowed = self.most.min(self.allowed.saturating_add(earned));
        let taken = count.min(self.allowed);
        self.allowed -= taken;
        self.processed += taken;
        self.limited += count - taken;
        taken
    }
}

impl Peer {
    /// A peer of which nothing is known yet. It may tell so many `addresses` at once.
    pub(crate) fn new(address: Endpoint, direction: Direction, addresses: u64, now: Instant) -> Peer {
        Peer {
            id: 0,
            address,
            local: None,
            direction,
            name: None,
            noban: false,
            has_stalled: false,
            since: now,
            version: None,
            ready: false,
            wants_addrv2: false,
            wtxid_relay: false,
            wants_headers: false,
            compact: None,
            fee_filter: 0,
            ping: Ping::default(),
            best: None,
            announced: None,
            told: None,
            headers: Headers::default(),
            in_flight: VecDeque::new(),
            head_since: now,
            last_block: None,
            traffic: Traffic::default(),
            addresses: Addresses::new(addresses, now),
            serving: Serving::default(),
            nonce: 0,
            moved: now,
            high: false,
            over: 0,
            yielded: false,
            stuck: None,
            eased: now,
            held: false,
            gone: false,
            armed: None,
        }
    }

    /// Whether the peer dialled us.
    pub fn is_inbound(&self) -> bool {
        self.direction == Direction::Inbound
    }

    /// How much is left to it.
    pub fn trust(&self) -> Trust {
        match self.direction {
            Direction::Outbound(_) => Trust::Dialled,
            Direction::Inbound if self.has_stalled => Trust::Stalled,
            Direction::Inbound => Trust::Accepted,
        }
    }

    /// What it offers; nothing before it has said so.
    pub fn services(&self) -> ServiceFlags {
        self.version
            .as_ref()
            .map_or(ServiceFlags::NONE, |version| version.services)
    }

    /// Whether its chain is worth asking for: it serves whole blocks, with their witnesses.
    pub fn is_source(&self) -> bool {
        self.ready && self.services().has(ServiceFlags::NETWORK | ServiceFlags::WITNESS)
    }

    /// Whether we have hung up on it: it is closed soon, and nothing that it says counts any more.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Its protocol version; 0 before it has told.
    pub fn protocol(&self) -> u32 {
        self.version.as_ref().map_or(0, |version| version.protocol)
    }

    /// Its address, if it has one.
    pub fn ip(&self) -> Option<IpAddr> {
        Some(self.address.tcp()?.ip().to_canonical())
    }

    /// Whether we have asked it for this block.
    pub(crate) fn is_asked_for(&self, id: Id) -> bool {
        self.in_flight.iter().any(|&(other, _)| other == id)
    }

    /// We do not wait for this block any more. Says whether we did.
    pub(crate) fn landed(&mut self, id: Id, now: Instant) -> bool {
        let Some(at) = self.in_flight.iter().position(|&(other, _)| other == id) else {
            return false;
        };
        self.in_flight.remove(at);
        if at == 0 {
            self.head_since = now;
        }
        true
    }
}

/// All peers.
#[derive(Default)]
pub struct Peers {
    map: ConnMap<Peer>,
    inbound: usize,
    next: u64,
}

impl Peers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many of them dialled us.
    pub fn inbound(&self) -> usize {
        self.inbound
    }

    /// How many have a handshake behind them.
    pub fn ready(&self) -> usize {
        self.iter().filter(|(_, peer)| peer.ready).count()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Conn, &Peer)> {
        self.map.iter()
    }

    /// One of them.
    pub fn get(&self, conn: Conn) -> Option<&Peer> {
        self.map.get(conn)
    }

    pub(crate) fn get_mut(&mut self, conn: Conn) -> Option<&mut Peer> {
        self.map.get_mut(conn)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Conn, &mut Peer)> {
        self.map.iter_mut()
    }

    /// The number of the next one.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn insert(&mut self, conn: Conn, peer: Peer) {
        self.inbound += usize::from(peer.is_inbound());
        self.map.insert(conn, peer);
    }

    pub(crate) fn remove(&mut self, conn: Conn) -> Option<Peer> {
        let peer = self.map.remove(conn)?;
        self.inbound -= usize::from(peer.is_inbound());
        Some(peer)
    }
}
