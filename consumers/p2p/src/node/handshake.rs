//! How a connection begins.

use super::Work;
use crate::state::{Count, Direction, Peer, Phase, Version};
use crate::store::Store;
use crate::wire::{Address, MAX_USER_AGENT, Message, PROTOCOL_VERSION, ServiceFlags, VersionMessage};
use sockman::{Conn, Origin, SockMan};
use std::net::{Ipv4Addr, SocketAddr};

/// What peers must speak at least (Core's `MIN_PEER_PROTO_VERSION`): they have `getheaders`.
const MINIMUM_VERSION: u32 = 31_800;

/// From this version on `sendheaders` is understood (BIP 130).
const SENDHEADERS_VERSION: u32 = 70_012;

/// From this version on features are agreed on before `verack` (BIP 155, BIP 339).
const FEATURES_VERSION: u32 = 70_016;

/// What a node offers: whole blocks, with their witnesses.
pub fn services() -> ServiceFlags {
    ServiceFlags::NETWORK | ServiceFlags::WITNESS
}

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// Somebody has dialled us.
    pub(super) fn accepted(&mut self, conn: Conn, origin: &Origin) -> Option<()> {
        let ip = origin.peer.tcp().map(|at| at.ip());
        let noban = ip.is_some_and(|ip| self.is_noban(ip));
        let unix = self.unix();
        if let (false, Some(ip)) = (noban, ip) {
            if self.state.bans.contains(ip, unix) {
                self.state.counters.add(Count::banned_refused);
                return None;
            }
            // Whoever is discouraged gets no slot that somebody else could want.
            let last = self.state.peers.inbound() + 1 >= self.own.settings.max_inbound;
            if last && self.state.discouraged.has_address(ip, self.now) {
                self.state.counters.add(Count::inbound_refused);
                return None;
            }
        }
        if self.state.peers.inbound() >= self.own.settings.max_inbound {
            self.state.counters.add(Count::inbound_refused);
            return None;
        }
        self.state.counters.add(Count::inbound);
        self.admit(conn, origin, Direction::Inbound, noban);
        Some(())
    }

    /// Whom we have dialled is there.
    pub(super) fn dialled(&mut self, conn: Conn, origin: &Origin) -> Option<()> {
        let target = self.state.targets.get_mut(origin.key)?;
        if target.removed {
            self.retry(origin.key);
            return None;
        }
        target.phase = Phase::Connected(conn);
        let noban = origin.peer.tcp().is_some_and(|at| self.is_noban(at.ip()));
        self.state.counters.add(Count::outbound);
        self.admit(conn, origin, Direction::Outbound(origin.key), noban);
        self.send_version(conn);
        Some(())
    }

    fn admit(&mut self, conn: Conn, origin: &Origin, direction: Direction, noban: bool) {
        let name = match direction {
            Direction::Inbound => None,
            Direction::Outbound(id) => self.state.targets.get(id).map(|target| target.name.clone()),
        };
        let mut peer = Peer::new(
            origin.peer.clone(),
            direction,
            self.own.settings.addresses,
            self.now,
        );
        peer.id = self.state.peers.number();
        peer.local = self.net.info(conn).and_then(|info| info.local);
        peer.name = name;
        peer.noban = noban;
        let now = self.now;
        peer.has_stalled = peer
            .ip()
            .is_some_and(|ip| self.state.stalled.has_address(ip, now));
        peer.nonce = self.own.random();
        tracing::info!(%conn, peer = %peer.address, id = peer.id, inbound = peer.is_inbound(), "connected");
        self.state.peers.insert(conn, peer);
        self.rearm(conn);
    }

    fn send_version(&mut self, conn: Conn) {
        let Some(peer) = self.state.peers.get(conn) else {
            return;
        };
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let receiver = peer.address.tcp().unwrap_or(nobody);
        let message = VersionMessage {
            version: PROTOCOL_VERSION,
            services: services(),
            timestamp: self.unix().cast_signed(),
            receiver: Address::new(&receiver, ServiceFlags::NONE),
            // Nobody believes it anyway, and it may say more than we want to (Core sends none either).
            sender: Address::new(&nobody, services()),
            nonce: peer.nonce,
            user_agent: self.own.settings.user_agent.clone(),
            start_height: self.state.chain.height().cast_signed(),
            relay: false,
        };
        self.send(conn, &Message::Version(message));
    }

    /// The peer says who it is.
    pub(super) fn version(&mut self, conn: Conn, version: &VersionMessage) {
        let ours =
            |(other, peer): (Conn, &Peer)| other != conn && !peer.is_inbound() && peer.nonce == version.nonce;
        let Some(peer) = self.state.peers.get(conn) else {
            return;
        };
        if peer.is_inbound() && version.nonce != 0 && self.state.peers.iter().any(ours) {
            self.state.counters.add(Count::self_connections);
            return self.drop_peer(conn, format_args!("connected to ourselves"));
        }
        if version.version < MINIMUM_VERSION {
            let spoken = version.version;
            return self.drop_peer(
                conn,
                format_args!("its protocol version {spoken} is below {MINIMUM_VERSION}"),
            );
        }
        let (inbound, unix) = (peer.is_inbound(), self.unix());
        let understood = Version {
            protocol: version.version,
            services: version.services,
            user_agent: printable(&version.user_agent),
            height: version.start_height,
            relay: version.relay,
            time_offset: version.timestamp.saturating_sub(unix.cast_signed()),
            sees_us_at: version.receiver.socket_addr().ok(),
        };
        tracing::info!(%conn, user_agent = understood.user_agent, version = understood.protocol, height = understood.height, "version");
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.version = Some(understood);
        }
        if inbound {
            self.send_version(conn);
        }
        if version.version >= FEATURES_VERSION {
            self.send(conn, &Message::WtxidRelay);
            self.send(conn, &Message::SendAddrV2);
        }
        self.send(conn, &Message::Verack);
    }

    /// The peer takes us as we are: the handshake is done.
    pub(super) fn verack(&mut self, conn: Conn) {
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        peer.ready = true;
        let protocol = peer.protocol();
        self.state.counters.add(Count::handshakes);
        if protocol >= SENDHEADERS_VERSION {
            self.send(conn, &Message::SendHeaders);
        }
        self.send_ping(conn);
        self.ask_for_headers(conn, self.state.chain.tree().best());
        self.rearm(conn);
    }
}

/// What can be shown, and not too much of it.
fn printable(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(MAX_USER_AGENT).map(safe).collect()
}
