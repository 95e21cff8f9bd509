//! Ancestors, forks, locators, and medians of time.

use super::{Id, Tree};
use bitcoin::BlockHash;

/// Blocks over whose times a median is taken: Core's `nMedianTimeSpan`.
pub const MEDIAN_SPAN: usize = 11;

impl Tree {
    /// The ancestor of `id` at `height`; `id` itself if it is not higher.
    pub fn ancestor(&self, id: Id, height: u32) -> Id {
        self.way(id, height).last().unwrap_or(id)
    }

    /// The headers on the way down to `height`.
    fn way(&self, from: Id, height: u32) -> impl Iterator<Item = Id> + '_ {
        let next = move |at: Id| {
            let entry = self.entry(at);
            let is_far = self.entry(entry.jump).height >= height;
            let next = if is_far { entry.jump } else { entry.parent };
            (entry.height > height).then_some(next)
        };
        std::iter::successors(Some(from), move |at| next(*at))
    }

    /// The last header that the chains of both have.
    pub fn fork(&self, a: Id, b: Id) -> Id {
        let height = self.entry(a).height.min(self.entry(b).height);
        let mut a = self.ancestor(a, height);
        let mut b = self.ancestor(b, height);
        while a != b {
            // At one height, jumps are of one length. Where they meet, the fork is not below that.
            let (on_a, on_b) = (self.entry(a), self.entry(b));
            (a, b) = if on_a.jump == on_b.jump {
                (on_a.parent, on_b.parent)
            } else {
                (on_a.jump, on_b.jump)
            };
        }
        a
    }

    /// Whether `id` is `of`, or below it in its chain.
    pub fn is_ancestor(&self, id: Id, of: Id) -> bool {
        self.ancestor(of, self.entry(id).height) == id
    }

    /// Hashes of the chain of `id`, from which a peer finds where its own chain left it: a dozen in a row, then ever fewer, and
    /// genesis. At any height there are fewer than the 101 that peers take (Core's `MAX_LOCATOR_SZ`).
    pub fn locator(&self, id: Id) -> Vec<BlockHash> {
        let mut hashes = Vec::with_capacity(32);
        let mut at = id;
        let mut step = 1_u32;
        loop {
            let entry = self.entry(at);
            hashes.push(entry.hash);
            if entry.height == 0 {
                return hashes;
            }
            at = self.ancestor(at, entry.height.saturating_sub(step));
            if hashes.len() > 10 {
                step = step.saturating_mul(2);
            }
        }
    }

    /// The median of the times of `id` and the ten below it, in seconds since 1970. While there are fewer: of those there are.
    pub fn median_time(&self, id: Id) -> u32 {
        let mut times = [0; MEDIAN_SPAN];
        let mut count = 0;
        let mut at = id;
        for time in &mut times {
            let entry = self.entry(at);
            *time = entry.header.time;
            count += 1;
            if entry.height == 0 {
                break;
            }
            at = entry.parent;
        }
        let times = &mut times[..count];
        times.sort_unstable();
        times[count / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Params, mine};
    use bitcoin::Network;
    use bitcoin::block::{Header, Version};

    /// Twice the logarithm, and a few.
    #[test]
    fn the_way_to_an_ancestor_is_short() {
        let mut tree = Tree::new(Params::of(Network::Regtest));
        let mut tip = Id::GENESIS;
        for _ in 0..2048 {
            let below = tree.entry(tip);
            let mut header = Header {
                version: Version::NO_SOFT_FORK_SIGNALLING,
                prev_blockhash: below.hash,
                time: below.header.time + 600,
                ..below.header
            };
            assert!(mine(&mut header, 1 << 20));
            tip = tree.accept(&header, u64::MAX).expect("a good one").id;
        }
        for height in 0..2048 {
            let steps = tree.way(tip, height).count();
            assert!(steps <= 2 * 11 + 2, "{steps} to {height}");
        }
    }
}
