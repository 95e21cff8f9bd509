//! What peers ask for, and when they get it.
//!
//! Requests are answered in their order, and only while the peer takes the answers: those that are left over wait. What else the
//! peer sends is looked at meanwhile. If it were not, two nodes that send each other more than both are ready to receive would
//! wait for each other for ever: what each waits for is behind the other's requests. Only a peer that goes on asking
//! without taking anything has all of its messages wait.
//!
//! A peer that takes everything at once is no reason to have all others wait either: after [`Settings::share`] bytes its
//! requests wait for the next turn of the loop; and after [`Settings::turn`] bytes all that is more than a short answer does,
//! whoever asks, and goes on in the order in which it came to wait.

use super::Work;
use super::handler::SERVE;
use crate::mutant::{Mutant, planted};
use crate::settings::Settings;
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
        self.served(conn);
    }

    /// A turn has gone by: those who wait go on.
    pub(super) fn serve_waiting(&mut self) {
        self.own.turns.begin(self.net.stats().turns);
        while let Some(conn) = self.own.turns.pop() {
            self.share = self.own.settings.share.max(1);
            self.turn_came(conn);
        }
        if self.own.turns.end() {
            self.serve_later();
        }
    }

    fn serve_later(&mut self) {
        self.net.set_timer(self.now, SERVE);
    }

    /// Counts what was done for a peer.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.share = self.share.saturating_sub(bytes);
        self.own.turns.spend(bytes);
    }

    /// Others had their turn: the peer's requests go on.
    fn turn_came(&mut self, conn: Conn) {
        let now = self.now;
        let Some(peer) = self.state.peers.get_mut(conn).filter(|peer| !peer.gone) else {
            return;
        };
        peer.yielded = false;
        if !peer.high {
            peer.moved = now;
        }
        self.pump(conn);
        self.served(conn);
    }

    /// Some of what the peer wants was sent: its messages may not need to wait any more.
    fn served(&mut self, conn: Conn) {
        let now = self.now;
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

    /// Sends what a peer wants, as much as it takes; and not more than its share of this turn, nor than all may have of it.
    fn pump(&mut self, conn: Conn) {
        loop {
            let turn = self.net.stats().turns;
            let is_free = self.own.turns.is_free(turn);
            let peer = self.state.peers.get_mut(conn);
            let Some(peer) = peer.filter(|peer| !peer.high && !peer.gone && !peer.yielded) else {
                return;
            };
            let Some(next) = peer.serving.first() else {
                return;
            };
            if self.share == 0 || !is_free && !next.is_short() {
                peer.yielded = true;
                if self.own.turns.wait(conn, turn) {
                    self.serve_later();
                }
                return;
            }
            let Some(request) = peer.serving.pop() else {
                return;
            };
            // It is work even if the answer is short.
            self.spend(request.size());
            let Some(peer) = self.state.peers.get_mut(conn) else {
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
    /// Whether it has not been given all that it wanted.
    pub(super) fn is_behind(&self) -> bool {
        self.high || !self.serving.is_empty()
    }

    /// Whether its messages wait until it has been given what it asked for: it asks, or has us say, ever more meanwhile.
    pub(super) fn is_busy(&self, settings: &Settings) -> bool {
        (self.high || self.yielded)
            && (self.serving.bytes() > settings.requests || self.over > settings.send_high)
    }
}
