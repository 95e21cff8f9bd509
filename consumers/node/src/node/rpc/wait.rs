//! Calls that wait for the chain to change.

use super::params::hash;
use crate::node::context::Context;
use crate::node::json::Text;
use bitcoin::BlockHash;
use serde::Serialize;
use sockman_http::rpc::{Call, Done, Method, Out, RpcError, code};
use sockman_p2p::state::State;
use sockman_p2p::store::Store;
use std::time::{Duration, Instant};

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 3] {
    [
        Method::new("waitforblockheight", waitforblockheight)
            .required("height")
            .optional("timeout")
            .on_worker()
            .help(
                "Blockchain",
                "Waits until the chain is so high, or for so many milliseconds (0, which is the default: for ever), and returns the hash \
                 and the height of its last block.",
            ),
        Method::new("waitforblock", waitforblock)
            .required("blockhash")
            .optional("timeout")
            .on_worker()
            .help(
                "Blockchain",
                "Waits until this is the last block of the chain, or for so many milliseconds (0, which is the default: for ever), and \
                 returns the hash and the height of its last block.",
            ),
        Method::new("waitfornewblock", waitfornewblock)
            .optional("timeout")
            .optional("current_tip")
            .on_worker()
            .help(
                "Blockchain",
                "Waits until the last block of the chain is another than this (which by default is the one that it is now), or for so \
                 many milliseconds (0, which is the default: for ever), and returns its hash and its height.",
            ),
    ]
}

/// The last block of the chain.
#[derive(Clone, Copy, Serialize)]
struct Last {
    hash: Text<BlockHash>,
    height: u32,
}

fn last<D: Store>(state: &State<D>) -> Last {
    let entry = state.chain.entry(state.chain.tip());
    Last {
        hash: Text(entry.hash),
        height: entry.height,
    }
}

/// Waits until the last block is such a one, and gives the last block in any case.
fn wait<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    timeout: usize,
    out: Out<'_>,
    is_it: impl Fn(&Last) -> bool,
) -> Result<Done, RpcError> {
    let milliseconds: i64 = call.get::<Option<i64>>(timeout)?.unwrap_or(0);
    let milliseconds =
        u64::try_from(milliseconds).map_err(|_| RpcError::new(code::MISC_ERROR, "Negative timeout"))?;
    // A time so long that no clock reaches it is as good as none.
    let until = (milliseconds > 0)
        .then(|| Instant::now().checked_add(Duration::from_millis(milliseconds)))
        .flatten();
    let handle = context.handle();
    let at_once = handle.with(|state| Some(last(state)).filter(&is_it));
    let found = match at_once {
        Some(found) => found,
        None => {
            let _entered = context.enter_waiting()?;
            let found = handle.wait(until, |state| Some(last(state)).filter(&is_it));
            found.unwrap_or_else(|| handle.with(|state| last(state)))
        }
    };
    out.json(&found)
}

fn waitforblockheight<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let height: i64 = call.get(0)?;
    wait(context, call, 1, out, |last| i64::from(last.height) >= height)
}

fn waitforblock<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let wanted = hash(call, 0, "blockhash")?;
    wait(context, call, 1, out, |last| last.hash.0 == wanted)
}

fn waitfornewblock<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let before = match call.get::<Option<String>>(1)? {
        Some(_) => hash(call, 1, "current_tip")?,
        None => context.handle().with(|state| last(state)).hash.0,
    };
    wait(context, call, 0, out, |last| last.hash.0 != before)
}
