//! Whether a transaction may come in.

use super::locks::Locks;
use super::{AcceptError, Candidate, Confirmed, MAX_SIGOPS, MAX_WEIGHT, MIN_STRIPPED, Pool, Refused, Sums};
use crate::chain::{Alone, COINBASE_MATURITY, Invalid, MAX_MONEY, check_transaction};
use crate::coins::{Coin, CoinsError};
use bitcoin::{OutPoint, Txid};
use std::collections::BTreeSet;

/// What comes of looking at a transaction that may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The sums over it alone.
    pub own: Sums,
    /// Those in the pool whose outputs it spends.
    pub(super) parents: BTreeSet<Txid>,
}

impl Pool {
    /// Whether a transaction may come in, apart from the room that there is. In the order of Core's `PreChecks`.
    ///
    /// Fails as [`accept`](Pool::accept) does.
    pub fn judge(&self, candidate: &Candidate, confirmed: &impl Confirmed) -> Result<Verdict, AcceptError> {
        self.check_alone(candidate)?;
        self.check_known(candidate)?;
        let (spent, parents) = self.check_inputs(candidate, confirmed)?;
        let made = candidate
            .tx()
            .output
            .iter()
            .map(|output| output.value.to_sat())
            .sum();
        let fee = spent
            .checked_sub(made)
            .ok_or(Refused::BelowOutputs { spent, made })?;
        let own = Sums::of_one(fee, candidate.weight(), candidate.sigops());
        if own.sigops > MAX_SIGOPS {
            return Err(Refused::TooManySigops(own.sigops).into());
        }
        let least = self.settings.min_feerate.saturating_mul(own.vsize).div_ceil(1000);
        if fee < least {
            return Err(Refused::LowFee { fee, least }.into());
        }
        self.check_ancestors(&parents)?;
        Ok(Verdict { own, parents })
    }

    /// All that can be told of it by itself.
    fn check_alone(&self, candidate: &Candidate) -> Result<(), Refused> {
        // Without any input it would be taken for the beginning of one that has witnesses.
        if candidate.tx().input.is_empty() {
            return Err(Invalid::NoInputs.into());
        }
        let alone = check_transaction(self.next, candidate.bytes());
        // It was decoded once, by somebody who is less strict: with witnesses that are all empty.
        let Alone {
            fault,
            nonfinal,
            is_coinbase,
            stripped,
        } = alone.map_err(|_| Refused::Malformed)?;
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        if is_coinbase {
            return Err(Refused::Coinbase);
        }
        if candidate.weight() > MAX_WEIGHT {
            return Err(Refused::TooHeavy);
        }
        if stripped < MIN_STRIPPED {
            return Err(Refused::TooSmall);
        }
        if nonfinal {
            return Err(Refused::NonFinal);
        }
        Ok(())
    }

    /// Whether it is there, or another that spends the same.
    fn check_known(&self, candidate: &Candidate) -> Result<(), Refused> {
        if let Some(known) = self.get(&candidate.txid()) {
            let is_same = known.tx.wtxid == candidate.wtxid();
            return Err(if is_same {
                Refused::Known
            } else {
                Refused::OtherWitnesses
            });
        }
        let mut spends = candidate.tx().input.iter().map(|input| &input.previous_output);
        if spends.any(|spent| self.spent.contains_key(spent)) {
            return Err(Refused::Conflict);
        }
        Ok(())
    }

    /// Whether it may spend what it spends. Gives the satoshis, and whose in the pool they are.
    fn check_inputs(
        &self,
        candidate: &Candidate,
        confirmed: &impl Confirmed,
    ) -> Result<(u64, BTreeSet<Txid>), AcceptError> {
        let mut parents = BTreeSet::new();
        let mut coins = Vec::with_capacity(candidate.tx().input.len());
        for input in &candidate.tx().input {
            let spent = &input.previous_output;
            let coin = match self.unconfirmed(spent) {
                Some(coin) => {
                    parents.insert(spent.txid);
                    coin
                }
                None => match confirmed.coin(spent)? {
                    Some(coin) => coin,
                    None => return Err(why_missing(candidate, confirmed)?.into()),
                },
            };
            coins.push(coin);
        }
        if !Locks::of(candidate.tx(), &coins, confirmed).are_over(self.next) {
            return Err(Refused::NonFinalInputs.into());
        }
        let mut total = 0_u64;
        for coin in &coins {
            let depth = self.next.height.saturating_sub(coin.height);
            if coin.coinbase && depth < COINBASE_MATURITY {
                return Err(Refused::Immature(depth).into());
            }
            total = total.saturating_add(coin.value);
            if total > MAX_MONEY.unsigned_abs() {
                return Err(Refused::InputsOutOfRange.into());
            }
        }
        Ok((total, parents))
    }

    /// What one in the pool has made, as if the next block had it.
    fn unconfirmed(&self, outpoint: &OutPoint) -> Option<Coin> {
        let value = *self.get(&outpoint.txid)?.outputs.get(outpoint.vout as usize)?;
        Some(Coin {
            value,
            height: self.next.height,
            coinbase: false,
        })
    }

    fn check_ancestors(&self, parents: &BTreeSet<Txid>) -> Result<(), Refused> {
        let limit = self.settings.ancestors;
        let most = limit.saturating_sub(1);
        match self.ancestors_of(parents, most) {
            Some(_) => Ok(()),
            None => Err(Refused::TooManyAncestors(limit)),
        }
    }
}

/// Why an input is not there: it may be that the transaction is in a block itself.
fn why_missing(candidate: &Candidate, confirmed: &impl Confirmed) -> Result<Refused, CoinsError> {
    for vout in 0..candidate.tx().output.len() as u32 {
        let made = OutPoint::new(candidate.txid(), vout);
        if confirmed.coin(&made)?.is_some() {
            return Ok(Refused::Confirmed);
        }
    }
    Ok(Refused::MissingInputs)
}
