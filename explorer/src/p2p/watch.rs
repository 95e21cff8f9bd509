//! What must hold of an honest node after each of its turns.

use super::blocks::Shared;
use super::place::{Loop, Place};
use crate::checked::Turns;
use bitcoin::{BlockHash, Work};
use sockman::{Conn, SockMan};
use sockman_backends::sim::{Network, Simulated};
use sockman_p2p::chain::Id;
use sockman_p2p::state::{Count, Handle, Peer, State};
use sockman_p2p::store::{Memory, Reader};
use sockman_p2p::wire::HEADER;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// Blocks that may be asked for twice beside one in fifty.
const HEDGES: u64 = 16;

/// Who is honest.
pub(super) type Honest = Rc<BTreeSet<IpAddr>>;

/// What was seen of a node so far.
pub(super) struct Watch {
    number: usize,
    network: Network,
    blocks: Shared,
    honest: Honest,
    /// What was seen of the process that runs.
    life: Option<Life>,
    /// Blocks that have ever been stored.
    stored: BTreeSet<BlockHash>,
    /// Blocks that have not: up to which of those that were made this has been looked at.
    missing: Vec<BlockHash>,
    looked: usize,
    /// The chain that was active last.
    pub(super) tip: BlockHash,
    pub(super) work: Work,
}

/// What was seen of a process.
struct Life {
    handle: Handle<Memory>,
    window: u32,
    per_peer: usize,
    headers: usize,
    inbound: usize,
    turns: Turns,
    seen: u64,
    changes: u64,
    stored_bytes: u64,
    misbehaving: u64,
    /// What was asked of whom.
    owed: Vec<(Conn, Id)>,
    /// Blocks that were active and have been looked at.
    checked: BTreeSet<BlockHash>,
}

impl Watch {
    pub(super) fn new(number: usize, network: &Network, blocks: &Shared, honest: &Honest) -> Watch {
        let genesis = blocks.borrow().order()[0];
        let work = blocks.borrow().work(&genesis);
        Watch {
            number,
            network: network.clone(),
            blocks: blocks.clone(),
            honest: honest.clone(),
            life: None,
            stored: BTreeSet::new(),
            missing: Vec::new(),
            looked: 0,
            tip: genesis,
            work,
        }
    }

    /// A process has been started: what was stored is there.
    pub(super) fn begin<B: Simulated>(&mut self, place: &Place, driver: &Loop<B>) {
        let handle = driver.handler().handler().handle();
        let settings = &place.settings;
        self.life = Some(Life {
            handle: handle.clone(),
            window: settings.window,
            per_peer: settings.blocks_per_peer,
            headers: settings.headers,
            inbound: settings.max_inbound,
            turns: Turns::new(&place.config),
            seen: 0,
            changes: u64::MAX,
            stored_bytes: u64::MAX,
            misbehaving: 0,
            owed: Vec::new(),
            checked: BTreeSet::new(),
        });
        let (tip, work) = (self.tip, self.work);
        self.look_at(&handle);
        let number = self.number;
        assert!(
            self.work == work && self.tip == tip,
            "node {number}: its tip was {tip}, and after a restart it is {}",
            self.tip
        );
    }

    /// There is no process any more.
    pub(super) fn end(&mut self) {
        self.life = None;
    }

    /// To be called after each step: if the node has had a turn, checks it.
    pub(super) fn check<B: Simulated>(&mut self, driver: &Loop<B>) {
        let turns = driver.backend().net().stats().turns;
        let Some(life) = self.life.as_mut().filter(|life| life.seen != turns) else {
            return;
        };
        life.seen = turns;
        life.turns.check(&self.network, driver);
        let handle = life.handle.clone();
        self.look_at(&handle);
    }

    /// Looks at the node, also if it has not had a turn.
    pub(super) fn look(&mut self) {
        if let Some(handle) = self.life.as_ref().map(|life| life.handle.clone()) {
            self.look_at(&handle);
        }
    }

    fn look_at(&mut self, handle: &Handle<Memory>) {
        handle.with(|state| {
            let failure = state.failure();
            assert!(failure.is_none(), "node {}: {failure:?}", self.number);
            self.check_tip(state, handle);
            self.check_stored(state);
            self.check_bounds(state);
            self.check_downloads(state);
            self.check_peers(state);
        });
    }

    /// The active chain never gets less work, and all of it is valid and what was made.
    fn check_tip(&mut self, state: &State<Memory>, handle: &Handle<Memory>) {
        let Some(life) = self
            .life
            .as_mut()
            .filter(|life| life.changes != state.chain.changes())
        else {
            return;
        };
        life.changes = state.chain.changes();
        let number = self.number;
        let chain = &state.chain;
        let tip = chain.entry(chain.tip());
        assert!(
            tip.work > self.work || tip.hash == self.tip,
            "node {number}: from {} it went to {}, which has not more work",
            self.tip,
            tip.hash
        );
        let blocks = self.blocks.borrow();
        for id in (0..=chain.height()).filter_map(|height| chain.at(height)) {
            let entry = chain.entry(id);
            let hash = entry.hash;
            if !life.checked.insert(hash) {
                continue;
            }
            let made = blocks.get(&hash);
            let made = made.unwrap_or_else(|| panic!("node {number}: nobody made {hash}"));
            assert!(made.valid, "node {number}: {hash} is active and not valid");
            let place = entry.place;
            let place = place.unwrap_or_else(|| panic!("node {number}: {hash} is active and not stored"));
            let frame = handle.reader().frame(place).expect("it is there");
            assert_eq!(
                frame[HEADER..],
                made.bytes,
                "node {number}: what is stored is not {hash}"
            );
        }
        (self.tip, self.work) = (tip.hash, tip.work);
    }

    /// What was stored stays so.
    fn check_stored(&mut self, state: &State<Memory>) {
        let Some(life) = &mut self.life else { return };
        let chain = &state.chain;
        let bytes = chain.stored_bytes();
        if life.stored_bytes == bytes {
            return;
        }
        let number = self.number;
        assert!(
            life.stored_bytes == u64::MAX || bytes > life.stored_bytes,
            "node {number}: {bytes} bytes are stored, and there were {}",
            life.stored_bytes
        );
        life.stored_bytes = bytes;
        let blocks = self.blocks.borrow();
        self.missing.extend_from_slice(&blocks.order()[self.looked..]);
        self.looked = blocks.order().len();
        let stored = &mut self.stored;
        self.missing.retain(|hash| {
            let id = chain.tree().find(hash);
            let is_there = id.is_some_and(|id| chain.place(id).is_some());
            if is_there {
                let made = blocks.get(hash).expect("it was made");
                assert!(made.sound, "node {number}: {hash} is stored and not valid");
                stored.insert(*hash);
            }
            !is_there
        });
    }

    /// What is bounded is within its bounds.
    fn check_bounds(&self, state: &State<Memory>) {
        let Some(life) = &self.life else { return };
        let number = self.number;
        let unstored = state.chain.tree().unstored();
        assert!(
            unstored <= life.headers,
            "node {number}: {unstored} headers without blocks"
        );
        let inbound = state.peers.inbound();
        assert!(
            inbound <= life.inbound,
            "node {number}: {inbound} have dialled it"
        );
        let hedged = state.counters.get(Count::hedged);
        let blocks = state.counters.get(Count::blocks);
        assert!(
            hedged <= HEDGES + blocks / 50,
            "node {number}: of {blocks} blocks {hedged} were asked for twice"
        );
    }

    fn is_honest(&self, peer: &Peer) -> bool {
        peer.ip().is_some_and(|ip| self.honest.contains(&ip))
    }

    /// What is asked for is not there, is asked of few, and is waited for.
    fn check_downloads(&mut self, state: &State<Memory>) {
        let Some(life) = &self.life else { return };
        let (number, chain) = (self.number, &state.chain);
        let mut owed = Vec::new();
        let mut askings: BTreeMap<Id, u32> = BTreeMap::new();
        for (conn, peer) in state.peers.iter() {
            let count = peer.in_flight.len();
            assert!(
                count <= life.per_peer,
                "node {number}: {count} blocks are asked of one peer"
            );
            for &(id, _) in &peer.in_flight {
                let entry = chain.entry(id);
                let hash = entry.hash;
                assert!(
                    entry.place.is_none() && !self.stored.contains(&hash),
                    "node {number}: {hash} is stored, and asked for"
                );
                let base = chain.entry(chain.last_connected(id)).height;
                assert!(
                    entry.height - base <= life.window || life.owed.contains(&(conn, id)),
                    "node {number}: {} is asked for, and all that is there ends at {base}",
                    entry.height
                );
                let askings = askings.entry(id).or_default();
                *askings += 1;
                assert!(*askings <= 2, "node {number}: {hash} is asked of three at once");
                owed.push((conn, id));
            }
        }
        assert_eq!(
            askings.len(),
            state.download.in_flight(),
            "node {number}: what is asked for is not what peers are asked for"
        );
        for &(conn, id) in &life.owed {
            let Some(peer) = state.peers.get(conn).filter(|peer| !peer.is_gone()) else {
                continue;
            };
            let settled = owed.contains(&(conn, id)) || !self.is_honest(peer) || chain.place(id).is_some();
            assert!(
                settled || chain.entry(id).invalid,
                "node {number}: {} was asked of {conn}, is not there, and not waited for",
                chain.entry(id).hash
            );
        }
        if let Some(life) = &mut self.life {
            life.owed = owed;
        }
    }

    /// Who is honest is not discouraged.
    fn check_peers(&mut self, state: &State<Memory>) {
        let Some(life) = &mut self.life else { return };
        let misbehaving = state.counters.get(Count::misbehaving);
        if misbehaving == life.misbehaving {
            return;
        }
        life.misbehaving = misbehaving;
        let (number, now) = (self.number, self.network.now());
        for &ip in &*self.honest {
            let at = SocketAddr::new(ip, super::place::PORT);
            assert!(
                !state.discouraged.has_port(at, now),
                "node {number}: {ip} is discouraged, and honest"
            );
        }
    }

    /// At the end: all that was ever stored is there. (Of some that are on no chain that is told the header may be lost.)
    pub(super) fn finish(&mut self) {
        self.look();
        let Some(life) = &self.life else { return };
        life.handle.with(|state| {
            for hash in &self.stored {
                let id = state.chain.tree().find(hash);
                assert!(
                    id.is_none_or(|id| state.chain.place(id).is_some()),
                    "node {}: {hash} was stored, and is lost",
                    self.number
                );
            }
        });
    }
}
