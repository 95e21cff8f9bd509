//! What a peer has asked for.

use crate::chain::Id;
use crate::wire::Inventory;
use bitcoin::BlockHash;
use std::collections::VecDeque;

/// Something that a peer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// An entry of a `getdata`.
    Item(Inventory),
    /// The end of a `getdata`: it is time to say what of it we do not have.
    End,
    /// `getheaders`.
    Headers(Box<Span>),
    /// `getblocks`.
    Blocks(Box<Span>),
    /// `ping`, with its number.
    Ping(u64),
    /// `getaddr`.
    Addresses,
}

/// A part of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// What the peer has.
    pub(crate) locator: Vec<BlockHash>,
    /// The last that it wants.
    pub(crate) stop: BlockHash,
}

impl Request {
    /// Bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        let more = match self {
            Request::Headers(span) | Request::Blocks(span) => {
                size_of::<Span>() + span.locator.len() * size_of::<BlockHash>()
            }
            _ => 0,
        };
        size_of::<Request>() + more
    }

    /// Whether it is answered in a few bytes, without looking for anything.
    pub(crate) fn is_short(&self) -> bool {
        matches!(self, Request::End | Request::Ping(_) | Request::Addresses)
    }
}

/// What a peer has asked for and not been given yet.
#[derive(Debug, Default)]
pub(crate) struct Serving {
    /// In the order in which it was asked for.
    wanted: VecDeque<Request>,
    /// Bytes of that.
    bytes: usize,
    /// Of the `getdata` under way, what we do not have.
    pub(crate) missing: Vec<Inventory>,
    /// When this block has been sent, the tip is announced, so that it goes on with `getblocks`.
    pub(crate) go_on: Option<Id>,
    /// Whether its `getaddr` was answered.
    pub(crate) told_addresses: bool,
    /// Nothing can be sent to it any more.
    ended: bool,
}

impl Serving {
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What is answered next.
    pub(crate) fn first(&self) -> Option<&Request> {
        self.wanted.front()
    }

    /// Bytes of memory that what is wanted takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, request: Request) {
        if self.ended {
            return;
        }
        self.bytes += request.size();
        self.wanted.push_back(request);
    }

    pub(crate) fn pop(&mut self) -> Option<Request> {
        let request = self.wanted.pop_front()?;
        self.bytes -= request.size();
        if self.wanted.is_empty() {
            // One long list is no reason to keep that much memory.
            self.wanted.shrink_to(64);
        }
        Some(request)
    }

    /// Nothing can be sent to the peer any more: what it wants, now and later, it does not get.
    pub(crate) fn end(&mut self) {
        *self = Serving {
            ended: true,
            ..Serving::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    #[test]
    fn bytes_are_those_of_what_waits() {
        let mut serving = Serving::default();
        let span = Span {
            locator: vec![BlockHash::all_zeros(); 101],
            stop: BlockHash::all_zeros(),
        };
        let all = [Request::Headers(Box::new(span)), Request::Ping(7), Request::End];
        for request in &all {
            serving.push(request.clone());
        }
        assert!((101 * 32..101 * 32 + 300).contains(&serving.bytes()));
        for request in all {
            assert_eq!(serving.pop(), Some(request));
        }
        assert_eq!((serving.pop(), serving.bytes()), (None, 0));
        for _ in 0..50_000 {
            serving.push(Request::End);
        }
        while serving.pop().is_some() {}
        assert!(serving.is_empty() && serving.wanted.capacity() < 1000);
    }

    #[test]
    fn nothing_is_wanted_after_the_end() {
        let mut serving = Serving::default();
        serving.push(Request::Ping(7));
        serving.end();
        assert!(serving.is_empty());
        serving.push(Request::Ping(8));
        assert_eq!((serving.pop(), serving.bytes()), (None, 0));
    }
}
