//! Targets: how small a block's hash has to be.

use super::params::Params;
use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Target};

/// The target that `bits` stand for, if it is one that a block can have: not negative, not zero, not beyond 256 bits, and not above
/// `limit`.
///
/// The compact form is a floating-point number with a sign, of which `Target::from_compact` hides the sign and what overflows.
pub(super) fn target(bits: CompactTarget, limit: Target) -> Option<Target> {
    const SIGN: u32 = 0x0080_0000;
    let bits_value = bits.to_consensus();
    let (size, word) = (bits_value >> 24, bits_value & 0x007f_ffff);
    let overflows = size > 34 || (size > 33 && word > 0xff) || (size > 32 && word > 0xffff);
    if bits_value & SIGN != 0 || overflows {
        return None;
    }
    let target = Target::from_compact(bits);
    (target != Target::ZERO && target <= limit).then_some(target)
}

/// Whether `hash` is small enough for what its header claims, and what it claims is allowed at all: whether work has been done. If
/// so, the target.
///
/// Whether it is the difficulty that the header's place asks for is another question: see [`Tree::next_bits`](super::Tree::next_bits).
pub fn check_work(params: &Params, header: &Header, hash: &BlockHash) -> Option<Target> {
    let target = target(header.bits, params.pow_limit)?;
    target.is_met_by(*hash).then_some(target)
}

/// `target * numerator / denominator`, rounded down, or the greatest number if it is beyond 256 bits.
pub(super) fn scale(target: Target, numerator: u32, denominator: u32) -> Target {
    let bytes = target.to_le_bytes();
    let mut product = [0_u32; 9];
    let mut carry = 0;
    for (to, from) in product.iter_mut().zip(bytes.chunks_exact(4)) {
        let word = from
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        carry += word * u64::from(numerator);
        *to = carry as u32;
        carry >>= 32;
    }
    product[8] = carry as u32;

    let mut rest = 0;
    for word in product.iter_mut().rev() {
        rest = rest << 32 | u64::from(*word);
        *word = (rest / u64::from(denominator)) as u32;
        rest %= u64::from(denominator);
    }
    if product[8] != 0 {
        return Target::from_le_bytes([0xff; 32]);
    }
    let mut quotient = [0; 32];
    for (to, word) in quotient.chunks_exact_mut(4).zip(product) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    Target::from_le_bytes(quotient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;

    fn of(bits: u32, limit: Target) -> Option<Target> {
        target(CompactTarget::from_consensus(bits), limit)
    }

    /// The compact form has a sign and can overflow. Cases of Bitcoin Core's `test/arith_uint256_tests.cpp` and `test/pow_tests.cpp`.
    #[test]
    fn bits_that_are_no_target_are_refused() {
        let any = Target::from_be_bytes([0xff; 32]);
        let zero = [
            0x0000_0000,
            0x0012_3456,
            0x0100_3456,
            0x0200_0056,
            0x0300_0000,
            0x0400_0000,
        ];
        let negative = [
            0x0092_3456,
            0x0180_3456,
            0x01fe_dcba,
            0x0492_3456,
            0x0280_0056,
            0x1d80_ffff,
        ];
        let overflow = [
            0xff12_3456,
            0x2300_0001,
            0x2200_0100,
            0x2200_01ff,
            0x2300_00ff,
            0x2101_0000,
            0x2101_ffff,
            0xff7f_ffff,
        ];
        for bits in [&zero[..], &negative, &overflow].concat() {
            assert_eq!(of(bits, any), None, "{bits:x}");
        }
        let hexadecimal = |bits| of(bits, any).map(|target| format!("{target:x}"));
        let padded = |text: &str| Some(format!("{text:0>64}"));
        assert_eq!(hexadecimal(0x0112_3456), padded("12"));
        assert_eq!(hexadecimal(0x0212_3456), padded("1234"));
        assert_eq!(hexadecimal(0x0312_3456), padded("123456"));
        assert_eq!(hexadecimal(0x0412_3456), padded("12345600"));
        assert_eq!(hexadecimal(0x0500_9234), padded("92340000"));
        assert_eq!(hexadecimal(0x2012_3456), padded(&format!("123456{:0>58}", "")));
        assert_eq!(hexadecimal(0x2200_00ff), padded(&format!("ff{:0>62}", "")));
    }

    #[test]
    fn a_target_above_the_limit_is_refused() {
        let limit = Params::of(Network::Bitcoin).pow_limit;
        assert_eq!(of(0x1d00_ffff, limit), Some(limit));
        assert_eq!(of(0x1d01_0000, limit), None);
        assert_eq!(of(0x207f_ffff, limit), None);
    }

    #[test]
    fn scaling_has_room_for_all_and_rounds_down() {
        let number = |byte: u8| {
            let mut bytes = [0; 32];
            bytes[31] = byte;
            Target::from_be_bytes(bytes)
        };
        assert_eq!(scale(number(7), 5, 3), number(11));
        assert_eq!(scale(number(200), 0, 3), number(0));
        let greatest = Target::from_be_bytes([0xff; 32]);
        assert_eq!(scale(greatest, u32::MAX, u32::MAX), greatest);
        assert_eq!(scale(greatest, 2, 1), greatest);
        let mut half = [0xff; 32];
        half[0] = 0x7f;
        assert_eq!(scale(greatest, 1, 2), Target::from_be_bytes(half));
    }
}
