//! What difficulty comes next, in networks whose periods have ten blocks.

use super::support::{LATER, at, child};
use bitcoin::{CompactTarget, Network, Target};
use sockman_p2p::chain::{Id, Params, Tree};

/// As on the main network, but easy.
fn quick() -> Params {
    Params {
        pow_timespan: 10 * 600,
        retarget: true,
        min_difficulty: false,
        ..Params::of(Network::Regtest)
    }
}

/// Puts headers on top, each so many seconds after the one before.
fn grow(tree: &mut Tree, parent: Id, seconds: u32, count: u32) -> Id {
    (0..count).fold(parent, |parent, _| {
        let header = child(tree, parent, seconds, 1);
        tree.accept(&header, LATER).expect("a good one").id
    })
}

fn bits(tree: &Tree, id: Id) -> CompactTarget {
    tree.entry(id).header.bits
}

/// Four times the difficulty.
fn harder(bits: CompactTarget) -> CompactTarget {
    Target::from_compact(bits)
        .min_transition_threshold()
        .to_compact_lossy()
}

/// A quarter of it.
fn easier(bits: CompactTarget) -> CompactTarget {
    let target = Target::from_compact(bits);
    target.max_transition_threshold_unchecked().to_compact_lossy()
}

#[test]
fn a_period_of_the_right_length_is_measured_one_block_short() {
    let mut tree = Tree::new(quick());
    let genesis = bits(&tree, Id::GENESIS);
    // Twice as fast: nine steps of 300 seconds in place of ten of 600.
    let last = grow(&mut tree, Id::GENESIS, 300, 9);
    assert_eq!(bits(&tree, last), genesis);
    let next = tree.next_bits(last, u32::MAX);
    assert_eq!(next, CompactTarget::from_consensus(0x2039_9999));
    // It holds for the whole period.
    let first = grow(&mut tree, last, 300, 1);
    assert_eq!(tree.next_bits(first, 0), next);
    let last = grow(&mut tree, first, 600, 9);
    assert_eq!(bits(&tree, last), next);
    // 5,400 seconds of 6,000: 0x399999 * 9 / 10.
    assert_eq!(
        tree.next_bits(last, 0),
        CompactTarget::from_consensus(0x2033_d709)
    );
}

#[test]
fn difficulty_changes_by_four_at_most_and_not_below_the_least() {
    let mut tree = Tree::new(quick());
    let genesis = bits(&tree, Id::GENESIS);
    let last = grow(&mut tree, Id::GENESIS, 1, 9);
    assert_eq!(tree.next_bits(last, 0), harder(genesis));
    let last = grow(&mut tree, last, 1, 10);
    let hard = tree.next_bits(last, 0);
    assert_eq!(hard, harder(harder(genesis)));
    // A period that seems to end before it began is as one that takes no time.
    let first = grow(&mut tree, last, 20_000, 1);
    let mut tip = first;
    for _ in 0..9 {
        let header = at(&tree, tip, tree.median_time(tip) + 1, 1);
        tip = tree.accept(&header, LATER).expect("a good one").id;
    }
    assert!(tree.entry(tip).header.time < tree.entry(first).header.time);
    assert_eq!(tree.next_bits(tip, 0), harder(hard));
    // And one that takes very long.
    let tip = grow(&mut tree, last, 100_000, 10);
    assert_eq!(tree.next_bits(tip, 0), easier(hard));
    let tip = grow(&mut tree, tip, 100_000, 10);
    assert_eq!(tree.next_bits(tip, 0), easier(easier(hard)));
    let tip = grow(&mut tree, tip, 100_000, 10);
    assert_eq!(tree.next_bits(tip, 0), genesis);
}

#[test]
fn without_retargeting_difficulty_stays() {
    let params = Params {
        retarget: false,
        ..quick()
    };
    let mut tree = Tree::new(params);
    let genesis = bits(&tree, Id::GENESIS);
    let tip = grow(&mut tree, Id::GENESIS, 1, 25);
    assert_eq!((bits(&tree, tip), tree.next_bits(tip, 0)), (genesis, genesis));
}

/// The rule of the testnets: a block more than 20 minutes late is of least difficulty, and those after it are as if it had not been.
#[test]
fn a_late_block_is_of_least_difficulty() {
    let params = Params {
        min_difficulty: true,
        ..quick()
    };
    let mut tree = Tree::new(params);
    let easy = bits(&tree, Id::GENESIS);
    let last = grow(&mut tree, Id::GENESIS, 1, 9);
    let real = harder(easy);

    // The first of a period cannot be late.
    let first = grow(&mut tree, last, 5000, 1);
    assert_eq!(bits(&tree, first), real);
    let time = tree.entry(first).header.time;
    assert_eq!(tree.next_bits(first, time + 1200), real);
    assert_eq!(tree.next_bits(first, time + 1201), easy);
    let late = grow(&mut tree, first, 1201, 2);
    assert_eq!(bits(&tree, late), easy);
    let after = grow(&mut tree, late, 600, 1);
    assert_eq!(bits(&tree, after), real);
    // Further back than a period's beginning it does not look. Here a late block ended one, and all difficulty was lost.
    let late = grow(&mut tree, after, 1201, 6);
    let first = grow(&mut tree, late, 600, 1);
    assert_eq!((tree.entry(first).height, bits(&tree, first)), (20, easy));
    let time = tree.entry(first).header.time;
    assert_eq!(tree.next_bits(first, time + 1), easy);
}

/// On testnet3 the last block of a period counts, and if that is late, all difficulty is lost. BIP 94 lets the first one count.
#[test]
fn with_bip_94_a_late_block_does_not_reset_difficulty() {
    for bip94 in [false, true] {
        let params = Params {
            min_difficulty: true,
            bip94,
            ..quick()
        };
        let mut tree = Tree::new(params);
        let easy = bits(&tree, Id::GENESIS);
        let last = grow(&mut tree, Id::GENESIS, 1, 9);
        let tip = grow(&mut tree, last, 500, 9);
        let last = grow(&mut tree, tip, 1500, 1);
        assert_eq!(bits(&tree, last), easy);
        // 8 * 500 + 1500 seconds of 6,000: eleven twelfths of 0x1fffff and of 0x7fffff.
        let expected = if bip94 { 0x201d_5554 } else { 0x2075_5554 };
        let expected = CompactTarget::from_consensus(expected);
        assert_eq!(tree.next_bits(last, 0), expected);
    }
}
