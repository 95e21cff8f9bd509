//! Blocks that were sent and may be wanted again.

use crate::store::Place;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

/// Frames of blocks, up to so many bytes: those that were put in first go first.
#[derive(Debug)]
pub(super) struct Cache {
    blocks: HashMap<Place, Block>,
    oldest: VecDeque<Place>,
    bytes: usize,
    most: usize,
}

#[derive(Debug)]
struct Block {
    whole: Bytes,
    /// Without its witnesses, once somebody wanted that. If it has none, that is the same memory.
    stripped: Option<Bytes>,
}

impl Block {
    fn bytes(&self) -> usize {
        let stripped = self
            .stripped
            .as_ref()
            .map_or(0, |stripped| self.added_by(stripped));
        self.whole.len() + stripped
    }

    /// Bytes that the same block without witnesses takes beside it.
    fn added_by(&self, stripped: &Bytes) -> usize {
        if stripped.len() == self.whole.len() {
            0
        } else {
            stripped.len()
        }
    }
}

impl Cache {
    pub(super) fn new(most: usize) -> Cache {
        let (blocks, oldest) = (HashMap::new(), VecDeque::new());
        Cache {
            blocks,
            oldest,
            bytes: 0,
            most,
        }
    }

    pub(super) fn get(&self, place: Place) -> Option<Bytes> {
        Some(self.blocks.get(&place)?.whole.clone())
    }

    /// The block without its witnesses.
    pub(super) fn get_stripped(&self, place: Place) -> Option<Bytes> {
        self.blocks.get(&place)?.stripped.clone()
    }

    pub(super) fn put(&mut self, place: Place, whole: &Bytes) {
        if whole.len() > self.most || self.blocks.contains_key(&place) {
            return;
        }
        self.bytes += whole.len();
        let (whole, stripped) = (whole.clone(), None);
        self.blocks.insert(place, Block { whole, stripped });
        self.oldest.push_back(place);
        self.shrink();
    }

    /// What a block is without its witnesses; the block itself must be there.
    pub(super) fn put_stripped(&mut self, place: Place, stripped: &Bytes) {
        let Some(block) = self.blocks.get_mut(&place) else {
            return;
        };
        if block.stripped.is_none() {
            self.bytes += block.added_by(stripped);
            block.stripped = Some(stripped.clone());
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        while self.bytes > self.most {
            let Some(block) = self
                .oldest
                .pop_front()
                .and_then(|oldest| self.blocks.remove(&oldest))
            else {
                return;
            };
            self.bytes -= block.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: u32) -> Place {
        Place {
            file,
            offset: 0,
            length: 4,
        }
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut cache = Cache::new(10);
        let frame = Bytes::from_static(b"1234");
        cache.put(at(1), &frame);
        cache.put(at(2), &frame);
        cache.put(at(2), &frame);
        assert!(cache.get(at(1)).is_some());
        cache.put(at(3), &frame);
        assert!(cache.get(at(1)).is_none());
        assert!(cache.get(at(2)).is_some() && cache.get(at(3)).is_some());
        cache.put(at(4), &Bytes::from_static(b"more than there is room for"));
        assert!(cache.get(at(4)).is_none() && cache.get(at(3)).is_some());
    }

    #[test]
    fn what_it_gives_is_always_the_same_memory() {
        let mut cache = Cache::new(1_000);
        let (whole, stripped) = (Bytes::from(vec![1; 400]), Bytes::from(vec![2; 300]));
        cache.put(at(1), &whole);
        cache.put_stripped(at(1), &stripped);
        for _ in 0..100 {
            assert_eq!(cache.get(at(1)).unwrap().as_ptr(), whole.as_ptr());
            assert_eq!(cache.get_stripped(at(1)).unwrap().as_ptr(), stripped.as_ptr());
        }
    }

    #[test]
    fn what_is_stripped_counts_unless_it_is_the_same() {
        let mut cache = Cache::new(10);
        let frame = Bytes::from_static(b"1234");
        cache.put_stripped(at(1), &frame);
        assert!(
            cache.get_stripped(at(1)).is_none(),
            "the block itself is not there"
        );
        for file in [1, 2] {
            cache.put(at(file), &frame);
            cache.put_stripped(at(file), &frame);
        }
        assert_eq!(cache.bytes, 8);
        assert!(cache.get_stripped(at(1)).is_some() && cache.get_stripped(at(2)).is_some());
        let mut cache = Cache::new(10);
        for file in [1, 2] {
            cache.put(at(file), &frame);
        }
        for _ in 0..2 {
            cache.put_stripped(at(2), &frame.slice(1..));
        }
        assert!(cache.get(at(1)).is_none(), "the oldest makes room");
        assert_eq!(cache.get_stripped(at(2)).unwrap(), "234");
        assert_eq!(cache.bytes, 7);
        cache.put(at(3), &frame);
        assert_eq!((cache.bytes, cache.blocks.len()), (4, 1), "both go together");
    }
}
