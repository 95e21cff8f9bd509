//! JSON-RPC, REST and metrics over HTTP. What the methods answer is tested beside Core's answers; here it is that they can be
//! called, and what several calls have to do with each other.

use super::rig::{ADDRESS, Node, Rpc, json_of};
use super::{everywhere, preferred};
use crate::http::client::Client;
use serde_json::{Value, json};
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
