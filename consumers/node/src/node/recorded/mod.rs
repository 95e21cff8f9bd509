//! The same questions to a node of ours, with a store in memory, as were put to Bitcoin Core: it must give the same answers,
//! byte by byte. `core.txt` has what was asked and answered; `tests/core/record` writes it and says what its lines are.

use super::context::Context;
use super::rest::{self, Asked};
use super::rpc::methods;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::{Network, block};
use serde_json::Value;
use sockman_http::rpc::{Access, Dispatcher, Instance, On, Place};
use sockman_p2p::chain::Params;
use sockman_p2p::state::{Bans, Chain};
use sockman_p2p::store::Memory;
use sockman_p2p::{Clock, Node, Settings};
use std::time::{Duration, Instant};

const RECORDED: &str = include_str!("core.txt");

/// A node that knows nothing yet, at this time of day, which does not go on.
pub(super) fn node(unix: u64) -> Context<Memory> {
    let params = Params::of(Network::Regtest);
    // A store that was just made holds nothing to be loaded.
    let (store, loaded) = Memory::new(params.magic).crash(0);
    let chain = Chain::new(params, store, loaded, unix).expect("there is room");
    let at = Instant::now() + Duration::from_secs(24 * 60 * 60);
    let settings = Settings {
        clock: Clock::Virtual { unix, at },
        ..Settings::new([1; 32])
    };
    let node = Node::new(settings, chain, Bans::default());
    Context::new(node.handle(), 1, None, None)
}

/// What a node answers to the body of a request.
pub(super) fn ask(dispatcher: &Dispatcher<Context<Memory>>, body: &str) -> String {
    let access = Access::everything("test");
    let on = On {
        access: &access,
        wallet: false,
        place: Place::Worker,
    };
    let answer = dispatcher.run(&dispatcher.read(body.as_bytes()), on);
    String::from_utf8(answer.body)
        .expect("JSON")
        .trim_end()
        .to_owned()
}

pub(super) fn dispatcher(context: &Context<Memory>) -> Dispatcher<Context<Memory>> {
    Dispatcher::new(methods(), Instance::new("test"), context.clone())
}

/// What of an answer is no other's business: how many bytes a block takes on the disk, and what the program warns of.
fn without_what_differs(answer: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(answer) else {
        return answer.to_owned();
    };
    let info = match value.get("result") {
        Some(_) => value.get_mut("result").expect("it is there"),
        None => &mut value,
    };
    let is_info = info.get("size_on_disk").is_some();
    match info.as_object_mut() {
        Some(fields) if is_info => {
            for name in ["size_on_disk", "warnings"] {
                fields.remove(name).expect("it is told");
            }
            value.to_string()
        }
        _ => answer.to_owned(),
    }
}

#[test]
fn it_answers_as_core_does() {
    let mut lines = RECORDED
        .lines()
        .map(|line| line.split_once(' ').expect("a word and more"));
    let mut next = |word: &str| {
        let (found, rest) = lines.next()?;
        assert!(found == word || word.is_empty(), "{word}, and not {found}");
        Some((found, rest))
    };
    next("version").expect("who answered");
    let (_, time) = next("time").expect("when");
    let unix: u64 = time.parse().expect("seconds");
    let context = node(unix);
    let dispatcher = dispatcher(&context);
    let mut asked = 0;
    while let Some((word, line)) = next("") {
        match word {
            "block" => {
                let block = Vec::from_hex(line).expect("hexadecimal");
                context.handle().submit(&block).expect("Core has taken it");
            }
            "header" => {
                let header: block::Header = deserialize_hex(line).expect("a header");
                let taken = context
                    .handle()
                    .with(|state| state.chain.accept_header(&header, unix));
                taken.expect("Core has taken it");
            }
            "call" => {
                let (_, expected) = next("answer").expect("an answer");
                let found = ask(&dispatcher, line);
                assert_eq!(
                    without_what_differs(&found),
                    without_what_differs(expected),
                    "{line}"
                );
                asked += 1;
            }
            "get" => {
                let (_, expected) = next("got").expect("an answer");
                let (head, body) = expected.rsplit_once(' ').expect("a body");
                let body = Vec::from_hex(body).expect("hexadecimal");
                let (found_head, found) = get(&context, line);
                assert_eq!(found_head, head, "{line}");
                let text = |bytes: &[u8]| match str::from_utf8(bytes) {
                    Ok(text) => without_what_differs(text),
                    Err(_) => bytes.to_lower_hex_string(),
                };
                assert_eq!(text(&found), text(&body), "{line}");
                asked += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(asked > 150, "{asked}");
}

/// Status and type, and the body, of what REST answers.
fn get(context: &Context<Memory>, target: &str) -> (String, Vec<u8>) {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let path = path.strip_prefix(rest::PREFIX).expect("a path of REST");
    match Asked::read(path, query).and_then(|asked| rest::answer(context, &asked)) {
        Ok(answer) => (format!("200 {}", answer.media_type), answer.body.to_vec()),
        Err(refusal) => {
            let body = refusal.message + "\r\n";
            (
                format!("{} text/plain", refusal.status.as_u16()),
                body.into_bytes(),
            )
        }
    }
}
