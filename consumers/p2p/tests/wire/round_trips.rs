//! Any message is read as it was written, and written as rust-bitcoin writes it.

use super::{MAIN, payload, whole};
use bitcoin::block::{Header, Version};
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash;
use bitcoin::p2p::Magic;
use bitcoin::p2p::message::{CommandString, NetworkMessage, RawNetworkMessage};
use bitcoin::p2p::message_blockdata::{GetBlocksMessage, GetHeadersMessage};
use bitcoin::p2p::message_compact_blocks::SendCmpct;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode, Txid, Wtxid};
use proptest::collection::vec;
use proptest::prelude::*;
use sockman_p2p::wire::{
    AddrV2, AddrV2Message, Address, Command, Inventory, Message, PROTOCOL_VERSION, VersionMessage, decode,
};

fn hash() -> impl Strategy<Value = BlockHash> {
    any::<[u8; 32]>().prop_map(BlockHash::from_byte_array)
}

fn locator() -> impl Strategy<Value = (Vec<BlockHash>, BlockHash)> {
    (vec(hash(), 0..=101), hash())
}

fn header() -> impl Strategy<Value = Header> {
    let parts = (any::<i32>(), hash(), any::<[u8; 32]>(), any::<[u32; 3]>());
    parts.prop_map(|(version, prev_blockhash, root, [time, bits, nonce])| Header {
        version: Version::from_consensus(version),
        prev_blockhash,
        merkle_root: TxMerkleNode::from_byte_array(root),
        time,
        bits: CompactTarget::from_consensus(bits),
        nonce,
    })
}

fn entry() -> impl Strategy<Value = Inventory> {
    let kind = prop_oneof![0..8_u32, 0x4000_0000..0x4000_0008_u32, any::<u32>()];
    (kind, any::<[u8; 32]>()).prop_map(|(kind, hash)| match kind {
        1 => Inventory::Transaction(Txid::from_byte_array(hash)),
        2 => Inventory::Block(BlockHash::from_byte_array(hash)),
        4 => Inventory::CompactBlock(BlockHash::from_byte_array(hash)),
        5 => Inventory::WTx(Wtxid::from_byte_array(hash)),
        0x4000_0001 => Inventory::WitnessTransaction(Txid::from_byte_array(hash)),
        0x4000_0002 => Inventory::WitnessBlock(BlockHash::from_byte_array(hash)),
        inv_type => Inventory::Unknown { inv_type, hash },
    })
}

fn address() -> impl Strategy<Value = Address> {
    (any::<u64>(), any::<[u16; 8]>(), any::<u16>()).prop_map(|(services, address, port)| Address {
        services: services.into(),
        address,
        port,
    })
}

fn address_v2() -> impl Strategy<Value = AddrV2Message> {
    let network = prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| AddrV2::Ipv4(ip.into())),
        any::<[u8; 12]>().prop_map(|ip| {
            let mut octets = [0x20; 16];
            octets[4..].copy_from_slice(&ip);
            AddrV2::Ipv6(octets.into())
        }),
        any::<[u8; 10]>().prop_map(AddrV2::TorV2),
        any::<[u8; 32]>().prop_map(AddrV2::TorV3),
        any::<[u8; 32]>().prop_map(AddrV2::I2p),
        any::<[u8; 15]>().prop_map(|ip| {
            let mut octets = [0xfc; 16];
            octets[1..].copy_from_slice(&ip);
            AddrV2::Cjdns(octets.into())
        }),
        (7..=255_u8, vec(any::<u8>(), 0..=512)).prop_map(|(network, bytes)| AddrV2::Unknown(network, bytes)),
    ];
    let parts = (any::<u32>(), any::<u64>(), network, any::<u16>());
    parts.prop_map(|(time, services, addr, port)| AddrV2Message {
        time,
        services: services.into(),
        addr,
        port,
    })
}

fn version() -> impl Strategy<Value = VersionMessage> {
    let start = (any::<u32>(), any::<u64>(), any::<i64>(), address(), address());
    let end = (any::<u64>(), "[ -~é]{0,128}", any::<i32>(), any::<bool>());
    (start, end).prop_map(
        |((version, services, timestamp, receiver, sender), (nonce, user_agent, start_height, relay))| {
            VersionMessage {
                version,
                services: services.into(),
                timestamp,
                receiver,
                sender,
                nonce,
                user_agent,
                start_height,
                relay,
            }
        },
    )
}

fn message() -> impl Strategy<Value = Message<'static>> {
    let simple = prop_oneof![
        Just(Message::Verack),
        Just(Message::WtxidRelay),
        Just(Message::SendAddrV2),
        Just(Message::SendHeaders),
        Just(Message::GetAddr),
        Just(Message::MemPool),
        // No message of this module's has these names.
        "[a-z]{1,4}[A-Z]{1,8}".prop_map(|name| {
            let mut bytes = [0; Command::SIZE];
            bytes[..name.len()].copy_from_slice(name.as_bytes());
            Message::Unknown(Command::from_bytes(bytes))
        }),
        any::<Option<u64>>().prop_map(Message::Ping),
        any::<Option<u64>>().prop_map(Message::Pong),
        (0..=2_100_000_000_000_000_i64).prop_map(Message::FeeFilter),
        any::<(bool, u64)>().prop_map(|(announce, version)| Message::SendCmpct { announce, version }),
    ];
    prop_oneof![
        simple,
        version().prop_map(Message::Version),
        locator().prop_map(|(locator, stop)| Message::GetHeaders { locator, stop }),
        locator().prop_map(|(locator, stop)| Message::GetBlocks { locator, stop }),
        vec(header(), 0..300).prop_map(Message::Headers),
        vec(entry(), 0..300).prop_map(Message::Inv),
        vec(entry(), 0..300).prop_map(Message::GetData),
        vec(entry(), 0..300).prop_map(Message::NotFound),
        vec((any::<u32>(), address()), 0..300).prop_map(Message::Addr),
        vec(address_v2(), 0..50).prop_map(Message::AddrV2),
    ]
}

/// The same message as rust-bitcoin has it, where it has it.
fn theirs(message: &Message<'_>) -> Option<NetworkMessage> {
    Some(match message.clone() {
        Message::Version(version) => NetworkMessage::Version(version),
        Message::Verack => NetworkMessage::Verack,
        Message::WtxidRelay => NetworkMessage::WtxidRelay,
        Message::SendAddrV2 => NetworkMessage::SendAddrV2,
        Message::SendHeaders => NetworkMessage::SendHeaders,
        Message::SendCmpct { announce, version } => NetworkMessage::SendCmpct(SendCmpct {
            send_compact: announce,
            version,
        }),
        Message::FeeFilter(rate) => NetworkMessage::FeeFilter(rate),
        Message::Ping(number) => NetworkMessage::Ping(number?),
        Message::Pong(number) => NetworkMessage::Pong(number?),
        Message::GetHeaders { locator, stop } => NetworkMessage::GetHeaders(GetHeadersMessage {
            version: PROTOCOL_VERSION,
            locator_hashes: locator,
            stop_hash: stop,
        }),
        Message::GetBlocks { locator, stop } => NetworkMessage::GetBlocks(GetBlocksMessage {
            version: PROTOCOL_VERSION,
            locator_hashes: locator,
            stop_hash: stop,
        }),
        Message::Headers(headers) => NetworkMessage::Headers(headers),
        Message::Inv(entries) => NetworkMessage::Inv(entries),
        Message::GetData(entries) => NetworkMessage::GetData(entries),
        Message::NotFound(entries) => NetworkMessage::NotFound(entries),
        Message::GetAddr => NetworkMessage::GetAddr,
        Message::Addr(addresses) => NetworkMessage::Addr(addresses),
        Message::AddrV2(addresses) => NetworkMessage::AddrV2(addresses),
        Message::MemPool => NetworkMessage::MemPool,
        Message::Unknown(command) => NetworkMessage::Unknown {
            command: CommandString::try_from(command.as_str().to_owned()).ok()?,
            payload: Vec::new(),
        },
        Message::Block(_) | Message::Tx(_) => return None,
    })
}

proptest! {
    #[test]
    fn a_message_is_read_as_it_was_written(message in message()) {
        let bytes = payload(&message);
        prop_assert_eq!(decode(message.command(), &bytes), Ok(message));
    }

    #[test]
    fn a_message_is_written_as_rust_bitcoin_writes_it(message in message()) {
        if let Some(theirs) = theirs(&message) {
            let theirs = RawNetworkMessage::new(Magic::from_bytes(MAIN), theirs);
            prop_assert_eq!(whole(&message), serialize(&theirs));
        }
    }

    #[test]
    fn a_block_and_a_transaction_are_borrowed(bytes in vec(any::<u8>(), 0..5_000)) {
        for message in [Message::Block(&bytes), Message::Tx(&bytes)] {
            let written = payload(&message);
            let Ok(Message::Block(read) | Message::Tx(read)) = decode(message.command(), &written) else {
                return Err(TestCaseError::fail("another message"));
            };
            prop_assert_eq!(read.as_ptr(), written.as_ptr());
            prop_assert_eq!(read, &bytes);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// Messages are appended, whatever is there.
    #[test]
    fn messages_follow_each_other(messages in vec(message(), 1..5)) {
        let mut bytes = b"before".to_vec();
        for message in &messages {
            sockman_p2p::wire::encode(&mut bytes, MAIN, message);
        }
        let each: Vec<u8> = messages.iter().flat_map(whole).collect();
        prop_assert_eq!(&bytes[6..], &each[..]);
    }
}
