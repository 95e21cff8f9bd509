//! A message of each kind.

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network, Txid, Wtxid};
use sockman_p2p::wire::{
    AddrV2, AddrV2Message, Address, Command, Inventory, Message, PROTOCOL_VERSION, ServiceFlags,
    VersionMessage,
};

pub(crate) fn hash(byte: u8) -> BlockHash {
    BlockHash::from_byte_array([byte; 32])
}

pub(crate) fn header() -> Header {
    bitcoin::blockdata::constants::genesis_block(Network::Bitcoin).header
}

pub(crate) fn address() -> Address {
    Address::new(
        &"10.0.0.1:8333".parse().expect("an address"),
        ServiceFlags::NETWORK,
    )
}

pub(crate) fn version() -> VersionMessage {
    VersionMessage {
        version: PROTOCOL_VERSION,
        services: ServiceFlags::NETWORK | ServiceFlags::WITNESS,
        timestamp: 1_700_000_000,
        receiver: address(),
        sender: Address::new(
            &"[2001:db8::1]:18444".parse().expect("an address"),
            ServiceFlags::NONE,
        ),
        nonce: 0x0102_0304_0506_0708,
        user_agent: "/sockman:0.1.0/".to_owned(),
        start_height: 840_000,
        relay: true,
    }
}

/// An address of every network.
pub(crate) fn addresses() -> Vec<AddrV2Message> {
    [
        AddrV2::Ipv4("10.0.0.1".parse().expect("an address")),
        AddrV2::Ipv6("2001:db8::1".parse().expect("an address")),
        AddrV2::TorV2([1; 10]),
        AddrV2::TorV3([2; 32]),
        AddrV2::I2p([3; 32]),
        AddrV2::Cjdns("fc00::1".parse().expect("an address")),
        AddrV2::Unknown(77, vec![4; 512]),
        AddrV2::Unknown(0, Vec::new()),
    ]
    .into_iter()
    .map(|addr| AddrV2Message {
        time: 1_700_000_000,
        services: ServiceFlags::from(0x1234),
        addr,
        port: 8333,
    })
    .collect()
}

/// An entry of every kind.
pub(crate) fn entries() -> Vec<Inventory> {
    vec![
        Inventory::Transaction(Txid::from_byte_array([1; 32])),
        Inventory::Block(hash(2)),
        Inventory::CompactBlock(hash(3)),
        Inventory::WTx(Wtxid::from_byte_array([4; 32])),
        Inventory::WitnessTransaction(Txid::from_byte_array([5; 32])),
        Inventory::WitnessBlock(hash(6)),
        Inventory::Unknown {
            inv_type: 3,
            hash: [7; 32],
        },
        Inventory::Unknown {
            inv_type: 0,
            hash: [0; 32],
        },
    ]
}

/// One of each.
pub(crate) fn all() -> Vec<Message<'static>> {
    let (locator, stop) = (vec![hash(1), hash(2), hash(3)], hash(4));
    vec![
        Message::Version(version()),
        Message::Verack,
        Message::WtxidRelay,
        Message::SendAddrV2,
        Message::SendHeaders,
        Message::SendCmpct {
            announce: true,
            version: 2,
        },
        Message::FeeFilter(1_000),
        Message::Ping(Some(1)),
        Message::Ping(None),
        Message::Pong(Some(2)),
        Message::Pong(None),
        Message::GetHeaders {
            locator: locator.clone(),
            stop,
        },
        Message::GetBlocks { locator, stop },
        Message::Headers(vec![header(); 3]),
        Message::Inv(entries()),
        Message::GetData(entries()),
        Message::NotFound(entries()),
        Message::Block(b"a block"),
        Message::Tx(b"a transaction"),
        Message::GetAddr,
        Message::Addr(vec![(1_700_000_000, address()); 3]),
        Message::AddrV2(addresses()),
        Message::MemPool,
        Message::Unknown(Command::from_bytes(*b"cmpctblock\0\0")),
    ]
}
