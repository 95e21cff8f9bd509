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
