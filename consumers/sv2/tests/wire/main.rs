//! Keys, handshakes, frames and messages, without a socket.

#![allow(clippy::unwrap_used)]

#[path = "../../../p2p/tests/wire/counting.rs"]
mod counting;
mod handshake;
mod heap;
mod messages;

use proptest::collection::vec;
use proptest::prelude::*;
use sockman_sv2::wire::{
    Authority, Chance, Constraints, Encoder, Initiator, Message, NewTemplate, PrevHash, Setup, Submission,
    Transport, respond,
};
use std::time::Duration;

/// A frame may be as long as any.
const ANY: usize = 1 << 24;

/// The two ends of a connection: the client's and the server's.
fn ends() -> (Transport, Transport) {
    let authority = Authority::generate(&mut Chance::new([1; 32]));
    let (hello, waiting) = Initiator::new(Some(authority.key()), &mut Chance::new([2; 32])).unwrap();
    let mut chance = Chance::new([3; 32]);
    let (reply, server) = respond(&authority, hello, Duration::from_secs(60), 1_000, &mut chance).unwrap();
    (waiting.finish(reply, 1_000).unwrap(), server)
}

/// All messages that these bytes have, as this end reads them.
fn read(end: &mut Transport, bytes: &[u8]) -> Vec<Message> {
    let mut taken = 0;
    let mut messages = Vec::new();
    loop {
        let opened = end.open(&bytes[taken..], ANY).unwrap();
        taken += opened.taken;
        let Some(frame) = opened.frame else { break };
        messages.extend(frame.message().unwrap());
    }
    assert_eq!(taken, bytes.len());
    messages
}

fn hash() -> impl Strategy<Value = [u8; 32]> {
    any::<[u8; 32]>()
}

fn setup() -> impl Strategy<Value = Setup> {
    let text = || "[ -~]{0,40}";
    let numbers = (0..3_u8, any::<u16>(), any::<u16>(), any::<u32>(), any::<u16>());
    (numbers, text(), text(), text(), text(), text()).prop_map(
        |((protocol, min_version, max_version, flags, port), host, vendor, hardware, firmware, device)| {
            Setup {
                protocol,
                min_version,
                max_version,
                flags,
                host,
                port,
                vendor,
                hardware,
                firmware,
                device,
            }
        },
    )
}

fn template() -> impl Strategy<Value = NewTemplate> {
    let numbers = (
        any::<u64>(),
        any::<bool>(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        any::<u64>(),
        any::<u32>(),
        any::<u32>(),
    );
    (
        numbers,
        vec(any::<u8>(), 0..=255),
        vec(any::<u8>(), 0..1_000),
        vec(hash(), 0..16),
    )
        .prop_map(|(numbers, coinbase_prefix, outputs, merkle_path)| NewTemplate {
            template: numbers.0,
            future: numbers.1,
            version: numbers.2,
            coinbase_version: numbers.3,
            coinbase_prefix,
            coinbase_sequence: numbers.4,
            value: numbers.5,
            outputs_count: numbers.6,
            outputs,
            coinbase_locktime: numbers.7,
            merkle_path,
        })
}

/// Any message.
fn message() -> impl Strategy<Value = Message> {
    let id = any::<u64>;
    let prev = (id(), hash(), any::<u32>(), any::<u32>(), hash());
    let found = (
        id(),
        any::<u32>(),
        any::<u32>(),
        any::<u32>(),
        prop_oneof![9 => vec(any::<u8>(), 0..500), 1 => vec(any::<u8>(), 65_000..=65_535)],
    );
    let transactions = prop_oneof![
        9 => vec(vec(any::<u8>(), 0..300), 0..20),
        1 => vec(vec(any::<u8>(), 60_000..70_000), 1..4),
    ];
    prop_oneof![
        setup().prop_map(Message::SetupConnection),
        (any::<u16>(), any::<u32>())
            .prop_map(|(version, flags)| Message::SetupConnectionSuccess { version, flags }),
        (any::<u32>(), "[a-z-]{0,255}")
            .prop_map(|(flags, code)| Message::SetupConnectionError { flags, code }),
        (any::<u32>(), any::<u16>())
            .prop_map(|(size, sigops)| Message::CoinbaseOutputConstraints(Constraints { size, sigops })),
        template().prop_map(Message::NewTemplate),
        prev.prop_map(
            |(template, hash, time, bits, target)| Message::SetNewPrevHash(PrevHash {
                template,
                hash,
                time,
                bits,
                target
            })
        ),
        id().prop_map(|template| Message::RequestTransactionData { template }),
        (id(), vec(any::<u8>(), 0..40), transactions).prop_map(|(template, excess, transactions)| {
            Message::RequestTransactionDataSuccess {
                template,
                excess,
                transactions: transactions.into_iter().map(Into::into).collect(),
            }
        }),
        (id(), "[a-z-]{0,40}")
            .prop_map(|(template, code)| Message::RequestTransactionDataError { template, code }),
        found.prop_map(
            |(template, version, time, nonce, coinbase)| Message::SubmitSolution(Submission {
                template,
                version,
                time,
                nonce,
                coinbase
            })
        ),
    ]
}

/// Writes them, one behind the other.
fn write(end: &mut Transport, messages: &[Message]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    let frames = messages
        .iter()
        .map(|message| end.seal(&mut encoder, message).unwrap());
    frames.collect::<Vec<_>>().concat()
}
