//! What peers ask for, and when they get it.
//!
//! Requests are answered in their order, and only while the peer takes the answers: those that are left over wait. What else the
//! peer sends is looked at meanwhile. If it were not, two nodes that send each other more than both are ready to receive would
//! wait for each other for ever: what each waits for is behind the other's requests. Only a peer that goes on asking
//! without taking anything has all of its messages wait.

use super::Work;
use crate::mutant::{Mutant, planted};
use crate::state::{Peer, Request};
use crate::store::Store;
use crate::wire::{Inventory, Message};
use sockman::{Conn, SockMan};

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// A peer asks for something.
    pub(super) fn request(&mut self, conn: Conn, request: Request) {
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.serving.push(request);
        }
        self.pump(conn);
    }

    /// A peer wants blocks.
    pub(super) fn get_data(&mut self, conn: Conn, inventory: Vec<Inventory>) {
        if let Some(peer) = self.state.peers.get_mut(conn) {
            for item in inventory {
                peer.serving.push(Request::Item(item));
            }
        }
        self.request(conn, Request::End);
    }

    /// The peer has taken what it was sent: there may be more, and when there is not, its messages need not wait any more.
    pub(super) fn drained(&mut self, conn: Conn) {
        let now = self.now;
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
            return;
        };
        (peer.high, peer.over, peer.stuck) = (false, 0, None);
        peer.moved = now;
        if !planted(Mutant::DrainedForgotten) {
            self.pump(conn);
        }
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
            return;
        };
        if !peer.is_behind() {
            peer.eased = now;
        }
        if peer.held && !peer.is_busy(&self.own.settings) {
            peer.held = false;
            self.release(conn);
        }
        self.rearm(conn);
    }

    /// Sends what a peer wants, as much as it takes.
    fn pump(&mut self, conn: Conn) {
        loop {
            let peer = self.state.peers.get_mut(conn);
            let Some(peer) = peer.filter(|peer| !peer.high && !peer.gone) else {
                return;
            };
            let Some(request) = peer.serving.pop() else {
                return;
            };
            match request {
                Request::Item(item) => match self.stored(item) {
                    Some((id, frame)) => self.send_block(conn, id, frame),
                    None => {
                        if let Some(peer) = self.state.peers.get_mut(conn) {
                            peer.serving.missing.push(item);
                        }
                    }
                },
                Request::End => {
                    let missing = std::mem::take(&mut peer.serving.missing);
                    if !missing.is_empty() {
                        self.send(conn, &Message::NotFound(missing));
                    }
                }
                Request::Headers(span) => self.get_headers(conn, &span),
                Request::Blocks(span) => self.get_blocks(conn, &span),
                Request::Ping(nonce) => self.send(conn, &Message::Pong(Some(nonce))),
                Request::Addresses => self.get_addr(conn),
            }
        }
    }
}

impl Peer {
    /// Whether it has not taken all that it wanted.
    pub(super) fn is_behind(&self) -> bool {
        self.high || !self.serving.is_empty()
    }
}
