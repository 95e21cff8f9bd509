//! Relative lock times (BIP 68).

use super::Confirmed;
use crate::chain::Rules;
use crate::coins::Coin;
use bitcoin::Transaction;

/// An input with this bit has none.
const DISABLED: u32 = 1 << 31;
/// With this bit it is a time, and otherwise a number of blocks.
const IS_TIME: u32 = 1 << 22;
/// The bits of the number.
const VALUE: u32 = 0xffff;
/// A time is in units of 512 seconds.
const UNIT: u32 = 9;

/// The last height and the last median of times at which a transaction may not be in a block yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Locks {
    height: Option<u32>,
    time: Option<u32>,
}

impl Locks {
    /// Those of a transaction that spends these coins, in the order of its inputs (Core's `CalculateSequenceLocks`).
    pub(super) fn of(tx: &Transaction, coins: &[Coin], confirmed: &impl Confirmed) -> Locks {
        let mut locks = Locks::default();
        // Versions below 2 have none. They are compared without a sign, as Core does.
        if tx.version.0.cast_unsigned() < 2 {
            return locks;
        }
        for (input, coin) in tx.input.iter().zip(coins) {
            let sequence = input.sequence.to_consensus_u32();
            let value = sequence & VALUE;
            if sequence & DISABLED != 0 {
                continue;
            }
            if sequence & IS_TIME != 0 {
                // From the time that the block before had.
                let from = confirmed.median_time(coin.height.saturating_sub(1));
                let until = from.saturating_add(value << UNIT).checked_sub(1);
                locks.time = locks.time.max(until);
            } else {
                let until = coin.height.saturating_add(value).checked_sub(1);
                locks.height = locks.height.max(until);
            }
        }
        locks
    }

    /// Whether a block at this place may have the transaction (Core's `EvaluateSequenceLocks`).
    pub(super) fn are_over(self, next: Rules) -> bool {
        self.height.is_none_or(|height| height < next.height)
            && self.time.is_none_or(|time| time < next.median_time)
    }
}
