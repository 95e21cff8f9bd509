//! What is to be sent: one buffer that all connections share, and what is too large to be copied into it.

use bytes::Bytes;
use sockman::{Conn, Sent, SockMan};

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

    /// Sends all of it and is empty again. Tells whether the connection's queue is above its mark.
    #[inline]
    pub(crate) fn send<S: SockMan>(&mut self, net: &mut S, conn: Conn) -> bool {
        let mut high = false;
        // Gone means that `closed` is on its way: then there is nobody to hold back for.
        if self.shared.is_empty() {
            if !self.bytes.is_empty() {
                high = net.send(conn, &self.bytes).is_ok_and(Sent::is_high);
            }
        } else {
            let mut from = 0;
            for (place, piece) in self.shared.drain(..) {
                if place > from {
                    // What follows tells how full the queue is.
                    let _ = net.send(conn, &self.bytes[from..place]);
                }
                from = place;
                high = net.send_bytes(conn, piece).is_ok_and(Sent::is_high);
            }
            if from < self.bytes.len() {
                high = net.send(conn, &self.bytes[from..]).is_ok_and(Sent::is_high);
            }
            self.shared_len = 0;
        }
        self.bytes.clear();
        high
    }

    /// Gives memory back that one large answer has left.
    pub(crate) fn shrink(&mut self, to: usize) {
        if self.bytes.capacity() > to {
            self.bytes.shrink_to(to);
        }
    }
}
