//! Coins to spend, and transactions that spend them.

pub(crate) use crate::spend::spend;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Transaction, Txid};
use sockman_p2p::chain::Rules;
use sockman_p2p::coins::{Coin, CoinsError, Mined};
use sockman_p2p::pool::{AcceptError, Candidate, Confirmed, Pool, PoolSettings, Refused};
use std::collections::HashMap;

/// The place of the next block.
pub(crate) const NEXT: Rules = Rules {
    height: 1_000,
    median_time: 1_700_000_000,
};

/// When everything comes.
pub(crate) const NOW: u64 = 1_700_003_600;

/// What every coin is worth.
pub(crate) const VALUE: u64 = 1_000_000;

/// What has been confirmed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) coins: HashMap<OutPoint, Coin>,
    /// Medians of times that are not ten minutes for each block below the next one.
    pub(crate) times: HashMap<u32, u32>,
    /// The coins cannot be read.
    pub(crate) broken: bool,
}

impl Confirmed for Ledger {
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, CoinsError> {
        if self.broken {
            return Err(CoinsError::Damaged {
                path: "coins.redb".into(),
                why: "a test".to_owned(),
            });
        }
        Ok(self.coins.get(outpoint).copied())
    }

    fn median_time(&self, height: u32) -> u32 {
        let usual = NEXT.median_time - 600 * (NEXT.height - 1 - height.min(NEXT.height - 1));
        self.times.get(&height).copied().unwrap_or(usual)
    }
}

/// The outpoint of a coin.
pub(crate) fn coin(number: u32) -> OutPoint {
    let mut hash = [0xcc; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    OutPoint::new(Txid::from_byte_array(hash), 0)
}

/// So many coins, none of them a coinbase's.
pub(crate) fn ledger(coins: u32) -> Ledger {
    let one = Coin {
        value: VALUE,
        height: 500,
        coinbase: false,
    };
    Ledger {
        coins: (0..coins).map(|number| (coin(number), one)).collect(),
        ..Ledger::default()
    }
}

/// An output of a transaction.
pub(crate) fn out(tx: &Transaction, vout: u32) -> OutPoint {
    OutPoint::new(tx.compute_txid(), vout)
}

pub(crate) fn candidate(tx: &Transaction) -> Candidate {
    Candidate::decode(serialize(tx)).unwrap()
}

pub(crate) fn pool() -> Pool {
    Pool::new(PoolSettings::default(), NEXT)
}

pub(crate) fn accept(pool: &mut Pool, ledger: &Ledger, tx: &Transaction) -> Result<u64, Refused> {
    match pool.accept(&candidate(tx), ledger, NOW) {
        Ok(verdict) => Ok(verdict.own.fee),
        Err(AcceptError::Refused(why)) => Err(why),
        Err(AcceptError::Coins(why)) => panic!("{why}"),
    }
}

pub(crate) fn mined(tx: &Transaction) -> Mined {
    Mined {
        txid: tx.compute_txid(),
        spends: tx.input.iter().map(|input| input.previous_output).collect(),
    }
}

/// The ids in a pool, parents first.
pub(crate) fn ids(pool: &Pool) -> Vec<Txid> {
    pool.in_order()
        .iter()
        .map(|entry| entry.transaction().txid)
        .collect()
}
