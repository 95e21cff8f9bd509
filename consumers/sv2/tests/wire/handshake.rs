//! The handshake, bit by bit.

use super::{ends, read, write};
use sockman_sv2::wire::{Authority, Broken, Chance, Encoder, Initiator, Message, respond};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn both_ends_have_the_same_keys_each_for_its_way() {
    let (mut client, mut server) = ends();
    let ask = Message::RequestTransactionData { template: 7 };
    let tell = Message::SetupConnectionSuccess { version: 2, flags: 0 };
    for _ in 0..1_000 {
        let bytes = write(&mut client, std::slice::from_ref(&ask));
        assert_eq!(read(&mut server, &bytes), std::slice::from_ref(&ask));
        let bytes = write(&mut server, std::slice::from_ref(&tell));
        assert_eq!(read(&mut client, &bytes), std::slice::from_ref(&tell));
    }
    // What a client has sent is nothing that it reads itself.
    let bytes = write(&mut client, &[ask]);
    let (mut other, _) = ends();
    assert_eq!(other.open(&bytes, 1_000).unwrap_err(), Broken::Undecryptable);
}

#[test]
fn the_same_chance_gives_the_same_bytes() {
    let authority = Authority::generate(&mut Chance::new([1; 32]));
    let [first, second, other] = [2, 2, 3].map(|seed| {
        let (hello, _) = Initiator::new(None, &mut Chance::new([seed; 32])).unwrap();
        let (reply, _) = respond(&authority, hello, MINUTE, 1_000, &mut Chance::new([seed; 32])).unwrap();
        (hello, reply)
    });
    assert_eq!(first, second);
    assert!(first.0 != other.0 && first.1 != other.1);
}

#[test]
fn an_answer_that_was_changed_anywhere_is_refused() {
    let authority = Authority::generate(&mut Chance::new([1; 32]));
    for bit in (0..234 * 8).step_by(7) {
        let mut chance = Chance::new([2; 32]);
        let (hello, waiting) = Initiator::new(Some(authority.key()), &mut chance).unwrap();
        let (mut reply, _) = respond(&authority, hello, MINUTE, 1_000, &mut chance).unwrap();
        reply[bit / 8] ^= 1 << (bit % 8);
        assert!(waiting.finish(reply, 1_000).is_err(), "bit {bit}");
    }
}

/// Any 64 bytes are a key: who has sent others than it meant finds out by the answer.
#[test]
fn any_hello_is_answered() {
    let authority = Authority::generate(&mut Chance::new([1; 32]));
    for byte in 0..=255 {
        let mut chance = Chance::new([2; 32]);
        assert!(respond(&authority, [byte; 64], MINUTE, u64::MAX, &mut chance).is_ok());
    }
}

#[test]
fn what_was_changed_cannot_be_decrypted_and_nothing_behind_it() {
    let (mut client, _) = ends();
    let messages = [
        Message::RequestTransactionData { template: 7 },
        Message::RequestTransactionData { template: 8 },
    ];
    let bytes = write(&mut client, &messages);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // (The same keys: by the same chance.)
        let (_, mut server) = ends();
        let first = server.open(&changed, 1_000);
        if bit / 8 < bytes.len() / 2 {
            assert_eq!(first.unwrap_err(), Broken::Undecryptable, "bit {bit}");
        } else {
            let taken = first.unwrap().taken;
            let second = server.open(&changed[taken..], 1_000);
            assert_eq!(second.unwrap_err(), Broken::Undecryptable, "bit {bit}");
        }
        // It stays so, whatever comes.
        assert_eq!(server.open(&bytes, 1_000).unwrap_err(), Broken::Undecryptable);
    }
}

#[test]
fn a_frame_that_is_too_long_for_its_length_is_not_made() {
    let (mut client, _) = ends();
    let mut encoder = Encoder::default();
    let most = vec![0; 0x0100_0000];
    assert!(client.seal_payload(&mut encoder, 0, 0, &most).is_err());
    // Nothing has happened.
    let (mut again, _) = ends();
    let ask = Message::RequestTransactionData { template: 7 };
    assert_eq!(
        client.seal(&mut encoder, &ask).unwrap(),
        again.seal(&mut encoder, &ask).unwrap()
    );
    for message in [
        Message::SetupConnectionError {
            flags: 0,
            code: "x".repeat(256),
        },
        Message::RequestTransactionDataSuccess {
            template: 1,
            excess: Vec::new(),
            transactions: vec![vec![0; 0x0100_0000].into()],
        },
        Message::RequestTransactionDataSuccess {
            template: 1,
            excess: vec![0; 65_536],
            transactions: Vec::new(),
        },
        Message::RequestTransactionDataSuccess {
            template: 1,
            excess: Vec::new(),
            transactions: vec![vec![0].into(); 65_536],
        },
    ] {
        assert!(client.seal(&mut encoder, &message).is_err());
    }
}
