//! Bytes that wait to be sent.

use crate::shared::pool::Reuse;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::IoSlice;

/// Smaller pieces are copied even when they could be shared: one write call takes them along with their neighbours.
const SHARE_FROM: usize = 1 << 10;

/// An emptied queue keeps a buffer of at most this many bytes.
const KEEP: usize = 64 << 10;

enum Chunk {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Copied(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        }
    }
}

/// A queue of bytes in order: copies of small sends side by side in one buffer, large shared blocks where they lie.
#[derive(Default)]
pub struct SendQueue {
    /// Copied bytes in front of the chunks; mostly all there is.
    front: Vec<u8>,
    chunks: VecDeque<Chunk>,
    /// Bytes of the first piece that have been sent; fewer than the piece has.
    sent: usize,
    len: usize,
}

impl SendQueue {
    /// How many bytes wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Queues a copy of `data`.
    #[inline]
    pub fn push(&mut self, data: &[u8]) {
        self.len += data.len();
        match self.chunks.back_mut() {
            None => {
                if self.sent > KEEP && self.sent > self.front.len() / 2 {
                    self.front.drain(..self.sent);
                    self.sent = 0;
                }
                self.front.extend_from_slice(data);
            }
            Some(Chunk::Copied(last)) => last.extend_from_slice(data),
            Some(Chunk::Shared(_)) => self.chunks.push_back(Chunk::Copied(data.to_vec())),
        }
    }

    /// Puts `data` in front of everything.
    pub fn put_back(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.len += data.len();
        if self.front.is_empty() && self.sent > 0 {
            // Part of the first chunk has been sent: what is left of it becomes a chunk of its own.
            if let Some(first) = self.chunks.pop_front() {
                let rest = match first {
                    Chunk::Copied(bytes) => Chunk::Copied(bytes[self.sent..].to_vec()),
                    Chunk::Shared(bytes) => Chunk::Shared(bytes.slice(self.sent..)),
                };
                self.chunks.push_front(rest);
            }
        }
        let mut front = data.to_vec();
        if !self.front.is_empty() {
            front.extend_from_slice(&self.front[self.sent..]);
        }
        self.front = front;
        self.sent = 0;
    }

    /// Queues `data` without copying it, unless it is small.
    pub fn push_bytes(&mut self, data: Bytes) {
        if data.len() < SHARE_FROM {
            self.push(&data);
        } else {
            self.len += data.len();
            self.chunks.push_back(Chunk::Shared(data));
        }
    }

    /// The first bytes that are in one piece, and whether they are all there are.
    #[inline]
    pub fn first(&self) -> (&[u8], bool) {
        if !self.front.is_empty() {
            return (&self.front[self.sent..], self.chunks.is_empty());
        }
        match self.chunks.front() {
            Some(chunk) => (&chunk.bytes()[self.sent..], self.chunks.len() == 1),
            None => (&[], true),
        }
    }

    /// Fills `slices` with the first pieces, in order, and returns how many.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.sent;
        let pieces = std::iter::once(&self.front[..]).chain(self.chunks.iter().map(Chunk::bytes));
        let rest = pieces.filter_map(|piece| {
            let skipped = skip.min(piece.len());
            skip -= skipped;
            (skipped < piece.len()).then_some(&piece[skipped..])
        });
        let mut count = 0;
        for (slot, piece) in slices.iter_mut().zip(rest) {
            *slot = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    /// The first `count` bytes have been sent.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.len -= count.min(self.len);
        self.sent += count;
        if self.len == 0 {
            self.front.clear();
            self.chunks.clear();
            self.sent = 0;
            return;
        }
        if self.sent >= self.front.len() && !self.front.is_empty() {
            self.sent -= self.front.len();
            self.front.clear();
        }
        while self.front.is_empty()
            && let Some(chunk) = self.chunks.front()
            && self.sent >= chunk.bytes().len()
        {
            self.sent -= chunk.bytes().len();
            self.chunks.pop_front();
        }
    }
}

impl Reuse for SendQueue {
    fn recycle(&mut self) -> usize {
        self.chunks.clear();
        self.chunks.shrink_to(8);
        self.front.clear();
        self.front.shrink_to(KEEP);
        (self.sent, self.len) = (0, 0);
        self.front.capacity() + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contents(queue: &SendQueue) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let count = queue.slices(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    #[test]
    fn a_header_and_its_large_payload_are_two_pieces_of_one_write() {
        let mut queue = SendQueue::default();
        let block = Bytes::from(vec![7; SHARE_FROM]);
        queue.push(b"head");
        queue.push_bytes(block.clone());
        let mut slices = [IoSlice::new(&[]); 4];
        assert_eq!(queue.slices(&mut slices), 2);
        assert_eq!(slices[1].as_ptr(), block.as_ptr(), "the block is not copied");
        assert_eq!(queue.first(), (&b"head"[..], false));
    }

    #[test]
    fn a_slow_reader_does_not_make_the_buffer_grow_for_ever() {
        let mut queue = SendQueue::default();
        queue.push(&[0; 1000]);
        for _ in 0..10_000 {
            queue.push(&[0; 1000]);
            queue.advance(1000);
        }
        assert_eq!(queue.len(), 1000);
        assert!(queue.front.capacity() < 8 * KEEP, "{}", queue.front.capacity());
    }

    proptest! {
        #[test]
        fn behaves_as_a_queue_of_bytes(steps in prop::collection::vec((0..3_u8, 0..5_000_usize), 1..40)) {
            let mut queue = SendQueue::default();
            let mut model: Vec<u8> = Vec::new();
            let mut next = 0_u8;
            for (what, count) in steps {
                let fresh: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                match what {
                    0 => { queue.push(&fresh); model.extend(&fresh); }
                    1 => { queue.push_bytes(Bytes::from(fresh.clone())); model.extend(&fresh); }
                    _ => {
                        let count = count.min(queue.len());
                        queue.advance(count);
                        model.drain(..count);
                    }
                }
                prop_assert_eq!(contents(&queue), &model[..]);
                prop_assert_eq!(queue.len(), model.len());
                let (first, all) = queue.first();
                prop_assert!(model.starts_with(first) && first.is_empty() == model.is_empty());
                prop_assert!(!all || first.len() == model.len());
            }
        }
    }
}
