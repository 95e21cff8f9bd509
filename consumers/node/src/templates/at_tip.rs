//! The coins and the chain, as the pool asks for them.

use bitcoin::{BlockHash, OutPoint};
use sockman_p2p::coins::{At, Coin, CoinsError, View};
use sockman_p2p::pool::Confirmed;
use sockman_p2p::state::Handle;
use sockman_p2p::store::Store;

/// What is confirmed by the blocks up to the one whose coins these are.
pub struct AtTip<'a, D: Store> {
    view: &'a View,
    handle: &'a Handle<D>,
}

impl<'a, D: Store> AtTip<'a, D> {
    pub(super) fn new(view: &'a View, handle: &'a Handle<D>) -> AtTip<'a, D> {
        AtTip { view, handle }
    }

    /// The last block.
    pub fn at(&self) -> At {
        self.view.at()
    }

    /// The hash of the block at this height, at most that of the last one.
    pub fn block(&self, height: u32) -> Option<BlockHash> {
        self.handle.with(|state| {
            let tree = state.chain.tree();
            let last = tree.find(&self.at().hash)?;
            Some(tree.entry(tree.ancestor(last, height)).hash)
        })
    }
}

impl<D: Store> Confirmed for AtTip<'_, D> {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        self.view.coin(outpoint)
    }

    fn median_time(&self, height: u32) -> u32 {
        self.handle.with(|state| {
            let tree = state.chain.tree();
            let last = tree.find(&self.at().hash);
            last.map_or(u32::MAX, |last| tree.median_time(tree.ancestor(last, height)))
        })
    }
}
