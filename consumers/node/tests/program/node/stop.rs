//! How a node ends.

use super::rig::{Node, command, json_of};
use super::{everywhere, preferred};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

#[test]
fn both_signals_end_it_in_order() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        for signal in [Signal::TERM, Signal::INT] {
            let node = Node::start(backend, data.path(), &[]);
            node.mine(2);
            let height = node.height();
            node.server.signal(signal);
            let ended = node.server.wait();
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
            let last = format!("stopped at height {height}\n");
            assert!(ended.stderr.ends_with(&last), "{ended:?}");
        }
    });
}

/// Whoever waits gets an answer, and so does whoever has said `stop`.
#[test]
fn a_call_ends_it_and_what_waits_is_answered() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = Node::start(backend, data.path(), &["--drain", "50"]);
        node.mine(1);
        let mut waiting = node.begin("waitforblockheight", &json!([100]));
        node.until_running("waitforblockheight", 1);
        assert_eq!(node.call("stop", &json!([])), "sockman stopping");
        let told = json_of(&waiting.answer());
        assert_eq!(told["result"]["height"], 1, "{told}");
        drop(waiting);
        let ended = node.server.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    });
}

/// A peer that does not hang up when it is hung up on is given its time.
#[test]
fn a_second_signal_ends_it_at_once() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = Node::start(backend, data.path(), &["--drain", "100000"]);
        let peer = TcpStream::connect(node.p2p()).expect("it listens");
        node.until("the peer is there", |node| {
            node.call("getconnectioncount", &json!([])) == 1
        });
        node.server.signal(Signal::TERM);
        while TcpStream::connect(node.p2p()).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
        node.server.signal(Signal::INT);
        let ended = node.server.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        drop(peer);
    });
}

/// What is being opened is a pipe that nobody writes to, and so takes for ever.
#[test]
fn a_signal_ends_the_opening_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let data = TempDir::new().expect("a temporary folder");
        let blocks = data.path().join("regtest/blocks");
        std::fs::create_dir_all(&blocks).expect("it can be made");
        mkfifoat(CWD, blocks.join("blk00000.dat"), Mode::RWXU).expect("it can be made");
        let mut child = command(preferred(), data.path(), &["--progress-every", "0.05"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("text");
        assert!(line.contains("regtest is being opened, for "), "{line}");
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        assert_eq!(child.wait().expect("it is our child").code(), Some(0));
        let mut last = String::new();
        said.read_to_string(&mut last).expect("text");
        assert!(
            last.ends_with("sockman: stopped before the data directory was open\n"),
            "{last}"
        );
    }
}

/// Mining is not waited for.
#[test]
fn mining_ends_with_the_node() {
    let data = TempDir::new().expect("a temporary folder");
    let node = Node::start(preferred(), data.path(), &["--drain", "50"]);
    let mut mining = node.begin(
        "generatetoaddress",
        &json!([10_000_000, super::rig::ADDRESS, u64::MAX]),
    );
    node.until("it mines", |node| node.height() > 2);
    node.server.signal(Signal::TERM);
    let mined = json_of(&mining.answer());
    assert!(mined["result"].as_array().expect("hashes").len() > 2);
    drop(mining);
    assert_eq!(node.server.wait().status.code(), Some(0));
}
