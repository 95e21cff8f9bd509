//! What goes into a block.

use super::coins::{Coin, Coins, Kind, Lock, MAX_ITEM};
use super::write::{Input, Output, Written, compact_len, transaction, weight};
use crate::chain::hash::Hash256;
use bitcoin::block::Header;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

/// Weight units that a transaction of the usual kind has at most.
const MAX_USUAL: usize = 12_000;

/// Weight units that are left for the transaction which fills a block up.
const MIN_LAST: usize = 2_000;

/// Outputs with which a transaction makes up for coins that are missing.
const MOST_OUTPUTS: usize = 20;

/// Items as long as a signature and a key.
const KEY_ITEMS: [u16; 2] = [72, 33];

/// What a block is filled with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Filler {
    /// So many transactions of the usual kind, if there is room.
    Txs(u32),
    /// As many of those as there is room for, and what is left filled up.
    Many,
    /// Very large transactions, and what is left filled up.
    Large,
}

/// The transactions of a block, but for its coinbase.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) txids: Vec<Hash256>,
    pub(super) wtxids: Vec<Hash256>,
}

/// Makes the transactions of a block. What they create can be spent at once. The block without its coinbase weighs `limit` at most,
/// and exactly that if it is to be filled up.
pub(super) fn fill(
    filler: Filler,
    limit: usize,
    lock: &Lock,
    coins: &mut Coins,
    rng: &mut ChaCha8Rng,
) -> Body {
    let mut filling = Filling {
        body: Body::default(),
        weight: 0,
        limit,
        lock,
        coins,
        rng,
    };
    let usual = match filler {
        Filler::Txs(txs) => txs,
        Filler::Many => u32::MAX,
        Filler::Large => 0,
    };
    for _ in 0..usual {
        if filling.left() < MAX_USUAL + MIN_LAST || !filling.usual() {
            break;
        }
    }
    if filler == Filler::Large {
        filling.large();
    }
    if !matches!(filler, Filler::Txs(_)) {
        filling.last();
    }
    filling.body
}

struct Filling<'a> {
    body: Body,
    /// Of the body.
    weight: usize,
    limit: usize,
    lock: &'a Lock,
    coins: &'a mut Coins,
    rng: &'a mut ChaCha8Rng,
}

impl Filling<'_> {
    /// What one more transaction may weigh.
    fn left(&self) -> usize {
        let count = 1 + self.body.txids.len() + 1;
        let others = 4 * (Header::SIZE + compact_len(count)) + self.weight;
        self.limit.saturating_sub(others)
    }

    /// Adds a transaction, and gives away the coins that it creates.
    fn add(&mut self, inputs: &[Input<'_>], outputs: &[Output]) -> impl Iterator<Item = Coin> + use<> {
        self.weight += weight(self.lock, inputs, outputs);
        let Written { txid, wtxid } = transaction(&mut self.body.bytes, self.rng, self.lock, inputs, outputs);
        self.body.txids.push(txid);
        self.body.wtxids.push(wtxid);
        let coins: Vec<Coin> = (0..)
            .zip(outputs)
            .filter_map(|(index, output)| match *output {
                Output::Coin(kind, value) => Some(Coin {
                    txid,
                    index,
                    value,
                    kind,
                }),
                Output::Data(_) => None,
            })
            .collect();
        coins.into_iter()
    }

    /// Adds a transaction such as most are: a few inputs, a few outputs, sometimes some data. Whether there was anything to spend.
    fn usual(&mut self) -> bool {
        let chance = self.rng.next_u32();
        let count = [1, 1, 1, 1, 1, 2, 2, 3][chance as usize % 8];
        let taken: Vec<Coin> = (0..count).map_while(|_| self.coins.take(self.rng)).collect();
        if taken.is_empty() {
            return false;
        }
        let missing = self.coins.missing();
        let mut outputs = match missing {
            0 => 1 + (chance >> 3) as usize % 2,
            missing => 2 + missing.min(MOST_OUTPUTS - 2),
        };
        let value = taken.iter().map(|coin| coin.value).sum::<u64>() / outputs as u64;
        let mut created = [Output::Coin(Kind::Key, value); MOST_OUTPUTS + 1];
        if (chance >> 4).is_multiple_of(16) {
            created[outputs] = Output::Data(20 + (chance >> 8) % 60);
            outputs += 1;
        }
        let spend = |coin| Input {
            coin,
            items: &KEY_ITEMS,
        };
        let inputs: Vec<Input<'_>> = taken.into_iter().map(spend).collect();
        let coins = self.add(&inputs, &created[..outputs]);
        self.coins.extend(coins);
        true
    }

    /// Adds large transactions, until there is only room for the last one.
    fn large(&mut self) {
        let Some(coin) = self.coins.take(self.rng) else {
            return;
        };
        let items = [MAX_ITEM; 400];
        let items = &items[..self.lock.of(Kind::Bulk).items];
        let one = Output::Coin(Kind::Bulk, 0);
        let fan_out = |count, value| {
            let mut outputs = vec![Output::Coin(Kind::Bulk, value); count];
            outputs.push(Output::Coin(Kind::Key, value));
            outputs
        };
        let bulk = Coin {
            kind: Kind::Bulk,
            ..coin
        };
        let input = Input { coin: bulk, items };
        let each = weight(self.lock, &[input], &[one]) + weight(self.lock, &[], &[one]);
        let count = self.left() / each + 1;
        let outputs = fan_out(count, coin.value / (count as u64 + 1));
        let spent = Input {
            coin,
            items: &KEY_ITEMS,
        };
        for coin in self.add(&[spent], &outputs) {
            let created = [Output::Coin(Kind::Key, coin.value)];
            if coin.kind == Kind::Key {
                self.coins.extend([coin]);
                continue;
            }
            let left = self.left().saturating_sub(MIN_LAST);
            // The last one is as large as there is room for.
            for item in (0..=MAX_ITEM).rev() {
                let items = vec![item; items.len()];
                let input = Input { coin, items: &items };
                if weight(self.lock, &[input], &created) <= left {
                    let input = Input { coin, items: &items };
                    let coins = self.add(&[input], &created);
                    self.coins.extend(coins);
                    break;
                }
            }
        }
    }

    /// Adds a transaction that weighs exactly what is left.
    fn last(&mut self) {
        let Some(coin) = self.coins.take(self.rng) else {
            return;
        };
        let left = self.left();
        let mut items = KEY_ITEMS;
        let created = |data: usize| [Output::Coin(Kind::Key, coin.value), Output::Data(data as u32)];
        let weigh = |items: &[u16], data| weight(self.lock, &[Input { coin, items }], &created(data));
        let mut data = left.saturating_sub(weigh(&items, 0)) / 4;
        while data > 0 && weigh(&items, data) > left {
            data -= 1;
        }
        // A byte of data weighs four units, and a few more where the count of them becomes longer. What is left is for the items.
        let gap = left.saturating_sub(weigh(&items, data));
        let unit = if self.lock.is_witness() { 1 } else { 4 };
        items[0] += (gap / unit) as u16;
        let outputs = created(data);
        let coins = self.add(&[Input { coin, items: &items }], &outputs);
        self.coins.extend(coins);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Transaction;
    use bitcoin::consensus::Decodable;
    use rand_chacha::rand_core::SeedableRng;

    /// Also where the count of transactions becomes longer.
    #[test]
    fn a_block_is_filled_up_to_the_last_unit() {
        for witness in [true, false] {
            let lock = Lock::new(witness);
            let mut counts = std::collections::BTreeSet::new();
            let (from, step) = if witness { (175_000, 399) } else { (285_000, 400) };
            for limit in (from..from + 40_000).step_by(step) {
                let mut rng = ChaCha8Rng::seed_from_u64(7);
                let mut coins = Coins::new(10);
                coins.extend([Coin {
                    txid: [1; 32],
                    index: 0,
                    value: 1000,
                    kind: Kind::Key,
                }]);
                let body = fill(Filler::Many, limit, &lock, &mut coins, &mut rng);
                let count = body.txids.len() + 1;
                counts.insert(count);
                let mut rest = &body.bytes[..];
                let mut weight = 4 * (80 + if count < 253 { 1 } else { 3 });
                while !rest.is_empty() {
                    let tx = Transaction::consensus_decode(&mut rest).expect("a transaction");
                    weight += tx.weight().to_wu() as usize;
                }
                assert_eq!(weight, limit, "{count}");
            }
            assert!((251..256).all(|count| counts.contains(&count)), "{counts:?}");
        }
    }
}
