//! What takes a block back.

use super::coin::{Coin, Key, Row};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Txid};

/// What a block has changed, so that it can be taken back without the block: it may be damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Undo {
    /// The block's parent.
    pub(super) parent: BlockHash,
    /// Its transactions, and how many outputs they have.
    pub(super) made: Vec<(Txid, u32)>,
    /// Coins that were there before: it has spent them, or made others in their place.
    pub(super) before: Vec<(Key, Coin)>,
}

impl Undo {
    pub(super) fn new(parent: BlockHash) -> Undo {
        Undo {
            parent,
            made: Vec::new(),
            before: Vec::new(),
        }
    }

    /// As bytes: the parent; how many transactions, and each with the number of its outputs; and the coins, to the end. Numbers are
    /// little-endian, of 32 bits.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(36 + 36 * self.made.len() + 48 * self.before.len());
        bytes.extend_from_slice(self.parent.as_byte_array());
        bytes.extend_from_slice(&(self.made.len() as u32).to_le_bytes());
        for (txid, outputs) in &self.made {
            bytes.extend_from_slice(txid.as_byte_array());
            bytes.extend_from_slice(&outputs.to_le_bytes());
        }
        for (key, coin) in &self.before {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(&coin.row());
        }
        bytes
    }

    /// What [`encode`](Undo::encode) has made of it; none if these bytes are nothing that it makes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Undo> {
        let (parent, bytes) = bytes.split_first_chunk()?;
        let (count, bytes) = bytes.split_first_chunk()?;
        let made_bytes = (u32::from_le_bytes(*count) as usize).checked_mul(36)?;
        let (made, before) = bytes.split_at_checked(made_bytes)?;
        let (made, _) = made.as_chunks::<36>();
        let (before, rest) = before.as_chunks::<48>();
        rest.is_empty().then(|| Undo {
            parent: BlockHash::from_byte_array(*parent),
            made: made.iter().map(of_transaction).collect(),
            before: before.iter().map(of_coin).collect(),
        })
    }
}

fn of_transaction(bytes: &[u8; 36]) -> (Txid, u32) {
    let [hash @ .., o0, o1, o2, o3] = *bytes;
    let outputs = u32::from_le_bytes([o0, o1, o2, o3]);
    (Txid::from_byte_array(hash), outputs)
}

fn of_coin(bytes: &[u8; 48]) -> (Key, Coin) {
    let (mut key, mut row) = ([0; 36], Row::default());
    key.copy_from_slice(&bytes[..36]);
    row.copy_from_slice(&bytes[36..]);
    (key, Coin::of_row(&row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Undo {
        let coin = |value| Coin {
            value,
            height: 7,
            coinbase: value == 1,
        };
        Undo {
            parent: BlockHash::from_byte_array([1; 32]),
            made: vec![
                (Txid::from_byte_array([2; 32]), 3),
                (Txid::from_byte_array([4; 32]), 1),
            ],
            before: vec![([5; 36], coin(1)), ([6; 36], coin(2)), ([7; 36], coin(3))],
        }
    }

    #[test]
    fn what_is_decoded_is_what_was_encoded() {
        for undo in [some(), Undo::new(BlockHash::from_byte_array([9; 32]))] {
            assert_eq!(Undo::decode(&undo.encode()), Some(undo));
        }
    }

    #[test]
    fn what_is_cut_off_is_seen() {
        let bytes = some().encode();
        let whole = [36 + 2 * 36, 36 + 2 * 36 + 48, 36 + 2 * 36 + 2 * 48];
        for length in 0..bytes.len() {
            let decoded = Undo::decode(&bytes[..length]);
            assert_eq!(decoded.is_some(), whole.contains(&length), "{length}");
        }
        let mut many = bytes;
        many[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Undo::decode(&many), None);
    }
}
