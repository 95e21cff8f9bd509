//! Why a transaction does not come in.

use crate::chain::Invalid;
use crate::coins::CoinsError;
use bitcoin::Amount;

/// Why a transaction is refused. The text is that of Bitcoin Core: the reason, and behind a comma what it adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It would not be valid in any block.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It is not written as it has to be: with witnesses, for example, that are all empty (BIP 144).
    #[error("TX decode failed")]
    Malformed,
    /// It is a coinbase.
    #[error("coinbase")]
    Coinbase,
    /// It weighs more than [`MAX_WEIGHT`](super::MAX_WEIGHT).
    #[error("tx-size")]
    TooHeavy,
    /// It has fewer bytes than [`MIN_STRIPPED`](super::MIN_STRIPPED).
    #[error("tx-size-small")]
    TooSmall,
    /// Its lock time has not come (BIP 113).
    #[error("non-final")]
    NonFinal,
    /// It has more signature operations than [`MAX_SIGOPS`](super::MAX_SIGOPS).
    #[error("bad-txns-too-many-sigops, {0}")]
    TooManySigops(u64),
    /// It is there.
    #[error("txn-already-in-mempool")]
    Known,
    /// It is there, with other witnesses.
    #[error("txn-same-nonwitness-data-in-mempool")]
    OtherWitnesses,
    /// Another that is there spends the same.
    #[error("txn-mempool-conflict")]
    Conflict,
    /// It is in a block.
    #[error("txn-already-known")]
    Confirmed,
    /// It spends what is not there: it was spent, or never was, or comes later.
    #[error("bad-txns-inputs-missingorspent")]
    MissingInputs,
    /// What it spends has not been there for as long as it says (BIP 68).
    #[error("non-BIP68-final")]
    NonFinalInputs,
    /// It spends what a coinbase made that has not matured: how many blocks it has been there.
    #[error("bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth {0}")]
    Immature(u32),
    /// It spends more than all bitcoins.
    #[error("bad-txns-inputvalues-outofrange")]
    InputsOutOfRange,
    /// It makes more than it spends.
    #[error("bad-txns-in-belowout, value in ({}) < value out ({})", coins(*spent), coins(*made))]
    BelowOutputs {
        /// Satoshis.
        spent: u64,
        /// Satoshis.
        made: u64,
    },
    /// It pays less than [`PoolSettings::min_feerate`](super::PoolSettings::min_feerate) asks for.
    #[error("min relay fee not met, {fee} < {least}")]
    LowFee {
        /// Satoshis that it pays.
        fee: u64,
        /// Satoshis that it should pay.
        least: u64,
    },
    /// It has more unconfirmed ancestors than may be.
    #[error("too-long-mempool-chain, too many unconfirmed ancestors [limit: {0}]")]
    TooManyAncestors(usize),
    /// There is no room, and all others pay more.
    #[error("mempool full")]
    Full,
}

/// A number of bitcoins, as Core writes one (`FormatMoney`): two decimals at least.
fn coins(satoshis: u64) -> String {
    let text = Amount::from_sat(satoshis).display_in(bitcoin::Denomination::Bitcoin);
    let text = format!("{text:.8}");
    let least = text.find('.').map_or(text.len(), |point| point + 3);
    let end = text.trim_end_matches('0').len().max(least);
    text.get(..end).unwrap_or(&text).to_owned()
}

impl Refused {
    /// The reason alone (Core's `GetRejectReason`).
    pub fn reason(&self) -> String {
        let text = self.to_string();
        match text.split_once(", ") {
            Some((reason, _)) => reason.to_owned(),
            None => text,
        }
    }
}

/// Why a transaction did not come in.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Because of what it is.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It cannot be told: the coins cannot be read.
    #[error(transparent)]
    Coins(#[from] CoinsError),
}

impl From<Invalid> for AcceptError {
    fn from(why: Invalid) -> Self {
        AcceptError::Refused(why.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_as_core_writes_them() {
        for (satoshis, text) in [
            (0, "0.00"),
            (1, "0.00000001"),
            (10_000_000, "0.10"),
            (5_000_000_000, "50.00"),
            (123_456_000, "1.23456"),
        ] {
            assert_eq!(coins(satoshis), text);
        }
        let below = Refused::BelowOutputs {
            spent: 1,
            made: 100_000_000,
        };
        assert_eq!(
            below.to_string(),
            "bad-txns-in-belowout, value in (0.00000001) < value out (1.00)"
        );
        assert_eq!(below.reason(), "bad-txns-in-belowout");
        assert_eq!(Refused::Full.reason(), "mempool full");
    }
}
