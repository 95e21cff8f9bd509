//! Transactions and blocks, beside what Bitcoin Core printed of them.

use super::{Block, Detail, Headline, Tx};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::constants::genesis_block;
use bitcoin::{Network, Transaction};

/// Without the white space that people read by. There is none inside the strings that need it: see the `~`.
fn packed(pretty: &str) -> String {
    let words: String = pretty.split_whitespace().collect();
    words.replace('~', " ")
}

fn shown(hex: &str, network: Network) -> String {
    let tx: Transaction = deserialize_hex(hex).expect("a transaction");
    serde_json::to_string(&Tx::new(&tx, network)).expect("JSON")
}

/// `getrawtransaction` of a wallet's payment on regtest, with a witness and data.
#[test]
fn a_payment_with_data() {
    let hex = "0200000000010112fa7ab7e99b8560c05839120a698cb589139d45fc0183ec33e9b542a23a688f0000000000fdffffff03a086010000000000160014e81e24f8e2cc2ed33f8475968a8138707ffdf906bf6a042a01000000160014c2f34db10ac33615129ea4ca543940cdea44544400000000000000000b6a0941424300112364656602473044022016988134a4c56b2399affb25b2e3bd9686044f9f418066d5ffc6719f187d75ae022038673eaed3d2ccbe358dec128e121868fcf9cff231b3fbca99aca1b3c0ead168012102db5d1946f31331164df0da550c31e2fcdfe2b621853828daa0250e7f18b6d60e00000000";
    let expected = r#"{
        "txid": "77f31ee6d67e25be3ee9c7649834dfe8ecb609c4ff52ec2e8f70232c5fe1f1a4",
        "hash": "624359949a7e5450369e8d7ec53b3f133915ef323621f3b8a9741067727af8f3",
        "version": 2, "size": 242, "vsize": 161, "weight": 641, "locktime": 0,
        "vin": [{
            "txid": "8f683aa242b5e933ec8301fc459d1389b58c690a123958c060859be9b77afa12", "vout": 0,
            "scriptSig": {"asm": "", "hex": ""},
            "txinwitness": [
                "3044022016988134a4c56b2399affb25b2e3bd9686044f9f418066d5ffc6719f187d75ae022038673eaed3d2ccbe358dec128e121868fcf9cff231b3fbca99aca1b3c0ead16801",
                "02db5d1946f31331164df0da550c31e2fcdfe2b621853828daa0250e7f18b6d60e"
            ],
            "sequence": 4294967293
        }],
        "vout": [{
            "value": 0.00100000, "n": 0,
            "scriptPubKey": {
                "asm": "0~e81e24f8e2cc2ed33f8475968a8138707ffdf906",
                "desc": "addr(bcrt1qaq0zf78zeshdx0uywktg4qfcwpllm7gxxetln2)#cky7t7p2",
                "hex": "0014e81e24f8e2cc2ed33f8475968a8138707ffdf906",
                "address": "bcrt1qaq0zf78zeshdx0uywktg4qfcwpllm7gxxetln2",
                "type": "witness_v0_keyhash"
            }
        }, {
            "value": 49.99899839, "n": 1,
            "scriptPubKey": {
                "asm": "0~c2f34db10ac33615129ea4ca543940cdea445444",
                "desc": "addr(bcrt1qcte5mvg2cvmp2y575n99gw2qeh4yg4zy2txr5z)#jh752lxg",
                "hex": "0014c2f34db10ac33615129ea4ca543940cdea445444",
                "address": "bcrt1qcte5mvg2cvmp2y575n99gw2qeh4yg4zy2txr5z",
                "type": "witness_v0_keyhash"
            }
        }, {
            "value": 0.00000000, "n": 2,
            "scriptPubKey": {
                "asm": "OP_RETURN~414243001123646566",
                "desc": "raw(6a09414243001123646566)#ux7sdpua",
                "hex": "6a09414243001123646566",
                "type": "nulldata"
            }
        }],
        "hex": "HEX"
    }"#;
    assert_eq!(shown(hex, Network::Regtest), packed(expected).replace("HEX", hex));
}

/// A signed transaction without a witness, from the suite of Core's `bitcoin-tx` (`txcreatesignv1.json`).
#[test]
fn a_payment_without_a_witness() {
    let hex = "01000000018594c5bdcaec8f06b78b596f31cd292a294fd031e24eec716f43dac91ea7494d000000008b48304502210096a75056c9e2cc62b7214777b3d2a592cfda7092520126d4ebfcd6d590c99bd8022051bb746359cf98c0603f3004477eac68701132380db8facba19c89dc5ab5c5e201410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ffffffff01a0860100000000001976a9145834479edbbe0539b31ffd3a8f8ebadc2165ed0188ac00000000";
    let shown = shown(hex, Network::Bitcoin);
    for part in [
        r#""txid": "977e7cd286cb72cd470d539ba6cb48400f8f387d97451d45cdb8819437a303af",
           "hash": "977e7cd286cb72cd470d539ba6cb48400f8f387d97451d45cdb8819437a303af",
           "version": 1, "size": 224, "vsize": 224, "weight": 896, "locktime": 0"#,
        r#""scriptSig": {
             "asm": "304502210096a75056c9e2cc62b7214777b3d2a592cfda7092520126d4ebfcd6d590c99bd8022051bb746359cf98c0603f3004477eac68701132380db8facba19c89dc5ab5c5e2[ALL]~0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
             "hex": "48304502210096a75056c9e2cc62b7214777b3d2a592cfda7092520126d4ebfcd6d590c99bd8022051bb746359cf98c0603f3004477eac68701132380db8facba19c89dc5ab5c5e201410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
           }, "sequence": 4294967295"#,
        r#""asm": "OP_DUP~OP_HASH160~5834479edbbe0539b31ffd3a8f8ebadc2165ed01~OP_EQUALVERIFY~OP_CHECKSIG""#,
        r#""type": "pubkeyhash""#,
    ] {
        assert!(shown.contains(&packed(part)), "{part} is not in {shown}");
    }
    assert!(!shown.contains("txinwitness"));
}

/// `getblock` of the main chain's first block, verbosity 2 (`target` is of version 29 and later,
/// `coinbase_tx` of 31).
#[test]
fn the_first_block() {
    let block = genesis_block(Network::Bitcoin);
    let headline = Headline {
        header: block.header,
        hash: block.block_hash(),
        confirmations: 2,
        height: 0,
        median_time: 1_231_006_505,
        work: block.header.work(),
        txs: 1,
        previous: None,
        next: "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"
            .parse()
            .ok(),
    };
    let head = r#"
        "hash": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        "confirmations": 2, "height": 0, "version": 1, "versionHex": "00000001",
        "merkleroot": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "time": 1231006505, "mediantime": 1231006505, "nonce": 2083236893, "bits": "1d00ffff",
        "target": "00000000ffff0000000000000000000000000000000000000000000000000000",
        "difficulty": 1,
        "chainwork": "0000000000000000000000000000000000000000000000000000000100010001",
        "nTx": 1,
        "nextblockhash": "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048""#;
    let sizes = r#""strippedsize": 285, "size": 285, "weight": 1140,
        "coinbase_tx": {
            "version": 1, "locktime": 0, "sequence": 4294967295,
            "coinbase": "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73"
        }"#;
    let ids = r#""tx": ["4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"]"#;
    let tx = r#""tx": [{
        "txid": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "hash": "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "version": 1, "size": 204, "vsize": 204, "weight": 816, "locktime": 0,
        "vin": [{
            "coinbase": "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73",
            "sequence": 4294967295
        }],
        "vout": [{
            "value": 50.00000000, "n": 0,
            "scriptPubKey": {
                "asm": "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f~OP_CHECKSIG",
                "desc": "pk(04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f)#vlz6ztea",
                "hex": "4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac",
                "type": "pubkey"
            }
        }],
        "hex": "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
    }]"#;
    let shown = |detail| serde_json::to_string(&Block::new(&headline, &block, detail)).expect("JSON");
    assert_eq!(
        serde_json::to_string(&headline).expect("JSON"),
        packed(&format!("{{{head}}}"))
    );
    assert_eq!(shown(Detail::Ids), packed(&format!("{{{head},{sizes},{ids}}}")));
    assert_eq!(
        shown(Detail::Full(Network::Bitcoin)),
        packed(&format!("{{{head},{sizes},{tx}}}"))
    );
}

/// `getblock` of a block that `generatetoaddress` made on regtest, by a Core on its way to version 32.
#[test]
fn a_block_with_a_witness() {
    let hex = "0000002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910fbeb62fc002597b8b5f8b92d6cef6644edfb93f2185e6272d86ef2b5768addc0e96fe086bffff7f200000000001020000000001010000000000000000000000000000000000000000000000000000000000000000ffffffff025100feffffff0200f2052a01000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf90120000000000000000000000000000000000000000000000000000000000000000000000000";
    let block: bitcoin::Block = deserialize_hex(hex).expect("a block");
    let genesis = genesis_block(Network::Regtest);
    let headline = Headline {
        header: block.header,
        hash: block.block_hash(),
        confirmations: 3,
        height: 1,
        median_time: block.header.time,
        work: genesis.header.work() + block.header.work(),
        txs: 1,
        previous: Some(genesis.block_hash()),
        next: "0b2d0d30d6f67007de3f356b5e3c8d91201c66bd54d4d5d4ee1f95a01fc30f22"
            .parse()
            .ok(),
    };
    let expected = r#"{
        "hash": "06748a441afdf872551b65c691ae117112c66b2d879f73975cec709cce881e4b",
        "confirmations": 3, "height": 1, "version": 536870912, "versionHex": "20000000",
        "merkleroot": "0edcad68572bef862d27e685213fb9df4e64f6ced6928b5f8b7b5902c02fb6be",
        "time": 1795751574, "mediantime": 1795751574, "nonce": 0, "bits": "207fffff",
        "target": "7fffff0000000000000000000000000000000000000000000000000000000000",
        "difficulty": 4.656542373906925e-10,
        "chainwork": "0000000000000000000000000000000000000000000000000000000000000004",
        "nTx": 1,
        "previousblockhash": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        "nextblockhash": "0b2d0d30d6f67007de3f356b5e3c8d91201c66bd54d4d5d4ee1f95a01fc30f22",
        "strippedsize": 212, "size": 248, "weight": 884,
        "coinbase_tx": {
            "version": 2, "locktime": 0, "sequence": 4294967294, "coinbase": "5100",
            "witness": "0000000000000000000000000000000000000000000000000000000000000000"
        },
        "tx": [{
            "txid": "0edcad68572bef862d27e685213fb9df4e64f6ced6928b5f8b7b5902c02fb6be",
            "hash": "96f409256b10408753bd4a04f5ba75b818474a970dfc67a4181e92acb1c685e1",
            "version": 2, "size": 167, "vsize": 140, "weight": 560, "locktime": 0,
            "vin": [{
                "coinbase": "5100",
                "txinwitness": ["0000000000000000000000000000000000000000000000000000000000000000"],
                "sequence": 4294967294
            }],
            "vout": [{
                "value": 50.00000000, "n": 0,
                "scriptPubKey": {
                    "asm": "0~751e76e8199196d454941c45d1b3a323f1433bd6",
                    "desc": "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)#8pk5s7ya",
                    "hex": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
                    "address": "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
                    "type": "witness_v0_keyhash"
                }
            }, {
                "value": 0.00000000, "n": 1,
                "scriptPubKey": {
                    "asm": "OP_RETURN~aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9",
                    "desc": "raw(6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9)#cav96mf3",
                    "hex": "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9",
                    "type": "nulldata"
                }
            }],
            "hex": "020000000001010000000000000000000000000000000000000000000000000000000000000000ffffffff025100feffffff0200f2052a01000000160014751e76e8199196d454941c45d1b3a323f1433bd60000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf90120000000000000000000000000000000000000000000000000000000000000000000000000"
        }]
    }"#;
    let shown = serde_json::to_string(&Block::new(&headline, &block, Detail::Full(Network::Regtest)));
    assert_eq!(shown.expect("JSON"), packed(expected));
}

#[test]
fn a_header_outside_the_active_chain() {
    let block = genesis_block(Network::Regtest);
    let headline = Headline {
        header: block.header,
        hash: block.block_hash(),
        confirmations: -1,
        height: 7,
        median_time: 5,
        work: block.header.work(),
        txs: 0,
        previous: Some(block.block_hash()),
        next: None,
    };
    let shown = serde_json::to_string(&headline).expect("JSON");
    let end =
        r#""nTx":0,"previousblockhash":"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"}"#;
    assert!(shown.contains(r#""confirmations":-1,"height":7"#), "{shown}");
    assert!(shown.ends_with(end), "{shown}");
}
