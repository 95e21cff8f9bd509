//! What can be spent.

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Script, Txid};

/// Bytes of the longest script that can be run: Core's `MAX_SCRIPT_SIZE`.
pub const MAX_SCRIPT: usize = 10_000;

/// An output that has not been spent. Its script is in the block that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Satoshis.
    pub value: u64,
    /// The height of the block that made it.
    pub height: u32,
    /// Whether a coinbase made it, so that it has to mature.
    pub coinbase: bool,
}

/// Whether nobody can ever spend what such a script locks (Core's `CScript::IsUnspendable`): it makes no coin.
pub fn is_unspendable(script: &Script) -> bool {
    script.is_op_return() || script.len() > MAX_SCRIPT
}

/// An outpoint as the database sorts it: the hash, and which output (big-endian), so that a transaction's are together.
pub(super) type Key = [u8; 36];

/// A coin as the database has it: value, and twice the height, one more for a coinbase's, both little-endian.
pub(super) type Row = [u8; 12];

pub(super) fn key(outpoint: &OutPoint) -> Key {
    let mut key = [0; 36];
    key[..32].copy_from_slice(outpoint.txid.as_byte_array());
    key[32..].copy_from_slice(&outpoint.vout.to_be_bytes());
    key
}

/// The key of a transaction's output.
pub(super) fn key_of(txid: Txid, vout: u32) -> Key {
    key(&OutPoint { txid, vout })
}

/// What [`key`] was made of.
pub(super) fn outpoint(key: &Key) -> OutPoint {
    let [hash @ .., v0, v1, v2, v3] = *key;
    OutPoint {
        txid: Txid::from_byte_array(hash),
        vout: u32::from_be_bytes([v0, v1, v2, v3]),
    }
}

impl Coin {
    pub(super) fn row(self) -> Row {
        let mut row = [0; 12];
        row[..8].copy_from_slice(&self.value.to_le_bytes());
        // No chain is half as high as would overflow.
        let origin = self.height << 1 | u32::from(self.coinbase);
        row[8..].copy_from_slice(&origin.to_le_bytes());
        row
    }

    pub(super) fn of_row(row: &Row) -> Coin {
        let [v0, v1, v2, v3, v4, v5, v6, v7, origin @ ..] = *row;
        let origin = u32::from_le_bytes(origin);
        Coin {
            value: u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]),
            height: origin >> 1,
            coinbase: origin & 1 == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    #[test]
    fn a_coin_is_what_its_row_says() {
        for coinbase in [false, true] {
            for (value, height) in [
                (0, 0),
                (2_100_000_000_000_000, 840_000),
                (u64::MAX, u32::MAX >> 1),
            ] {
                let coin = Coin {
                    value,
                    height,
                    coinbase,
                };
                assert_eq!(Coin::of_row(&coin.row()), coin);
            }
        }
    }

    #[test]
    fn an_outpoint_is_what_its_key_says() {
        let last = OutPoint::new(Txid::from_byte_array([7; 32]), 258);
        assert_eq!(outpoint(&key(&last)), last);
        assert_eq!(outpoint(&key_of(last.txid, 3)), OutPoint::new(last.txid, 3));
        assert!(key_of(last.txid, 3) < key(&last), "in the order of the outputs");
    }

    #[test]
    fn what_nobody_can_spend() {
        let script = |bytes: Vec<u8>| is_unspendable(&ScriptBuf::from_bytes(bytes));
        assert!(script(vec![0x6a]) && script(vec![0x6a, 1, 2]) && script(vec![0x51; MAX_SCRIPT + 1]));
        assert!(!script(vec![]) && !script(vec![0x51]) && !script(vec![0x51; MAX_SCRIPT]));
    }
}
