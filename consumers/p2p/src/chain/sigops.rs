//! Signature operations of a script, as Bitcoin Core counts them (`CScript::GetSigOpCount`).

use bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CHECKMULTISIGVERIFY, OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_PUSHDATA1, OP_PUSHDATA2,
    OP_PUSHDATA4, OP_PUSHNUM_1, OP_PUSHNUM_16,
};

/// The cost of signature operations that a block may have (BIP 141): Core's `MAX_BLOCK_SIGOPS_COST`.
pub(crate) const MAX_BLOCK_SIGOPS: u64 = 80_000;

/// The cost of a signature operation that is not a witness's: Core's `WITNESS_SCALE_FACTOR`.
pub(crate) const SIGOP_COST: u64 = 4;

/// What a check of several signatures counts whose number of keys is not looked at, or not known: Core's `MAX_PUBKEYS_PER_MULTISIG`.
const MOST_KEYS: u64 = 20;

const CHECKSIG: u8 = OP_CHECKSIG.to_u8();
const CHECKSIGVERIFY: u8 = OP_CHECKSIGVERIFY.to_u8();
const CHECKMULTISIG: u8 = OP_CHECKMULTISIG.to_u8();
const CHECKMULTISIGVERIFY: u8 = OP_CHECKMULTISIGVERIFY.to_u8();
const PUSHDATA1: u8 = OP_PUSHDATA1.to_u8();
const PUSHDATA2: u8 = OP_PUSHDATA2.to_u8();
const PUSHDATA4: u8 = OP_PUSHDATA4.to_u8();
const PUSHNUM_1: u8 = OP_PUSHNUM_1.to_u8();
const PUSHNUM_16: u8 = OP_PUSHNUM_16.to_u8();

/// Those of a script that stands in an input or an output.
pub(crate) fn bare_sigops(script: &[u8]) -> u64 {
    count(script, |_| MOST_KEYS)
}

/// Those of a script whose hash was paid to (BIP 16, BIP 141): of several signatures, as many as the operation before says.
///
/// `bitcoin` has that too (`Script::count_sigops`), but takes a number also from further before, and so finds fewer than Core.
pub(crate) fn hashed_sigops(script: &[u8]) -> u64 {
    count(script, |before| match before {
        PUSHNUM_1..=PUSHNUM_16 => u64::from(before - PUSHNUM_1) + 1,
        _ => MOST_KEYS,
    })
}

/// What a script pushes last, if its last operation is a push.
pub(crate) fn last_push(script: &[u8]) -> &[u8] {
    Operations(script).last().map_or(&[], |(_, pushed)| pushed)
}

/// `keys`: how many signatures are checked at once after this operation.
fn count(script: &[u8], keys: impl Fn(u8) -> u64) -> u64 {
    let mut sum = 0;
    let mut before = 0;
    for (operation, _) in Operations(script) {
        sum += match operation {
            CHECKSIG | CHECKSIGVERIFY => 1,
            CHECKMULTISIG | CHECKMULTISIGVERIFY => keys(before),
            _ => 0,
        };
        before = operation;
    }
    sum
}

/// The operations of a script, each with what it pushes, up to the first that is cut off.
struct Operations<'a>(&'a [u8]);

impl<'a> Iterator for Operations<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&operation, rest) = self.0.split_first()?;
        let (length, rest) = match operation {
            ..PUSHDATA1 => (operation.into(), rest),
            PUSHDATA1 => {
                let ([length], rest) = rest.split_first_chunk()?;
                ((*length).into(), rest)
            }
            PUSHDATA2 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_le_bytes(*length).into(), rest)
            }
            PUSHDATA4 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u32::from_le_bytes(*length) as usize, rest)
            }
            _ => (0, rest),
        };
        let (pushed, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((operation, pushed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_signatures_are_as_many_as_the_number_before_says() {
        let cases: [(&[u8], u64, u64); 11] = [
            (&[], 0, 0),
            (&[CHECKSIG, CHECKSIGVERIFY], 2, 2),
            (&[CHECKMULTISIG], 20, 20),
            (&[PUSHNUM_1, CHECKMULTISIG], 20, 1),
            (&[PUSHNUM_16, CHECKMULTISIGVERIFY], 20, 16),
            (&[0, CHECKMULTISIG], 20, 20),
            // OP_RESERVED and OP_NOP, which are next to the numbers.
            (&[PUSHNUM_1 - 1, CHECKMULTISIG], 20, 20),
            (&[PUSHNUM_16 + 1, CHECKMULTISIG], 20, 20),
            // A number counts for what follows it at once.
            (&[PUSHNUM_1, CHECKMULTISIG, CHECKMULTISIG], 40, 21),
            (&[PUSHNUM_1, CHECKSIG, CHECKMULTISIG], 21, 21),
            (&[PUSHNUM_1, 1, 0, CHECKMULTISIG], 20, 20),
        ];
        for (script, bare, hashed) in cases {
            let found = (bare_sigops(script), hashed_sigops(script));
            assert_eq!(found, (bare, hashed), "{script:02x?}");
        }
    }

    #[test]
    fn what_is_pushed_is_no_operation() {
        let checks = [CHECKSIG; 3];
        for push in [
            &[3][..],
            &[PUSHDATA1, 3],
            &[PUSHDATA2, 3, 0],
            &[PUSHDATA4, 3, 0, 0, 0],
        ] {
            let script = [push, &checks].concat();
            assert_eq!((bare_sigops(&script), last_push(&script)), (0, &checks[..]));
            // One more is one.
            let script = [push, &checks, &[CHECKSIG]].concat();
            assert_eq!((bare_sigops(&script), last_push(&script)), (1, &[][..]));
        }
    }

    #[test]
    fn nothing_counts_behind_a_push_that_is_cut_off() {
        let checks = [CHECKSIG; 3];
        let cut: [&[u8]; 6] = [
            &[4],
            &[PUSHDATA1, 4],
            &[PUSHDATA2, 4, 0],
            &[PUSHDATA4, 4, 0, 0, 0],
            &[PUSHDATA4, 0xff, 0xff, 0xff, 0xff],
            &[0x4b],
        ];
        for push in cut {
            let script = [&[CHECKSIG], push, &checks].concat();
            assert_eq!(bare_sigops(&script), 1, "{push:02x?}");
        }
        for push in [&[PUSHDATA1][..], &[PUSHDATA2, 0], &[PUSHDATA4, 0, 0, 0]] {
            assert_eq!(bare_sigops(&[&[CHECKSIG], push].concat()), 1);
        }
    }

    /// Outside of scripts whose hash was paid to, `bitcoin` counts as Core does.
    #[test]
    fn another_counts_the_same() {
        let mut seed = 1_u32;
        for length in 0..2_000_usize {
            let byte = |_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [.., kind, byte] = seed.to_be_bytes().map(|byte| byte.rotate_left(3));
                if kind < 128 { 0xac + byte % 4 } else { byte }
            };
            let script: Vec<u8> = (0..length % 50).map(byte).collect();
            let other = bitcoin::Script::from_bytes(&script).count_sigops_legacy();
            assert_eq!(bare_sigops(&script), other as u64, "{script:02x?}");
        }
    }
}
