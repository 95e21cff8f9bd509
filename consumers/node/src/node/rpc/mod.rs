//! JSON-RPC, by the names and in the shapes of Bitcoin Core (versions 28 to 31).
//!
//! - `chain`, `blocks`: what is known of the chain; `wait`: waiting for it to change; `progress`: how far it is
//! - `peers`, `network`, `bans`: whom we are connected to, and whom we are not
//! - `mining`: blocks from outside, and blocks made here; `descriptor`: whom these are to pay
//! - `sv2`: the template provider
//! - `params`: parameters that several methods have
//!
//! What differs from Core: there is no memory pool, no index of transactions and no undo data, so that `getblock` never tells
//! fees and what inputs spent (verbosity 3 is as 2), and no method knows of unconfirmed transactions.

mod bans;
mod blocks;
mod chain;
mod descriptor;
mod mining;
mod network;
mod params;
mod peers;
mod progress;
mod sv2;
mod wait;

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
        .with_all(sv2::methods())
}
