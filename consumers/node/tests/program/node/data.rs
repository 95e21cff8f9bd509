//! What is on the disk, and what is not.

use super::rig::{Node, command};
use super::{everywhere, preferred};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

/// What a second process is told.
fn refused(data: &Path, more: &[&str]) -> String {
    let output: Output = command(preferred(), data, more)
        .output()
        .expect("the program starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "it must not have listened");
    said
}

#[test]
fn a_second_one_is_told_so_and_changes_nothing() {
    everywhere(|backend| {
        let data = folder();
        let node = Node::spawn(&mut command(backend, data.path(), &[]), backend, data.path());
        let cookie = node.cookie();
        let said = refused(data.path(), &[]);
        assert!(said.contains("is in use"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(node.cookie(), cookie, "the first one's is there as it was");
        node.stop();
        assert!(!data.path().join("regtest/.cookie").exists());
    });
}

#[test]
fn what_was_there_is_there_after_a_kill() {
    everywhere(|backend| {
        let data = folder();
        let mut height = 0;
        for round in 1..=3 {
            let node = Node::start(backend, data.path(), &["--commit-every", "1000"]);
            assert_eq!(node.height(), height, "round {round}");
            node.mine(20 * round);
            height = node.height();
            node.server.signal(Signal::KILL);
            assert_eq!(node.server.wait().status.code(), None, "killed");
        }
    });
}

/// The disk, or what stands for one, is full while a chain is downloaded: the node says so and ends, and goes on when there is
/// room.
#[test]
fn a_full_disk_ends_it_and_loses_nothing() {
    everywhere(|backend| {
        let (from, to) = (folder(), folder());
        let source = Node::start(backend, from.path(), &[]);
        for _ in 0..4 {
            source.mine(500);
        }
        let connect = ["--connect", source.p2p()];
        let sink = Node::start_with_little_room(256, backend, to.path(), &connect);
        let ended = sink.server.wait();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let last = ended.stderr.lines().last().expect("it says why");
        assert!(
            last.starts_with("sockman: stopped: ") && last.contains("no room to write"),
            "{ended:?}"
        );

        let sink = Node::start(backend, to.path(), &connect);
        sink.until("it has caught up", |node| node.tip() == source.tip());
        sink.stop();
        source.stop();
    });
}

#[test]
fn an_index_that_is_damaged_is_made_anew() {
    let data = folder();
    let backend = preferred();
    let node = Node::start(backend, data.path(), &[]);
    node.mine(10);
    let tip = node.tip();
    let index = node.dir.join("index.redb");
    node.stop();
    fs::write(&index, b"nonsense").expect("it can be written");
    let node = Node::start(backend, data.path(), &[]);
    assert_eq!(node.tip(), tip);
    let ended = node.stop();
    assert!(ended.stderr.contains("index.redb is damaged"), "{ended:?}");
}

#[test]
fn a_block_that_is_damaged_is_told_and_fetched_again() {
    let (data, other) = (folder(), folder());
    let backend = preferred();
    let source = Node::start(backend, other.path(), &[]);
    source.mine(10);
    let node = Node::start(backend, data.path(), &["--connect", source.p2p()]);
    node.until("it has caught up", |node| node.tip() == source.tip());
    let blocks = node.dir.join("blocks/blk00000.dat");
    node.stop();
    let mut bytes = fs::read(&blocks).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&blocks, bytes).expect("it can be written");
    let node = Node::start(backend, data.path(), &["--connect", source.p2p()]);
    node.until("it has caught up", |node| node.tip() == source.tip());
    let ended = node.stop();
    assert!(ended.stderr.contains("blk00000.dat is damaged"), "{ended:?}");
    source.stop();
}

#[test]
fn another_chain_is_not_taken_for_this_one() {
    let data = folder();
    let node = Node::start(preferred(), data.path(), &[]);
    node.mine(1);
    let dir = node.dir.clone();
    node.stop();
    // As if somebody had moved it.
    fs::rename(&dir, data.path().join("signet")).expect("it can be moved");
    let said = refused(data.path(), &["--chain", "signet"]);
    assert!(said.contains("chain"), "{said}");
    assert!(data.path().join("signet/blocks/blk00000.dat").exists());
}

#[test]
fn each_chain_has_its_directory_and_its_cookie() {
    let data = folder();
    let backend = preferred();
    for (chain, dir) in [
        ("main", ""),
        ("testnet4", "testnet4"),
        ("signet", "signet"),
        ("regtest", "regtest"),
    ] {
        let mut command = command(backend, data.path(), &["--chain", chain]);
        let node = Node::spawn(&mut command, backend, data.path());
        let dir = data.path().join(dir);
        let cookie = dir.join(".cookie");
        let text = fs::read_to_string(&cookie).expect("it is there");
        assert!(text.starts_with("__cookie__:"), "{text}");
        let mode = cookie.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(dir.join("index.redb").exists() && dir.join("blocks").is_dir());
        node.stop();
        assert!(!cookie.exists(), "it goes with the node");
    }
    let mode = data
        .path()
        .join("regtest")
        .metadata()
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "nobody else looks in");
}
