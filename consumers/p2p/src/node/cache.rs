//! Blocks that were sent and may be wanted again.

use crate::chain::Id;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

/// Frames of blocks, up to so many bytes: those that were put in first go first.
#[derive(Debug)]
pub(super) struct Cache {
    frames: HashMap<Id, Bytes>,
    oldest: VecDeque<Id>,
    bytes: usize,
    most: usize,
}

impl Cache {
    pub(super) fn new(most: usize) -> Cache {
        let (frames, oldest) = (HashMap::new(), VecDeque::new());
        Cache {
            frames,
            oldest,
            bytes: 0,
            most,
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<Bytes> {
        self.frames.get(&id).cloned()
    }

    pub(super) fn put(&mut self, id: Id, frame: &Bytes) {
        if frame.len() > self.most || self.frames.contains_key(&id) {
            return;
        }
        self.bytes += frame.len();
        self.frames.insert(id, frame.clone());
        self.oldest.push_back(id);
        while self.bytes > self.most {
            let Some(frame) = self.oldest.pop_front().and_then(|id| self.frames.remove(&id)) else {
                return;
            };
            self.bytes -= frame.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut cache = Cache::new(10);
        let frame = Bytes::from_static(b"1234");
        let id = |n: u32| Id::GENESIS.next(n);
        cache.put(id(1), &frame);
        cache.put(id(2), &frame);
        cache.put(id(2), &frame);
        assert!(cache.get(id(1)).is_some());
        cache.put(id(3), &frame);
        assert!(cache.get(id(1)).is_none());
        assert!(cache.get(id(2)).is_some() && cache.get(id(3)).is_some());
        cache.put(id(4), &Bytes::from_static(b"more than there is room for"));
        assert!(cache.get(id(4)).is_none() && cache.get(id(3)).is_some());
    }
}
