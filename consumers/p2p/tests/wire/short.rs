//! Payloads that are cut off, at every byte.

use super::{is_malformed, payload, samples};
use sockman_p2p::wire::{Command, Message, VersionMessage, decode};

#[test]
fn what_is_cut_off_is_malformed() {
    let mut cut = 0;
    for message in samples::all() {
        if matches!(
            message,
            Message::Version(_) | Message::Block(_) | Message::Tx(_) | Message::Pong(_)
        ) {
            continue;
        }
        let bytes = payload(&message);
        for length in 0..bytes.len() {
            if matches!(message, Message::Ping(_)) && length == 0 {
                continue;
            }
            assert!(
                is_malformed(message.command(), &bytes[..length]),
                "{message:?}, {length} bytes of it"
            );
            cut += 1;
        }
    }
    assert!(cut > 1_000);
}

#[test]
fn an_old_peer_s_ping_has_no_number_and_a_wrong_pong_answers_all_the_same() {
    assert_eq!(decode(Command::PING, &[]), Ok(Message::Ping(None)));
    for length in 0..8 {
        assert_eq!(decode(Command::PONG, &[7; 8][..length]), Ok(Message::Pong(None)));
    }
}

#[test]
fn a_version_may_end_where_an_older_one_did() {
    let all = samples::version();
    let least = VersionMessage {
        sender: sockman_p2p::wire::Address {
            services: 0.into(),
            address: [0; 8],
            port: 0,
        },
        nonce: 0,
        user_agent: String::new(),
        start_height: 0,
        relay: true,
        ..all.clone()
    };
    let with_sender = VersionMessage {
        sender: all.sender.clone(),
        nonce: all.nonce,
        ..least.clone()
    };
    let with_agent = VersionMessage {
        user_agent: all.user_agent.clone(),
        ..with_sender.clone()
    };
    let with_height = VersionMessage {
        start_height: all.start_height,
        ..with_agent.clone()
    };
    let agent = 46 + 34;
    let height = agent + 1 + all.user_agent.len();
    let ends = [
        (46, least),
        (agent, with_sender),
        (height, with_agent),
        (height + 4, with_height),
        (height + 5, all.clone()),
    ];
    let bytes = payload(&Message::Version(VersionMessage { relay: true, ..all }));
    assert_eq!(bytes.len(), height + 5);
    for length in 0..=bytes.len() {
        let end = ends.iter().find(|(end, _)| *end == length);
        match end {
            Some((_, version)) => {
                let expected = Message::Version(version.clone());
                assert_eq!(decode(Command::VERSION, &bytes[..length]), Ok(expected));
            }
            None => assert!(is_malformed(Command::VERSION, &bytes[..length]), "{length} bytes"),
        }
    }
}

#[test]
fn blocks_and_transactions_are_whatever_bytes_there_are() {
    for bytes in [&b""[..], b"x", &[0; 100]] {
        assert_eq!(decode(Command::BLOCK, bytes), Ok(Message::Block(bytes)));
        assert_eq!(decode(Command::TX, bytes), Ok(Message::Tx(bytes)));
    }
}
