//! Transactions as bytes.

use super::coins::{Coin, Kind, Lock};
use crate::chain::hash::{Hash256, sha256d};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

/// A coin, and how long the items are that it is spent with.
pub(super) struct Input<'a> {
    pub(super) coin: Coin,
    pub(super) items: &'a [u16],
}

/// What a transaction creates.
#[derive(Clone, Copy, Debug)]
pub(super) enum Output {
    /// A coin, of so many satoshis.
    Coin(Kind, u64),
    /// So many bytes that nobody can spend.
    Data(u32),
}

/// A transaction that has been written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) txid: Hash256,
    pub(super) wtxid: Hash256,
}

/// Appends a transaction whose items and data are random.
pub(super) fn transaction(
    to: &mut Vec<u8>,
    rng: &mut ChaCha8Rng,
    lock: &Lock,
    inputs: &[Input<'_>],
    outputs: &[Output],
) -> Written {
    const VERSION: [u8; 4] = 2_u32.to_le_bytes();
    const LOCK_TIME: [u8; 4] = [0; 4];
    let start = to.len();
    to.extend_from_slice(&VERSION);
    if lock.is_witness() {
        to.extend_from_slice(&[0, 1]);
    }
    let body = to.len();
    compact(to, inputs.len());
    for input in inputs {
        to.extend_from_slice(&input.coin.txid);
        to.extend_from_slice(&input.coin.index.to_le_bytes());
        if lock.is_witness() {
            to.push(0);
        } else {
            script_sig(to, rng, lock, input);
        }
        to.extend_from_slice(&u32::MAX.to_le_bytes());
    }
    compact(to, outputs.len());
    for output in outputs {
        write_output(to, rng, lock, *output);
    }
    let end = to.len();
    if lock.is_witness() {
        for input in inputs {
            witness(to, rng, lock, input);
        }
    }
    to.extend_from_slice(&LOCK_TIME);

    let txid = sha256d(&[&VERSION, &to[body..end], &LOCK_TIME]);
    let wtxid = if lock.is_witness() {
        sha256d(&[&to[start..]])
    } else {
        txid
    };
    Written { txid, wtxid }
}

/// What a transaction weighs, which need not have been written.
pub(super) fn weight(lock: &Lock, inputs: &[Input<'_>], outputs: &[Output]) -> usize {
    let sig = |input: &Input<'_>| {
        let length = if lock.is_witness() {
            0
        } else {
            script_sig_len(lock, input)
        };
        compact_len(length) + length
    };
    let inputs_len: usize = inputs.iter().map(|input| 40 + sig(input)).sum();
    let outputs_len = outputs.iter().map(|output| match output {
        Output::Coin(kind, _) => 9 + lock.of(*kind).script_pubkey.len(),
        Output::Data(count) => 8 + compact_len(6 + *count as usize) + 6 + *count as usize,
    });
    let counts = compact_len(inputs.len()) + compact_len(outputs.len());
    let stripped = 8 + counts + inputs_len + outputs_len.sum::<usize>();
    let counted = |count: usize| compact_len(count) + count;
    let of_witness = |input: &Input<'_>| {
        let items: usize = input.items.iter().map(|item| counted(usize::from(*item))).sum();
        compact_len(input.items.len() + 1) + items + counted(lock.of(input.coin.kind).script.len())
    };
    let witnesses = if lock.is_witness() {
        2 + inputs.iter().map(of_witness).sum::<usize>()
    } else {
        0
    };
    4 * stripped + witnesses
}

/// The script that spends P2SH: pushes of the items, and of the script whose hash is spent.
fn script_sig(to: &mut Vec<u8>, rng: &mut ChaCha8Rng, lock: &Lock, input: &Input<'_>) {
    let script = &lock.of(input.coin.kind).script;
    compact(to, script_sig_len(lock, input));
    for item in input.items {
        push_prefix(to, *item);
        random(to, rng, usize::from(*item));
    }
    push_prefix(to, script.len() as u16);
    to.extend_from_slice(script);
}

fn script_sig_len(lock: &Lock, input: &Input<'_>) -> usize {
    let pushed = |count: usize| push_prefix_len(count) + count;
    let items = input.items.iter().map(|item| pushed(usize::from(*item)));
    items.sum::<usize>() + pushed(lock.of(input.coin.kind).script.len())
}

/// What spends P2WSH: the items, and the script whose hash is spent.
fn witness(to: &mut Vec<u8>, rng: &mut ChaCha8Rng, lock: &Lock, input: &Input<'_>) {
    let script = &lock.of(input.coin.kind).script;
    compact(to, input.items.len() + 1);
    for item in input.items {
        compact(to, usize::from(*item));
        random(to, rng, usize::from(*item));
    }
    compact(to, script.len());
    to.extend_from_slice(script);
}

fn write_output(to: &mut Vec<u8>, rng: &mut ChaCha8Rng, lock: &Lock, output: Output) {
    const OP_RETURN: u8 = 0x6a;
    const OP_PUSHDATA4: u8 = 0x4e;
    match output {
        Output::Coin(kind, value) => {
            let script = &lock.of(kind).script_pubkey;
            to.extend_from_slice(&value.to_le_bytes());
            compact(to, script.len());
            to.extend_from_slice(script);
        }
        Output::Data(count) => {
            to.extend_from_slice(&[0; 8]);
            compact(to, 6 + count as usize);
            // A push, so that nobody takes the bytes for operations and counts signatures in them.
            to.extend_from_slice(&[OP_RETURN, OP_PUSHDATA4]);
            to.extend_from_slice(&count.to_le_bytes());
            random(to, rng, count as usize);
        }
    }
}

fn random(to: &mut Vec<u8>, rng: &mut ChaCha8Rng, count: usize) {
    let start = to.len();
    to.resize(start + count, 0);
    rng.fill_bytes(&mut to[start..]);
}

/// The operation that pushes the next `count` bytes.
fn push_prefix(to: &mut Vec<u8>, count: u16) {
    const OP_PUSHDATA1: u8 = 0x4c;
    const OP_PUSHDATA2: u8 = 0x4d;
    match count {
        0..76 => to.push(count as u8),
        76..256 => to.extend_from_slice(&[OP_PUSHDATA1, count as u8]),
        _ => {
            to.push(OP_PUSHDATA2);
            to.extend_from_slice(&count.to_le_bytes());
        }
    }
}

fn push_prefix_len(count: usize) -> usize {
    match count {
        0..76 => 1,
        76..256 => 2,
        _ => 3,
    }
}

/// A count as it is on the wire. None of ours has more than 32 bits.
pub(super) fn compact(to: &mut Vec<u8>, count: usize) {
    match count {
        0..253 => to.push(count as u8),
        253..0x1_0000 => {
            to.push(253);
            to.extend_from_slice(&(count as u16).to_le_bytes());
        }
        _ => {
            to.push(254);
            to.extend_from_slice(&(count as u32).to_le_bytes());
        }
    }
}

pub(super) fn compact_len(count: usize) -> usize {
    match count {
        0..253 => 1,
        253..0x1_0000 => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use rand_chacha::rand_core::SeedableRng;

    /// Items and data of all lengths at which something else gets longer.
    #[test]
    fn what_is_written_is_what_was_weighed() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let coin = |kind| Coin {
            txid: [5; 32],
            index: 6,
            value: 7,
            kind,
        };
        let items = [0, 1, 75, 76, 252, 253, 255, 256, 520];
        let data = [0, 1, 246, 247, 65_529, 65_530];
        for witness in [true, false] {
            let lock = Lock::new(witness);
            for (kind, item, data) in (items.iter().zip(data.iter().cycle()))
                .flat_map(|(item, data)| [(Kind::Key, *item, *data), (Kind::Bulk, *item, *data)])
            {
                let items = vec![item; lock.of(kind).items];
                let input = || Input {
                    coin: coin(kind),
                    items: &items,
                };
                let inputs = [input(), input()];
                let outputs = [
                    Output::Coin(Kind::Key, 8),
                    Output::Data(data),
                    Output::Coin(kind, 9),
                ];
                let mut bytes = vec![0xee];
                let written = transaction(&mut bytes, &mut rng, &lock, &inputs, &outputs);
                let tx: bitcoin::Transaction =
                    bitcoin::consensus::deserialize(&bytes[1..]).expect("a transaction");
                assert_eq!(tx.weight().to_wu() as usize, weight(&lock, &inputs, &outputs));
                assert_eq!(tx.compute_txid().to_byte_array(), written.txid);
                assert_eq!(tx.compute_wtxid().to_byte_array(), written.wtxid);
                assert_eq!((tx.input.len(), tx.output.len()), (2, 3));
            }
        }
    }

    #[test]
    fn counts_are_as_long_as_they_are_said_to_be() {
        for count in [0, 252, 253, 0xffff, 0x1_0000, 0xffff_ffff] {
            let mut bytes = Vec::new();
            compact(&mut bytes, count);
            assert_eq!(bytes.len(), compact_len(count));
            let number: bitcoin::VarInt = bitcoin::consensus::deserialize(&bytes).expect("a count");
            assert_eq!(number.0, count as u64);
        }
    }
}
