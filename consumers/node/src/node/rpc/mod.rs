//! JSON-RPC, by the names and in the shapes of Bitcoin Core (versions 28 to 31).
//!
//! - `chain`, `blocks`: what is known of the chain; `wait`: waiting for it to change; `progress`: how far it is
//! - `peers`, `network`, `bans`: whom we are connected to, and whom we are not
//! - `mining`: blocks from outside, and blocks made here; `descriptor`: whom these are to pay
//! - `mempool`: transactions that wait for a block, and coins; `transactions`: how they come in; `waiting`: how they are shown
//! - `sv2`: the template provider
//! - `params`: parameters that several methods have
//!
//! What differs from Core: there is no index of transactions and no undo data, so that `getblock` never tells fees and what inputs
//! spent (verbosity 3 is as 2). There is a memory pool only where there are [templates](crate::templates), and what comes into it is
//! not checked for its scripts, replaces nothing, and is not told to peers.

mod bans;
mod blocks;
mod chain;
mod descriptor;
mod mempool;
mod mining;
mod network;
mod params;
mod peers;
mod progress;
mod sv2;
mod transactions;
mod wait;
mod waiting;

pub(super) use chain::{chain_info, hash_at};

use super::context::Context;
use sockman_http::rpc::Methods;
use sockman_p2p::store::Store;

/// All methods of a node.
pub fn methods<D: Store>() -> Methods<Context<D>> {
    Methods::new()
        .with_all(chain::methods())
        .with_all(blocks::methods())
        .with_all(wait::methods())
        .with_all(peers::methods())
        .with_all(network::methods())
        .with_all(bans::methods())
        .with_all(mining::methods())
        .with_all(mempool::methods())
        .with_all(transactions::methods())
        .with_all(sv2::methods())
}
