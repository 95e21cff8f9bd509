//! `getblock` and `getblockheader`.

use super::params;
use crate::node::context::Context;
use crate::node::json::{Block, Detail, Hex};
use crate::node::view::{self, NoBlock};
use bitcoin::consensus;
use sockman_http::rpc::{Call, Done, Method, Out, RpcError, code};
use sockman_p2p::store::Store;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 2] {
    let getblock = Method::new("getblock", getblock)
        .required("blockhash")
        .optional("verbosity|verbose")
        .on_worker()
        .help(
            "Blockchain",
            "Returns a block: 0 as hexadecimal text, 1 (which is the default) as an object with the ids of its transactions, 2 with \
             the transactions themselves.",
        );
    let getblockheader = Method::new("getblockheader", getblockheader)
        .required("blockhash")
        .optional("verbose")
        .help(
            "Blockchain",
            "Returns the header of a block, as an object or (verbose false) as hexadecimal text.",
        );
    [getblock, getblockheader]
}

impl From<NoBlock> for RpcError {
    fn from(why: NoBlock) -> Self {
        let code = match why {
            NoBlock::Unknown => code::INVALID_ADDRESS_OR_KEY,
            NoBlock::NotYet | NoBlock::Unreadable => code::MISC_ERROR,
        };
        RpcError::new(code, why.to_string())
    }
}

fn getblock<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let hash = params::hash(call, 0, "blockhash")?;
    let verbosity = params::verbosity(call, 1, 1)?;
    let raw = view::block(context, &hash)?;
    if verbosity <= 0 {
        return out.json(&Hex(&raw.bytes));
    }
    let detail = match verbosity {
        1 => Detail::Ids,
        _ => Detail::Full(context.params().network),
    };
    out.json(&Block::new(&raw.headline, &decode(&raw.bytes)?, detail))
}

/// What was checked when it was stored, and is as it was.
fn decode(bytes: &[u8]) -> Result<bitcoin::Block, RpcError> {
    consensus::deserialize(bytes)
        .map_err(|why| RpcError::new(code::DESERIALIZATION_ERROR, format!("Block decode failed: {why}")))
}

fn getblockheader<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let hash = params::hash(call, 0, "hash")?;
    let is_verbose = call.get::<Option<bool>>(1)?.unwrap_or(true);
    let headline = context.handle().with(|state| {
        let id = state.chain.tree().find(&hash)?;
        Some(view::headline(&state.chain, id))
    });
    let headline = headline.ok_or(NoBlock::Unknown)?;
    if is_verbose {
        out.json(&headline)
    } else {
        out.json(&Hex(consensus::serialize(&headline.header)))
    }
}
