//! Blocks that were sent and may be wanted again.

use crate::store::Place;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};

/// Frames of blocks, up to so many bytes: those that were put in first go first.
#[derive(Debug)]
pub(super) struct Cache {
    frames: HashMap<Place, Bytes>,
    oldest: VecDeque<Place>,
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

    pub(super) fn get(&self, place: Place) -> Option<Bytes> {
        self.frames.get(&place).cloned()
    }

    pub(super) fn put(&mut self, place: Place, frame: &Bytes) {
        if frame.len() > self.most || self.frames.contains_key(&place) {
            return;
        }
        self.bytes += frame.len();
        self.frames.insert(place, frame.clone());
        self.oldest.push_back(place);
        while self.bytes > self.most {
            let Some(frame) = self
                .oldest
                .pop_front()
                .and_then(|oldest| self.frames.remove(&oldest))
            else {
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
        let at = |file| Place {
            file,
            offset: 0,
            length: 4,
        };
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
}
