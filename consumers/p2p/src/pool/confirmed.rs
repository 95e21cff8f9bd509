//! What a pool asks of the chain.

use crate::coins::{Coin, CoinsError};
use bitcoin::OutPoint;

/// The chain that the next block is to be built on.
pub trait Confirmed {
    /// What this outpoint spends, if it is there.
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError>;

    /// The median of the times of the block at this height and the ten below it, in seconds since 1970.
    fn median_time(&self, height: u32) -> u32;
}
