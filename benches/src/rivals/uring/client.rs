//! One connection's state. It is small, for all of them are walked over and over.

/// A connection.
#[derive(Default)]
pub(super) struct Client<T> {
    /// The turn in which its last answer was submitted.
    pub(super) answered: u32,
    /// Whether a receive operation is under way, or waits for buffers.
    pub(super) receives: bool,
    /// The peer has closed, or the connection failed.
    pub(super) ends: bool,
    /// Nothing more is received while this is there.
    pub(super) owed: Option<Box<Owed>>,
    /// What the protocol remembers.
    pub(super) state: T,
}

/// Bytes received whose echo the kernel has not taken.
pub(super) struct Owed {
    /// What an operation is sending: it does not change until that has completed.
    under_way: Vec<u8>,
    /// What goes after it.
    next: Vec<u8>,
}

impl Owed {
    /// Begins with what one send left over.
    pub(super) fn new(rest: Vec<u8>) -> Owed {
        Owed {
            under_way: rest,
            next: Vec::new(),
        }
    }

    /// What to send now.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.under_way
    }

    /// More was received.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.next.extend_from_slice(bytes);
    }

    /// So much of [`bytes`](Owed::bytes) was sent; whether there is more.
    pub(super) fn sent(&mut self, count: usize) -> bool {
        self.under_way.drain(..count);
        if self.under_way.is_empty() {
            std::mem::swap(&mut self.under_way, &mut self.next);
        }
        !self.under_way.is_empty()
    }
}
