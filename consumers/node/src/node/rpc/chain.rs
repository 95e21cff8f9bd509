//! What is known of the chain as a whole.

use super::params::invalid;
use super::progress::{Far, verification_progress};
use crate::node::context::Context;
use crate::node::json::{Hex, Real, Text, difficulty};
use bitcoin::{BlockHash, Network, Target};
use serde::Serialize;
use sockman_http::rpc::{Call, Done, Method, Out, RpcError};
use sockman_p2p::state::Tip;
use sockman_p2p::store::Store;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 5] {
    [
        Method::new("getblockchaininfo", getblockchaininfo).help(
            "Blockchain",
            "Returns an object with what is known of the chain: how many blocks and headers there are, the last block, the work, and \
             how much of it all is there.",
        ),
        Method::new("getblockcount", getblockcount).help(
            "Blockchain",
            "Returns the height of the last block of the chain with the most work.",
        ),
        Method::new("getbestblockhash", getbestblockhash).help(
            "Blockchain",
            "Returns the hash of the last block of the chain with the most work.",
        ),
        Method::new("getblockhash", getblockhash).required("height").help(
            "Blockchain",
            "Returns the hash of the block at this height of the chain with the most work.",
        ),
        Method::new("getchaintips", getchaintips).on_worker().help(
            "Blockchain",
            "Returns a list of the ends of all chains that are known: height, hash, how many blocks it is away from the chain with the \
             most work, and its status: active, valid-fork, headers-only or invalid.",
        ),
    ]
}

/// What `getblockchaininfo` tells.
#[derive(Serialize)]
pub(in crate::node) struct ChainInfo {
    chain: &'static str,
    blocks: u32,
    headers: u32,
    bestblockhash: Text<BlockHash>,
    bits: Text<String>,
    target: Hex<[u8; 32]>,
    difficulty: Real,
    time: u32,
    mediantime: u32,
    verificationprogress: Real,
    initialblockdownload: bool,
    chainwork: Hex<[u8; 32]>,
    size_on_disk: u64,
    pruned: bool,
    /// Core has it from version 29 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    signet_challenge: Option<&'static str>,
    warnings: Vec<String>,
}

/// The script that vouches for the blocks of the signet that everybody knows (BIP 325).
const SIGNET_CHALLENGE: &str = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae";

/// As REST has it too.
pub(in crate::node) fn chain_info<D: Store>(context: &Context<D>) -> ChainInfo {
    /// A tip older than so many seconds is none that has caught up (Core's `DEFAULT_MAX_TIP_AGE`).
    const MAX_TIP_AGE: u64 = 24 * 60 * 60;

    let now = context.handle().unix();
    context.handle().with(|state| {
        let (chain, tree) = (&state.chain, state.chain.tree());
        let (id, best) = (chain.tip(), tree.entry(tree.best()));
        let tip = tree.entry(id);
        let header = &tip.header;
        let caught_up =
            || tip.work >= context.params().minimum_work && u64::from(header.time) + MAX_TIP_AGE >= now;
        let far = Far {
            txs: chain.txs(),
            time: header.time,
            missing: best.height.saturating_sub(tip.height),
            spacing: context.params().pow_spacing,
        };
        ChainInfo {
            chain: context.params().network.to_core_arg(),
            blocks: tip.height,
            headers: best.height,
            bestblockhash: Text(tip.hash),
            bits: Text(format!("{:08x}", header.bits.to_consensus())),
            target: Hex(Target::from_compact(header.bits).to_be_bytes()),
            difficulty: difficulty(header.bits),
            time: header.time,
            mediantime: tree.median_time(id),
            verificationprogress: verification_progress(context.params().network, far, now),
            initialblockdownload: context.is_catching_up(caught_up),
            chainwork: Hex(tip.work.to_be_bytes()),
            size_on_disk: chain.stored_bytes(),
            pruned: false,
            signet_challenge: (context.params().network == Network::Signet).then_some(SIGNET_CHALLENGE),
            warnings: state.failure().into_iter().collect(),
        }
    })
}

fn getblockchaininfo<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json(&chain_info(context))
}

fn getblockcount<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json(&context.handle().with(|state| state.chain.height()))
}

fn getbestblockhash<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let hash = context
        .handle()
        .with(|state| state.chain.entry(state.chain.tip()).hash);
    out.json(&Text(hash))
}

/// The block at a height of the active chain.
pub(in crate::node) fn hash_at<D: Store>(context: &Context<D>, height: i64) -> Option<BlockHash> {
    let height = u32::try_from(height).ok()?;
    context
        .handle()
        .with(|state| Some(state.chain.entry(state.chain.at(height)?).hash))
}

fn getblockhash<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    match hash_at(context, call.get(0)?) {
        Some(hash) => out.json(&Text(hash)),
        None => Err(invalid("Block height out of range".to_owned())),
    }
}

#[derive(Serialize)]
struct TipInfo {
    height: u32,
    hash: Text<BlockHash>,
    branchlen: u32,
    status: &'static str,
}

fn getchaintips<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let describe = |tip: Tip| TipInfo {
        height: tip.height,
        hash: Text(tip.hash),
        branchlen: tip.branch_length,
        status: tip.status.name(),
    };
    let tips: Vec<TipInfo> = context.handle().tips().into_iter().map(describe).collect();
    out.json(&tips)
}

#[cfg(test)]
mod tests {
    use super::SIGNET_CHALLENGE;
    use crate::node::recorded;
    use bitcoin::hashes::{Hash as _, sha256d};
    use bitcoin::hex::FromHex as _;
    use bitcoin::{Network, consensus};
    use sockman_http::rpc::Place;

    /// A signet's magic is the beginning of its challenge's hash (BIP 325).
    #[test]
    fn the_challenge_is_that_of_the_magic() {
        let script = Vec::from_hex(SIGNET_CHALLENGE).expect("hexadecimal");
        let hash = sha256d::Hash::hash(&consensus::serialize(&script));
        assert_eq!(hash.as_byte_array()[..4], Network::Signet.magic().to_bytes());
    }

    /// There may be as many as headers: the loop does not wait until all are written.
    #[test]
    fn tips_are_told_by_a_worker() {
        let dispatcher = recorded::dispatcher(&recorded::node(1_700_000_000));
        for (method, place) in [("getchaintips", Place::Worker), ("getblockcount", Place::Loop)] {
            let body = format!(r#"{{"method":"{method}"}}"#);
            let request = dispatcher.read(body.as_bytes());
            assert_eq!(dispatcher.place(&request), place, "{method}");
        }
    }
}
