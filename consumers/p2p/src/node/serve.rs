//! The answers to what peers ask for.

use super::Work;
use crate::chain::{Id, strip_witness};
use crate::mutant::{Mutant, planted};
use crate::state::{Count, Direction, Span};
use crate::store::{Place, Reader, Store};
use crate::wire::{
    self, AddrV2, AddrV2Message, Address, Command, HEADER, Inventory, MAX_ADDRESSES, MAX_HEADERS, Message,
};
use bytes::Bytes;
use sockman::{Conn, SockMan};
use std::net::{IpAddr, SocketAddr};

/// Hashes that a `getblocks` is answered with (Core's `MAX_BLOCKS` there).
const MAX_BLOCKS: u32 = 500;

impl<D: Store, N: SockMan> Work<'_, D, N> {
    /// A peer wants headers: those of the active chain that come after what it has. There is always an answer, at the tip an
    /// empty one: some wait for it.
    pub(super) fn get_headers(&mut self, conn: Conn, span: &Span) {
        let Span { locator, stop } = span;
        let chain = &self.state.chain;
        let entry = |id: Id| chain.entry(id);
        let mut headers = Vec::new();
        if locator.is_empty() {
            // It wants this one only. What is on no active chain is nobody's business: it would tell us from others.
            let one = chain.tree().find(stop).filter(|&id| chain.is_active(id));
            headers.extend(one.map(|id| entry(id).header));
        } else {
            let from = entry(chain.find_locator(locator)).height + 1;
            for id in (from..).map_while(|height| chain.at(height)).take(MAX_HEADERS) {
                headers.push(entry(id).header);
                if entry(id).hash == *stop {
                    break;
                }
            }
            if planted(Mutant::TellsAhead) {
                let ahead = chain.tree().children(chain.tip()).next();
                headers.extend(ahead.map(|id| entry(id).header));
            }
            let last = from - 1 + headers.len() as u32;
            let told = chain.at(last);
            if let Some(peer) = self.state.peers.get_mut(conn) {
                (peer.announced, peer.told) = (told, told);
            }
        }
        if headers.is_empty() && planted(Mutant::EmptyUnanswered) {
            return;
        }
        self.send(conn, &Message::Headers(headers));
    }

    /// A peer wants to know which blocks come after what it has: in parts, since it asks for the next part when it is told of
    /// the tip after the last block of this one.
    pub(super) fn get_blocks(&mut self, conn: Conn, span: &Span) {
        let Span { locator, stop } = span;
        let chain = &self.state.chain;
        let from = chain.entry(chain.find_locator(locator)).height + 1;
        let mut hashes = Vec::new();
        let mut last = None;
        for id in (from..from.saturating_add(MAX_BLOCKS)).map_while(|height| chain.at(height)) {
            let hash = chain.entry(id).hash;
            if hash == *stop {
                break;
            }
            hashes.push(Inventory::Block(hash));
            last = Some(id);
        }
        let full = hashes.len() == MAX_BLOCKS as usize;
        if let Some(peer) = self.state.peers.get_mut(conn) {
            peer.serving.go_on = last.filter(|_| full);
        }
        if !hashes.is_empty() {
            self.send(conn, &Message::Inv(hashes));
        }
    }

    /// Sends a block.
    pub(super) fn send_block(&mut self, conn: Conn, id: Id, frame: Bytes) {
        let size = frame.len();
        let sent = self.net.send_bytes(conn, frame);
        self.sent(conn, Command::BLOCK, size, sent);
        if sent.is_err() {
            return;
        }
        self.state.counters.add(Count::blocks_served);
        self.state
            .counters
            .add_many(Count::block_bytes_served, size as u64);
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        if peer.serving.go_on == Some(id) {
            peer.serving.go_on = None;
            let tip = self.state.chain.entry(self.state.chain.tip()).hash;
            self.send(conn, &Message::Inv(vec![Inventory::Block(tip)]));
        }
    }

    /// The message with a block, if we have it.
    pub(super) fn stored(&mut self, item: Inventory) -> Option<(Id, Bytes)> {
        let (Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash)) = item
        else {
            return None;
        };
        let chain = &self.state.chain;
        let id = chain.tree().find(&hash)?;
        let place = chain.servable(id)?;
        // A compact block may always be answered by the whole one (BIP 152).
        let frame = match item {
            Inventory::Block(_) => self.stripped(id, place)?,
            _ => self.whole(id, place)?,
        };
        Some((id, frame))
    }

    fn whole(&mut self, id: Id, place: Place) -> Option<Bytes> {
        if let Some(frame) = self.own.cache.get(place) {
            return Some(frame);
        }
        self.spend(place.length as usize);
        match self.shared.reader.verified(place) {
            Ok(frame) => {
                self.own.cache.put(place, &frame);
                Some(frame)
            }
            Err(why) => {
                if self.state.chain.cannot_read(id, &why) {
                    let hash = self.state.chain.entry(id).hash;
                    tracing::error!(%hash, %why, "a block cannot be read");
                }
                None
            }
        }
    }

    /// The same for a peer that knows no witnesses.
    fn stripped(&mut self, id: Id, place: Place) -> Option<Bytes> {
        if let Some(frame) = self.own.cache.get_stripped(place) {
            return Some(frame);
        }
        let whole = self.whole(id, place)?;
        self.spend(whole.len());
        let stripped = without_witness(self.state.chain.params().magic, whole);
        self.own.cache.put_stripped(place, &stripped);
        Some(stripped)
    }

    /// A peer wants addresses. It gets those that we have dialled ourselves, once (as Core, so that nobody can take stock of
    /// us), and only if it dialled us.
    pub(super) fn get_addr(&mut self, conn: Conn) {
        let unix = self.unix();
        let Some(peer) = self.state.peers.get_mut(conn) else {
            return;
        };
        if !peer.is_inbound() || std::mem::replace(&mut peer.serving.told_addresses, true) {
            return;
        }
        let v2 = peer.wants_addrv2;
        let known = self.state.peers.iter().filter_map(|(_, peer)| {
            let listens = peer.ready && matches!(peer.direction, Direction::Outbound(_));
            Some((peer.address.tcp().filter(|_| listens)?, peer.services()))
        });
        let known: Vec<_> = known.take(MAX_ADDRESSES).collect();
        let time = unix as u32;
        let message = if v2 {
            let entry = |(at, services): (SocketAddr, _)| AddrV2Message {
                time,
                services,
                addr: match at.ip() {
                    IpAddr::V4(ip) => AddrV2::Ipv4(ip),
                    IpAddr::V6(ip) => AddrV2::Ipv6(ip),
                },
                port: at.port(),
            };
            Message::AddrV2(known.into_iter().map(entry).collect())
        } else {
            let entry = |(at, services): (SocketAddr, _)| (time, Address::new(&at, services));
            Message::Addr(known.into_iter().map(entry).collect())
        };
        self.send(conn, &message);
    }

    /// A peer tells addresses. There is nothing yet that would remember them.
    pub(super) fn addresses(&mut self, conn: Conn, count: usize) {
        let now = self.now;
        if let Some(peer) = self.state.peers.get_mut(conn) {
            let taken = peer.addresses.told(count as u64, now);
            self.state.counters.add_many(Count::addresses, taken);
        }
    }
}

/// The same block for a peer that knows no witnesses (BIP 144): in the same memory, if it has none.
fn without_witness(magic: wire::Magic, frame: Bytes) -> Bytes {
    let payload = frame.get(HEADER..).unwrap_or_default();
    match strip_witness(payload) {
        Ok(stripped) if stripped.len() < payload.len() => wire::frame(magic, Command::BLOCK, &stripped),
        // It was read when it was checked, so it can be read.
        _ => frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use bitcoin::consensus::serialize;
    use bitcoin::constants::genesis_block;

    #[test]
    fn a_block_without_witnesses_is_not_copied() {
        let magic = [1, 2, 3, 4];
        let mut block = genesis_block(Network::Regtest);
        let frame = wire::frame(magic, Command::BLOCK, &serialize(&block));
        let same = without_witness(magic, frame.clone());
        assert_eq!((same.as_ptr(), same.len()), (frame.as_ptr(), frame.len()));
        block.txdata[0].input[0].witness.push([7; 32]);
        let whole = wire::frame(magic, Command::BLOCK, &serialize(&block));
        assert_eq!(without_witness(magic, whole), frame);
    }
}
