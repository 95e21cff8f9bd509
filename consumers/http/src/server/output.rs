//! What is to be sent: one buffer that all connections share, and what is too large to be copied into it.

use bytes::Bytes;
use sockman::{Conn, Gone, Sent, SockMan};

/// A body above this size is handed over in pieces of it, as the client takes them.
pub(crate) const SLICE: usize = 256 << 10;

/// From this size on a body is sent from where it lies.
const SHARED: usize = 16 << 10;

/// Bytes to send, in order.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) bytes: Vec<u8>,
    /// Pieces that belong into `bytes`, each with its place.
    shared: Vec<(usize, Bytes)>,
    shared_len: usize,
}

impl Payload {
    pub(crate) fn of(bytes: Vec<u8>) -> Payload {
        Payload {
            bytes,
            ..Payload::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.shared_len
    }

    pub(crate) fn push(&mut self, piece: Bytes) {
        if piece.len() < SHARED {
            self.bytes.extend_from_slice(&piece);
        } else {
            self.shared_len += piece.len();
            self.shared.push((self.bytes.len(), piece));
        }
    }

    /// Moves all of `other` behind what is here.
    pub(crate) fn append(&mut self, other: Payload) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let moved = other
            .shared
            .into_iter()
            .map(|(place, piece)| (start + place, piece));
        self.shared.extend(moved);
        self.shared_len += other.shared_len;
    }

    /// Takes the first `most` bytes off, or a little more: nothing of `bytes` is cut.
    pub(crate) fn take_front(&mut self, most: usize) -> Payload {
        if self.len() <= most {
            return std::mem::take(self);
        }
        let mut front = Payload::default();
        let end = self.shared.first().map_or(self.bytes.len(), |(place, _)| *place);
        front.bytes.extend(self.bytes.drain(..end));
        for (place, _) in &mut self.shared {
            *place -= end;
        }
        if let Some((0, piece)) = self.shared.first_mut() {
            let piece = piece.split_to(piece.len().min(most));
            self.shared_len -= piece.len();
            front.push(piece);
            self.shared.retain(|(_, piece)| !piece.is_empty());
        }
        front
    }

    /// Sends all of it and is empty again.
    #[inline]
    pub(crate) fn send<S: SockMan>(&mut self, net: &mut S, conn: Conn) -> Result<Sent, Gone> {
        let sent = if self.shared.is_empty() {
            net.send(conn, &self.bytes)
        } else {
            self.send_all(net, conn)
        };
        self.bytes.clear();
        sent
    }

    fn send_all<S: SockMan>(&mut self, net: &mut S, conn: Conn) -> Result<Sent, Gone> {
        let (mut from, mut sent) = (0, Err(Gone));
        self.shared_len = 0;
        for (place, piece) in self.shared.drain(..) {
            if place > from {
                // What follows tells how full the queue is.
                let _ = net.send(conn, &self.bytes[from..place]);
            }
            from = place;
            sent = net.send_bytes(conn, piece);
        }
        if from < self.bytes.len() {
            sent = net.send(conn, &self.bytes[from..]);
        }
        sent
    }

    /// Gives memory back that one large answer has left.
    pub(crate) fn shrink(&mut self, to: usize) {
        if self.bytes.capacity() > to {
            self.bytes.shrink_to(to);
        }
    }
}
