//! JSON-RPC, REST and metrics over HTTP. What the methods answer is tested beside Core's answers; here it is that they can be
//! called, and what several calls have to do with each other.

use super::rig::{ADDRESS, Node, Rpc, json_of};
use super::{everywhere, preferred};
use crate::http::client::Client;
use bitcoin::hex::FromHex as _;
use serde_json::{Value, json};
use std::fs;
use std::thread;
use tempfile::TempDir;

fn node(more: &[&str]) -> (TempDir, Node) {
    let data = TempDir::new().expect("a temporary folder");
    let node = Node::start(preferred(), data.path(), more);
    (data, node)
}

#[test]
fn blocks_are_mined_and_shown() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = Node::start(backend, data.path(), &[]);
        assert_eq!(node.height(), 0);
        node.mine(3);
        let tip = node.tip();
        let block = node.call("getblock", &json!([tip, 2]));
        assert_eq!((&block["hash"], &block["height"]), (&tip, &json!(3)));
        let output = &block["tx"][0]["vout"][0];
        assert_eq!(output["scriptPubKey"]["address"], ADDRESS);
        let descriptor = &output["scriptPubKey"]["desc"];
        let mined = node.call("generatetodescriptor", &json!([2, descriptor]));
        assert_eq!(node.tip(), mined[1]);
        assert_eq!(node.call("getblockhash", &json!([4])), mined[0]);
        assert_eq!(node.call("getblockchaininfo", &json!([]))["chain"], "regtest");
        let raw = node.call("getblock", &json!([tip, 0]));
        assert_eq!(node.call("submitblock", &json!([raw])), "duplicate");
        assert!(node.call("uptime", &json!([])).is_u64());
        node.stop();
    });
}

#[test]
fn what_waits_is_woken_by_a_block() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = Node::start(backend, data.path(), &[]);
        let mut height = node.begin("waitforblockheight", &json!([2]));
        let mut change = node.begin("waitfornewblock", &json!([]));
        node.until_running("waitforblockheight", 1);
        node.until_running("waitfornewblock", 1);
        node.mine(1);
        let told = json_of(&change.answer());
        assert_eq!(told["result"]["height"], 1);
        node.mine(1);
        let told = json_of(&height.answer());
        assert_eq!(told["result"], json!({"hash": node.tip(), "height": 2}));
        node.stop();
    });
}

#[test]
fn those_who_wait_leave_threads_for_others() {
    let (_data, node) = node(&["--rpc-threads", "2", "--rpc-waiting", "1"]);
    let mut waiting = node.begin("waitforblockheight", &json!([1]));
    node.until_running("waitforblockheight", 1);
    let (code, why) = node.fail("waitfornewblock", &json!([]));
    assert_eq!((code, why.as_str()), (-1, "1 calls are waiting already"));
    // What need not wait is answered all the same.
    assert_eq!(node.call("waitforblockheight", &json!([0]))["height"], 0);
    node.mine(1);
    assert_eq!(json_of(&waiting.answer())["result"]["height"], 1);
    let timed = node.call("waitforblockheight", &json!([2, 20]));
    assert_eq!(timed["height"], 1, "the time is over, and another may wait");
    assert_eq!(node.call("waitfornewblock", &json!([20]))["height"], 1);
    node.stop();
}

/// What mining does to the chain while others look at it.
#[test]
fn calls_at_the_same_time() {
    let (_data, node) = node(&[]);
    let rpc: &Rpc = &node;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| rpc.mine(15));
        }
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..30 {
                    let tip = rpc.tip();
                    let block = rpc.call("getblock", &json!([tip, 1]));
                    assert_eq!(block["hash"], tip);
                }
            });
        }
    });
    // Of two that are made at the same time on the same block, one is the end of a branch.
    let tips = node.call("getchaintips", &json!([]));
    assert_eq!(tips[0]["status"], "active");
    assert!((15..=45).contains(&node.height()), "{tips}");
    node.stop();
}

/// A block as it is handed in.
fn hex(node: &Rpc, height: u64) -> String {
    let hash = node.call("getblockhash", &json!([height]));
    let raw = node.call("getblock", &json!([hash, 0]));
    raw.as_str().expect("text").to_owned()
}

/// The same with another lock time of its last transaction: not the transactions that the header is for.
fn changed(block: &str) -> String {
    let (rest, last) = block.split_at(block.len() - 2);
    let last = if last == "00" { "01" } else { "00" };
    format!("{rest}{last}")
}

/// What is wrong with a block by itself comes before its place, and leaves nothing behind.
#[test]
fn blocks_that_are_handed_in() {
    let (_from, source) = node(&[]);
    source.mine(3);
    let (one, two, three) = (hex(&source, 1), hex(&source, 2), hex(&source, 3));
    source.stop();
    let (_data, node) = node(&[]);
    let submit = |block: &str| node.call("submitblock", &json!([block]));
    for block in [&one, &two] {
        assert_eq!(submit(&changed(block)), "bad-txnmrklroot");
    }
    assert_eq!(submit(&two), "prev-blk-not-found");
    let tips = node.call("getchaintips", &json!([]));
    assert_eq!(tips.as_array().map(Vec::len), Some(1), "{tips}");
    let (code, why) = node.fail("submitblock", &json!([one[..one.len() - 2]]));
    assert_eq!((code, why.as_str()), (-22, "Block decode failed"));
    // What comes behind it is nobody's.
    assert_eq!(submit(&format!("{one}00")), Value::Null);
    assert_eq!(submit(&one), "duplicate");
    assert_eq!(submit(&changed(&one)), "bad-txnmrklroot");
    assert_eq!(submit(&two), Value::Null);
    assert_eq!(submit(&three), Value::Null);
    assert_eq!(node.height(), 3);
    node.stop();
}

/// It is not shown, and fetched again by the next process: without a look at each block that one would not notice.
#[test]
fn a_damaged_block_that_is_asked_for_is_missing_from_then_on() {
    let (data, damaged) = node(&["--rest"]);
    damaged.mine(3);
    let block = Vec::from_hex(&hex(&damaged, 2)).expect("hexadecimal");
    let hash = damaged.call("getblockhash", &json!([2]));
    let path = damaged.dir.join("blocks/blk00000.dat");
    let mut file = fs::read(&path).expect("it is there");
    let at = file
        .windows(block.len())
        .position(|part| part == block)
        .expect("it is in there");
    file[at + block.len() - 1] ^= 1;
    fs::write(&path, file).expect("it can be written");
    let (code, why) = damaged.fail("getblock", &json!([hash, 0]));
    assert_eq!((code, why.as_str()), (-1, "Block not found on disk"));
    let hash = hash.as_str().expect("a hash");
    let (status, _, body) = rest(&mut damaged.client(), &format!("block/{hash}.bin"));
    assert_eq!(
        (status, body),
        (404, format!("{hash} not found\r\n").into_bytes())
    );
    damaged.stop();
    let again = Node::start(preferred(), data.path(), &["--verify", "0"]);
    assert_eq!(again.height(), 1);
    again.stop();
}

#[test]
fn peers_and_networks_as_core_tells_them() {
    let (_data, node) = node(&["--noban", "127.0.0.0/8"]);
    let (code, why) = node.fail("disconnectnode", &json!(["", -1]));
    let nobody = "Node not found in connected nodes";
    assert_eq!((code, why.as_str()), (-29, nobody));
    for params in [json!([""]), json!([null, -1]), json!(["127.0.0.1:1"])] {
        assert_eq!(node.fail("disconnectnode", &params), (-29, nobody.to_owned()));
    }
    for params in [json!([]), json!(["127.0.0.1:1", 0])] {
        assert_eq!(node.fail("disconnectnode", &params).0, -32602, "{params}");
    }
    // The command comes first.
    for (method, params) in [
        ("addnode", json!(["127.0.0.1", "hug", true])),
        ("setban", json!(["nobody", "hug"])),
    ] {
        let (code, why) = node.fail(method, &params);
        let help = node.call("help", &json!([method]));
        assert_eq!((code, json!(why)), (-1, help));
    }
    let info = node.call("getnetworkinfo", &json!([]));
    let networks: Vec<(&str, bool, bool)> = info["networks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|network| {
            let is = |name: &str| network[name].as_bool().expect("a truth value");
            (
                network["name"].as_str().expect("a name"),
                is("limited"),
                is("reachable"),
            )
        })
        .collect();
    let expected = [
        ("ipv4", false, true),
        ("ipv6", false, true),
        ("onion", true, false),
        ("i2p", true, false),
        ("cjdns", true, false),
    ];
    assert_eq!(networks, expected);
    node.stop();
}

#[test]
fn a_signet_tells_its_challenge() {
    let (_data, signet) = node(&["--chain", "signet"]);
    let info = signet.call("getblockchaininfo", &json!([]));
    let challenge = info["signet_challenge"].as_str().expect("it is told");
    assert!(
        challenge.starts_with("5121") && challenge.ends_with("52ae"),
        "{challenge}"
    );
    signet.stop();
    let (_data, regtest) = node(&[]);
    let info = regtest.call("getblockchaininfo", &json!([]));
    assert_eq!(info.get("signet_challenge"), None);
    regtest.stop();
}

#[test]
fn only_those_who_may_call() {
    let (_data, node) = node(&[]);
    for (fields, status) in [("", 401), ("Authorization: Basic dTpx\r\n", 401)] {
        assert_eq!(node.post(fields, "getblockcount", &json!([])).status, status);
    }
    let mut client = node.client();
    assert_eq!(client.get("/").status, 405);
    assert_eq!(client.get("/nowhere").status, 404);
    let wallet = "POST /wallet/w HTTP/1.1\r\nAuthorization: Basic dTpw\r\nContent-Length: 30\r\n\r\n{\"method\":\"getblockcount\"}    ";
    client.send(wallet);
    assert!(client.answer().text().contains("-18"));
    node.stop();
}

fn rest(client: &mut Client, path: &str) -> (u16, String, Vec<u8>) {
    let answer = client.get(&format!("/rest/{path}"));
    let media_type = answer.field("content-type").unwrap_or_default().to_owned();
    (answer.status, media_type, answer.body)
}

#[test]
fn rest_is_there_when_it_is_asked_for() {
    let (_data, node) = node(&["--rest", "--rest-threads", "1"]);
    node.mine(2);
    let tip = node.tip();
    let tip = tip.as_str().expect("a hash");
    let mut client = node.client();
    let (status, media_type, body) = rest(&mut client, "chaininfo.json");
    assert_eq!((status, media_type.as_str()), (200, "application/json"));
    let info: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(info["bestblockhash"], tip);
    let (status, media_type, body) = rest(&mut client, &format!("block/{tip}.hex"));
    assert_eq!((status, media_type.as_str()), (200, "text/plain"));
    let raw = node.call("getblock", &json!([tip, 0]));
    assert_eq!(
        String::from_utf8(body).expect("text"),
        format!("{}\n", raw.as_str().expect("text"))
    );
    let (status, media_type, body) = rest(&mut client, &format!("headers/{tip}.bin?count=3"));
    assert_eq!(
        (status, media_type.as_str(), body.len()),
        (200, "application/octet-stream", 80)
    );
    let (status, media_type, body) = rest(&mut client, "blockhashbyheight/3.hex");
    assert_eq!((status, media_type.as_str()), (404, "text/plain"));
    assert_eq!(body, b"Block height out of range\r\n");
    assert_eq!(rest(&mut client, "nosuch"), (404, String::new(), Vec::new()));
    assert_eq!(client.ask("HEAD", "/rest/chaininfo.json").status, 200);
    let posted = client.post("POST", "/rest/chaininfo.json", b"{}");
    assert_eq!((posted.status, posted.field("allow")), (405, Some("GET, HEAD")));
    node.stop();
}

#[test]
fn without_being_asked_for_there_is_no_rest() {
    let (_data, node) = node(&[]);
    assert_eq!(node.client().get("/rest/chaininfo.json").status, 404);
    node.stop();
}

#[test]
fn metrics_have_both_protocols() {
    let (_data, node) = node(&[]);
    node.mine(2);
    let answer = node.client().get("/metrics");
    let media_type = answer.field("content-type").expect("a type");
    assert!(
        media_type.starts_with("text/plain; version=0.0.4"),
        "{media_type}"
    );
    let text = answer.text();
    for line in [
        "# TYPE sockman_p2p_height gauge",
        "sockman_p2p_height 2",
        "sockman_p2p_peers{direction=\"inbound\"} 0",
        "# TYPE sockman_p2p_blocks_total counter",
        "sockman_p2p_blocks_total 0",
        "sockman_p2p_received_bytes_total 0",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(text.contains("sockman_http_requests_total "), "{text}");
    node.stop();
}
