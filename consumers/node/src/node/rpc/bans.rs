//! Whom the node does not talk to.

use crate::node::context::Context;
use serde::Serialize;
use sockman_http::rpc::{Call, Done, Method, Out, RpcError, code};
use sockman_p2p::state::{Ban, BanError, parse_net};
use sockman_p2p::store::Store;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 3] {
    // They write a file.
    [
        Method::new("setban", setban)
            .required("subnet")
            .required("command")
            .optional("bantime")
            .optional("absolute")
            .on_worker()
            .help(
                "Network",
                "Bans an address or a network (add) for so many seconds, by default a day, or (absolute) until that time in Unix \
                 seconds; or lifts the ban (remove).",
            ),
        Method::new("listbanned", listbanned).help("Network", "Returns a list of the bans that hold."),
        Method::new("clearbanned", clearbanned)
            .on_worker()
            .help("Network", "Lifts all bans."),
    ]
}

/// For how many seconds somebody is banned if nothing is said of it (Core's `DEFAULT_MISBEHAVING_BANTIME`).
const A_DAY: u64 = 24 * 60 * 60;

fn failed(why: &BanError) -> RpcError {
    let code = match why {
        BanError::NoNetwork | BanError::NotBanned => code::CLIENT_INVALID_IP_OR_SUBNET,
        BanError::Already => code::CLIENT_NODE_ALREADY_ADDED,
        BanError::Full(_) => code::MISC_ERROR,
        BanError::Write { .. } | BanError::Read { .. } => code::DATABASE_ERROR,
    };
    RpcError::new(code, why.to_string())
}

fn setban<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let (subnet, command): (String, String) = (call.get(0)?, call.get(1)?);
    if !matches!(command.as_str(), "add" | "remove") {
        return Err(call.wrong_usage());
    }
    let time: i64 = call.get::<Option<i64>>(2)?.unwrap_or(0);
    let is_absolute = call.get::<Option<bool>>(3)?.unwrap_or(false);
    let net = parse_net(&subnet).ok_or_else(|| failed(&BanError::NoNetwork))?;
    let handle = context.handle();
    let now = handle.unix();
    let changed = if command == "remove" {
        handle.change_bans(|bans, now| bans.remove(net, now))
    } else {
        let until = match u64::try_from(time) {
            Ok(time) if is_absolute && time >= now => time,
            _ if is_absolute => {
                let why = "Error: Absolute timestamp is in the past";
                return Err(RpcError::new(code::INVALID_PARAMETER, why));
            }
            Ok(0) | Err(_) => now + A_DAY,
            Ok(time) => now.saturating_add(time),
        };
        handle.change_bans(|bans, now| {
            // An address is banned too when the network that it is in is.
            let is_address = net.prefix_len() == net.max_prefix_len();
            if is_address && bans.contains(net.addr(), now) {
                return Err(BanError::Already);
            }
            bans.add(net, now, until)
        })
    };
    changed.map_err(|why| failed(&why))?;
    out.null()
}

#[derive(Serialize)]
struct BanInfo {
    address: String,
    ban_created: u64,
    banned_until: u64,
    ban_duration: u64,
    time_remaining: u64,
}

fn listbanned<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let now = context.handle().unix();
    let describe = |ban: &Ban| BanInfo {
        address: ban.net.to_string(),
        ban_created: ban.created,
        banned_until: ban.until,
        ban_duration: ban.until.saturating_sub(ban.created),
        time_remaining: ban.until.saturating_sub(now),
    };
    let bans: Vec<BanInfo> = context
        .handle()
        .with(|state| state.bans.iter(now).map(describe).collect());
    out.json(&bans)
}

fn clearbanned<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let cleared = context.handle().change_bans(|bans, _| {
        bans.clear();
        Ok(())
    });
    cleared.map_err(|why| failed(&why))?;
    out.null()
}
