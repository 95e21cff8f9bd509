//! Which blocks are asked of which peers.

use crate::chain::Id;
use crate::mutant::{Mutant, planted};
use crate::settings::Settings;
use crate::state::{Chain, Peers, Trust};
use crate::store::Store;
use sockman::Conn;
use std::collections::HashMap;
use std::time::Instant;

/// Headers looked at in one go when the next blocks are searched.
const STRIDE: u32 = 128;

/// A chain that ends at most so many blocks above what is connected is fetched from whoever has it: it may just have been told.
const NEAR: u32 = 16;

/// A block that somebody was asked for.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Who was asked first, and when.
    first: (Conn, Instant),
    /// Who was asked too, since the first was slow, and when.
    second: Option<(Conn, Instant)>,
}

impl Flight {
    /// When something should be done about it.
    fn late(&self, settings: &Settings) -> Instant {
        match self.second {
            None => self.first.1 + settings.hedge_after,
            Some((_, asked)) => asked + settings.stall,
        }
    }
}

/// The blocks that are asked for.
///
/// Blocks are asked for in the order of their heights, from all peers that have them, [`Settings::blocks_per_peer`] at a
/// time. All stay within [`Settings::window`] blocks of the first one that is missing, which is why a peer that does not
/// deliver that one holds up all others: if it takes long, another peer is asked for it too. Whoever dials can be many, and can
/// come back: it is asked only for what is near, and for what those have not who deserve [more trust](Trust).
#[derive(Debug, Default)]
pub struct Download {
    flights: HashMap<Id, Flight>,
    /// Some peer could have been asked for more had the window been larger.
    pub(crate) held_up: bool,
    /// Blocks that came.
    received: u64,
    /// Blocks that were asked for twice.
    hedged: u64,
}

/// A block to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) conn: Conn,
    pub(crate) id: Id,
}

impl Download {
    /// How many blocks are asked for.
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// What this peer should be asked for now; it counts as asked.
    pub(crate) fn plan<D: Store>(
        &mut self,
        chain: &Chain<D>,
        peers: &mut Peers,
        conn: Conn,
        settings: &Settings,
        now: Instant,
    ) -> Vec<Id> {
        let Some(peer) = peers.get_mut(conn) else {
            return Vec::new();
        };
        let trust = peer.trust();
        let room = settings.blocks_per_peer.saturating_sub(peer.in_flight.len());
        // Several with one message, as long as there is no want of any.
        let worth_it = room > 0 && room >= settings.blocks_per_peer / 2;
        let (true, Some(best)) = (worth_it && peer.is_source() && !peer.gone, peer.best) else {
            return Vec::new();
        };
        let others = had_by_others(chain, peers, best, trust);
        let wanted = self.next(chain, best, others, room, settings);
        let Some(peer) = peers.get_mut(conn) else {
            return Vec::new();
        };
        if peer.in_flight.is_empty() {
            peer.head_since = now;
        }
        for &id in &wanted {
            peer.in_flight.push_back((id, now));
            let flight = Flight {
                first: (conn, now),
                second: None,
            };
            self.flights.insert(id, flight);
        }
        wanted
    }

    /// The first blocks of the chain that ends in `best` that are neither there nor asked for. Those up to the height `others` are
    /// left to others, unless the chain is not long.
    fn next<D: Store>(
        &mut self,
        chain: &Chain<D>,
        best: Id,
        others: u32,
        most: usize,
        settings: &Settings,
    ) -> Vec<Id> {
        let mut wanted = Vec::new();
        let tree = chain.tree();
        if tree.entry(best).work < tree.entry(chain.tip()).work || chain.is_connected(best) {
            return wanted;
        }
        let base = if planted(Mutant::WindowStuck) {
            chain.fork(best)
        } else {
            chain.last_connected(best)
        };
        let base = tree.entry(base).height;
        let last = tree.entry(best).height;
        let window = if planted(Mutant::WindowUnbounded) {
            u32::MAX
        } else {
            settings.window
        };
        let end = last.min(base.saturating_add(window));
        let others = if last <= base.saturating_add(NEAR) {
            0
        } else {
            others
        };
        if others >= end {
            self.held_up |= end < last;
            return wanted;
        }
        // Bytes of this chain that wait. What waits on others is no reason to hold this one up.
        let mut waiting = 0;
        let mut from = base;
        let mut run = Vec::new();
        while from < end {
            let to = end.min(from + STRIDE);
            let mut at = tree.ancestor(best, to);
            run.clear();
            while tree.entry(at).height > from {
                run.push(at);
                at = tree.entry(at).parent;
            }
            for &id in run.iter().rev() {
                let entry = tree.entry(id);
                if entry.invalid {
                    return wanted;
                }
                if let Some(place) = entry.place.filter(|_| !planted(Mutant::AskedAgain)) {
                    waiting += u64::from(place.length);
                } else if waiting > settings.window_bytes {
                    self.held_up = true;
                    return wanted;
                } else if entry.height > others && !self.flights.contains_key(&id) {
                    wanted.push(id);
                    if wanted.len() == most {
                        return wanted;
                    }
                }
            }
            from = to;
        }
        self.held_up |= end < last;
        wanted
    }

    /// A peer sends a block; what it is worth is not known yet. `None` if it was not asked for it.
    pub(crate) fn delivered(
        &mut self,
        peers: &mut Peers,
        id: Id,
        by: Conn,
        now: Instant,
    ) -> Option<Delivered> {
        if planted(Mutant::AnyoneLands) {
            self.landed(peers, id, now);
        } else if !peers.get(by)?.is_asked_for(id) {
            return None;
        }
        let first = self.flights.get(&id).map(|flight| flight.first);
        self.given_up(peers, id, by, now);
        let overtaken = first.filter(|&(first, _)| first != by);
        let overtaken = overtaken.map(|(first, asked)| (first, owed_since(peers, first, asked)));
        Some(Delivered { overtaken })
    }

    /// A block is stored: nobody need send it any more, but may. Gives those who still were to: they may be asked for others.
    pub(crate) fn landed(&mut self, peers: &mut Peers, id: Id, now: Instant) -> [Option<Conn>; 2] {
        self.received += 1;
        let Some(flight) = self.flights.remove(&id) else {
            return [None; 2];
        };
        let others = [Some(flight.first.0), flight.second.map(|(conn, _)| conn)];
        for conn in others.into_iter().flatten() {
            if let Some(peer) = peers.get_mut(conn) {
                peer.landed(id, now);
            }
        }
        others
    }

    /// A peer will not send this block: it may be asked of another.
    pub(crate) fn given_up(&mut self, peers: &mut Peers, id: Id, by: Conn, now: Instant) {
        if let Some(peer) = peers.get_mut(by) {
            peer.landed(id, now);
        }
        self.forget(id, by);
    }

    /// A peer is gone, which had been asked for these.
    pub(crate) fn lost(&mut self, by: Conn, in_flight: impl IntoIterator<Item = Id>) {
        for id in in_flight {
            self.forget(id, by);
        }
    }

    fn forget(&mut self, id: Id, by: Conn) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        match flight.second {
            Some((second, _)) if second == by => flight.second = None,
            Some(second) if flight.first.0 == by => (flight.first, flight.second) = (second, None),
            _ if flight.first.0 == by => {
                self.flights.remove(&id);
            }
            _ => {}
        }
    }

    /// If the block that all wait for is late and somebody has nothing to do who has it too: what to do about it. Whoever should
    /// be asked counts as asked.
    pub(crate) fn hedge<D: Store>(
        &mut self,
        chain: &Chain<D>,
        peers: &mut Peers,
        settings: &Settings,
        now: Instant,
    ) -> Option<Hedge> {
        let idle = peers
            .iter()
            .filter(|(_, peer)| peer.in_flight.is_empty() && peer.is_source() && !peer.gone);
        let late = idle.filter_map(|(conn, peer)| {
            let id = self.late(chain, peer.best?, settings, now)?;
            // Whom we chose ourselves, and who has sent a block a short while ago.
            Some(((peer.trust(), peer.last_block), conn, id))
        });
        let (_, conn, id) = late.max_by_key(|(worth, ..)| *worth)?;
        let may_ask = self.hedged < settings.hedges + self.received / 50 || planted(Mutant::HedgesUnbounded);
        let flight = self.flights.get_mut(&id)?;
        if may_ask && flight.second.is_none() {
            flight.second = Some((conn, now));
            self.hedged += 1;
            let peer = peers.get_mut(conn)?;
            peer.head_since = now;
            peer.in_flight.push_back((id, now));
            return Some(Hedge::Ask(Wanted { conn, id }));
        }
        let (first, since) = flight.first;
        let since = owed_since(peers, first, since);
        (now >= since + settings.stall).then_some(Hedge::Drop(first))
    }

    /// The first block that is missing of the chain that ends in `best`, if those who were asked for it were asked long ago.
    fn late<D: Store>(&self, chain: &Chain<D>, best: Id, settings: &Settings, now: Instant) -> Option<Id> {
        let base = chain.entry(chain.last_connected(best)).height;
        let id = chain.tree().ancestor(best, base + 1);
        let late = self.flights.get(&id)?.late(settings) <= now;
        late.then_some(id)
    }

    /// What peers owe us is as if it had been asked for now: it may have come, and could not be looked at.
    pub(crate) fn begin_anew(&mut self, now: Instant) {
        for flight in self.flights.values_mut() {
            flight.first.1 = now;
            if let Some((_, asked)) = &mut flight.second {
                *asked = now;
            }
        }
    }

    /// When the next block is late, at the earliest.
    pub(crate) fn next_late(&self, settings: &Settings) -> Option<Instant> {
        self.flights.values().map(|flight| flight.late(settings)).min()
    }
}

/// Up to which height the chain that ends in `best` can be had from peers that are trusted more.
fn had_by_others<D: Store>(chain: &Chain<D>, peers: &Peers, best: Id, trust: Trust) -> u32 {
    if trust == Trust::Dialled {
        return 0;
    }
    let tree = chain.tree();
    let others = peers
        .iter()
        .filter(|(_, peer)| peer.is_source() && !peer.gone && peer.trust() > trust);
    let forks = others.filter_map(|(_, peer)| Some(tree.entry(tree.fork(best, peer.best?)).height));
    forks.max().unwrap_or(0)
}

/// Since when a block is the first that a peer owes us, which was asked for it at `asked`.
fn owed_since(peers: &Peers, conn: Conn, asked: Instant) -> Instant {
    peers.get(conn).map_or(asked, |peer| peer.head_since.max(asked))
}

/// What to do about a block that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hedge {
    /// Ask another peer for it too.
    Ask(Wanted),
    /// Hang up on this one, which has had it for long: two have been asked, or too many blocks have been asked for twice.
    Drop(Conn),
}

/// A block has come that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Who was asked before and has not sent it, and since when it is the first that is owed.
    pub(crate) overtaken: Option<(Conn, Instant)>,
}

#[cfg(test)]
mod tests;
