//! Nodes among each other.

use super::rig::{Node, Rpc, command};
use super::{everywhere, preferred};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder")
}

fn synced_with(source: &Node, backend: &str, data: &Path, more: &[&str]) -> Output {
    let flags = [&["--connect", source.p2p(), "--exit-when-synced"][..], more].concat();
    command(backend, data, &flags)
        .output()
        .expect("the program starts")
}

#[test]
fn a_chain_is_downloaded_and_then_the_program_ends() {
    everywhere(|backend| {
        let (from, to) = (folder(), folder());
        let source = Node::start(backend, from.path(), &[]);
        source.mine(30);
        for _ in 0..2 {
            let output = synced_with(&source, backend, to.path(), &[]);
            let said = String::from_utf8(output.stderr).expect("text");
            assert_eq!(output.status.code(), Some(0), "{said}");
            assert!(said.contains("synced at height 30\n"), "{said}");
        }
        source.stop();
        let sink = Node::start(backend, to.path(), &[]);
        assert_eq!(sink.height(), 30);
        sink.stop();
    });
}

#[test]
fn a_new_block_is_told_and_peers_are_shown() {
    everywhere(|backend| {
        let (one, other) = (folder(), folder());
        let one = Node::start(backend, one.path(), &[]);
        one.mine(2);
        let other = Node::start(
            backend,
            other.path(),
            &["--addnode", one.p2p(), "--user-agent", "/other:1/"],
        );
        other.until("it has caught up", |node| node.height() == 2);
        one.mine(1);
        other.until("it is told", |node| node.height() == 3);
        other.mine(1);
        one.until("it is told", |node| node.tip() == other.tip());

        let [inbound] = &peers(&one)[..] else {
            panic!("one peer");
        };
        assert_eq!(
            (&inbound["inbound"], &inbound["subver"]),
            (&json!(true), &json!("/other:1/"))
        );
        assert_eq!(inbound["connection_type"], "inbound");
        let [outbound] = &peers(&other)[..] else {
            panic!("one peer");
        };
        assert_eq!(
            (&outbound["inbound"], &outbound["addr"]),
            (&json!(false), &json!(one.p2p()))
        );
        assert_eq!(outbound["permissions"], json!([]));
        assert_eq!(outbound["servicesnames"], json!(["NETWORK", "WITNESS"]));
        let by_message = outbound["bytesrecv_per_msg"].as_object().expect("an object");
        let sum: u64 = by_message.values().filter_map(Value::as_u64).sum();
        assert_eq!(outbound["bytesrecv"], sum);
        assert!(by_message.contains_key("verack"), "{outbound}");
        let totals = other.call("getnettotals", &json!([]));
        assert!(totals["totalbytesrecv"].as_u64() >= Some(sum), "{totals}");
        let info = one.call("getnetworkinfo", &json!([]));
        assert_eq!(
            (&info["connections_in"], &info["connections_out"]),
            (&json!(1), &json!(0))
        );

        other.call("ping", &json!([]));
        other.until("it was answered", |node| peers(node)[0]["pingtime"].is_number());
        // What it is told to hang up on it dials again.
        other.call("disconnectnode", &json!([one.p2p()]));
        other.until("another connection", |node| {
            peers(node).iter().any(|peer| peer["id"] != outbound["id"])
        });
        other.call("addnode", &json!([one.p2p(), "remove"]));
        let id = peers(&other)[0]["id"].clone();
        other.call("disconnectnode", &json!(["", id]));
        other.until("none", |node| peers(node).is_empty());
        other.stop();
        one.stop();
    });
}

fn peers(node: &Rpc) -> Vec<Value> {
    let peers = node.call("getpeerinfo", &json!([]));
    peers.as_array().expect("a list").clone()
}

#[test]
fn a_peer_is_shown_by_the_name_that_was_dialled() {
    let (one, other) = (folder(), folder());
    let backend = preferred();
    let one = Node::start(backend, one.path(), &["--noban", "127.0.0.0/8"]);
    let port = one.p2p().rsplit_once(':').expect("a port").1;
    let name = format!("localhost:{port}");
    let other = Node::start(backend, other.path(), &["--connect", &name]);
    other.until("it is there", |node| {
        peers(node).iter().any(|peer| peer["version"] != 0)
    });
    assert_eq!(peers(&other)[0]["addr"], json!(name));
    let inbound = &peers(&one)[0];
    assert_eq!(inbound["permissions"], json!(["noban", "download"]));
    assert_eq!(inbound["presynced_headers"], -1);
    other.call("disconnectnode", &json!([name]));
    other.stop();
    one.stop();
}

#[test]
fn a_fork_is_left_for_the_longer_chain() {
    let (one, other) = (folder(), folder());
    let backend = preferred();
    let one = Node::start(backend, one.path(), &[]);
    let other = Node::start(backend, other.path(), &[]);
    one.mine(3);
    // To somebody else, or it could be the same block.
    other.call("generatetodescriptor", &json!([5, "raw(51)"]));
    one.call("addnode", &json!([other.p2p(), "onetry"]));
    one.until("the longer one", |node| node.tip() == other.tip());
    let tips = one.call("getchaintips", &json!([]));
    assert_eq!(tips[0]["status"], "active");
    assert_eq!(
        (&tips[1]["height"], &tips[1]["branchlen"], &tips[1]["status"]),
        (&json!(3), &json!(3), &json!("valid-fork"))
    );
    let left = node_block(&one, &tips[1]["hash"]);
    assert_eq!(
        (&left["confirmations"], &left["nextblockhash"]),
        (&json!(-1), &Value::Null)
    );
    one.stop();
    other.stop();
}

fn node_block(node: &Rpc, hash: &Value) -> Value {
    node.call("getblock", &json!([hash, 1]))
}

#[test]
fn bans_hold_and_are_kept() {
    let (one, other) = (folder(), folder());
    let backend = preferred();
    let node = Node::start(backend, one.path(), &[]);
    let peer = Node::start(
        backend,
        other.path(),
        &["--connect", node.p2p(), "--retry-most", "1"],
    );
    node.until("the peer is there", |node| !peers(node).is_empty());
    node.call("setban", &json!(["127.0.0.0/8", "add", 3600]));
    node.until("it is hung up on", |node| peers(node).is_empty());
    let banned = node.call("listbanned", &json!([]));
    assert_eq!(
        (&banned[0]["address"], &banned[0]["ban_duration"]),
        (&json!("127.0.0.0/8"), &json!(3600))
    );
    node.stop();
    let node = Node::start(backend, one.path(), &[]);
    assert_eq!(node.call("listbanned", &json!([]))[0]["address"], "127.0.0.0/8");
    node.call("setban", &json!(["192.168.0.0/255.255.0.0", "add"]));
    assert_eq!(
        node.fail("setban", &json!(["192.168.0.0/16", "add"])).0,
        -23,
        "it is the same network"
    );
    node.call("setban", &json!(["192.168.0.0/16", "remove"]));
    node.call("clearbanned", &json!([]));
    assert_eq!(node.call("listbanned", &json!([])), json!([]));
    peer.stop();
    node.stop();
}
