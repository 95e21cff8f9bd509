//! Changes that somebody made on the way, and blocks that break one rule each.

use super::draft::{BELOW, Draft, raw_block};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, CompactTarget, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness};
use sockman_p2p::chain::DecodeError;

/// A block, and what it is called.
pub(crate) struct Case {
    pub(crate) what: &'static str,
    /// Bitcoin Core's name for what is wrong with it.
    pub(crate) name: &'static str,
    pub(crate) payload: Vec<u8>,
}

/// Changes a good block, and mines it again.
fn sealed(what: &'static str, name: &'static str, change: impl FnOnce(&mut Draft)) -> Case {
    let mut draft = Draft::new();
    change(&mut draft);
    let payload = draft.sealed();
    Case { what, name, payload }
}

/// Changes a good block, and leaves its header as it was.
fn altered(what: &'static str, name: &'static str, change: impl FnOnce(&mut Draft)) -> Case {
    let mut draft = Draft::new();
    change(&mut draft);
    let payload = draft.payload();
    Case { what, name, payload }
}

/// Changes a good block, mines it again, and then changes it once more without mining.
fn resealed(
    what: &'static str,
    name: &'static str,
    before: impl FnOnce(&mut Draft),
    after: impl FnOnce(&mut Draft),
) -> Case {
    let mut draft = Draft::new();
    before(&mut draft);
    draft.mined();
    after(&mut draft);
    let payload = draft.payload();
    Case { what, name, payload }
}

fn last(draft: &mut Draft) -> &mut Transaction {
    draft.block.txdata.last_mut().expect("it has transactions")
}

fn coinbase(draft: &mut Draft) -> &mut Transaction {
    &mut draft.block.txdata[0]
}

/// Has the block have so many signature operations, half of them in an input and half in an output.
fn sign(draft: &mut Draft, count: usize) {
    let checks = |count| ScriptBuf::from_bytes([vec![0xae; count / 20], vec![0xac; count % 20]].concat());
    let (half, tx) = (count / 2, last(draft));
    tx.input[0].script_sig = checks(half);
    tx.output[0].script_pubkey = checks(count - half);
}

fn data(count: usize) -> TxOut {
    let mut script = vec![0x6a];
    script.resize(count, 0x51);
    TxOut {
        value: Amount::ZERO,
        script_pubkey: ScriptBuf::from_bytes(script),
    }
}

/// Blocks that keep all rules, some of them to the last bit.
pub(crate) fn good() -> Vec<Case> {
    let median = Draft::new().rules.median_time;
    vec![
        altered("as it is", "", |_| {}),
        sealed("locked up to a height below its own", "", |draft| {
            draft.lock(BELOW);
        }),
        sealed("locked up to a time below the median", "", |draft| {
            draft.lock(median - 1);
        }),
        sealed("locked, and it does not matter", "", |draft| {
            draft.lock(u32::MAX);
            last(draft)
                .input
                .iter_mut()
                .for_each(|input| input.sequence = bitcoin::Sequence::MAX);
        }),
        sealed("a reserved value that is not zero", "", |draft| {
            coinbase(draft).input[0].witness = Witness::from_slice(&[[7; 32]]);
        }),
        sealed("two commitments, of which the last counts", "", |draft| {
            let output = coinbase(draft).output[1].clone();
            coinbase(draft).output.push(output);
            coinbase(draft).output[1].value = Amount::ZERO;
        }),
        sealed("a commitment with more behind it", "", |draft| {
            let mut script = coinbase(draft).output[1].script_pubkey.to_bytes();
            script.extend_from_slice(&[1, 2, 3]);
            coinbase(draft).output[1].script_pubkey = script.into();
        }),
        sealed("a coinbase's script of 100 bytes", "", |draft| {
            let mut script = coinbase(draft).input[0].script_sig.to_bytes();
            script.resize(100, 0);
            coinbase(draft).input[0].script_sig = script.into();
        }),
        sealed("neither witness nor commitment", "", |draft| {
            draft.block.txdata.truncate(1);
            draft.bare();
        }),
        sealed("as many signature operations as may be", "", |draft| {
            sign(draft, 20_000);
        }),
        sealed("of the greatest weight", "", |draft| {
            let weight = draft.block.weight().to_wu() as usize;
            // The count of a long script is two bytes longer than that of a short one.
            coinbase(draft)
                .output
                .push(data((4_000_000 - weight) / 4 - 8 - 5));
            let rest = 4_000_000 - draft.block.weight().to_wu() as usize;
            let items = last(draft).input[0].witness.to_vec();
            let longer = items.iter().enumerate().map(|(index, item)| {
                let mut item = item.clone();
                item.resize(item.len() + if index == 0 { rest } else { 0 }, 1);
                item
            });
            let longer: Vec<Vec<u8>> = longer.collect();
            last(draft).input[0].witness = Witness::from_slice(&longer);
            assert_eq!(draft.block.weight().to_wu(), 4_000_000);
        }),
    ]
}

/// Blocks with a good header, and not the transactions that it is for.
pub(crate) fn changed() -> Vec<Case> {
    vec![
        altered("a transaction less", "bad-txnmrklroot", |draft| {
            draft.block.txdata.pop();
        }),
        altered("another value", "bad-txnmrklroot", |draft| {
            last(draft).output[0].value += Amount::ONE_SAT;
        }),
        altered("another order", "bad-txnmrklroot", |draft| {
            draft.block.txdata.swap(1, 2);
        }),
        altered("no transactions", "bad-txnmrklroot", |draft| {
            draft.block.txdata.clear();
        }),
        // CVE-2012-2459: with seven transactions the last one is hashed with itself.
        altered("the last one twice", "bad-txns-duplicate", |draft| {
            let twin = last(draft).clone();
            draft.block.txdata.push(twin);
        }),
        resealed(
            "the last two twice",
            "bad-txns-duplicate",
            |draft| {
                draft.block.txdata.pop();
                draft.commit();
            },
            |draft| {
                let twins = draft.block.txdata[4..].to_vec();
                draft.block.txdata.extend(twins);
            },
        ),
        altered("another witness", "bad-witness-merkle-match", |draft| {
            let mut items = last(draft).input[0].witness.to_vec();
            items[0][0] ^= 1;
            last(draft).input[0].witness = Witness::from_slice(&items);
        }),
        altered("a witness less", "bad-witness-merkle-match", |draft| {
            last(draft)
                .input
                .iter_mut()
                .for_each(|input| input.witness.clear());
        }),
        altered(
            "a witness so large that it weighs too much",
            "bad-witness-merkle-match",
            |draft| {
                last(draft).input[0].witness.push(vec![0; 4_000_000]);
            },
        ),
        altered("another reserved value", "bad-witness-merkle-match", |draft| {
            coinbase(draft).input[0].witness = Witness::from_slice(&[[1; 32]]);
        }),
        altered("no reserved value", "bad-witness-nonce-size", |draft| {
            coinbase(draft).input[0].witness.clear();
        }),
        altered("two reserved values", "bad-witness-nonce-size", |draft| {
            coinbase(draft).input[0].witness.push([0; 32]);
        }),
        altered(
            "a reserved value that is short",
            "bad-witness-nonce-size",
            |draft| {
                coinbase(draft).input[0].witness = Witness::from_slice(&[[0; 31]]);
            },
        ),
        altered(
            "a reserved value that is long",
            "bad-witness-nonce-size",
            |draft| {
                coinbase(draft).input[0].witness = Witness::from_slice(&[[0; 33]]);
            },
        ),
        resealed(
            "a witness without a commitment",
            "unexpected-witness",
            Draft::bare,
            |draft| {
                last(draft).input[0].witness.push([1]);
            },
        ),
        resealed(
            "a reserved value without a commitment",
            "unexpected-witness",
            Draft::bare,
            |draft| coinbase(draft).input[0].witness.push([0; 32]),
        ),
        resealed(
            "a commitment that is too short to be one",
            "unexpected-witness",
            |draft| {
                let script = coinbase(draft).output[1].script_pubkey.to_bytes();
                coinbase(draft).output[1].script_pubkey = script[..37].to_vec().into();
            },
            |_| {},
        ),
        Case {
            what: "nodes of a tree for transactions",
            name: "bad-cb-missing",
            payload: raw_block(&Draft::new().block.header, &[&sized(64)]),
        },
    ]
}

/// A transaction without witnesses that has so many bytes, and is no coinbase.
fn sized(count: usize) -> Vec<u8> {
    let mut tx = plain(1, 1);
    let least = serialize(&tx).len();
    tx.output[0] = data(count - least + 1);
    let bytes = serialize(&tx);
    assert_eq!(bytes.len(), count);
    bytes
}

/// A transaction that spends what does not exist.
fn plain(inputs: u8, outputs: usize) -> Transaction {
    let spend = |index| bitcoin::TxIn {
        previous_output: OutPoint::new(Txid::from_byte_array([9; 32]), index),
        ..bitcoin::TxIn::default()
    };
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: (0..u32::from(inputs)).map(spend).collect(),
        output: vec![data(1); outputs],
    }
}

/// Satoshis that there can be.
const ALL: u64 = 2_100_000_000_000_000;

/// Blocks whose header is for what breaks a rule.
pub(crate) fn invalid() -> Vec<Case> {
    let mut cases = invalid_blocks();
    cases.extend(invalid_transactions());
    cases
}

fn invalid_blocks() -> Vec<Case> {
    let draft = Draft::new();
    let (header, median) = (draft.block.header, draft.rules.median_time);
    let first = |script: &[u8]| {
        let mut script_sig = script.to_vec();
        move |draft: &mut Draft| coinbase(draft).input[0].script_sig = std::mem::take(&mut script_sig).into()
    };
    vec![
        altered("a nonce that is none", "high-hash", |draft| {
            let header = &mut draft.block.header;
            while header.target().is_met_by(header.block_hash()) {
                header.nonce += 1;
            }
        }),
        altered("a target above all that is allowed", "high-hash", |draft| {
            draft.block.header.bits = CompactTarget::from_consensus(0x2100_ffff);
        }),
        Case {
            what: "no transactions",
            name: "bad-blk-length",
            payload: raw_block(&header, &[]),
        },
        sealed(
            "a million bytes without witnesses, and one",
            "bad-blk-length",
            |draft| {
                draft.block.txdata.truncate(1);
                draft.bare();
                let size = draft.block.total_size();
                coinbase(draft).output.push(data(1_000_001 - size - 8 - 5));
                assert_eq!(draft.block.total_size(), 1_000_001);
            },
        ),
        sealed("a signature operation too many", "bad-blk-sigops", |draft| {
            sign(draft, 20_001);
        }),
        sealed("a unit too heavy", "bad-blk-weight", |draft| {
            let weight = draft.block.weight().to_wu() as usize;
            last(draft).input[0].witness.push(vec![0; 4_000_001 - weight - 5]);
            assert_eq!(draft.block.weight().to_wu(), 4_000_001);
        }),
        Case {
            what: "no coinbase",
            name: "bad-cb-missing",
            payload: raw_block(&header, &[&sized(65)]),
        },
        sealed("two coinbases", "bad-cb-multiple", |draft| {
            let mut second = draft.block.txdata[0].clone();
            second.input[0].witness.clear();
            second.output.truncate(1);
            draft.block.txdata.push(second);
        }),
        sealed("a coinbase's script of one byte", "bad-cb-length", first(&[1])),
        sealed(
            "a coinbase's script of 101 bytes",
            "bad-cb-length",
            first(&[1; 101]),
        ),
        sealed("another height", "bad-cb-height", first(&[1, BELOW as u8])),
        sealed(
            "the height in two bytes",
            "bad-cb-height",
            first(&[2, BELOW as u8 + 1, 0]),
        ),
        sealed(
            "the height not first",
            "bad-cb-height",
            first(&[0, 1, BELOW as u8 + 1]),
        ),
        sealed("locked up to its own height", "bad-txns-nonfinal", |draft| {
            draft.lock(BELOW + 1);
        }),
        sealed("locked up to the median", "bad-txns-nonfinal", |draft| {
            draft.lock(median);
        }),
    ]
}

/// Blocks with a coinbase, and a transaction that breaks a rule by itself.
fn invalid_transactions() -> Vec<Case> {
    let draft = Draft::new();
    let raw = |what, name, raw: &[u8]| Case {
        what,
        name,
        payload: draft.with_raw(raw),
    };
    let values = |values: &[u64]| {
        let mut tx = plain(1, values.len());
        for (output, value) in tx.output.iter_mut().zip(values) {
            output.value = Amount::from_sat(*value);
        }
        serialize(&tx)
    };
    let mut null = plain(2, 1);
    null.input[1].previous_output = OutPoint::null();
    let mut same = plain(40, 1);
    same.input[31].previous_output = same.input[3].previous_output;
    vec![
        raw(
            "no inputs and no outputs",
            "bad-txns-vin-empty",
            &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        raw("no outputs", "bad-txns-vout-empty", &serialize(&plain(1, 0))),
        raw(
            "a negative value",
            "bad-txns-vout-negative",
            &values(&[1, u64::MAX]),
        ),
        raw(
            "the most negative value",
            "bad-txns-vout-negative",
            &values(&[1 << 63]),
        ),
        raw(
            "a value above all there is",
            "bad-txns-vout-toolarge",
            &values(&[ALL + 1]),
        ),
        raw(
            "the greatest value",
            "bad-txns-vout-toolarge",
            &values(&[(1 << 63) - 1, 1 << 63]),
        ),
        raw(
            "values above all there is",
            "bad-txns-txouttotal-toolarge",
            &values(&[ALL, 1]),
        ),
        raw(
            "the same spent twice",
            "bad-txns-inputs-duplicate",
            &serialize(&same),
        ),
        raw(
            "nothing spent by one of two",
            "bad-txns-prevout-null",
            &serialize(&null),
        ),
    ]
}

/// Bytes that are no block.
pub(crate) fn decoding() -> Vec<(&'static str, DecodeError, Vec<u8>)> {
    let draft = Draft::new();
    let payload = draft.payload();
    let coinbase = payload[81..85].to_vec();
    assert_eq!(coinbase, [2, 0, 0, 0]);
    let splice = |at: usize, take: usize, put: &[u8]| {
        let mut bytes = payload.clone();
        bytes.splice(at..at + take, put.iter().copied());
        bytes
    };
    let count = payload[80];
    let mut bare = draft.clone();
    bare.bare();
    let mut no_witness = bare.payload();
    // The mark of witnesses, and behind the coinbase none.
    let end = 81 + serialize(&bare.block.txdata[0]).len();
    no_witness.splice(end - 4..end - 4, [0]);
    no_witness.splice(85..85, [0, 1]);
    vec![
        (
            "a byte more",
            DecodeError::Trailing,
            splice(payload.len(), 0, &[0]),
        ),
        (
            "a count in three bytes",
            DecodeError::Count,
            splice(80, 1, &[253, count, 0]),
        ),
        (
            "a count in five bytes",
            DecodeError::Count,
            splice(80, 1, &[254, count, 0, 0, 0]),
        ),
        (
            "a count in nine bytes",
            DecodeError::Count,
            splice(80, 1, &[255, count, 0, 0, 0, 0, 0, 0, 0]),
        ),
        (
            "more transactions than there are bytes",
            DecodeError::Truncated,
            splice(80, 1, &[255, 0, 0, 0, 0, 0, 0, 0, 128]),
        ),
        (
            "a script longer than all memory",
            DecodeError::Truncated,
            splice(87 + 36, 1, &[255, 255, 255, 255, 255, 255, 255, 255, 255]),
        ),
        ("flags that nobody knows", DecodeError::Flags, splice(86, 1, &[2])),
        (
            "flags of which one is known",
            DecodeError::Flags,
            splice(86, 1, &[3]),
        ),
        ("witnesses that are all empty", DecodeError::NoWitness, no_witness),
        (
            "witnesses of no inputs",
            DecodeError::NoWitness,
            [&payload[..80], &[1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat(),
        ),
    ]
}
