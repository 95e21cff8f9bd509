//! What happens: blocks are found, hosts lose sight of each other, crash and come back.

use super::blocks::Fault;
use super::world::World;
use bitcoin::BlockHash;
use sockman_backends::sim::{Host, Simulated};
use sockman_p2p::state::{AcceptError, Command, Refused};
use sockman_p2p::store::Store;
use std::time::Duration;

impl<B: Simulated> World<B> {
    /// Things happen for a while.
    pub(super) fn goes_on(&mut self) {
        let count = [3, 20, 50][self.random.usize(0..3)];
        let count = self.random.u32(0..count);
        let pace = [50, 1_000, 5_000][self.random.usize(0..3)];
        for _ in 0..count {
            let wait = Duration::from_millis(self.random.u64(0..pace));
            self.pass(wait, |_| false);
            self.happens();
        }
    }

    /// One of those that run.
    fn any_node(&mut self) -> Option<usize> {
        let up = self.loops.0.iter().enumerate();
        let up: Vec<usize> = up
            .filter_map(|(number, node)| node.as_ref().map(|_| number))
            .collect();
        self.random.choice(up)
    }

    fn happens(&mut self) {
        let Some(node) = self.any_node() else {
            return self.comes_back();
        };
        match self.random.u8(0..40) {
            0..=11 => self.finds_blocks(node, 0),
            12..=15 => {
                let most = [4, 4, 12][self.random.usize(0..3)];
                let below = self.random.u32(1..most);
                self.finds_blocks(node, below);
            }
            16 => self.hands_in_what_it_has(node),
            17 => self.hands_in_what_is_wrong(node),
            18..=20 => self.parts(),
            21..=23 => self.heals_one(),
            24..=26 => self.resets(),
            27..=28 => self.crashes(node),
            29 | 30 => self.is_killed(node),
            31..=34 => self.comes_back(),
            35 => {
                let handle = self.handle(node);
                let synced = handle.with(|state| state.chain.store_mut().sync());
                synced.expect("it has room");
            }
            36 | 37 => self.hangs_up(node),
            _ => self.handle(node).command(Command::Ping),
        }
    }

    fn handle(&self, node: usize) -> sockman_p2p::state::Handle<sockman_p2p::store::Memory> {
        let driver = self.loops.0[node].as_ref().expect("it runs");
        driver.handler().handler().handle()
    }

    /// Seconds from one block to the next: where difficulty follows, chains of the same length differ in work.
    fn spacing(&mut self) -> u32 {
        [200, 600, 600, 1_500][self.random.usize(0..4)]
    }

    /// A node finds a block on top of its chain, or so many below its tip some of which together may have more work.
    fn finds_blocks(&mut self, node: usize, below: u32) {
        let mut parent = self.blocks.borrow().below(&self.watches[node].tip, below);
        let count = if below == 0 {
            self.random.u32(1..3)
        } else {
            self.random.u32(1..=below + 1)
        };
        let spacing = self.spacing();
        for _ in 0..count {
            parent = self
                .blocks
                .borrow_mut()
                .mine(&mut self.random, &parent, spacing, None);
            self.submit(node, parent);
        }
    }

    fn hands_in_what_it_has(&mut self, node: usize) {
        let tip = self.watches[node].tip;
        let bytes = self.blocks.borrow().bytes(&tip);
        let answer = self.handle(node).submit(&bytes);
        assert!(
            matches!(answer, Err(AcceptError::Refused(Refused::Duplicate(_)))),
            "node {node}: its tip is taken again: {answer:?}"
        );
    }

    fn hands_in_what_is_wrong(&mut self, node: usize) {
        let tip = self.watches[node].tip;
        let spacing = self.spacing();
        let wrong: BlockHash = {
            let fault = self.random.choice(Fault::ALL);
            let mut blocks = self.blocks.borrow_mut();
            blocks.mine(&mut self.random, &tip, spacing, fault)
        };
        let bytes = self.blocks.borrow().bytes(&wrong);
        let answer = self.handle(node).submit(&bytes);
        assert!(
            matches!(answer, Err(AcceptError::Refused(Refused::Block(_)))),
            "node {node}: a block that is wrong is taken: {answer:?}"
        );
        self.watches[node].look();
    }

    fn two_hosts(&mut self) -> (Host, Host) {
        let hosts = self.hosts();
        let a = self.random.usize(0..hosts.len());
        let b = self.random.usize(0..hosts.len());
        (hosts[a].clone(), hosts[b].clone())
    }

    /// The hosts fall into two parts, or two of them lose sight of each other.
    fn parts(&mut self) {
        let hosts = self.hosts();
        if self.random.bool() {
            let (a, b) = self.two_hosts();
            self.cuts.push((a, b));
        } else {
            let side: Vec<bool> = hosts.iter().map(|_| self.random.bool()).collect();
            for (a, here) in hosts.iter().zip(&side) {
                let there = hosts.iter().zip(&side).filter(|(_, side)| *side != here && *here);
                self.cuts.extend(there.map(|(b, _)| (a.clone(), b.clone())));
            }
        }
        // Each once.
        let all = std::mem::take(&mut self.cuts);
        for (a, b) in all {
            let name = |host: &Host| host.ip4();
            let same = |(c, d): &(Host, Host)| name(c) == name(&a) && name(d) == name(&b);
            if name(&a) != name(&b) && !self.cuts.iter().any(same) {
                self.cuts.push((a, b));
            }
        }
        self.recut();
    }

    /// Makes the cuts those of the list.
    fn recut(&mut self) {
        for (a, b) in std::mem::take(&mut self.made_cuts) {
            self.network.heal(&a, &b);
        }
        for (a, b) in &self.cuts {
            self.network.part(a, b);
        }
        self.made_cuts.clone_from(&self.cuts);
    }

    fn heals_one(&mut self) {
        if self.random.bool() {
            self.cuts.clear();
        } else if !self.cuts.is_empty() {
            let which = self.random.usize(0..self.cuts.len());
            self.cuts.swap_remove(which);
        }
        self.recut();
    }

    /// All that is between two hosts is reset.
    fn resets(&mut self) {
        let (a, b) = self.two_hosts();
        self.network.reset(&a, &b);
    }

    /// A node's host crashes, and nobody is told.
    fn crashes(&mut self, node: usize) {
        self.places[node].host.crash();
        self.stop(node);
        self.down.push(node);
    }

    /// A node's process ends, and another begins, with what the disk has of it.
    fn is_killed(&mut self, node: usize) {
        self.stop(node);
        self.starts_again(node);
    }

    fn comes_back(&mut self) {
        if let Some(node) = self.down.pop() {
            self.places[node].host.restart();
            self.starts_again(node);
        }
    }

    fn starts_again(&mut self, node: usize) {
        let pending = self.places[node].disk.pending();
        let committed = match self.random.u8(0..3) {
            0 => 0,
            1 => pending,
            _ => self.random.usize(0..=pending),
        };
        let found = self.places[node].disk.crash(committed);
        self.start(node, found);
    }

    /// A node hangs up on one of its peers.
    fn hangs_up(&mut self, node: usize) {
        let handle = self.handle(node);
        let peers: Vec<_> = handle.with(|state| state.peers.iter().map(|(conn, _)| conn).collect());
        if let Some(conn) = self.random.choice(peers) {
            handle.command(Command::Disconnect(conn));
        }
    }

    /// Everything works again.
    pub(super) fn heals(&mut self) {
        for host in self.hosts() {
            host.spare();
        }
        self.cuts.clear();
        self.recut();
        while !self.down.is_empty() {
            self.comes_back();
        }
        if !self.villains_stay {
            self.loops.1.clear();
        }
    }
}
