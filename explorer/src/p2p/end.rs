//! What must hold when everything has been healed.

use super::place::Place;
use super::watch::Watch;
use super::world::World;
use bitcoin::Work;
use sockman_backends::sim::Simulated;
use sockman_p2p::state::{Peer, Phase, State};
use sockman_p2p::store::Memory;
use sockman_p2p::wire::Command;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What one honest node and one of its connections have told each other, by command, in bytes.
type Said = BTreeMap<Command, (u64, u64)>;

/// The time in which whatever a node waits for has come, or is not waited for any more.
fn patience(place: &Place) -> Duration {
    let settings = &place.settings;
    let all = [
        settings.silence,
        settings.ping_every,
        settings.handshake_within,
        settings.dial_within,
        settings.retry_most,
        settings.headers_within,
        settings.block_within,
        settings.hedge_after,
        settings.stall,
        settings.announce_every,
    ];
    all.iter().sum()
}

/// The most work that a node has.
fn most(watches: &[Watch]) -> Option<Work> {
    watches.iter().map(|watch| watch.work).max()
}

fn agree(watches: &[Watch]) -> bool {
    let most = most(watches);
    watches.iter().all(|watch| Some(watch.work) == most)
}

impl<B: Simulated> World<B> {
    fn patience(&self) -> Duration {
        self.places.iter().map(patience).max().unwrap_or_default()
    }

    /// All nodes come to the chain with the most work.
    pub(super) fn agrees(&mut self) {
        // Of chains with the same work each is right, until there is a block more on one of them.
        if self.random.bool() {
            let wait = Duration::from_millis(self.random.u64(0..5_000));
            self.pass(wait, |_| false);
            let best = (0..self.places.len()).max_by_key(|&node| self.watches[node].work);
            let best = best.expect("there is a node");
            let parent = self.watches[best].tip;
            let next = {
                let mut blocks = self.blocks.borrow_mut();
                blocks.mine(&mut self.random, &parent, 600, None)
            };
            self.submit(best, next);
        }
        let times = if self.loops.1.is_empty() { 2 } else { 8 };
        let within = self.patience() * times + Duration::from_secs(60);
        let agreed = self.pass(within, agree);
        assert!(agreed, "after {within:?} they do not agree: {}", self.describe());
        let (work, hash) = self.submitted;
        assert!(
            most(&self.watches) >= Some(work),
            "they agree on less than there was: {hash}"
        );
    }

    /// Where all are, and what those wait for that are behind.
    fn describe(&self) -> String {
        let most = most(&self.watches);
        let mut text = String::new();
        for (node, watch) in self.watches.iter().enumerate() {
            let height = self.blocks.borrow().height(&watch.tip);
            let _ = write!(
                text,
                "\n  node {node} ({}) at {height} {}",
                self.places[node].name(),
                watch.tip
            );
            let behind = self.loops.0[node].as_ref().filter(|_| Some(watch.work) < most);
            if let Some(driver) = behind {
                let handle = driver.handler().handler().handle();
                text += &handle.with(|state| describe(state));
            }
        }
        text
    }

    /// When all are connected again nobody says anything any more but pings.
    pub(super) fn is_quiet(&mut self) {
        if !self.loops.1.is_empty() || self.random.u8(0..4) > 0 {
            return;
        }
        // What was cut off is noticed, and dialled again.
        let patience = self.patience();
        self.pass(patience * 2, |_| false);
        let before = self.said();
        let pause = patience;
        self.pass(pause, |_| false);
        let after = self.said();
        assert_eq!(before, after, "they agree, and talk");
        for (node, driver) in self.loops.0.iter().enumerate() {
            let Some(driver) = driver else { continue };
            let honest: Vec<String> = self.places.iter().map(Place::name).collect();
            driver
                .handler()
                .handler()
                .handle()
                .with(|state: &mut State<Memory>| {
                    assert_eq!(state.download.in_flight(), 0, "node {node} waits for blocks");
                    for target in state
                        .targets
                        .iter()
                        .filter(|target| honest.contains(&target.name))
                    {
                        assert!(
                            matches!(target.phase, Phase::Connected(_)),
                            "node {node} is not connected to {}: {:?}",
                            target.name,
                            target.phase
                        );
                    }
                    assert!(state.is_synced(), "node {node} does not know that it has all");
                });
        }
        self.wakes();
    }

    /// A block that is handed in to a node that sleeps is announced at once, and all hear of it.
    fn wakes(&mut self) {
        let node = self.random.usize(0..self.places.len());
        let parent = self.watches[node].tip;
        let next = {
            let mut blocks = self.blocks.borrow_mut();
            blocks.mine(&mut self.random, &parent, 600, None)
        };
        self.submit(node, next);
        self.pass(Duration::from_millis(1), |_| false);
        if let Some(driver) = &self.loops.0[node] {
            driver.handler().handler().handle().with(|state| {
                let tip = state.chain.tip();
                for (conn, peer) in state.peers.iter().filter(|(_, peer)| peer.ready) {
                    assert!(
                        peer.announced == Some(tip),
                        "node {node}: {conn} has not been told of the new tip"
                    );
                }
            });
        }
        let within = self.patience();
        assert!(
            self.pass(within, agree),
            "not all hear of one block more: {}",
            self.describe()
        );
    }

    /// What all nodes have told their peers, and heard, apart from pings.
    fn said(&self) -> BTreeMap<(usize, u64), Said> {
        let mut all = BTreeMap::new();
        for (node, driver) in self.loops.0.iter().enumerate() {
            let Some(driver) = driver else { continue };
            driver.handler().handler().handle().with(|state| {
                for (_, peer) in state.peers.iter() {
                    all.insert((node, peer.id), said(peer));
                }
            });
        }
        all
    }
}

/// What a node knows of those it is connected to.
fn describe(state: &State<Memory>) -> String {
    let mut text = format!(", waits for {} blocks", state.download.in_flight());
    for target in state.targets.iter() {
        let _ = write!(text, "\n    dials {} {:?}", target.name, target.phase);
    }
    for (conn, peer) in state.peers.iter() {
        let best = peer.best.map(|id| state.chain.entry(id).height);
        let asked: Vec<_> = peer
            .in_flight
            .iter()
            .map(|(id, _)| state.chain.entry(*id).height)
            .collect();
        let _ = write!(
            text,
            "\n    {conn} {} ready {} has {best:?} complete {} asked for {asked:?} {:?}",
            peer.address,
            peer.ready,
            peer.headers.is_complete(),
            peer.traffic
        );
    }
    text
}

fn said(peer: &Peer) -> Said {
    let mut said = Said::new();
    for (&command, &bytes) in &peer.traffic.sent {
        said.entry(command).or_default().0 += bytes;
    }
    for (&command, &bytes) in &peer.traffic.received {
        said.entry(command).or_default().1 += bytes;
    }
    said.remove(&Command::PING);
    said.remove(&Command::PONG);
    said
}
