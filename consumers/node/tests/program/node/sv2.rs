//! Templates for pools, and the client that shows them.

use super::rig::{Node, command};
use super::{everywhere, preferred};
use crate::server::{run, sockman};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Output, Stdio};
use tempfile::TempDir;

const BIND: [&str; 2] = ["--sv2-bind", "127.0.0.1:0"];

fn node(backend: &str, data: &Path) -> Node {
    Node::start(backend, data, &BIND)
}

fn key(node: &Node) -> String {
    let info = node.call("getsv2info", &json!([]));
    info["authority_public_key"].as_str().expect("a key").to_owned()
}

/// What `sockman sv2-client` printed, and how it ended.
fn client(node: &Node, key: &str, more: &[&str]) -> (String, String, Option<i32>) {
    told(&run(&[&["sv2-client", node.sv2(), key], more].concat()))
}

fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn counter(node: &Node, name: &str) -> u64 {
    let answer = node.client().get("/metrics");
    let line = format!("sockman_sv2_{name}_total ");
    let value = answer
        .text()
        .lines()
        .find_map(|text| text.strip_prefix(&line)?.parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in {answer:?}"))
}

#[test]
fn templates_are_told_at_once_and_with_every_block() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = node(backend, data.path());
        let child = sockman()
            .args([
                "sv2-client",
                node.sv2(),
                &key(&node),
                "--messages",
                "6",
                "--size",
                "123",
                "--sigops",
                "7",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        node.until("a client is ready", |node| {
            let info = node.call("getsv2info", &json!([]));
            info["clients"][0]["template_id"].is_u64()
        });
        let info = node.call("getsv2info", &json!([]));
        let client = &info["clients"][0];
        assert_eq!(client["stage"], "ready");
        assert_eq!(client["coinbase_output_max_additional_size"], 123);
        assert_eq!(client["coinbase_output_max_additional_sigops"], 7);
        assert_eq!(client["coinbase_tx_value_remaining"], 5_000_000_000_u64);
        assert!(client["vendor"].as_str().expect("a name").starts_with("sockman "));
        assert_eq!((&client["templates"], &info["templates"]), (&json!(1), &json!(1)));
        // Of two blocks that come at once there may be templates of the second alone.
        let first = client["template_id"].clone();
        node.mine(1);
        node.until("the client is told of the first", |node| {
            let info = node.call("getsv2info", &json!([]));
            info["clients"][0]["template_id"] != first
        });
        node.mine(1);
        let (out, _, code) = told(&child.wait_with_output().expect("it ends"));
        assert_eq!(code, Some(0), "{out}");
        let lines: Vec<&str> = out.lines().skip(2).collect();
        for (pair, prefix) in lines.chunks(2).zip(["51", "52", "53"]) {
            assert!(pair[0].starts_with("NewTemplate template_id="), "{out}");
            assert!(pair[0].contains("future_template=true"), "{out}");
            assert!(pair[0].contains(&format!("coinbase_prefix={prefix} ")), "{out}");
            let id = pair[0].split(' ').nth(1).expect("a number");
            assert!(pair[1].starts_with(&format!("SetNewPrevHash {id} ")), "{out}");
        }
        let tip = node.tip();
        assert!(lines[5].contains(tip.as_str().expect("a hash")), "{out}");
        assert_eq!(counter(&node, "setups"), 1);
        assert_eq!(
            (counter(&node, "templates"), counter(&node, "prev_hashes")),
            (3, 3)
        );
        node.stop();
    });
}

#[test]
fn how_fast_it_answers_is_told() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = node(backend, data.path());
        let (out, _, code) = client(&node, &key(&node), &["--bench", "50"]);
        assert_eq!(code, Some(0));
        assert!(
            out.contains("50 round trips of RequestTransactionData (0 bytes of transactions)"),
            "{out}"
        );
        for name in ["p50", "p90", "p99", "p99.9", "max"] {
            assert!(
                out.lines().any(|line| line.trim_start().starts_with(name)),
                "{out}"
            );
        }
        assert_eq!(counter(&node, "data"), 50);
        node.stop();
    });
}

#[test]
fn the_key_is_made_once_and_kept_from_others() {
    let data = TempDir::new().expect("a temporary folder");
    let first = node(preferred(), data.path());
    let public = key(&first);
    let file = first.dir.join("sv2_authority_key");
    assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    let ended = first.stop();
    assert!(
        ended.stdout.contains(&format!("authority public key {public}")),
        "{ended:?}"
    );

    let again = node(preferred(), data.path());
    assert_eq!(key(&again), public);
    again.stop();

    // Another file; this key and what it is known by are published with the reference implementation's crate key-utils.
    let other = data.path().join("other");
    fs::write(&other, "zmBEmPhqo3A92FkiLVvyCz6htc3e53ph3ZbD4ASqGaLjwnFLi\n").expect("written");
    fs::set_permissions(&other, Permissions::from_mode(0o600)).expect("changed");
    let path = other.to_str().expect("text");
    let flags = [&BIND[..], &["--sv2-authority-key-file", path]].concat();
    let third = Node::start(preferred(), data.path(), &flags);
    assert_eq!(key(&third), "9bDuixKmZqAJnrmP746n8zU1wyAQRrus7th9dxnkPg6RzQvCnan");
    third.stop();

    fs::set_permissions(&other, Permissions::from_mode(0o644)).expect("changed");
    let refused = command(preferred(), data.path(), &flags)
        .output()
        .expect("the program starts");
    let (_, err, code) = told(&refused);
    assert_eq!(code, Some(2));
    assert!(err.contains("chmod 600"), "{err}");
}

#[test]
fn a_client_is_told_what_is_wrong() {
    let data = TempDir::new().expect("a temporary folder");
    let node = node(preferred(), data.path());
    let other = "9bDuixKmZqAJnrmP746n8zU1wyAQRrus7th9dxnkPg6RzQvCnan";
    let (_, err, code) = client(&node, other, &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("the handshake failed: Invalid Certificate"), "{err}");
    let (_, err, code) = client(&node, "9bDui", &[]);
    assert_eq!(code, Some(2));
    assert!(err.contains("invalid value '9bDui'"), "{err}");
    let (_, err, code) = told(&run(&["sv2-client", "127.0.0.1", other]));
    assert_eq!(code, Some(2));
    assert!(err.contains("127.0.0.1 is no address"), "{err}");
    // Where peers connect, nobody understands: they hang up.
    let (_, err, code) = told(&run(&["sv2-client", node.p2p(), other]));
    assert_eq!(code, Some(1));
    assert!(err.contains("the handshake failed"), "{err}");
    // Outputs that leave no room for anything.
    let (out, err, code) = client(&node, &key(&node), &["--size", "999999"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(err.contains("hung up") || err.contains("reset"), "{err}");
    assert_eq!(counter(&node, "no_room"), 1);
    node.stop();
}

#[test]
fn what_cannot_be_served_is_told_at_once() {
    let data = TempDir::new().expect("a temporary folder");
    let why = |flags: &[&str]| {
        let output = command(preferred(), data.path(), &[&BIND[..], flags].concat()).output();
        let (_, err, code) = told(&output.expect("the program starts"));
        assert_eq!(code, Some(2), "{err}");
        err
    };
    assert!(why(&["--chain", "signet"]).contains("BIP 325"));
    assert!(why(&["--sv2-max-frame", "64KiB"]).contains("at least 128KiB"));
    assert!(why(&["--sv2-send-high", "2MiB", "--sv2-send-most", "1MiB"]).contains("--sv2-send-most"));
    assert_eq!(
        fs::read_dir(data.path()).expect("it is there").count(),
        0,
        "nothing was touched"
    );
}

#[test]
fn a_node_that_stops_hangs_up_on_its_clients() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = node(backend, data.path());
        let child = sockman()
            .args(["sv2-client", node.sv2(), &key(&node)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        node.until("a client is ready", |node| {
            let info = node.call("getsv2info", &json!([]));
            info["clients"][0]["template_id"].is_u64()
        });
        let ended = node.stop();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let (_, err, code) = told(&child.wait_with_output().expect("it ends"));
        assert_eq!(code, Some(1));
        assert!(err.contains("the provider has hung up"), "{err}");
    });
}

#[test]
fn without_the_flag_there_is_nothing_of_it() {
    let data = TempDir::new().expect("a temporary folder");
    let node = Node::start(preferred(), data.path(), &[]);
    let (code, why) = node.fail("getsv2info", &json!([]));
    assert_eq!(code, -1);
    assert!(why.contains("--sv2-bind"), "{why}");
    assert!(!node.client().get("/metrics").text().contains("sockman_sv2_"));
    let names = fs::read_dir(&node.dir).expect("it is there");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().contains("sv2"))
    );
    assert_ne!(node.call("uptime", &json!([])), Value::Null);
    node.stop();
}
