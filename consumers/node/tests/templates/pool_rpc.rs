//! The methods that add transactions and tell of them.

use crate::rig::{Asked as _, Resting, SUBSIDY, World, fail_without_pool, first, hex, spend};
use bitcoin::{OutPoint, ScriptBuf};
use serde_json::{Value, json};
use sockman_node::templates::MOST_AWAITED;
use sockman_p2p::pool::PoolSettings;

#[test]
fn without_a_pool_they_say_so() {
    let id = "00".repeat(32);
    for (method, params) in [
        (
            "sendrawtransaction",
            json!([hex(&spend(&[OutPoint::null()], &[1]))]),
        ),
        (
            "testmempoolaccept",
            json!([[hex(&spend(&[OutPoint::null()], &[1]))]]),
        ),
        ("getrawmempool", json!([])),
        ("getmempoolinfo", json!([])),
        ("getmempoolentry", json!([id])),
        ("gettxout", json!([id, 0])),
    ] {
        let (code, why) = fail_without_pool(method, &params);
        assert_eq!(code, -33, "{method}");
        assert!(why.contains("--sv2-bind"), "{why}");
    }
}

#[test]
fn what_comes_in_is_told() {
    let (world, coins) = World::rich(2);
    let parent = spend(&coins[..1], &[SUBSIDY - 1_000]);
    let child = spend(&[first(&parent)], &[SUBSIDY - 3_000]);
    world.send(&parent);
    world.send(&child);
    // A second time it is no error.
    world.send(&parent);
    let txids = [parent.compute_txid(), child.compute_txid()];
    let ids = txids.map(|txid| json!(txid.to_string()));
    assert_eq!(world.call("getrawmempool", &json!([])), json!(ids));
    let numbered = world.call("getrawmempool", &json!([false, true]));
    assert_eq!(
        (&numbered["txids"], &numbered["mempool_sequence"]),
        (&json!(ids), &json!(2))
    );

    let mut entry = world.call("getmempoolentry", &json!([txids[1].to_string()]));
    let time = entry.as_object_mut().expect("an object").remove("time");
    assert!(
        time.and_then(|time| time.as_u64())
            .is_some_and(|time| time > 1_700_000_000)
    );
    let vsize = child.vsize() as u64;
    let expected = json!({
        "vsize": vsize,
        "weight": 4 * vsize,
        "height": 102,
        "descendantcount": 1,
        "descendantsize": vsize,
        "ancestorcount": 2,
        "ancestorsize": 2 * vsize,
        "wtxid": child.compute_wtxid().to_string(),
        "fees": {"base": 0.00002, "modified": 0.00002, "ancestor": 0.00003, "descendant": 0.00002},
        "depends": [txids[0].to_string()],
        "spentby": [],
        "bip125-replaceable": false,
        "unbroadcast": true,
    });
    assert_eq!(entry, expected);
    let all = world.call("getrawmempool", &json!([true]));
    assert_eq!(
        all[txids[0].to_string()]["spentby"],
        json!([txids[1].to_string()])
    );
    assert_eq!(all[txids[1].to_string()]["depends"], expected["depends"]);

    let mut info = world.call("getmempoolinfo", &json!([]));
    let usage = info.as_object_mut().expect("an object").remove("usage");
    assert!(
        usage
            .and_then(|usage| usage.as_u64())
            .is_some_and(|usage| usage > 1_000)
    );
    let expected = json!({
        "loaded": true,
        "size": 2,
        "bytes": 2 * vsize,
        "total_fee": 0.00003,
        "maxmempool": 5_000_000,
        "mempoolminfee": 0.0,
        "minrelaytxfee": 0.0,
        "incrementalrelayfee": 0.0,
        "unbroadcastcount": 2,
        "fullrbf": false,
    });
    assert_eq!(info, expected);
    let (code, why) = world.fail("getrawmempool", &json!([true, true]));
    assert_eq!(code, -8);
    assert_eq!(why, "Verbose results cannot contain mempool sequence values.");
    let (code, why) = world.fail("getmempoolentry", &json!(["11".repeat(32)]));
    assert_eq!((code, why.as_str()), (-5, "Transaction not in mempool"));
    let (code, why) = world.fail("getmempoolentry", &json!(["11"]));
    assert_eq!(
        (code, why.as_str()),
        (-8, "txid must be of length 64 (not 2, for '11')")
    );
}

#[test]
fn what_does_not_come_in_is_refused_as_by_core() {
    let (world, coins) = World::rich(2);
    let refused = |params: Value| world.fail("sendrawtransaction", &params);
    let undecodable = "TX decode failed. Make sure the tx has at least one input.";
    let good = spend(&coins[..1], &[SUBSIDY - 1_000]);
    for text in ["", "zz", "00", &format!("{}00", hex(&good))] {
        assert_eq!(refused(json!([text])), (-22, undecodable.to_owned()), "{text}");
    }
    let missing = spend(&[OutPoint::new(good.compute_txid(), 7)], &[1]);
    let said = "bad-txns-inputs-missingorspent".to_owned();
    assert_eq!(refused(json!([hex(&missing)])), (-25, said));

    let immature = {
        let tip = world.call("getblock", &json!([world.tip().to_string(), 1]));
        let coinbase = tip["tx"][0].as_str().expect("an id").parse().expect("an id");
        spend(&[OutPoint::new(coinbase, 0)], &[1])
    };
    let mut nonfinal = good.clone();
    nonfinal.lock_time = bitcoin::absolute::LockTime::from_consensus(200);
    nonfinal.input[0].sequence = bitcoin::Sequence::ZERO;
    for (tx, why) in [
        (
            &spend(&coins[..1], &[SUBSIDY + 1]),
            "bad-txns-in-belowout, value in (50.00) < value out (50.00000001)",
        ),
        (
            &immature,
            "bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 1",
        ),
        (&nonfinal, "non-final"),
        (&spend(&coins[..1], &[]), "bad-txns-vout-empty"),
    ] {
        assert_eq!(refused(json!([hex(tx), 0])), (-26, why.to_owned()));
    }

    // What is meant to be paid, and to be given up.
    let too_dear = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)".to_owned();
    let dear = spend(&coins[..1], &[SUBSIDY - 20_000_000]);
    assert_eq!(refused(json!([hex(&dear)])), (-25, too_dear.clone()));
    assert_eq!(refused(json!([hex(&good), 0.0001])), (-25, too_dear));
    let (code, why) = refused(json!([hex(&good), 1]));
    assert_eq!(code, -8);
    assert_eq!(why, "Fee rates larger than or equal to 1BTC/kvB are not accepted");
    assert_eq!(
        refused(json!([hex(&good), -1])),
        (-3, "Amount out of range".to_owned())
    );
    let mut burns = good.clone();
    burns.output[0].script_pubkey = ScriptBuf::from_bytes([vec![0x6a], vec![0x51; 22]].concat());
    let too_much = "Unspendable output exceeds maximum configured by user (maxburnamount)".to_owned();
    assert_eq!(refused(json!([hex(&burns)])), (-25, too_much.clone()));
    assert_eq!(refused(json!([hex(&burns), 0, "49.9"])), (-25, too_much));
    let taken = world.call("sendrawtransaction", &json!([hex(&burns), 0.1, 50]));
    assert_eq!(taken, burns.compute_txid().to_string());
    let conflict = (-26, "txn-mempool-conflict".to_owned());
    assert_eq!(refused(json!([hex(&good)])), conflict);

    world.block(world.tip(), vec![good.clone()], 0);
    let there = (-27, "Transaction outputs already in utxo set".to_owned());
    assert_eq!(refused(json!([hex(&good)])), there);
    assert_eq!(world.pool(), [], "what conflicts with a block is gone");
}

#[test]
fn it_waits_for_a_few_blocks_and_not_for_many() {
    let resting = Resting::new();
    let blocks = resting.grow(MOST_AWAITED + 1);
    let coin = OutPoint::new(blocks[0].txdata[0].compute_txid(), 0);
    let tx = spend(&[coin], &[SUBSIDY - 1]);
    for (method, params) in [
        ("sendrawtransaction", json!([hex(&tx)])),
        ("gettxout", json!([coin.txid.to_string(), 0])),
    ] {
        let (code, why) = resting.fail(method, &params);
        assert_eq!(
            (code, why.as_str()),
            (-10, "the coins are known up to block 0 of 1001")
        );
    }
    let world = resting.start();
    world.ready();
    // Nobody need wait between a block and what it allows: whoever asks does.
    let mut spent = tx;
    world.send(&spent);
    for _ in 0..20 {
        world.block(world.tip(), vec![spent.clone()], 0);
        let value = spent.output[0].value.to_sat();
        spent = spend(&[first(&spent)], &[value - 1]);
        world.send(&spent);
        assert_eq!(world.pool(), [spent.compute_txid()]);
    }
}

#[test]
fn what_can_be_spent_is_told() {
    let (world, coins) = World::rich(1);
    let get = |outpoint: OutPoint, more: &[Value]| {
        let mut params = vec![json!(outpoint.txid.to_string()), json!(outpoint.vout)];
        params.extend_from_slice(more);
        world.call("gettxout", &json!(params))
    };
    let script = json!({"asm": "1", "desc": "raw(51)#8lvh9jxk", "hex": "51", "type": "nonstandard"});
    let expected = json!({
        "bestblock": world.tip().to_string(),
        "confirmations": 100,
        "value": 50.0,
        "scriptPubKey": script,
        "coinbase": true,
    });
    assert_eq!(get(coins[0], &[]), expected);
    let tx = spend(&coins, &[SUBSIDY - 1_000]);
    world.send(&tx);
    assert_eq!(get(coins[0], &[]), Value::Null);
    assert_eq!(get(coins[0], &[json!(false)]), expected);
    let made = get(first(&tx), &[json!(true)]);
    assert_eq!(
        (&made["confirmations"], &made["coinbase"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(made["value"], json!(49.99999));
    assert_eq!(get(first(&tx), &[json!(false)]), Value::Null);
    for vout in [1, 5] {
        assert_eq!(get(OutPoint::new(tx.compute_txid(), vout), &[]), Value::Null);
    }
    let negative = world.call("gettxout", &json!([tx.compute_txid().to_string(), -1]));
    assert_eq!(negative, Value::Null);
}

#[test]
fn what_would_come_in_can_be_asked() {
    let (world, coins) = World::rich(2);
    let test = |txs: &[&bitcoin::Transaction], more: &[Value]| {
        let texts: Vec<String> = txs.iter().map(|tx| hex(tx)).collect();
        let params = [&[json!(texts)], more].concat();
        world.call("testmempoolaccept", &json!(params))
    };
    let parent = spend(&coins[..1], &[SUBSIDY - 1_000]);
    let child = spend(&[first(&parent)], &[SUBSIDY - 3_000]);
    let below = spend(&coins[1..], &[SUBSIDY + 1]);
    let told = test(&[&parent, &child, &below], &[]);
    let wtxid = child.compute_wtxid().to_string();
    let expected = json!({
        "txid": child.compute_txid().to_string(),
        "wtxid": wtxid,
        "allowed": true,
        "vsize": child.vsize(),
        "fees": {
            "base": 0.00002,
            "effective-feerate": (2_000_000 / child.vsize()) as f64 / 1e8,
            "effective-includes": [wtxid],
        },
    });
    assert_eq!((&told[0]["allowed"], &told[1]), (&json!(true), &expected));
    let expected = json!({
        "txid": below.compute_txid().to_string(),
        "wtxid": below.compute_wtxid().to_string(),
        "allowed": false,
        "reject-reason": "bad-txns-in-belowout",
        "reject-details": "bad-txns-in-belowout, value in (50.00) < value out (50.00000001)",
    });
    assert_eq!(told[2], expected);
    assert_eq!(world.pool(), [], "asking changes nothing");
    let told = test(&[&child], &[]);
    assert_eq!(
        (&told[0]["reject-reason"], told[0].get("reject-details")),
        (&json!("missing-inputs"), None)
    );
    let told = test(&[&parent], &[json!(0.00001)]);
    assert_eq!(told[0]["reject-reason"], "max-fee-exceeded");

    let many: Vec<&bitcoin::Transaction> = vec![&parent; 26];
    for (params, code) in [
        (json!([[]]), -8),
        (json!([many.iter().map(|tx| hex(tx)).collect::<Vec<_>>()]), -8),
        (json!([["00"]]), -22),
        (json!(["00"]), -3),
    ] {
        assert_eq!(world.fail("testmempoolaccept", &params).0, code, "{params}");
    }
}

#[test]
fn a_least_fee_is_asked_for_and_told() {
    let settings = PoolSettings {
        min_feerate: 1_000,
        ..PoolSettings::default()
    };
    let resting = Resting::with(settings, |_| {});
    let blocks = resting.grow(100);
    let world = resting.start();
    world.ready();
    let coin = OutPoint::new(blocks[0].txdata[0].compute_txid(), 0);
    let tx = spend(&[coin], &[SUBSIDY - 10]);
    let (code, why) = world.fail("sendrawtransaction", &json!([hex(&tx)]));
    assert_eq!(
        (code, why),
        (-26, format!("min relay fee not met, 10 < {}", tx.vsize()))
    );
    let info = world.call("getmempoolinfo", &json!([]));
    assert_eq!(
        (&info["mempoolminfee"], &info["minrelaytxfee"]),
        (&json!(0.00001), &json!(0.00001))
    );
}
