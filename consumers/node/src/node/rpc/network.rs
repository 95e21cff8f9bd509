//! The node among others: what it is, whom it connects to, and how much they say.

use super::params::invalid;
use super::peers::{service_names, services};
use crate::node::context::Context;
use serde::Serialize;
use sockman_backends::sockman::Conn;
use sockman_http::rpc::{Amount, Call, Done, Method, Out, RpcError, code};
use sockman_p2p::state::{AddError, Command, Kind, Peer};
use sockman_p2p::store::Store;
use sockman_p2p::wire::PROTOCOL_VERSION;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 6] {
    [
        Method::new("getnetworkinfo", getnetworkinfo).help(
            "Network",
            "Returns an object with what is known of the node itself: its version, its services, its connections and its addresses.",
        ),
        Method::new("getconnectioncount", getconnectioncount)
            .help("Network", "Returns the number of connections to peers."),
        Method::new("getnettotals", getnettotals).help(
            "Network",
            "Returns an object with the bytes received and sent, and the time in milliseconds since 1970.",
        ),
        Method::new("addnode", addnode)
            .required("node")
            .required("command")
            .optional("v2transport")
            .help(
                "Network",
                "Has the node stay connected to a peer (add), do so no longer (remove), or connect to it once (onetry).",
            ),
        Method::new("disconnectnode", disconnectnode)
            .optional("address")
            .optional("nodeid")
            .help(
                "Network",
                "Hangs up on a peer: by its address, or by its id in getpeerinfo.",
            ),
        Method::new("ping", ping).help(
            "Network",
            "Has all peers pinged; what comes of it is in getpeerinfo.",
        ),
    ]
}

/// The version of Bitcoin Core whose methods these are like, 31.0: clients decide by it what they can ask for. What program it
/// really is, the user agent tells.
const VERSION: u32 = 310_000;

#[derive(Serialize)]
struct NetworkInfo<'a> {
    version: u32,
    subversion: &'a str,
    protocolversion: u32,
    localservices: String,
    localservicesnames: Vec<String>,
    localrelay: bool,
    timeoffset: i64,
    networkactive: bool,
    connections: usize,
    connections_in: usize,
    connections_out: usize,
    networks: [Network; 5],
    relayfee: Amount,
    incrementalfee: Amount,
    localaddresses: Vec<LocalAddress>,
    warnings: Vec<String>,
}

/// A network that the node can be in.
#[derive(Serialize)]
struct Network {
    name: &'static str,
    limited: bool,
    reachable: bool,
    proxy: &'static str,
    proxy_randomize_credentials: bool,
}

impl Network {
    /// All that Core knows, in its order. Those that take a proxy cannot be reached, as by a Core without one.
    fn all() -> [Network; 5] {
        let network = |(name, reachable): (&'static str, bool)| Network {
            name,
            limited: !reachable,
            reachable,
            proxy: "",
            proxy_randomize_credentials: false,
        };
        [
            ("ipv4", true),
            ("ipv6", true),
            ("onion", false),
            ("i2p", false),
            ("cjdns", false),
        ]
        .map(network)
    }
}

/// An address that the node can be reached at.
#[derive(Serialize)]
struct LocalAddress {
    address: IpAddr,
    port: u16,
    score: u32,
}

fn getnetworkinfo<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    /// Fees below which a node of Core relays nothing, which this one does in no case: satoshis per 1,000 virtual bytes.
    const RELAY_FEE: i64 = 1_000;

    let ours = sockman_p2p::services();
    let settings = context.handle().settings();
    let info = context.handle().with(|state| {
        let (all, inbound) = (state.peers.len(), state.peers.inbound());
        // Where it listens everywhere, at none of its addresses in particular, it does not know by which it is found.
        let addresses = state
            .listening
            .iter()
            .filter_map(sockman_backends::sockman::Endpoint::tcp);
        let localaddresses = addresses
            .filter(|at| !at.ip().is_unspecified() && !at.ip().is_loopback())
            .map(|at| LocalAddress {
                address: at.ip(),
                port: at.port(),
                score: 1,
            })
            .collect();
        NetworkInfo {
            version: VERSION,
            subversion: &settings.user_agent,
            protocolversion: PROTOCOL_VERSION,
            localservices: services(ours),
            localservicesnames: service_names(ours),
            localrelay: false,
            timeoffset: median(
                state
                    .peers
                    .iter()
                    .filter_map(|(_, peer)| time_offset(peer))
                    .collect(),
            ),
            networkactive: true,
            connections: all,
            connections_in: inbound,
            connections_out: all - inbound,
            networks: Network::all(),
            relayfee: Amount(RELAY_FEE),
            incrementalfee: Amount(RELAY_FEE),
            localaddresses,
            warnings: state.failure().into_iter().collect(),
        }
    });
    out.json(&info)
}

/// What a peer's clock says, less what ours does. Only those that we chose are believed (as by Core, from version 27 on).
fn time_offset(peer: &Peer) -> Option<i64> {
    let version = peer.version.as_ref().filter(|_| !peer.is_inbound())?;
    Some(version.time_offset)
}

/// The median of what clocks say; nothing, if they are too few to be believed (as in Core's `TimeOffsets::Median`).
fn median(mut values: Vec<i64>) -> i64 {
    /// So many there must be.
    const LEAST: usize = 5;

    if values.len() < LEAST {
        return 0;
    }
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

fn getconnectioncount<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json(&context.handle().with(|state| state.peers.len()))
}

#[derive(Serialize)]
struct NetTotals {
    totalbytesrecv: u64,
    totalbytessent: u64,
    timemillis: u64,
    uploadtarget: UploadTarget,
}

/// How much may be sent. There is no limit.
#[derive(Serialize)]
struct UploadTarget {
    timeframe: u32,
    target: u64,
    target_reached: bool,
    serve_historical_blocks: bool,
    bytes_left_in_cycle: u64,
    time_left_in_cycle: u64,
}

fn getnettotals<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    /// The period for which Core sets a limit, in seconds.
    const TIMEFRAME: u32 = 24 * 60 * 60;

    let (totalbytesrecv, totalbytessent) = context.handle().with(|state| state.bytes);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    out.json(&NetTotals {
        totalbytesrecv,
        totalbytessent,
        timemillis: time.as_millis() as u64,
        uploadtarget: UploadTarget {
            timeframe: TIMEFRAME,
            target: 0,
            target_reached: false,
            serve_historical_blocks: true,
            bytes_left_in_cycle: 0,
            time_left_in_cycle: 0,
        },
    })
}

fn addnode<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let (node, command): (String, String) = (call.get(0)?, call.get(1)?);
    if !matches!(command.as_str(), "add" | "remove" | "onetry") {
        return Err(call.wrong_usage());
    }
    if call.get::<Option<bool>>(2)? == Some(true) {
        let why = "Error: v2transport requested but not enabled (see -v2transport)";
        return Err(invalid(why.to_owned()));
    }
    let handle = context.handle();
    let added = match command.as_str() {
        "remove" if handle.remove_node(&node) => Ok(()),
        "remove" => {
            let why = "Error: Node could not be removed. It has not been added previously.";
            return Err(RpcError::new(code::CLIENT_NODE_NOT_ADDED, why));
        }
        "add" => handle.add_node(&node, Kind::Added),
        _ => handle.add_node(&node, Kind::Once),
    };
    added.map_err(|why| {
        let code = match why {
            AddError::Already => code::CLIENT_NODE_ALREADY_ADDED,
            AddError::Full(_) => code::CLIENT_NODE_CAPACITY_REACHED,
        };
        RpcError::new(code, why.to_string())
    })?;
    out.null()
}

fn disconnectnode<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let (address, id): (Option<String>, Option<i64>) = (call.get(0)?, call.get(1)?);
    let is_it = |peer: &Peer| match (id, &address) {
        (Some(id), _) => i64::try_from(peer.id) == Ok(id),
        (None, Some(address)) => peer.address.to_string() == *address || peer.name.as_ref() == Some(address),
        (None, None) => false,
    };
    // With an id, an empty address is none; alone, it is that of nobody.
    let is_named = address.as_ref().is_some_and(|address| !address.is_empty());
    if id.is_some() && is_named || id.is_none() && address.is_none() {
        let why = "Only one of address and nodeid should be provided.";
        return Err(RpcError::new(code::INVALID_PARAMS, why));
    }
    let handle = context.handle();
    let found: Option<Conn> = handle.with(|state| {
        let mut found = state.peers.iter().filter(|(_, peer)| is_it(peer));
        found.next().map(|(conn, _)| conn)
    });
    let Some(conn) = found else {
        let why = "Node not found in connected nodes";
        return Err(RpcError::new(code::CLIENT_NODE_NOT_CONNECTED, why));
    };
    handle.command(Command::Disconnect(conn));
    out.null()
}

fn ping<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    context.handle().command(Command::Ping);
    out.null()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_what_clocks_say() {
        assert_eq!(median(vec![]), 0);
        assert_eq!(median(vec![7, 7, 7, 7]), 0, "too few");
        assert_eq!(median(vec![90, -3, 2, 1, 90]), 2);
        assert_eq!(median(vec![90, -3, 2, 1, 90, 5]), 5);
    }
}
