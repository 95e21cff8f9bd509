//! A client of a template provider that has its keys: messages, right and wrong, frames of any kind, and noise, in any pieces and
//! under any faults. What is answered is what a model says, and does not depend on how the bytes were split.
#![no_main]

#[path = "../provider.rs"]
mod provider;

use arbitrary::Arbitrary;
use bitcoin::{Amount, ScriptBuf};
use libfuzzer_sys::fuzz_target;
use provider::{AUTHORITY, UNIX, WORK, settings};
use sockman_explorer::feed::{End, Input, Likely, Piece, feed_cut};
use sockman_sv2::wire::{
    Chance, Constraints, Encoder, HEADER, Initiator, Message, NewTemplate, PrevHash, REPLY, Setup, Transport,
    respond,
};
use sockman_sv2::{Count, Job};
use std::sync::LazyLock;

/// What the client says.
#[derive(Arbitrary, Debug)]
enum Say {
    Setup {
        protocol: u8,
        min_version: u8,
        max_version: u8,
        flags: u8,
    },
    Constraints {
        /// In 50,000 bytes.
        size: u8,
        /// In 200 operations.
        sigops: u8,
    },
    /// This one of the templates that it has been told, or a number that none has.
    Request(u8),
    Solution(Found),
    Frame {
        extension: u16,
        kind: u8,
        payload: Vec<u8>,
    },
    /// A frame of a kind that is ignored, of this length.
    Ignored(u16),
    /// Not encrypted.
    Noise(Vec<u8>),
}

/// What is changed in a solution that would be right.
#[derive(Arbitrary, Debug)]
struct Found {
    template: u8,
    version: u32,
    time: Option<u32>,
    pays: Option<u64>,
    script: Option<Vec<u8>>,
    stripped: bool,
    drops: bool,
    unsolved: bool,
    /// Bytes of the coinbase that are other than they should be.
    flips: Vec<(u16, u8)>,
}

#[derive(Arbitrary, Debug)]
struct Session {
    says: Vec<Say>,
    /// How the bytes are cut.
    cuts: Vec<(u16, u8)>,
    end: End,
    seed: u64,
    faults: Vec<Likely>,
}

/// The client's hello, and its end of a connection to the provider: whose random numbers are known.
fn shake() -> (Vec<u8>, [u8; REPLY], Transport) {
    let (hello, waiting) = Initiator::new(Some(AUTHORITY.key()), &mut Chance::new([3; 32])).expect("keys");
    let settings = settings();
    let mut chance = Chance::new(settings.seed.0);
    let (reply, _) =
        respond(&AUTHORITY, hello, settings.certificate, UNIX, &mut chance).expect("it is answered");
    let transport = waiting.finish(reply, UNIX).expect("it is right");
    (hello.to_vec(), reply, transport)
}

/// What the provider tells a client with no outputs: all transactions.
static TOLD: LazyLock<(NewTemplate, PrevHash)> = LazyLock::new(|| {
    let (hello, _, mut transport) = shake();
    let mut encoder = Encoder::default();
    let mut bytes = hello;
    for message in [
        Message::SetupConnection(Setup::template_distribution("")),
        Message::CoinbaseOutputConstraints(Constraints::default()),
    ] {
        bytes.extend(transport.seal(&mut encoder, &message).expect("it fits"));
    }
    let input = Input {
        pieces: vec![Piece { bytes, pause: 0 }],
        ..Input::default()
    };
    let answer = feed_cut(provider::new, provider::counted, &input);
    match read(&mut transport, &answer.heard)[..] {
        [
            Message::SetupConnectionSuccess { .. },
            Message::NewTemplate(ref template),
            Message::SetNewPrevHash(prev),
        ] => (template.clone(), prev),
        ref heard => panic!("not a tip: {heard:?}"),
    }
});

fn read(transport: &mut Transport, heard: &[u8]) -> Vec<Message> {
    let mut rest = &heard[REPLY.min(heard.len())..];
    let mut messages = Vec::new();
    loop {
        let opened = transport.open(rest, 1 << 24).expect("it can be decrypted");
        rest = &rest[opened.taken..];
        let Some(frame) = opened.frame else {
            return messages;
        };
        let message = frame.message().expect("it can be read");
        messages.push(message.expect("it is one of this protocol"));
    }
}

/// What the provider must do.
#[derive(Default)]
struct Model {
    ready: bool,
    /// It hangs up; with a word of farewell if that is `Some(true)`.
    over: Option<bool>,
    answers: Vec<Answer>,
    /// Transactions of each template.
    told: Vec<usize>,
    solutions: u64,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Agreed,
    Refused(&'static str),
    Template(usize),
    Tip,
    Data(usize),
    NotFound,
}

const TRANSACTIONS: usize = 5;

/// How many transactions there is room for.
fn count(room: Constraints) -> Option<usize> {
    let weight = 4 * (80 + 9 + 150 + 9 + 47 + u64::from(room.size)) + 36;
    let sigops = 4 * u64::from(room.sigops);
    let fits = |count: &u64| weight + 700_000 * count <= 4_000_000 && sigops + 10_000 * count <= 80_000;
    let most = (0..=TRANSACTIONS as u64).filter(fits).max()?;
    Some(most as usize)
}

impl Model {
    fn number(&self, which: u8) -> (u64, Option<usize>) {
        let first = (UNIX << 16) + 1;
        match self.told.get(usize::from(which)) {
            Some(count) => (first + u64::from(which), Some(*count)),
            None => (u64::MAX - u64::from(which), None),
        }
    }

    fn setup(&mut self, setup: &Setup) {
        let code = if self.ready {
            self.over = Some(false);
            return;
        } else if setup.protocol != 2 {
            "unsupported-protocol"
        } else if setup.min_version > 2 || setup.max_version < 2 {
            "protocol-version-mismatch"
        } else if setup.flags != 0 {
            "unsupported-feature-flags"
        } else {
            self.ready = true;
            return self.answers.push(Answer::Agreed);
        };
        self.answers.push(Answer::Refused(code));
        self.over = Some(true);
    }

    fn constraints(&mut self, room: Constraints) {
        match count(room).filter(|_| self.ready) {
            Some(count) => {
                self.told.push(count);
                self.answers.extend([Answer::Template(count), Answer::Tip]);
            }
            None => self.over = Some(false),
        }
    }

    fn request(&mut self, count: Option<usize>) {
        if self.ready {
            self.answers.push(count.map_or(Answer::NotFound, Answer::Data));
        } else {
            self.over = Some(false);
        }
    }
}

/// A solution, and whether it is right: as far as that is known.
fn solution(found: &Found, template: u64, count: Option<usize>) -> (Message, bool) {
    let (told, prev) = &*TOLD;
    let mut job = Job::new(told, prev, ScriptBuf::new(), b"fuzz").expect("the outputs can be read");
    // (What it is made by has all transactions.)
    let mut is_right = count == Some(TRANSACTIONS) && !found.unsolved;
    job.template = template;
    let version = 0x2000_0000 ^ (found.version & 0x1fff_ffe0);
    job.header.version = bitcoin::block::Version::from_consensus(version.cast_signed());
    if let Some(time) = found.time {
        job.header.time = time;
        is_right &= time >= 1_000;
    }
    if let Some(pays) = found.pays {
        job.coinbase.output[0].value = Amount::from_sat(pays);
        is_right &= pays <= told.value;
    }
    if let Some(script) = &found.script {
        job.coinbase.input[0].script_sig = ScriptBuf::from_bytes(script.iter().take(200).copied().collect());
        let script = job.coinbase.input[0].script_sig.as_bytes();
        is_right &= script.starts_with(&[1, 100]) && script.len() <= 100;
    }
    if found.stripped {
        job.coinbase.input[0].witness.clear();
    }
    if found.drops {
        job.coinbase.output.pop();
        is_right = false;
    }
    job.seal();
    while job.header.target().is_met_by(job.header.block_hash()) == found.unsolved {
        job.header.nonce += 1;
    }
    let mut submission = job.submission();
    for &(place, flip) in found.flips.iter().take(4) {
        let place = usize::from(place) % submission.coinbase.len();
        submission.coinbase[place] ^= flip;
    }
    (Message::SubmitSolution(submission), is_right)
}

fuzz_target!(|session: Session| {
    if session.says.len() > 100 {
        return;
    }
    let (hello, reply, mut transport) = shake();
    let mut encoder = Encoder::default();
    let mut bytes = hello;
    let (mut model, mut sure) = (Model::default(), true);
    for say in &session.says {
        let before = model.over;
        // What comes after the end is nobody's.
        let model = match before {
            None => &mut model,
            Some(_) => &mut Model {
                over: before,
                ..Model::default()
            },
        };
        let is_over = before.is_some();
        let frame = match say {
            &Say::Setup {
                protocol,
                min_version,
                max_version,
                flags,
            } => {
                // Most are right, or nothing would come of the others.
                let mostly = |said: u8, right: u8| if said < 200 { right } else { said };
                let setup = Setup {
                    protocol: mostly(protocol, 2) % 3,
                    min_version: mostly(min_version, 2).into(),
                    max_version: mostly(max_version, 2).into(),
                    flags: mostly(flags, 0).into(),
                    ..Setup::template_distribution("fuzz")
                };
                if !is_over {
                    model.setup(&setup);
                }
                transport.seal(&mut encoder, &Message::SetupConnection(setup))
            }
            &Say::Constraints { size, sigops } => {
                let room = Constraints {
                    size: u32::from(size) * 50_000,
                    sigops: u16::from(sigops) * 200,
                };
                if !is_over {
                    model.constraints(room);
                }
                transport.seal(&mut encoder, &Message::CoinbaseOutputConstraints(room))
            }
            &Say::Request(which) => {
                let (template, count) = model.number(which);
                if !is_over {
                    model.request(count);
                }
                transport.seal(&mut encoder, &Message::RequestTransactionData { template })
            }
            Say::Solution(found) => {
                let (template, count) = model.number(found.template);
                let (message, is_right) = solution(found, template, count);
                sure &= found.flips.iter().take(4).all(|(_, flip)| *flip == 0);
                if !is_over && model.ready {
                    model.solutions += u64::from(is_right);
                } else {
                    model.over = model.over.or(Some(false));
                }
                transport.seal(&mut encoder, &message)
            }
            Say::Frame {
                extension,
                kind,
                payload,
            } => {
                // Whether it can be read, its reader knows; what it does, nobody.
                let known = matches!(kind, 0..=2 | 0x70..=0x76) && extension & 0x7fff == 0;
                sure &= !known || is_over;
                if payload.len() + HEADER > 2_000 {
                    model.over = model.over.or(Some(false));
                }
                transport.seal_payload(&mut encoder, *extension, *kind, payload)
            }
            &Say::Ignored(length) => {
                let length = usize::from(length) % 4_000;
                if length + HEADER > 2_000 {
                    model.over = model.over.or(Some(false));
                }
                transport.seal_payload(&mut encoder, 7, 7, &vec![7; length])
            }
            Say::Noise(noise) => {
                // Less than a header, and what comes behind it is part of it.
                sure &= noise.is_empty() || is_over;
                bytes.extend(noise);
                continue;
            }
        };
        bytes.extend(frame.expect("it fits"));
    }
    let input = Input {
        pieces: pieces(&bytes, &session.cuts),
        end: session.end,
        seed: session.seed,
        faults: session.faults,
    };
    let answer = feed_cut(provider::new, provider::counted, &input);
    assert_eq!(
        &answer.heard[..REPLY.min(answer.heard.len())],
        &reply[..REPLY.min(answer.heard.len())]
    );
    let heard = read(&mut transport, &answer.heard);
    if !sure {
        return;
    }
    let heard: Vec<Answer> = heard.into_iter().map(understand).collect();
    // Who closes at once need not hear everything, nor who is hung up on for what it did.
    let is_whole = input.end == End::Finish && model.over != Some(false);
    let shorter = if is_whole {
        model.answers.len()
    } else {
        heard.len().min(model.answers.len())
    };
    assert_eq!(heard[..], model.answers[..shorter]);
    let counted = answer.known[Count::solutions as usize];
    if input.end == End::Finish {
        assert_eq!(counted, model.solutions);
    }
});

/// The bytes, cut in so many places.
fn pieces(mut bytes: &[u8], cuts: &[(u16, u8)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for &(length, pause) in cuts.iter().take(60) {
        let (piece, rest) = bytes.split_at(usize::from(length).min(bytes.len()));
        let bytes_of = piece.to_vec();
        pieces.push(Piece {
            bytes: bytes_of,
            pause,
        });
        bytes = rest;
    }
    pieces.push(Piece {
        bytes: bytes.to_vec(),
        pause: 0,
    });
    pieces
}

/// What is said, as the model says it; that it is right is checked here.
fn understand(message: Message) -> Answer {
    match message {
        Message::SetupConnectionSuccess { version: 2, flags: 0 } => Answer::Agreed,
        Message::SetupConnectionError { code, .. } => {
            let codes = [
                "unsupported-protocol",
                "protocol-version-mismatch",
                "unsupported-feature-flags",
            ];
            Answer::Refused(codes.into_iter().find(|known| *known == code).expect("a code"))
        }
        Message::NewTemplate(template) => {
            assert!(template.future);
            Answer::Template(((template.value - 5_000_000_000) / 1_000) as usize)
        }
        Message::SetNewPrevHash(prev) => {
            assert_eq!((prev.hash, u64::from(prev.time)), ([5; 32], UNIX));
            Answer::Tip
        }
        Message::RequestTransactionDataSuccess { transactions, .. } => {
            let expected = WORK.transactions().iter().map(|tx| &tx.bytes);
            assert!(transactions.iter().eq(expected.take(transactions.len())));
            Answer::Data(transactions.len())
        }
        Message::RequestTransactionDataError { code, .. } => {
            assert_eq!(code, "template-id-not-found");
            Answer::NotFound
        }
        other => panic!("{other:?} is no answer"),
    }
}
