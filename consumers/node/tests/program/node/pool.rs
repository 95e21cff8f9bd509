//! Transactions for templates, and the coins that they spend, over any end of the process.

use super::rig::Node;
use super::{everywhere, preferred};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use serde_json::{Value, json};
use sockman_p2p::chain::{Id, Params, Tree, mine, template};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const BIND: [&str; 2] = ["--sv2-bind", "127.0.0.1:0"];

/// What a coinbase makes, in satoshis.
const SUBSIDY: u64 = 5_000_000_000;

fn node(backend: &str, data: &Path, more: &[&str]) -> Node {
    Node::start(backend, data, &[&BIND[..], more].concat())
}

/// A transaction that spends the coinbase of a block, and pays so much.
fn spend(node: &Node, height: u64, fee: u64) -> Transaction {
    let hash = node.call("getblockhash", &json!([height]));
    let block = node.call("getblock", &json!([hash, 1]));
    let coinbase = block["tx"][0].as_str().expect("an id").parse().expect("an id");
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(coinbase, 0),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            // Nobody looks whether it is the right one.
            witness: Witness::from_slice(&[[1; 71]]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(SUBSIDY - fee),
            script_pubkey: ScriptBuf::from_bytes(vec![0x51; 22]),
        }],
    }
}

fn send(node: &Node, tx: &Transaction) -> Value {
    node.call(
        "sendrawtransaction",
        &json!([serialize(tx).to_lower_hex_string()]),
    )
}

/// What the first client's template pays, if there is one.
fn value(node: &Node) -> Option<u64> {
    node.call("getsv2info", &json!([]))["clients"][0]["coinbase_tx_value_remaining"].as_u64()
}

#[test]
fn what_is_handed_in_is_paid_for_by_templates() {
    everywhere(|backend| {
        let data = TempDir::new().expect("a temporary folder");
        let node = node(
            backend,
            data.path(),
            &["--sv2-interval", "0", "--sv2-fee-delta", "1"],
        );
        node.mine(101);
        let key = node.call("getsv2info", &json!([]))["authority_public_key"].clone();
        let mut client = crate::server::sockman()
            .args(["sv2-client", node.sv2(), key.as_str().expect("a key")])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        node.until("a client has a template", |_| value(&node) == Some(SUBSIDY));
        let tx = spend(&node, 1, 700);
        send(&node, &tx);
        node.until("it is paid for", |_| value(&node) == Some(SUBSIDY + 700));
        client.kill().expect("it runs");
        client.wait().expect("it ends");
        let ended = node.stop();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    });
}

#[test]
fn coins_survive_the_end_of_the_process() {
    let data = TempDir::new().expect("a temporary folder");
    let first = node(preferred(), data.path(), &[]);
    first.mine(102);
    let tx = spend(&first, 1, 10);
    send(&first, &tx);
    let outpoint = tx.input[0].previous_output;
    let ask = |node: &Node| node.call("gettxout", &json!([outpoint.txid.to_string(), 0, false]));
    let coin = ask(&first);
    assert_eq!((&coin["value"], &coin["coinbase"]), (&json!(50.0), &json!(true)));
    // Without a word.
    drop(first);

    let second = node(preferred(), data.path(), &[]);
    assert_eq!(ask(&second), coin);
    // The pool was in memory.
    assert_eq!(second.call("getrawmempool", &json!([])), json!([]));
    assert_eq!(second.stop().status.code(), Some(0));

    let path = data.path().join("regtest/coins.redb");
    fs::write(&path, vec![0x5a; 50_000]).expect("written");
    let third = node(preferred(), data.path(), &[]);
    third.until("the coins are there again", |node| {
        let found = node.ask("gettxout", &json!([outpoint.txid.to_string(), 0, false]));
        found["result"] == coin
    });
    let ended = third.stop();
    assert!(ended.stderr.contains("coins.redb cannot be used"), "{ended:?}");
    assert!(ended.stderr.contains("made anew"), "{ended:?}");

    // And without the flag, it is neither opened nor changed.
    let before = fs::read(&path).expect("it is there");
    let without = Node::start(preferred(), data.path(), &[]);
    let (code, why) = without.fail("getrawmempool", &json!([]));
    assert_eq!(code, -33);
    assert!(why.contains("--sv2-bind"), "{why}");
    without.mine(1);
    without.stop();
    assert!(fs::read(&path).expect("it is there") == before);
}

/// The blocks have room, what they make has not.
#[test]
fn an_index_that_cannot_grow_ends_it() {
    let data = TempDir::new().expect("a temporary folder");
    let full = Node::start_with_little_room(4096, preferred(), data.path(), &BIND);
    // A hundred thousand coins of nobody, of nine bytes each.
    let many = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::new(Txid::from_byte_array([7; 32]), 0),
            ..TxIn::default()
        }],
        output: vec![
            TxOut {
                value: Amount::ONE_SAT,
                script_pubkey: ScriptBuf::new(),
            };
            100_000
        ],
    };
    let tree = Tree::new(Params::of(Network::Regtest));
    let script = ScriptBuf::from_bytes(vec![0x51]);
    let mut block = template(&tree, Id::GENESIS, script, 0, vec![many]);
    assert!(mine(&mut block.header, u64::from(u32::MAX)));
    let hex = serialize(&block).to_lower_hex_string();
    assert_eq!(full.call("submitblock", &json!([hex])), Value::Null);
    let ended = full.server.wait();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let last = ended.stderr.lines().last().expect("it says why");
    assert!(
        last.starts_with("sockman: stopped: ") && last.contains("coins.redb"),
        "{ended:?}"
    );

    // With room, it goes on.
    let node = node(preferred(), data.path(), &[]);
    let coin = json!([block.txdata[1].compute_txid().to_string(), 99_999]);
    node.until("the coins are there", |node| {
        node.ask("gettxout", &coin)["result"]["confirmations"] == 1
    });
    // And what the block spends that is not there is counted.
    let answer = node.client().get("/metrics");
    let figures = answer.text();
    for line in [
        "sockman_coins_height 1",
        "sockman_coins_missing_total 1",
        "sockman_mempool_transactions 0",
        "sockman_mempool_bytes 0",
    ] {
        assert!(
            figures.lines().any(|other| other == line),
            "{line} is not in\n{figures}"
        );
    }
    node.stop();
}
