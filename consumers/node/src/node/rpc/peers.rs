//! `getpeerinfo`.

use crate::node::context::Context;
use crate::node::json::{Real, Text};
use bitcoin::hex::DisplayHex as _;
use serde::{Serialize, Serializer};
use sockman_backends::sockman::Endpoint;
use sockman_http::rpc::{Amount, Call, Done, Method, Out, RpcError};
use sockman_p2p::state::{Chain, Peer, Version};
use sockman_p2p::store::Store;
use sockman_p2p::wire::{Command, ServiceFlags};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 1] {
    [Method::new("getpeerinfo", getpeerinfo).help(
        "Network",
        "Returns a list of all peers, with what is known of each.",
    )]
}

/// Flags as text: 16 hexadecimal digits.
pub(super) fn services(flags: ServiceFlags) -> String {
    format!("{:x}", flags.to_u64().to_be_bytes().as_hex())
}

/// Names of services (Core's `serviceFlagToStr`), by their bits.
const SERVICES: [(u32, &str); 6] = [
    (0, "NETWORK"),
    (2, "BLOOM"),
    (3, "WITNESS"),
    (6, "COMPACT_FILTERS"),
    (10, "NETWORK_LIMITED"),
    (11, "P2P_V2"),
];

/// The names of the services that are offered; those without one are told by their bit.
pub(super) fn service_names(flags: ServiceFlags) -> Vec<String> {
    let flags = flags.to_u64();
    let name = |bit: u32| match SERVICES.iter().find(|(known, _)| *known == bit) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("UNKNOWN[2^{bit}]"),
    };
    (0..u64::BITS)
        .filter(|bit| flags >> bit & 1 == 1)
        .map(name)
        .collect()
}

/// Which network an address belongs to, as Core calls it.
pub(super) fn network(at: &Endpoint) -> &'static str {
    match at.tcp().map(|at| at.ip().to_canonical()) {
        Some(IpAddr::V4(ip)) if is_routable_v4(ip) => "ipv4",
        Some(IpAddr::V6(ip)) if is_routable_v6(ip) => "ipv6",
        _ => "not_publicly_routable",
    }
}

fn is_routable_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_broadcast()
        || a == 0
        || is_shared
        || is_benchmark)
}

fn is_routable_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // ORCHID (RFC 4843) and ORCHIDv2 (RFC 7343) are no addresses of machines.
    let is_orchid = a == 0x2001 && matches!(b & 0xfff0, 0x10 | 0x20);
    let is_documentation = a == 0x2001 && b == 0xdb8;
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
        || is_orchid
        || is_documentation)
}

/// Bytes by the names of messages.
struct ByCommand<'a>(&'a BTreeMap<Command, u64>);

impl Serialize for ByCommand<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(command, bytes)| (Text(command), bytes)))
    }
}

#[derive(Serialize)]
struct PeerInfo<'a> {
    id: u64,
    addr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    addrbind: Option<Text<&'a Endpoint>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addrlocal: Option<Text<SocketAddr>>,
    network: &'static str,
    services: String,
    servicesnames: Vec<String>,
    relaytxes: bool,
    last_inv_sequence: u64,
    inv_to_send: u64,
    lastsend: u64,
    lastrecv: u64,
    last_transaction: u64,
    last_block: u64,
    bytessent: u64,
    bytesrecv: u64,
    conntime: u64,
    timeoffset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pingtime: Option<Real>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minping: Option<Real>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pingwait: Option<Real>,
    version: u32,
    subver: &'a str,
    inbound: bool,
    bip152_hb_to: bool,
    bip152_hb_from: bool,
    startingheight: i32,
    presynced_headers: i64,
    synced_headers: i64,
    synced_blocks: i64,
    inflight: Vec<u32>,
    addr_relay_enabled: bool,
    addr_processed: u64,
    addr_rate_limited: u64,
    permissions: &'static [&'static str],
    minfeefilter: Amount,
    bytessent_per_msg: ByCommand<'a>,
    bytesrecv_per_msg: ByCommand<'a>,
    connection_type: &'static str,
    transport_protocol_type: &'static str,
    session_id: &'static str,
}

/// A moment by two clocks.
struct Now {
    unix: u64,
    at: Instant,
}

impl Now {
    /// The Unix seconds of an earlier moment.
    fn unix(&self, then: Instant) -> u64 {
        let ago = self.at.saturating_duration_since(then);
        self.unix.saturating_sub(ago.as_secs())
    }

    fn unix_or_never(&self, then: Option<Instant>) -> u64 {
        then.map_or(0, |then| self.unix(then))
    }
}

/// Seconds, to the microsecond as Core has them.
fn seconds(time: Duration) -> Real {
    Real(Duration::from_micros(time.as_micros() as u64).as_secs_f64())
}

/// Where a peer sees us: many say so of no address.
fn sees_us_at(version: &Version) -> Option<SocketAddr> {
    version.sees_us_at.filter(|at| !at.ip().is_unspecified())
}

impl<'a> PeerInfo<'a> {
    fn new<D: Store>(peer: &'a Peer, chain: &Chain<D>, now: &Now) -> Self {
        let version = peer.version.as_ref();
        let height = |id| i64::from(chain.entry(id).height);
        let out = peer
            .ping
            .out
            .map(|(_, since)| now.at.saturating_duration_since(since));
        PeerInfo {
            id: peer.id,
            // By the name that was dialled, if there was one.
            addr: peer.name.clone().unwrap_or_else(|| peer.address.to_string()),
            addrbind: peer.local.as_ref().map(Text),
            addrlocal: version.and_then(sees_us_at).map(Text),
            network: network(&peer.address),
            services: services(peer.services()),
            servicesnames: service_names(peer.services()),
            relaytxes: version.is_some_and(|version| version.relay),
            last_inv_sequence: 0,
            inv_to_send: 0,
            lastsend: now.unix_or_never(peer.traffic.last_sent),
            lastrecv: now.unix_or_never(peer.traffic.last_received),
            last_transaction: 0,
            last_block: now.unix_or_never(peer.last_block),
            bytessent: peer.traffic.sent.values().sum(),
            bytesrecv: peer.traffic.received.values().sum(),
            conntime: now.unix(peer.since),
            timeoffset: version.map_or(0, |version| version.time_offset),
            pingtime: peer.ping.last.map(seconds),
            minping: peer.ping.least.map(seconds),
            pingwait: out.map(seconds),
            version: peer.protocol(),
            subver: version.map_or("", |version| &version.user_agent),
            inbound: peer.is_inbound(),
            bip152_hb_to: false,
            bip152_hb_from: peer.compact.is_some_and(|(announce, _)| announce),
            startingheight: version.map_or(-1, |version| version.height),
            presynced_headers: peer.headers.followed().map_or(-1, i64::from),
            synced_headers: peer.best.map_or(-1, height),
            synced_blocks: peer.best.map_or(-1, |best| height(chain.fork(best))),
            inflight: peer
                .in_flight
                .iter()
                .map(|(id, _)| chain.entry(*id).height)
                .collect(),
            addr_relay_enabled: false,
            addr_processed: peer.addresses.processed,
            addr_rate_limited: peer.addresses.limited,
            // In Core the one implies the other.
            permissions: if peer.noban { &["noban", "download"] } else { &[] },
            minfeefilter: Amount(i64::try_from(peer.fee_filter).unwrap_or(i64::MAX)),
            bytessent_per_msg: ByCommand(&peer.traffic.sent),
            bytesrecv_per_msg: ByCommand(&peer.traffic.received),
            connection_type: if peer.is_inbound() { "inbound" } else { "manual" },
            transport_protocol_type: "v1",
            session_id: "",
        }
    }
}

fn getpeerinfo<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let now = Now {
        unix: context.handle().unix(),
        at: Instant::now(),
    };
    context.handle().with(|state| {
        let mut peers: Vec<PeerInfo<'_>> = state
            .peers
            .iter()
            .map(|(_, peer)| PeerInfo::new(peer, &state.chain, &now))
            .collect();
        peers.sort_by_key(|peer| peer.id);
        // Written at once: what is told borrows from the peers.
        out.json(&peers)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_by_their_names() {
        let flags = ServiceFlags::NETWORK | ServiceFlags::WITNESS;
        assert_eq!(services(flags), "0000000000000009");
        assert_eq!(service_names(flags), ["NETWORK", "WITNESS"]);
        let flags = ServiceFlags::from(0x8000_0000_0000_0c4c);
        assert_eq!(services(flags), "8000000000000c4c");
        assert_eq!(
            service_names(flags),
            [
                "BLOOM",
                "WITNESS",
                "COMPACT_FILTERS",
                "NETWORK_LIMITED",
                "P2P_V2",
                "UNKNOWN[2^63]"
            ]
        );
        assert!(service_names(ServiceFlags::NONE).is_empty());
    }

    #[test]
    fn an_address_that_is_none_is_not_told() {
        let mut version = Version {
            protocol: 70016,
            services: ServiceFlags::NONE,
            user_agent: String::new(),
            height: 0,
            relay: false,
            time_offset: 0,
            sees_us_at: None,
        };
        assert_eq!(sees_us_at(&version), None);
        for (at, is_told) in [
            ("0.0.0.0:0", false),
            ("[::]:8333", false),
            ("192.0.2.1:8333", true),
        ] {
            let at: SocketAddr = at.parse().expect(at);
            version.sees_us_at = Some(at);
            assert_eq!(sees_us_at(&version), is_told.then_some(at));
        }
    }

    #[test]
    fn networks_by_their_addresses() {
        for (at, expected) in [
            ("8.8.8.8:1", "ipv4"),
            ("[::ffff:8.8.8.8]:1", "ipv4"),
            ("[2a00::1]:1", "ipv6"),
        ] {
            assert_eq!(network(&at.parse().expect(at)), expected, "{at}");
        }
        for at in [
            "127.0.0.1:1",
            "10.0.0.1:1",
            "172.31.0.1:1",
            "192.168.0.1:1",
            "169.254.0.1:1",
            "100.64.0.1:1",
            "100.127.255.255:1",
            "198.19.0.1:1",
            "203.0.113.1:1",
            "0.1.2.3:1",
            "[::1]:1",
            "[::]:1",
            "[fd00::1]:1",
            "[fe80::1]:1",
            "[2001:db8::1]:1",
            "[2001:10::1]:1",
            "[2001:2f::1]:1",
            "[::ffff:10.0.0.1]:1",
            "unix:x",
        ] {
            assert_eq!(network(&at.parse().expect(at)), "not_publicly_routable", "{at}");
        }
        for at in ["100.128.0.1:1", "198.20.0.1:1", "172.32.0.1:1", "[2001:30::1]:1"] {
            assert_ne!(network(&at.parse().expect(at)), "not_publicly_routable", "{at}");
        }
    }
}
