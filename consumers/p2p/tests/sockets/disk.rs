//! Headers that come faster than a disk takes them, and that are forgotten by the thousand: nobody waits but who brings them.

use super::bystander::Bystander;
use super::node::{self, Running};
use super::peer::Peer;
use super::{judge, memory};
use bitcoin::block::{Header, Version};
use sockman_backends::sockman::Backend;
use sockman_p2p::Settings;
use sockman_p2p::chain::{Params, mine};
use sockman_p2p::state::Count;
use sockman_p2p::store::{Disk, DiskOptions};
use sockman_p2p::wire::MAX_HEADERS;
use std::sync::OnceLock;

/// Branches, and the headers of each.
const BRANCHES: u32 = 10;
const LONG: usize = 10_000;

fn branches() -> &'static [Vec<Header>] {
    static MADE: OnceLock<Vec<Vec<Header>>> = OnceLock::new();
    MADE.get_or_init(|| (0..BRANCHES).map(branch).collect())
}

/// Headers on top of genesis, like no others.
fn branch(number: u32) -> Vec<Header> {
    let mut header = Params::of(bitcoin::Network::Regtest).genesis.header;
    let mut made = Vec::new();
    for at in 0..LONG {
        header = Header {
            version: Version::from_consensus(4),
            prev_blockhash: header.block_hash(),
            time: header.time + if at == 0 { 600 + number } else { 600 },
            ..header
        };
        assert!(mine(&mut header, 1 << 20));
        made.push(header);
    }
    made
}

pub(super) fn check<B: Backend>() {
    let settings = Settings {
        headers: 2 * LONG,
        ..node::settings(1)
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_path_buf();
    let node = Running::on::<B>(settings, &[], move |magic| {
        let options = DiskOptions {
            queue: 1_000,
            ..DiskOptions::default()
        };
        Disk::open(&path, magic, options).unwrap()
    });
    let all = branches();
    let bystander = Bystander::start(node.at);
    let before = memory::reset_peak();
    let mut peer = Peer::ready(node.at);
    for branch in all {
        for told in branch.chunks(MAX_HEADERS) {
            peer.headers(told.to_vec());
        }
    }
    let count = BRANCHES as usize * LONG;
    node.until(|node| node.count(Count::headers) as usize == count);
    let used = memory::peak().saturating_sub(before);
    assert_eq!(node.peers(), 1);
    assert!(node.handle.with(|state| state.chain.tree().unstored()) <= 2 * LONG);
    node.handle
        .with(|state| state.failure().map_or((), |why| panic!("{why}")));
    judge::<B>("100,000 headers, and a disk", bystander.worst(), used, 64);
}
