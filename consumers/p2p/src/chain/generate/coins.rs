//! What can be spent, and by which scripts.

use crate::chain::hash::Hash256;
use bitcoin::hashes::{Hash, hash160, sha256};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

/// Bytes of the largest item that a script can have on its stack: Core's `MAX_SCRIPT_ELEMENT_SIZE`.
pub(super) const MAX_ITEM: u16 = 520;

/// Coins that are kept at most: those above that are never spent.
const MOST_COINS: usize = 20_000;

/// What it takes to spend a coin: any items, in pairs that a script drops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// One pair: like a signature and a key, without anything to check.
    Key,
    /// As many pairs as a script can drop.
    Bulk,
}

/// How coins are locked: by the hash of a script, in P2WSH (BIP 141) or P2SH (BIP 16).
#[derive(Clone, Debug)]
pub(super) struct Lock {
    witness: bool,
    key: Scripts,
    bulk: Scripts,
}

/// The scripts for one kind of coin.
#[derive(Clone, Debug)]
pub(super) struct Scripts {
    /// The one whose hash is in the output.
    pub(super) script: Vec<u8>,
    /// The one in the output.
    pub(super) script_pubkey: Vec<u8>,
    /// How many items it takes.
    pub(super) items: usize,
}

impl Lock {
    pub(super) fn new(witness: bool) -> Lock {
        // A script has up to 201 operations; those that push the items of P2SH are a script too, and have up to 10,000 bytes.
        let most = if witness { 400 } else { 18 };
        Lock {
            witness,
            key: Scripts::new(witness, 2),
            bulk: Scripts::new(witness, most),
        }
    }

    pub(super) fn is_witness(&self) -> bool {
        self.witness
    }

    pub(super) fn of(&self, kind: Kind) -> &Scripts {
        match kind {
            Kind::Key => &self.key,
            Kind::Bulk => &self.bulk,
        }
    }
}

impl Scripts {
    fn new(witness: bool, items: usize) -> Scripts {
        const OP_TRUE: u8 = 0x51;
        const OP_2DROP: u8 = 0x6d;
        const OP_EQUAL: u8 = 0x87;
        const OP_HASH160: u8 = 0xa9;
        let mut script = vec![OP_2DROP; items / 2];
        script.push(OP_TRUE);
        let script_pubkey = if witness {
            let hash = sha256::Hash::hash(&script).to_byte_array();
            [&[0, 32], &hash[..]].concat()
        } else {
            let hash = hash160::Hash::hash(&script).to_byte_array();
            [&[OP_HASH160, 20], &hash[..], &[OP_EQUAL]].concat()
        };
        Scripts {
            script,
            script_pubkey,
            items,
        }
    }
}

/// An output that can be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coin {
    pub(super) txid: Hash256,
    pub(super) index: u32,
    /// Satoshis.
    pub(super) value: u64,
    pub(super) kind: Kind,
}

/// Those that can be spent now.
#[derive(Clone, Debug)]
pub(super) struct Coins {
    coins: Vec<Coin>,
    /// How many there should be.
    target: usize,
}

impl Coins {
    /// None yet; there should be so many that `txs` transactions can draw from them.
    pub(super) fn new(txs: u32) -> Coins {
        let target = (txs as usize).saturating_mul(2).clamp(16, MOST_COINS);
        let coins = Vec::new();
        Coins { coins, target }
    }

    /// Takes any.
    pub(super) fn take(&mut self, rng: &mut ChaCha8Rng) -> Option<Coin> {
        let index = (rng.next_u64() % self.coins.len().max(1) as u64) as usize;
        (index < self.coins.len()).then(|| self.coins.swap_remove(index))
    }

    /// How many more there should be.
    pub(super) fn missing(&self) -> usize {
        self.target.saturating_sub(self.coins.len())
    }
}

impl Extend<Coin> for Coins {
    fn extend<I: IntoIterator<Item = Coin>>(&mut self, coins: I) {
        let room = MOST_COINS.saturating_sub(self.coins.len());
        self.coins.extend(coins.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn coins_are_kept_up_to_a_bound_and_taken_once() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let coin = |index| Coin {
            txid: [0; 32],
            index,
            value: 0,
            kind: Kind::Key,
        };
        let mut coins = Coins::new(u32::MAX);
        assert_eq!(coins.missing(), MOST_COINS);
        coins.extend((0..MOST_COINS as u32 + 5).map(coin));
        assert_eq!((coins.coins.len(), coins.missing()), (MOST_COINS, 0));
        let taken: std::collections::BTreeSet<u32> = std::iter::from_fn(|| coins.take(&mut rng))
            .map(|coin| coin.index)
            .collect();
        assert_eq!(taken.len(), MOST_COINS);
        assert_eq!(Coins::new(0).missing(), 16);
    }
}
