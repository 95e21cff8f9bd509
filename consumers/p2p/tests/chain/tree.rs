//! The tree of headers, compared with one that does everything the simple way.

use super::support::{LATER, child, grow, regtest};
use bitcoin::BlockHash;
use proptest::collection::vec;
use proptest::prelude::*;
use sockman_p2p::chain::{Forgotten, HeaderError, Id, Tree};
use sockman_p2p::store::Place;
use std::collections::{BTreeMap, BTreeSet};

/// A tree, and what is known of it without asking it.
struct Twin {
    tree: Tree,
    /// In the order in which they came, without genesis. What is forgotten is taken out.
    nodes: Vec<Node>,
    marks: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    id: Id,
    hash: BlockHash,
    parent: BlockHash,
    time: u32,
    stored: bool,
    invalid: bool,
}

impl Twin {
    fn new() -> Twin {
        Twin {
            tree: regtest(),
            nodes: Vec::new(),
            marks: 0,
        }
    }

    /// The node that a number stands for; none for genesis. Low numbers are for those that came last, so that chains become long.
    fn pick(&self, number: usize) -> Option<Node> {
        let index = self
            .nodes
            .len()
            .checked_sub(1 + number % (self.nodes.len() + 1))?;
        Some(self.nodes[index])
    }

    fn find(&self, hash: BlockHash) -> Option<Node> {
        self.nodes.iter().find(|node| node.hash == hash).copied()
    }

    /// A node and all below it, downwards, without genesis.
    fn chain(&self, node: Option<Node>) -> Vec<Node> {
        std::iter::successors(node, |node| self.find(node.parent)).collect()
    }

    fn add(&mut self, parent: usize, seconds: u32) {
        let parent = self.pick(parent);
        let id = parent.map_or(Id::GENESIS, |node| node.id);
        self.marks += 1;
        let header = child(&self.tree, id, seconds, self.marks);
        let taken = self.tree.accept(&header, LATER);
        if parent.is_some_and(|node| node.invalid) {
            assert_eq!(taken, Err(HeaderError::InvalidParent));
            return;
        }
        let taken = taken.expect("a good header");
        assert!(taken.new);
        self.nodes.push(Node {
            id: taken.id,
            hash: header.block_hash(),
            parent: header.prev_blockhash,
            time: header.time,
            stored: false,
            invalid: false,
        });
    }

    fn store(&mut self, number: usize) {
        let Some(picked) = self.pick(number) else { return };
        let stored = !picked.stored;
        let place = Place {
            file: 1,
            offset: 2,
            length: 3,
        };
        self.tree.set_place(picked.id, stored.then_some(place), 5);
        for node in self.nodes.iter_mut().filter(|node| node.id == picked.id) {
            node.stored = stored;
        }
    }

    fn invalidate(&mut self, number: usize) {
        let Some(picked) = self.pick(number) else { return };
        let is_over = |node: &Node| self.chain(Some(*node)).contains(&picked);
        let over = self.nodes.iter().filter(|node| !node.invalid && is_over(node));
        let over: BTreeSet<Id> = over.map(|node| node.id).collect();
        let marked = self.tree.mark_invalid(picked.id);
        assert_eq!(marked.iter().copied().collect::<BTreeSet<Id>>(), over);
        assert_eq!(marked.len(), over.len());
        for node in &mut self.nodes {
            node.invalid |= over.contains(&node.id);
        }
    }

    fn prune(&mut self, keep: &[usize]) {
        let keep: Vec<Node> = keep.iter().filter_map(|number| self.pick(*number)).collect();
        let stored = self.nodes.iter().filter(|node| node.stored);
        let kept: BTreeSet<Id> = stored
            .chain(&keep)
            .flat_map(|node| self.chain(Some(*node)))
            .map(|node| node.id)
            .collect();
        let ids: Vec<Id> = keep.iter().map(|node| node.id).collect();
        let gone = self.nodes.iter().filter(|node| !kept.contains(&node.id));
        let mut gone: Vec<(BlockHash, u32)> = gone
            .map(|node| (node.hash, self.chain(Some(*node)).len() as u32))
            .collect();
        let mut forgotten: Vec<(BlockHash, u32)> = self
            .tree
            .prune(&ids)
            .iter()
            .map(|Forgotten { height, hash }| (*hash, *height))
            .collect();
        gone.sort_unstable();
        forgotten.sort_unstable();
        assert_eq!(forgotten, gone);
        self.nodes.retain(|node| kept.contains(&node.id));
    }

    /// Compares everything.
    fn check(&self) {
        let tree = &self.tree;
        assert_eq!(tree.len(), self.nodes.len() + 1);
        assert_eq!(
            tree.unstored(),
            self.nodes.iter().filter(|node| !node.stored).count()
        );
        let mut children: BTreeMap<BlockHash, BTreeSet<Id>> = BTreeMap::new();
        for node in &self.nodes {
            children.entry(node.parent).or_default().insert(node.id);
        }
        for node in &self.nodes {
            let chain = self.chain(Some(*node));
            let entry = tree.entry(node.id);
            assert_eq!((entry.hash, entry.height), (node.hash, chain.len() as u32));
            assert_eq!(tree.find(&node.hash), Some(node.id));
            assert_eq!(
                (entry.invalid, entry.place.is_some()),
                (node.invalid, node.stored)
            );
            assert_eq!(entry.work, {
                let genesis = tree.entry(Id::GENESIS).work;
                chain.iter().fold(genesis, |work, _| work + genesis)
            });
            let mut times: Vec<u32> = chain.iter().map(|node| node.time).collect();
            times.push(tree.entry(Id::GENESIS).header.time);
            times.truncate(11);
            times.sort_unstable();
            assert_eq!(tree.median_time(node.id), times[times.len() / 2]);
            let own: BTreeSet<Id> = tree.children(node.id).collect();
            assert_eq!(own, children.get(&node.hash).cloned().unwrap_or_default());
        }
        let tips: BTreeSet<Id> = tree.tips().collect();
        let without = self
            .nodes
            .iter()
            .filter(|node| !children.contains_key(&node.hash));
        let mut expected: BTreeSet<Id> = without.map(|node| node.id).collect();
        if self.nodes.is_empty() {
            expected.insert(Id::GENESIS);
        }
        assert_eq!(tips, expected);
        self.check_best();
    }

    fn check_best(&self) {
        let mut best = (0, Id::GENESIS);
        for node in self.nodes.iter().filter(|node| !node.invalid) {
            let height = self.chain(Some(*node)).len();
            if height > best.0 {
                best = (height, node.id);
            }
        }
        assert_eq!(self.tree.best(), best.1);
    }

    /// Compares what is said of two.
    fn check_pair(&self, a: usize, b: usize) {
        let tree = &self.tree;
        let (a, b) = (self.pick(a), self.pick(b));
        let ids = [a, b].map(|node| node.map_or(Id::GENESIS, |node| node.id));
        let (on_a, on_b) = (self.chain(a), self.chain(b));
        let fork = on_a.iter().find(|node| on_b.contains(node));
        let fork = fork.map_or(Id::GENESIS, |node| node.id);
        assert_eq!(tree.fork(ids[0], ids[1]), fork);
        assert_eq!(tree.is_ancestor(ids[0], ids[1]), fork == ids[0]);
        for (index, node) in on_a.iter().rev().enumerate() {
            assert_eq!(tree.ancestor(ids[0], index as u32 + 1), node.id);
        }
        assert_eq!(tree.ancestor(ids[0], 0), Id::GENESIS);
        assert_eq!(tree.ancestor(ids[0], u32::MAX), ids[0]);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Add(usize, u32),
    Store(usize),
    Invalidate(usize),
    Prune(Vec<usize>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    // Mostly on one of the last few.
    let near = prop_oneof![4 => 0_usize..1, 2 => 0_usize..8, 1 => any::<usize>()];
    let add = (near, 1_u32..10_000).prop_map(|(parent, seconds)| Act::Add(parent, seconds));
    let act = prop_oneof![
        40 => add,
        4 => any::<usize>().prop_map(Act::Store),
        1 => any::<usize>().prop_map(Act::Invalidate),
        1 => vec(any::<usize>(), 0..4).prop_map(Act::Prune),
    ];
    vec(act, 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_says_what_a_simple_one_says(acts in acts(), pairs in vec(any::<(usize, usize)>(), 20)) {
        let mut twin = Twin::new();
        for act in acts {
            match act {
                Act::Add(parent, seconds) => twin.add(parent, seconds),
                Act::Store(number) => twin.store(number),
                Act::Invalidate(number) => twin.invalidate(number),
                Act::Prune(keep) => twin.prune(&keep),
            }
            twin.check_best();
        }
        twin.check();
        for (a, b) in pairs {
            twin.check_pair(a, b);
        }
    }
}

#[test]
fn of_two_with_the_same_work_the_first_is_best() {
    let mut tree = regtest();
    let a = grow(&mut tree, Id::GENESIS, 5, 1);
    let b = grow(&mut tree, a[1], 3, 2);
    assert_eq!(tree.best(), a[4]);
    let c = grow(&mut tree, b[2], 1, 2);
    assert_eq!(tree.best(), c[0]);
    assert_eq!(tree.mark_invalid(b[1]), [b[1], b[2], c[0]]);
    assert_eq!(tree.best(), a[4]);
    assert_eq!(tree.mark_invalid(b[1]), []);
    assert_eq!(tree.mark_invalid(Id::GENESIS), []);
    assert_eq!(tree.best(), a[4]);
}

/// The shape is that of Bitcoin Core's locators: all of the last 12, then every second of what is left, and so on.
#[test]
fn a_locator_is_dense_at_its_end_and_short() {
    let mut tree = regtest();
    let chain = grow(&mut tree, Id::GENESIS, 200, 1);
    let heights = |id| -> Vec<u32> {
        let locator = tree.locator(id).into_iter();
        locator
            .map(|hash| tree.entry(tree.find(&hash).expect("its own")).height)
            .collect()
    };
    assert_eq!(heights(Id::GENESIS), [0]);
    assert_eq!(heights(chain[2]), [3, 2, 1, 0]);
    assert_eq!(heights(chain[10]), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    let long = [
        200, 199, 198, 197, 196, 195, 194, 193, 192, 191, 190, 189, 187, 183, 175, 159, 127, 63, 0,
    ];
    assert_eq!(heights(chain[199]), long);
}

#[test]
fn headers_without_blocks_are_bounded() {
    let mut tree = regtest();
    tree.set_limit(3);
    let chain = grow(&mut tree, Id::GENESIS, 3, 1);
    let next = child(&tree, chain[2], 600, 1);
    assert_eq!(tree.accept(&next, LATER), Err(HeaderError::Full));
    // One that is there is still there, and one whose block is stored does not count.
    let known = tree.entry(chain[0]).header;
    assert!(!tree.accept(&known, LATER).expect("known").new);
    let place = Place {
        file: 0,
        offset: 0,
        length: 300,
    };
    tree.set_place(chain[0], Some(place), 1);
    assert_eq!((tree.unstored(), tree.len()), (2, 4));
    let tip = tree.accept(&next, LATER).expect("room").id;
    let other = child(&tree, Id::GENESIS, 600, 2);
    assert_eq!(tree.accept(&other, LATER), Err(HeaderError::Full));

    // What is forgotten makes room, and its slots are used again.
    let slots = [chain[1], chain[2], tip].map(Id::index);
    let forgotten = tree.prune(&[]);
    assert_eq!(forgotten.len(), 3);
    assert_eq!((tree.unstored(), tree.len(), tree.best()), (0, 2, chain[0]));
    assert_eq!(tree.find(&forgotten[0].hash), None);
    let again = grow(&mut tree, chain[0], 3, 7);
    assert!(again.iter().all(|id| slots.contains(&id.index())));
    assert_eq!(tree.ancestor(again[2], 1), chain[0]);
}

/// What was spammed is bounded by the limit, whatever there is of it, and does not displace what is kept.
#[test]
fn spam_is_forgotten_and_the_chain_stays() {
    let mut tree = regtest();
    tree.set_limit(50);
    let chain = grow(&mut tree, Id::GENESIS, 20, 0);
    let mut refused = 0;
    for mark in 1..300 {
        let header = child(&tree, chain[mark as usize % 20], 600, mark);
        if tree.accept(&header, LATER) == Err(HeaderError::Full) {
            refused += 1;
            assert_eq!(tree.prune(&[chain[19]]).len(), 30);
            tree.accept(&header, LATER).expect("there is room again");
        }
        assert!(tree.unstored() <= 50);
    }
    assert_eq!(refused, (299_u32 - 30).div_ceil(30));
    assert!(
        chain
            .iter()
            .all(|id| tree.find(&tree.entry(*id).hash) == Some(*id))
    );
}

#[test]
fn what_is_loaded_is_what_was_there() {
    let mut tree = regtest();
    let chain = grow(&mut tree, Id::GENESIS, 40, 1);
    let side = grow(&mut tree, chain[10], 5, 2);
    tree.mark_invalid(side[2]);
    let place = Place {
        file: 3,
        offset: 4,
        length: 5,
    };
    tree.set_place(chain[0], Some(place), 9);

    let mut loaded = regtest();
    let headers = [&[Id::GENESIS], &chain[..], &side[..]].concat();
    for id in &headers {
        let entry = tree.entry(*id);
        // Of what is invalid, the first is enough.
        let invalid = *id == side[2];
        let id = loaded.load(&entry.header, entry.place, entry.txs, invalid);
        let copy = loaded.entry(id.expect("a good one"));
        let same = |entry: &sockman_p2p::chain::Entry| {
            (
                entry.hash,
                entry.height,
                entry.work,
                entry.place,
                entry.txs,
                entry.invalid,
            )
        };
        assert_eq!(same(copy), same(entry));
    }
    assert_eq!((loaded.len(), loaded.unstored()), (tree.len(), tree.unstored()));
    assert_eq!(loaded.best(), tree.best());

    let mut unmined = child(&tree, chain[39], 600, 3);
    let target = bitcoin::Target::from_compact(unmined.bits);
    while target.is_met_by(unmined.block_hash()) {
        unmined.nonce += 1;
    }
    assert_eq!(
        loaded.load(&unmined, None, 0, false),
        Err(HeaderError::ProofOfWork)
    );
    let orphan = child(&tree, chain[39], 600, 3);
    assert_eq!(
        regtest().load(&orphan, None, 0, false),
        Err(HeaderError::UnknownParent)
    );
}
