//! Each limit, just kept and just exceeded; and numbers that are written wrongly.

use super::{compact, is_malformed, named, payload, samples};
use sockman_p2p::wire::{
    AddrV2, AddrV2Message, Command, DecodeError, MAX_ADDRESS, MAX_ADDRESSES, MAX_HEADERS, MAX_INVENTORY,
    MAX_LOCATOR, MAX_USER_AGENT, Message, ServiceFlags, VersionMessage, decode,
};

#[test]
fn limits_are_those_of_the_protocol() {
    assert_eq!(
        [
            MAX_INVENTORY,
            MAX_HEADERS,
            MAX_ADDRESSES,
            MAX_LOCATOR,
            MAX_USER_AGENT,
            MAX_ADDRESS
        ],
        [50_000, 2_000, 1_000, 101, 256, 512]
    );
}

/// A message with so many items.
fn of(command: &str, items: usize) -> Message<'static> {
    let (locator, stop) = (vec![samples::hash(1); items], samples::hash(2));
    let entries = || vec![samples::entries()[1]; items];
    match command {
        "inv" => Message::Inv(entries()),
        "getdata" => Message::GetData(entries()),
        "notfound" => Message::NotFound(entries()),
        "headers" => Message::Headers(vec![samples::header(); items]),
        "addr" => Message::Addr(vec![(0, samples::address()); items]),
        "addrv2" => Message::AddrV2(vec![samples::addresses()[0].clone(); items]),
        "getheaders" => Message::GetHeaders { locator, stop },
        "getblocks" => Message::GetBlocks { locator, stop },
        other => panic!("{other} has no items"),
    }
}

const COUNTED: [(&str, usize); 8] = [
    ("inv", MAX_INVENTORY),
    ("getdata", MAX_INVENTORY),
    ("notfound", MAX_INVENTORY),
    ("headers", MAX_HEADERS),
    ("addr", MAX_ADDRESSES),
    ("addrv2", MAX_ADDRESSES),
    ("getheaders", MAX_LOCATOR),
    ("getblocks", MAX_LOCATOR),
];

#[test]
fn a_message_with_as_many_items_as_may_be_passes_and_one_more_is_too_many() {
    for (command, limit) in COUNTED {
        let full = of(command, limit);
        assert_eq!(decode(named(command), &payload(&full)), Ok(full));
        match decode(named(command), &payload(&of(command, limit + 1))) {
            Err(DecodeError::TooMany { count, most, .. }) => {
                assert_eq!((count, most), (limit as u64 + 1, limit));
            }
            other => panic!("{command}: {other:?}"),
        }
    }
}

#[test]
fn a_count_that_is_only_declared_is_too_many_or_too_short() {
    for (command, limit) in COUNTED {
        let start = if command.starts_with("get") && command != "getdata" {
            &[0; 4][..]
        } else {
            &[]
        };
        let declared = |count: u64| [start, &compact(count)].concat();
        assert!(is_malformed(named(command), &declared(limit as u64)), "{command}");
        for count in [limit as u64 + 1, 1 << 32, u64::MAX] {
            let bytes = declared(count);
            let found = decode(named(command), &bytes);
            assert!(
                matches!(found, Err(DecodeError::TooMany { .. })),
                "{command}: {found:?}"
            );
        }
    }
}

#[test]
fn a_user_agent_of_256_bytes_passes_and_a_longer_one_does_not() {
    let agent = |length| {
        let user_agent = "a".repeat(length);
        Message::Version(VersionMessage {
            user_agent,
            ..samples::version()
        })
    };
    let longest = agent(MAX_USER_AGENT);
    assert_eq!(decode(Command::VERSION, &payload(&longest)), Ok(longest));
    assert!(is_malformed(
        Command::VERSION,
        &payload(&agent(MAX_USER_AGENT + 1))
    ));
}

#[test]
fn an_address_of_512_bytes_passes_and_a_longer_one_does_not() {
    let address = |length| {
        Message::AddrV2(vec![AddrV2Message {
            time: 0,
            services: ServiceFlags::NONE,
            addr: AddrV2::Unknown(200, vec![1; length]),
            port: 0,
        }])
    };
    let longest = address(MAX_ADDRESS);
    assert_eq!(decode(Command::ADDRV2, &payload(&longest)), Ok(longest));
    assert!(is_malformed(Command::ADDRV2, &payload(&address(MAX_ADDRESS + 1))));
}

#[test]
fn a_number_in_more_bytes_than_it_needs_is_malformed() {
    let entry = payload(&Message::Inv(samples::entries())).split_off(1);
    for count in [
        &[0xfd, 8, 0][..],
        &[0xfe, 8, 0, 0, 0],
        &[0xff, 8, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert!(is_malformed(Command::INV, &[count, &entry].concat()));
    }
    assert!(is_malformed(Command::INV, &[0xfd, 0xfc, 0]));
    assert!(is_malformed(Command::INV, &[0xfe, 0xff, 0xff, 0, 0]));
    assert!(is_malformed(
        Command::INV,
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
    ));
}

/// A network whose addresses have a length, with one byte more or less.
#[test]
fn an_address_that_has_not_its_network_s_length_is_malformed() {
    for (network, length) in [(1, 4), (2, 16), (3, 10), (4, 32), (5, 32), (6, 16)] {
        let entry = |length: usize| {
            let address = vec![0xfc; length];
            [&[1, 0, 0, 0, 0, 0, network, length as u8][..], &address, &[0, 0]].concat()
        };
        assert!(decode(Command::ADDRV2, &entry(length)).is_ok());
        assert!(is_malformed(Command::ADDRV2, &entry(length - 1)));
        assert!(is_malformed(Command::ADDRV2, &entry(length + 1)));
    }
}

/// BIP 155 wants these ignored; the addresses beside them are not.
#[test]
fn an_address_in_the_wrong_network_is_unknown() {
    for (network, address) in [
        (2, "::ffff:10.0.0.1"),
        (2, "fd87:d87e:eb43:1234::1"),
        (6, "fd00::1"),
        (6, "2001:db8::1"),
    ] {
        let octets = address
            .parse::<std::net::Ipv6Addr>()
            .expect("an address")
            .octets();
        let beside = payload(&Message::AddrV2(samples::addresses())).split_off(1);
        let bytes = [
            &[samples::addresses().len() as u8 + 1][..],
            &[0, 0, 0, 0, 0, network, 16],
            &octets,
            &[0x20, 0x8d],
            &beside,
        ]
        .concat();
        let Ok(Message::AddrV2(found)) = decode(Command::ADDRV2, &bytes) else {
            panic!("the others are right");
        };
        assert_eq!(found[0].addr, AddrV2::Unknown(network, octets.to_vec()));
        assert_eq!(found[1..], samples::addresses());
    }
}

#[test]
fn what_is_behind_the_last_byte_that_means_something_is_ignored() {
    for message in samples::all() {
        if matches!(
            message,
            Message::Block(_) | Message::Tx(_) | Message::Ping(None) | Message::Pong(None)
        ) {
            continue;
        }
        let longer = [&payload(&message)[..], &[0xee; 9]].concat();
        assert_eq!(decode(message.command(), &longer), Ok(message));
    }
}

/// Any bytes but zero are true, and any bytes are a user agent.
#[test]
fn what_other_software_writes_is_read() {
    let mut bytes = payload(&Message::Version(samples::version()));
    *bytes.last_mut().expect("it is not empty") = 0x12;
    bytes[82] = 0xff;
    let Ok(Message::Version(version)) = decode(Command::VERSION, &bytes) else {
        panic!("it is right");
    };
    assert!(version.relay);
    assert_eq!(version.user_agent, "/\u{fffd}ockman:0.1.0/");
    for (byte, announce) in [(0, false), (1, true), (0x12, true)] {
        let bytes = [&[byte][..], &1_u64.to_le_bytes()].concat();
        let expected = Message::SendCmpct { announce, version: 1 };
        assert_eq!(decode(Command::SENDCMPCT, &bytes), Ok(expected));
    }
}
