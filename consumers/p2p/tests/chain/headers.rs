//! The rules for a header, each at its edge.

use super::support::{LATER, at, child, grow, regtest, remine};
use bitcoin::block::Version;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Network};
use sockman_p2p::chain::{HeaderError, Id, MAX_FUTURE_TIME, MAX_TIMEWARP, Params, Tree};

#[test]
fn a_parent_is_needed_and_a_good_one() {
    let mut tree = regtest();
    let header = child(&tree, Id::GENESIS, 600, 1);
    let taken = tree.accept(&header, LATER).expect("a good one");
    assert!(taken.new);
    let again = tree.accept(&header, LATER).expect("it is there");
    assert_eq!((again.id, again.new), (taken.id, false));

    let mut orphan = header;
    orphan.prev_blockhash = BlockHash::from_byte_array([7; 32]);
    remine(&mut orphan);
    assert_eq!(tree.accept(&orphan, LATER), Err(HeaderError::UnknownParent));

    let next = child(&tree, taken.id, 600, 1);
    tree.mark_invalid(taken.id);
    assert_eq!(tree.accept(&header, LATER), Err(HeaderError::Invalid));
    assert_eq!(tree.accept(&next, LATER), Err(HeaderError::InvalidParent));
    let genesis = tree.entry(Id::GENESIS).header;
    assert_eq!(tree.accept(&genesis, 0).map(|taken| taken.id), Ok(Id::GENESIS));
}

#[test]
fn time_is_after_the_median_and_not_far_ahead() {
    let mut tree = regtest();
    let chain = grow(&mut tree, Id::GENESIS, 20, 1);
    let tip = chain[19];
    let median = tree.median_time(tip);
    assert_eq!(median, tree.entry(chain[14]).header.time);
    let header = at(&tree, tip, median, 1);
    assert_eq!(tree.accept(&header, LATER), Err(HeaderError::TimeTooOld));
    let header = at(&tree, tip, median + 1, 1);
    assert!(tree.accept(&header, LATER).is_ok());

    let now = u64::from(tree.entry(tip).header.time);
    let header = at(&tree, tip, now as u32 + MAX_FUTURE_TIME, 2);
    assert!(tree.accept(&header, now).is_ok());
    let header = at(&tree, tip, now as u32 + MAX_FUTURE_TIME + 1, 3);
    assert_eq!(tree.accept(&header, now), Err(HeaderError::TimeTooNew));
    // It was not the header's fault for good.
    assert!(tree.accept(&header, now + 1).is_ok());
}

#[test]
fn work_is_what_the_place_asks_for_and_has_been_done() {
    let mut tree = regtest();
    let good = child(&tree, Id::GENESIS, 600, 1);
    let with = |bits| {
        let mut header = good;
        header.bits = CompactTarget::from_consensus(bits);
        header
    };
    // Half the target, with the work for it.
    let mut harder = with(0x203f_ffff);
    remine(&mut harder);
    assert_eq!(tree.accept(&harder, LATER), Err(HeaderError::Difficulty));

    // Above what the network allows, beyond 256 bits, negative, and zero.
    for bits in [
        0x2100_ffff,
        0x2300_0001,
        0x2301_0000,
        0xff7f_ffff,
        0x04ff_ffff,
        0x0180_0001,
        0,
        0x2000_0000,
    ] {
        assert_eq!(
            tree.accept(&with(bits), LATER),
            Err(HeaderError::ProofOfWork),
            "{bits:x}"
        );
    }
    let mut lazy = good;
    while lazy.target().is_met_by(lazy.block_hash()) {
        lazy.nonce += 1;
    }
    assert_eq!(tree.accept(&lazy, LATER), Err(HeaderError::ProofOfWork));
}

#[test]
fn old_versions_have_been_given_up() {
    let params = Params {
        bip34_height: 2,
        bip66_height: 3,
        bip65_height: 4,
        ..Params::of(Network::Regtest)
    };
    let mut tree = Tree::new(params);
    let mut tip = Id::GENESIS;
    for least in 1..=4 {
        let mut header = child(&tree, tip, 600, 1);
        header.version = Version::from_consensus(least - 1);
        remine(&mut header);
        if least > 1 {
            assert_eq!(tree.accept(&header, LATER), Err(HeaderError::Version(least - 1)));
        }
        header.version = Version::from_consensus(least);
        remine(&mut header);
        tip = tree.accept(&header, LATER).expect("new enough").id;
    }
    // A version is a signed number.
    let mut header = child(&tree, tip, 600, 1);
    header.version = Version::from_consensus(i32::MIN);
    remine(&mut header);
    assert_eq!(tree.accept(&header, LATER), Err(HeaderError::Version(i32::MIN)));
    assert_eq!(HeaderError::Version(3).to_string(), "bad-version(0x00000003)");
}

/// BIP 94: a period does not begin more than ten minutes before the last one ended.
#[test]
fn a_period_cannot_begin_long_before_the_last_ended() {
    let mut params = Params::of(Network::Regtest);
    (params.bip94, params.pow_timespan) = (true, 20 * 600);
    for bip94 in [true, false] {
        params.bip94 = bip94;
        let mut tree = Tree::new(params.clone());
        let chain = grow(&mut tree, Id::GENESIS, 18, 1);
        let last = child(&tree, chain[17], 5000, 1);
        let last = tree.accept(&last, LATER).expect("still of the period").id;
        let edge = tree.entry(last).header.time - MAX_TIMEWARP;
        let early = at(&tree, last, edge - 1, 1);
        let expected = if bip94 {
            Err(HeaderError::Timewarp)
        } else {
            Ok(true)
        };
        assert_eq!(tree.accept(&early, LATER).map(|taken| taken.new), expected);
        let first = at(&tree, last, edge, 1);
        let first = tree.accept(&first, LATER).expect("just late enough").id;
        // Inside a period there is no such rule.
        let forward = child(&tree, first, 5000, 1);
        let forward = tree.accept(&forward, LATER).expect("it is only late").id;
        let back = at(&tree, forward, edge, 2);
        assert!(tree.accept(&back, LATER).is_ok());
    }
}
