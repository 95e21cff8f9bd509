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
        return if params.min_difficulty {
            after_min_difficulty(tree, parent, time)
        } else {
            last.header.bits
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

/// Inside a period where blocks that are late are of least difficulty: the others have that of the last one that was not late.
fn after_min_difficulty(tree: &Tree, parent: Id, time: u32) -> CompactTarget {
    let params = tree.params();
    let least = params.pow_limit.to_compact_lossy();
    let late = u64::from(tree.entry(parent).header.time) + 2 * u64::from(params.pow_spacing);
    if u64::from(time) > late {
        return least;
    }
    let mut entry = tree.entry(parent);
    while !entry.height.is_multiple_of(params.retarget_interval()) && entry.header.bits == least {
        entry = tree.entry(entry.parent);
    }
    entry.header.bits
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
