//! Received bytes that the handler has not consumed.

use crate::shared::pool::Reuse;

/// Bytes in one piece, consumed from the front and appended to at the back, at a cost linear in what passes through.
///
/// The memory behind the bytes stays initialised, so that the kernel can be given a plain slice; it grows as bytes
/// arrive, never by what a peer announces.
#[derive(Default)]
pub struct Unread {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The least that the buffer grows to.
const LEAST: usize = 4 << 10;

impl Unread {
    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// All bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    /// Drops `count` bytes from the front; above the length means all.
    pub fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Adds a copy of `data`.
    pub fn append(&mut self, data: &[u8]) {
        self.reserve(data.len());
        self.buffer[self.end..self.end + data.len()].copy_from_slice(data);
        self.end += data.len();
    }

    /// At least `least` and at most `most` bytes to be written behind what is there; [`filled`](Unread::filled) then
    /// tells how many were. `most` counts from `least` up.
    pub fn room(&mut self, least: usize, most: usize) -> &mut [u8] {
        self.reserve(least);
        let until = self.buffer.len().min(self.end.saturating_add(most.max(least)));
        &mut self.buffer[self.end..until]
    }

    /// `count` bytes of [`room`](Unread::room) were written.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    fn reserve(&mut self, more: usize) {
        if self.buffer.len() - self.end >= more {
            return;
        }
        let len = self.len();
        // Moving what is left to the front pays off when at least as much has been consumed; otherwise the buffer grows
        // by half at least, so that moving stays linear in what was received.
        if self.start >= len && self.buffer.len() - len >= more {
            self.buffer.copy_within(self.start..self.end, 0);
        } else {
            let size = (len + more).max(len + len / 2).max(LEAST);
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
            }
            if self.buffer.len() < size {
                self.buffer.resize(size, 0);
            }
        }
        (self.start, self.end) = (0, len);
    }
}

impl Reuse for Unread {
    fn recycle(&mut self) -> usize {
        (self.start, self.end) = (0, 0);
        self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn room_is_bounded() {
        let mut unread = Unread::default();
        assert_eq!(unread.room(10, 20).len(), 20);
        assert_eq!(unread.room(10, 1 << 20).len(), LEAST);
        assert_eq!(unread.room(LEAST * 2, 0).len(), LEAST * 2);
    }

    proptest! {
        #[test]
        fn behaves_as_a_queue_of_bytes(steps in prop::collection::vec((0..3_u8, 0..9_000_usize), 1..60)) {
            let mut unread = Unread::default();
            let mut model: Vec<u8> = Vec::new();
            let mut next = 0_u8;
            for (what, count) in steps {
                let fresh: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                match what {
                    0 => { unread.append(&fresh); model.extend(&fresh); }
                    1 => {
                        let room = unread.room(1, count);
                        let n = room.len().min(count);
                        room[..n].copy_from_slice(&fresh[..n]);
                        unread.filled(n);
                        model.extend(&fresh[..n]);
                    }
                    _ => { unread.consume(count); model.drain(..count.min(model.len())); }
                }
                prop_assert_eq!(&*unread.bytes(), &model[..]);
                prop_assert_eq!(unread.len(), model.len());
                prop_assert_eq!(unread.is_empty(), model.is_empty());
            }
        }
    }
}
