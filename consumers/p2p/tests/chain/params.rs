//! What networks are known by.

use bitcoin::consensus::serialize;
use bitcoin::{Network, Target, Work};
use sockman_p2p::chain::{HeaderError, Id, Params, Tree};
use std::str::FromStr;

/// Genesis, the first bytes of messages, and ports, as Bitcoin Core has them in `kernel/chainparams.cpp` and `chainparamsbase.cpp`.
#[test]
fn networks_are_known_by_their_genesis_and_their_magic() {
    let known = [
        (
            Network::Bitcoin,
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            [0xf9, 0xbe, 0xb4, 0xd9],
            [8333, 8332],
        ),
        (
            Network::Testnet,
            "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            [0x0b, 0x11, 0x09, 0x07],
            [18333, 18332],
        ),
        (
            Network::Testnet4,
            "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            [0x1c, 0x16, 0x3f, 0x28],
            [48333, 48332],
        ),
        (
            Network::Signet,
            "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            [0x0a, 0x03, 0xcf, 0x40],
            [38333, 38332],
        ),
        (
            Network::Regtest,
            "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
            [0xfa, 0xbf, 0xb5, 0xda],
            [18444, 18443],
        ),
    ];
    for (network, genesis, magic, ports) in known {
        let params = Params::of(network);
        assert_eq!(params.network, network);
        assert_eq!(params.genesis.block_hash().to_string(), genesis);
        assert_eq!(params.magic, magic);
        assert_eq!([params.default_port, params.rpc_port], ports);
        let tree = Tree::new(params);
        let genesis = tree.entry(Id::GENESIS);
        assert_eq!((genesis.height, genesis.txs, tree.best()), (0, 1, Id::GENESIS));
        assert_eq!(genesis.header.time, tree.median_time(Id::GENESIS));
    }
}

/// A number in hexadecimal, without leading zeros.
fn hex(work: Work) -> String {
    format!("{work:x}").trim_start_matches('0').to_owned()
}

/// What Bitcoin Core demands of a chain before it believes it: `nMinimumChainWork`.
#[test]
fn the_work_of_networks_is_known() {
    let work = |network| hex(Params::of(network).minimum_work);
    assert_eq!(work(Network::Bitcoin), "1128750f82f4c366153a3a030");
    assert_eq!(work(Network::Testnet), "17dde1c649f3708d14b6");
    assert_eq!(work(Network::Testnet4), "9a0fe15d0177d086304");
    assert_eq!(work(Network::Signet), "b463ea0a4b8");
    assert_eq!(work(Network::Regtest), "");
}

/// The limits that `bitcoin` has are rounded to what the compact form can say. That is the same rule, for `bits` are all that is
/// compared with them; but only if they are what genesis has where it is of least difficulty.
#[test]
fn the_least_difficulty_is_what_genesis_has() {
    let networks = [
        Network::Bitcoin,
        Network::Testnet,
        Network::Testnet4,
        Network::Signet,
        Network::Regtest,
    ];
    for network in networks {
        let params = Params::of(network);
        assert_eq!(Target::from_compact(params.genesis.header.bits), params.pow_limit);
        let tree = Tree::new(params);
        let next = tree.next_bits(Id::GENESIS, tree.entry(Id::GENESIS).header.time + 1);
        assert_eq!(next, tree.entry(Id::GENESIS).header.bits);
    }
}

#[test]
fn a_period_is_two_weeks_but_on_regtest() {
    assert_eq!(Params::of(Network::Bitcoin).retarget_interval(), 2016);
    assert_eq!(Params::of(Network::Testnet4).retarget_interval(), 2016);
    assert_eq!(Params::of(Network::Signet).retarget_interval(), 2016);
    assert_eq!(Params::of(Network::Regtest).retarget_interval(), 144);
}

/// Block 1 of the main network.
#[test]
fn the_first_block_follows_genesis() {
    use bitcoin::block::{Header, Version};
    use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
    let params = Params::of(Network::Bitcoin);
    let merkle_root = "0e3e2357e806b6cdb1f70b54c3a3a17b6714ee1f0e68bebb44a74b1efd512098";
    let header = Header {
        version: Version::ONE,
        prev_blockhash: params.genesis.block_hash(),
        merkle_root: TxMerkleNode::from_str(merkle_root).expect("hexadecimal"),
        time: 1_231_469_665,
        bits: CompactTarget::from_consensus(0x1d00_ffff),
        nonce: 2_573_394_689,
    };
    let hash = "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048";
    assert_eq!(BlockHash::from_str(hash), Ok(header.block_hash()));
    assert_eq!(serialize(&header).len(), 80);
    let mut tree = Tree::new(params);
    let id = tree
        .accept(&header, 1_231_469_665)
        .expect("it is in the chain")
        .id;
    assert_eq!(tree.entry(id).hash, header.block_hash());
    // Two blocks of difficulty one.
    assert_eq!(hex(tree.entry(id).work), "200020002");

    let mut other = header;
    other.nonce += 1;
    assert_eq!(tree.accept(&other, 1_231_469_665), Err(HeaderError::ProofOfWork));
}
