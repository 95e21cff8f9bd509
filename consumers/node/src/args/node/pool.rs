//! The pool of transactions, and the index of the coins beneath it.

use crate::args::values::Size;
use sockman_http::rpc::Amount;
use sockman_p2p::coins::CoinsOptions;
use sockman_p2p::pool::PoolSettings;
use std::num::{NonZeroU32, NonZeroUsize};

const MB: usize = 1_000_000;

fn pool() -> PoolSettings {
    PoolSettings::default()
}

fn coins() -> CoinsOptions {
    CoinsOptions::default()
}

fn nonzero(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// What Core has as an amount of bitcoins for 1,000 virtual bytes; here it is one that does not become too large with any.
fn feerate(text: &str) -> Result<u64, String> {
    let amount: Amount = text.parse().map_err(|_| "not an amount of bitcoins".to_owned())?;
    match u64::try_from(amount.0) {
        Ok(satoshis) if satoshis <= 100_000_000 => Ok(satoshis),
        _ => Err("not between 0 and 1 bitcoins".to_owned()),
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Transactions and coins for templates (with --sv2-bind)")]
pub(crate) struct PoolArgs {
    /// Megabytes of transactions that may wait for a block; above it those that pay least leave. Memory is some 700 bytes more for each,
    /// and 150 for each input.
    #[arg(long, value_name = "MB", default_value_t = nonzero(pool().bytes / MB))]
    maxmempool: NonZeroUsize,
    /// Transactions that may wait for a block; above it those that pay least leave.
    #[arg(long, value_name = "N", default_value_t = nonzero(pool().count))]
    mempool_count: NonZeroUsize,
    /// How many a transaction may be together with those that it needs and that wait too.
    #[arg(long, value_name = "N", default_value_t = nonzero(pool().ancestors))]
    limitancestorcount: NonZeroUsize,
    /// Bitcoins that a transaction must pay for 1,000 virtual bytes.
    #[arg(long, value_name = "BTC", value_parser = feerate, default_value = "0")]
    minrelaytxfee: u64,
    /// Blocks that the index of the coins can take back; when the chain is reorganised deeper, it is made anew. On the main chain each
    /// has about half a megabyte.
    #[arg(long, value_name = "N", default_value_t = coins().undo)]
    coins_undo: u32,
    /// Blocks that are put into the index in one step; a kill loses the last one, which is then made again.
    #[arg(long, value_name = "N", default_value_t = NonZeroU32::new(coins().step_blocks).unwrap_or(NonZeroU32::MIN))]
    coins_step_blocks: NonZeroU32,
    /// Bytes of blocks after which a step ends.
    #[arg(long, value_name = "SIZE", default_value_t = Size(coins().step_bytes as usize))]
    coins_step_bytes: Size,
    /// Coins made or spent after which a step ends, at some 100 bytes of memory each.
    #[arg(long, value_name = "N", default_value_t = nonzero(coins().step_coins))]
    coins_step_coins: NonZeroUsize,
    /// Bytes of the index that are kept in memory.
    #[arg(long, value_name = "SIZE", default_value_t = Size(coins().cache))]
    coins_cache: Size,
    /// An index of up to so many bytes is read and verified whole at the start; in a larger one damage shows when it is come across.
    #[arg(long, value_name = "SIZE", default_value_t = Size(coins().verify as usize))]
    coins_verify: Size,
}

impl PoolArgs {
    /// What the pool may hold.
    pub(crate) fn settings(&self) -> PoolSettings {
        PoolSettings {
            bytes: self.maxmempool.get().saturating_mul(MB),
            count: self.mempool_count.get(),
            ancestors: self.limitancestorcount.get(),
            min_feerate: self.minrelaytxfee,
        }
    }

    /// How the coins are kept.
    pub(crate) fn coins(&self) -> CoinsOptions {
        CoinsOptions {
            undo: self.coins_undo,
            step_blocks: self.coins_step_blocks.get(),
            step_bytes: self.coins_step_bytes.0 as u64,
            step_coins: self.coins_step_coins.get(),
            cache: self.coins_cache.0,
            verify: self.coins_verify.0 as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_amounts_of_bitcoins() {
        for (text, satoshis) in [("0", 0), ("0.00001", 1_000), ("1", 100_000_000), ("1e-8", 1)] {
            assert_eq!(feerate(text), Ok(satoshis), "{text}");
        }
        for bad in ["", "x", "-0.1", "1.00000001", "0.000000001"] {
            assert!(feerate(bad).is_err(), "{bad}");
        }
    }
}
