//! Parents before children.

use bitcoin::BlockHash;
use std::collections::HashMap;

/// Puts those whose parent is among them behind it, and leaves the order as it is otherwise. `link` gives the hash and the parent's.
/// Of several with the same hash all stay.
pub(super) fn parents_first<T>(blocks: Vec<T>, link: impl Fn(&T) -> (BlockHash, BlockHash)) -> Vec<T> {
    let number: HashMap<BlockHash, usize> = blocks.iter().map(|block| link(block).0).zip(0..).collect();
    let mut blocks: Vec<Option<T>> = blocks.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(blocks.len());
    let mut waiting = Vec::new();
    for first in 0..blocks.len() {
        // Up to the first ancestor that is not here, or has been given out; then down again.
        let mut at = Some(first);
        while let Some(number_of) = at {
            let Some(block) = blocks.get_mut(number_of).and_then(Option::take) else {
                break;
            };
            at = number.get(&link(&block).1).copied();
            waiting.push(block);
        }
        ordered.extend(waiting.drain(..).rev());
    }
    ordered
}
