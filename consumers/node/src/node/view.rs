//! What is shown of the chain: copied out of the node's state, so that it is locked for no longer than that takes.

use super::context::Context;
use super::json::Headline;
use bitcoin::BlockHash;
use bytes::Bytes;
use sockman_p2p::chain::Id;
use sockman_p2p::state::Chain;
use sockman_p2p::store::{Place, Reader as _, Store, StoreError, verify};
use sockman_p2p::wire;

/// A header, and where it stands.
pub(super) fn headline<D: Store>(chain: &Chain<D>, id: Id) -> Headline {
    let entry = chain.entry(id);
    let is_active = chain.is_active(id);
    let next = chain.at(entry.height + 1).filter(|_| is_active);
    Headline {
        header: entry.header,
        hash: entry.hash,
        confirmations: if is_active {
            i64::from(chain.height() - entry.height) + 1
        } else {
            -1
        },
        height: entry.height,
        median_time: chain.tree().median_time(id),
        work: entry.work,
        txs: entry.txs,
        previous: (id != Id::GENESIS).then_some(entry.header.prev_blockhash),
        next: next.map(|id| chain.entry(id).hash),
    }
}

/// Why there is no block to be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoBlock {
    /// No header has this hash.
    #[error("Block not found")]
    Unknown,
    /// Its block has not come yet.
    #[error("Block not available (not fully downloaded)")]
    NotYet,
    /// It cannot be read, or is not what was written. The log says more: whoever asks may be anybody.
    #[error("Block not found on disk")]
    Unreadable,
}

/// A block, as bytes.
pub(super) struct Raw {
    pub(super) headline: Headline,
    pub(super) bytes: Bytes,
}

/// Reads the block with this hash. Not for the loop: it reads from the disk.
pub(super) fn block<D: Store>(context: &Context<D>, hash: &BlockHash) -> Result<Raw, NoBlock> {
    let found: Result<(Headline, Place), NoBlock> = context.handle().with(|state| {
        let id = state.chain.tree().find(hash).ok_or(NoBlock::Unknown)?;
        let place = state.chain.place(id).ok_or(NoBlock::NotYet)?;
        Ok((headline(&state.chain, id), place))
    });
    let (headline, place) = found?;
    let (why, is_damaged) = match context.handle().reader().frame(place) {
        Ok(frame) => match verify(&frame) {
            Ok(_) => {
                let bytes = frame.slice(wire::HEADER..);
                return Ok(Raw { headline, bytes });
            }
            Err(why) => (why.to_string(), true),
        },
        Err(why) => (why.to_string(), matches!(why, StoreError::Damaged { .. })),
    };
    // Of one that is damaged it is told once.
    let is_news = !is_damaged
        || context.handle().with(|state| {
            let id = state.chain.tree().find(hash);
            id.is_some_and(|id| state.chain.lost(id))
        });
    if is_news {
        tracing::error!(%hash, why, "a block cannot be read");
    }
    Err(NoBlock::Unreadable)
}
