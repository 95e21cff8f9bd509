//! The tree of headers.

use super::support::{LATER, child, grow, regtest, unknown};
use sockman_p2p::chain::{HeaderError, Id};

#[test]
fn the_most_work_is_best_and_the_first_of_two() {
    let mut tree = regtest();
    let a = grow(&mut tree, Id::GENESIS, 5, 1);
    assert_eq!(tree.best(), a[4]);
    let b = grow(&mut tree, a[1], 3, 2);
    assert_eq!(tree.best(), a[4], "the same work, and later");
    let c = grow(&mut tree, b[2], 1, 2);
    assert_eq!(tree.best(), c[0]);
    assert_eq!(tree.fork(a[4], c[0]), a[1]);
    let mut tips: Vec<Id> = tree.tips().collect();
    tips.sort();
    assert_eq!(tips, [a[4], c[0]]);
    assert_eq!(tree.mark_invalid(b[1]), [b[1], b[2], c[0]]);
    assert_eq!(tree.best(), a[4]);
}

#[test]
fn a_header_needs_a_parent() {
    let mut tree = regtest();
    let mut header = child(&tree, Id::GENESIS, 600, 1);
    assert!(tree.accept(&header, LATER).unwrap().new);
    assert!(!tree.accept(&header, LATER).unwrap().new);
    header.prev_blockhash = unknown();
    sockman_p2p::chain::mine(&mut header, 1000);
    assert_eq!(tree.accept(&header, LATER), Err(HeaderError::UnknownParent));
}
