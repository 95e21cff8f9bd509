//! Bytes that others have published. Where they come from is said with each.

use super::{MAIN, hex, payload, whole};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Network};
use sockman_p2p::wire::{
    AddrV2, AddrV2Message, Address, Command, Frame, Inventory, Message, Next, ServiceFlags, VersionMessage,
    checksum, decode, next,
};

fn frame(bytes: &[u8]) -> Frame<'_> {
    match next(bytes, MAIN) {
        Ok(Next::Whole(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

/// It is read, and written again.
fn is(bytes: &[u8], message: &Message<'_>) {
    let frame = frame(bytes);
    assert!(frame.is_intact());
    assert_eq!(frame.bytes, bytes);
    assert_eq!(frame.decode().as_ref(), Ok(message));
    assert_eq!(whole(message), bytes);
}

/// Bitcoin wiki, "Protocol documentation", "Hashes".
#[test]
fn checksum_of_hello() {
    assert_eq!(checksum(b"hello"), [0x95, 0x95, 0xc9, 0xdf]);
}

/// Bitcoin wiki, "Protocol documentation", "verack".
#[test]
fn verack() {
    is(
        &hex("F9 BE B4 D9 76 65 72 61 63 6B 00 00 00 00 00 00 00 00 00 00 5D F6 E0 E2"),
        &Message::Verack,
    );
}

/// Tests of rust-bitcoin (CC0), `p2p/message.rs`.
#[test]
fn ping_mempool_and_getaddr() {
    is(
        &hex("f9beb4d9 70696e670000000000000000 08000000 2467f11d 6400000000000000"),
        &Message::Ping(Some(100)),
    );
    is(
        &hex("f9beb4d9 6d656d706f6f6c0000000000 00000000 5df6e0e2"),
        &Message::MemPool,
    );
    is(
        &hex("f9beb4d9 676574616464720000000000 00000000 5df6e0e2"),
        &Message::GetAddr,
    );
}

/// Bitcoin wiki, "Protocol documentation", "version": of a peer from before BIP 37, which does not say whether it wants transactions.
#[test]
fn version_60002() {
    let bytes = hex("
        F9 BE B4 D9 76 65 72 73 69 6F 6E 00 00 00 00 00 64 00 00 00 3B 64 8D 5A
        62 EA 00 00 01 00 00 00 00 00 00 00 11 B2 D0 50 00 00 00 00
        01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 00 00 00 00 00 00
        01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 00 00 00 00 00 00
        3B 2E B3 5D 8C E6 17 65 0F 2F 53 61 74 6F 73 68 69 3A 30 2E 37 2E 32 2F C0 3E 03 00");
    let nobody = Address::new(&"0.0.0.0:0".parse().expect("an address"), ServiceFlags::NETWORK);
    let expected = VersionMessage {
        version: 60_002,
        services: ServiceFlags::NETWORK,
        timestamp: 0x50d0_b211,
        receiver: nobody.clone(),
        sender: nobody,
        nonce: 0x6517_e68c_5db3_2e3b,
        user_agent: "/Satoshi:0.7.2/".to_owned(),
        start_height: 212_672,
        relay: true,
    };
    let frame = frame(&bytes);
    assert!(frame.is_intact());
    assert_eq!(frame.decode(), Ok(Message::Version(expected.clone())));
    // Ours says it.
    let written = payload(&Message::Version(expected));
    assert_eq!(written, [frame.payload(), &[1]].concat());
}

/// Tests of rust-bitcoin (CC0), `p2p/message.rs`: of Bitcoin Core 0.17.1.
#[test]
fn version_70015() {
    let bytes = hex("
        f9beb4d9 76657273696f6e0000000000 66000000 be61b827
        7f110100 0d04000000000000 f00f4d5c00000000
        0000000000000000 00000000000000000000ffff5bf08c80 b4bd
        0d04000000000000 00000000000000000000000000000000 0000
        faa99559cc68a1c1 102f5361746f7368693a302e31372e312f 938c0800 01");
    is(
        &bytes,
        &Message::Version(VersionMessage {
            version: 70_015,
            services: ServiceFlags::from(0x40d),
            timestamp: 1_548_554_224,
            receiver: Address::new(
                &"91.240.140.128:46269".parse().expect("an address"),
                ServiceFlags::NONE,
            ),
            sender: Address {
                services: ServiceFlags::from(0x40d),
                address: [0; 8],
                port: 0,
            },
            nonce: 13_952_548_347_456_104_954,
            user_agent: "/Satoshi:0.17.1/".to_owned(),
            start_height: 560_275,
            relay: true,
        }),
    );
}

/// Tests of rust-bitcoin (CC0), `p2p/message_blockdata.rs`.
#[test]
fn getheaders_and_getblocks() {
    let bytes = hex(
        "72110100 01 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b
        0000000000000000000000000000000000000000000000000000000000000000",
    );
    let hash = <[u8; 32]>::try_from(&bytes[5..37]).expect("32 bytes");
    let (locator, stop) = (vec![BlockHash::from_byte_array(hash)], BlockHash::all_zeros());
    let message = Message::GetHeaders {
        locator: locator.clone(),
        stop,
    };
    assert_eq!(decode(Command::GETHEADERS, &bytes), Ok(message.clone()));
    assert_eq!(payload(&message)[4..], bytes[4..]);
    let message = Message::GetBlocks { locator, stop };
    assert_eq!(decode(Command::GETBLOCKS, &bytes), Ok(message.clone()));
    assert_eq!(payload(&message)[4..], bytes[4..]);
}

/// Bitcoin wiki, "Protocol documentation", "addr": its payload (its header has the magic in the other order).
#[test]
fn addr() {
    let bytes = hex("01 E2 15 10 4D 01 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 00 00 FF FF 0A 00 00 01 20 8D");
    let address = Address::new(
        &"10.0.0.1:8333".parse().expect("an address"),
        ServiceFlags::NETWORK,
    );
    let message = Message::Addr(vec![(0x4d10_15e2, address)]);
    assert_eq!(decode(Command::ADDR, &bytes).as_ref(), Ok(&message));
    assert_eq!(payload(&message), bytes);
}

/// Bitcoin Core's tests (`netbase_tests.cpp`, `stream_addrv2_hex`): the facts of BIP 155.
#[test]
fn addrv2_of_ipv6() {
    let bytes = hex("03
        61bc6649 00 02 10 00000000000000000000000000000001 0000
        79627683 01 02 10 00000000000000000000000000000001 00f1
        ffffffff fd4804 02 10 00000000000000000000000000000001 f1f2");
    let entry = |time, services: u64, port| AddrV2Message {
        time,
        services: services.into(),
        addr: AddrV2::Ipv6("::1".parse().expect("an address")),
        port,
    };
    let message = Message::AddrV2(vec![
        entry(0x4966_bc61, 0, 0),
        entry(0x8376_6279, 1, 0xf1),
        entry(0xffff_ffff, 0x448, 0xf1f2),
    ]);
    assert_eq!(decode(Command::ADDRV2, &bytes).as_ref(), Ok(&message));
    assert_eq!(payload(&message), bytes);
}

/// Tests of rust-bitcoin (CC0), `p2p/address.rs`: a network nobody knows, and IPv4.
#[test]
fn addrv2_of_a_network_nobody_knows() {
    let bytes = hex("02 61bc6649 01 99 02 abab 208d 79627683 fd4804 01 04 09090909 208d");
    let message = Message::AddrV2(vec![
        AddrV2Message {
            time: 0x4966_bc61,
            services: 1.into(),
            addr: AddrV2::Unknown(0x99, vec![0xab, 0xab]),
            port: 8333,
        },
        AddrV2Message {
            time: 0x8376_6279,
            services: 0x448.into(),
            addr: AddrV2::Ipv4("9.9.9.9".parse().expect("an address")),
            port: 8333,
        },
    ]);
    assert_eq!(decode(Command::ADDRV2, &bytes).as_ref(), Ok(&message));
    assert_eq!(payload(&message), bytes);
}

/// The genesis block's header and hash, as everybody has them.
#[test]
fn headers_and_inv_of_the_genesis_block() {
    let raw = hex(
        "01000000 0000000000000000000000000000000000000000000000000000000000000000
        3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a 29ab5f49 ffff001d 1dac2b7c",
    );
    let genesis = bitcoin::blockdata::constants::genesis_block(Network::Bitcoin);
    let bytes = [&[1][..], &raw, &[0]].concat();
    let message = Message::Headers(vec![genesis.header]);
    assert_eq!(decode(Command::HEADERS, &bytes).as_ref(), Ok(&message));
    assert_eq!(payload(&message), bytes);

    let bytes = hex("01 02000040 6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000");
    let message = Message::GetData(vec![Inventory::WitnessBlock(genesis.block_hash())]);
    assert_eq!(decode(Command::GETDATA, &bytes).as_ref(), Ok(&message));
    assert_eq!(payload(&message), bytes);
}
