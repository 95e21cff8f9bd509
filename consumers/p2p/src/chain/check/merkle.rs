//! Merkle roots.

use crate::chain::hash::{Hash256, node};

/// The root of the tree over these hashes, and whether two that are to be hashed together are the same.
///
/// Where the number of hashes is odd, the last one is hashed with itself. So a list whose end is repeated has the root of the list
/// without the repetition (CVE-2012-2459); but then two that are the same stand next to each other, on some level.
pub(in crate::chain) fn merkle_root(mut hashes: Vec<Hash256>) -> (Hash256, bool) {
    let mut repeats = false;
    while hashes.len() > 1 {
        let count = hashes.len().div_ceil(2);
        for index in 0..count {
            let left = hashes[2 * index];
            let right = hashes.get(2 * index + 1);
            repeats |= right == Some(&left);
            hashes[index] = node(&left, right.unwrap_or(&left));
        }
        hashes.truncate(count);
    }
    (hashes.first().copied().unwrap_or_default(), repeats)
}
