//! What difficulty the next block must have.

use super::params::Params;
use super::target::scale;
use super::tree::{Id, Tree};
use bitcoin::{CompactTarget, Target};

/// What a child of `parent` with this time must have in its `bits`.
pub(super) fn next_bits(tree: &Tree, parent: Id, time: u32) -> CompactTarget {
    let params = tree.params();
    let interval = params.retarget_interval();
    let last = tree.entry(parent);
    let height = last.height + 1;
    if !height.is_multiple_of(interval) {
        let late = u64::from(last.header.time) + 2 * u64::from(params.pow_spacing);
        return match params.min_difficulty {
            true if u64::from(time) > late => params.pow_limit.to_compact_lossy(),
            true => last.steady,
            false => last.header.bits,
        };
    }
    if !params.retarget {
        return last.header.bits;
    }
    // A period is one block longer than what is measured: from its first block to its last there are `interval - 1` steps. It has
    // been so from the beginning, and the first period measures from genesis.
    let first = tree.entry(tree.ancestor(parent, height - interval));
    // With BIP 94 the difficulty of the first block counts, which cannot be one of least difficulty for being late.
    let old = if params.bip94 { first } else { last };
    let elapsed = last.header.time.saturating_sub(first.header.time);
    retarget(params, old.header.bits, elapsed)
}

/// The difficulty after a period of `old` that took `elapsed` seconds.
pub(super) fn retarget(params: &Params, old: CompactTarget, elapsed: u32) -> CompactTarget {
    let timespan = params.pow_timespan;
    let elapsed = elapsed.clamp(timespan / 4, timespan.saturating_mul(4));
    let new = scale(Target::from_compact(old), elapsed, timespan);
    new.min(params.pow_limit).to_compact_lossy()
}

/// The difficulty of a block with these `bits`, or, if they are the least inside a period, as those of a block that is late, that of the
/// last block below it of which this is not so.
pub(super) fn steady(
    params: &Params,
    height: u32,
    bits: CompactTarget,
    below: CompactTarget,
) -> CompactTarget {
    let is_first = height.is_multiple_of(params.retarget_interval());
    if is_first || bits != params.pow_limit.to_compact_lossy() {
        return bits;
    }
    below
}

/// Whether a block at `height` may have the difficulty `new` after one of `old`, as far as it can be told without the times of the
/// others. Where there are blocks of least difficulty, any may follow any.
pub(super) fn is_permitted(params: &Params, height: u32, old: CompactTarget, new: CompactTarget) -> bool {
    if params.min_difficulty {
        return true;
    }
    if !params.retarget || !height.is_multiple_of(params.retarget_interval()) {
        return new == old;
    }
    let bound = |elapsed| Target::from_compact(retarget(params, old, elapsed));
    (bound(0)..=bound(u32::MAX)).contains(&Target::from_compact(new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use proptest::prelude::*;

    fn bits(value: u32) -> CompactTarget {
        CompactTarget::from_consensus(value)
    }

    /// Heights, times and difficulties of the main network, as in Bitcoin Core's `test/pow_tests.cpp`; the last of the times there is
    /// made up.
    #[test]
    fn periods_of_the_main_network_are_followed_by_what_followed_them() {
        let params = Params::of(Network::Bitcoin);
        let periods = [
            (2016, 0x1d00_ffff, 1_231_006_505, 1_233_061_996, 0x1d00_ffff),
            (32_256, 0x1d00_ffff, 1_261_130_161, 1_262_152_739, 0x1d00_d86a),
            // Faster than four times as fast.
            (68_544, 0x1c05_a3f4, 1_279_008_237, 1_279_297_671, 0x1c01_68fd),
            // Slower than four times as slow.
            (46_368, 0x1c38_7f6f, 1_263_163_443, 1_269_211_443, 0x1d00_e1fd),
        ];
        for (height, old, from, to, new) in periods {
            assert_eq!(retarget(&params, bits(old), to - from), bits(new), "{height}");
            assert!(is_permitted(&params, height, bits(old), bits(new)), "{height}");
            // Only where a period begins.
            let changes = old != new;
            assert_eq!(is_permitted(&params, height + 1, bits(old), bits(new)), !changes);
        }
        // Beyond the bounds of what a period can do.
        let permitted = |height, old, new| is_permitted(&params, height, bits(old), bits(new));
        assert!(!permitted(68_544, 0x1c05_a3f4, 0x1c01_68fc));
        assert!(!permitted(46_368, 0x1c38_7f6f, 0x1d00_e1fe));
    }

    #[test]
    fn on_testnets_any_difficulty_may_follow() {
        for network in [Network::Testnet, Network::Testnet4] {
            let params = Params::of(network);
            assert!(is_permitted(&params, 5, bits(0x1c05_a3f4), bits(0x1d00_ffff)));
        }
        let regtest = Params::of(Network::Regtest);
        let fixed = Params {
            min_difficulty: false,
            ..regtest
        };
        assert!(!is_permitted(&fixed, 144, bits(0x207f_ffff), bits(0x201f_ffff)));
        assert!(is_permitted(&fixed, 144, bits(0x207f_ffff), bits(0x207f_ffff)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// `bitcoin` computes the same, by 256-bit numbers of its own.
        #[test]
        fn another_implementation_agrees(
            network in prop::sample::select(vec![Network::Bitcoin, Network::Testnet4, Network::Signet]),
            size in 4_u32..0x1d,
            word in 0x8000_u32..0x80_0000,
            elapsed in prop_oneof![0_u32..10_000_000, any::<u32>()],
        ) {
            let old = bits(size << 24 | word);
            let params = Params::of(network);
            let theirs = CompactTarget::from_next_work_required(old, elapsed.into(), network);
            prop_assert_eq!(retarget(&params, old, elapsed), theirs);
        }
    }
}
