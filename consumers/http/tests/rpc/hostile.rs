//! What no honest client sends.

use super::{answer_of, check, server};
use proptest::prelude::*;
use serde_json::value::RawValue;
use sockman_http::rpc::{MAX_DEPTH, Message, Request};

const UNPARSABLE: &str = r#"{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}"#;

#[test]
fn nesting_is_bounded_and_costs_no_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}0{}", open.repeat(depth), close.repeat(depth));
        // The request itself is one level, its array of parameters another.
        let call = |depth| format!(r#"{{"method":"echo","params":[{}],"id":1}}"#, nested(depth));
        let deepest = MAX_DEPTH - 2;
        check(
            call(deepest),
            200,
            &format!(r#"{{"result":[{}],"error":null,"id":1}}"#, nested(deepest)),
        );
        check(call(deepest + 1), 500, UNPARSABLE);
        check(call(1_000_000), 500, UNPARSABLE);
        check(nested(1_000_000), 500, UNPARSABLE);
        check(open.repeat(1_000_000), 500, UNPARSABLE);
        check(
            format!(r#"{{"method":"echo","id":{}}}"#, nested(1_000_000)),
            500,
            UNPARSABLE,
        );
        check(format!(r#"[{{"x":{}}}]"#, nested(1_000_000)), 500, UNPARSABLE);
        // Read as a type, it is bounded by the reader.
        let answer = answer_of(
            &server().0,
            format!(r#"{{"method":"repeat","params":["a",{}],"id":1}}"#, nested(400)),
        );
        assert_eq!(answer.status, 500);
    }
}

#[test]
fn brackets_in_strings_do_not_count() {
    let text = format!(r#""{}\"{}\\""#, "[".repeat(1000), "{".repeat(1000));
    check(
        format!(r#"{{"method":"echo","params":[{text}],"id":1}}"#),
        200,
        &format!(r#"{{"result":[{text}],"error":null,"id":1}}"#),
    );
}

#[test]
fn of_members_that_are_there_twice_the_first_counts() {
    check(
        r#"{"id":1,"method":"echo","params":[1],"id":2,"method":"stop","params":[2],"jsonrpc":"2.0","jsonrpc":"9"}"#,
        200,
        r#"{"jsonrpc":"2.0","result":[1],"id":1}"#,
    );
    check(
        r#"{"method":null,"method":"echo","id":1}"#,
        400,
        r#"{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1}"#,
    );
}

#[test]
fn names_may_be_escaped() {
    check(
        r#"{"\u006dethod":"e\u0063ho","id":1}"#,
        200,
        r#"{"result":[],"error":null,"id":1}"#,
    );
    check(r#"{"method":"\ud800","id":1}"#, 500, UNPARSABLE);
}

#[test]
fn all_of_it_is_utf_8() {
    for body in [
        &b"{\"method\":\"echo\",\"id\":\"\xff\"}"[..],
        b"{\"method\":\"echo\",\"x\":\"\xff\"}",
        b"{\"method\":\"echo\",\"\xff\":1}",
        b"[{\"method\":\"echo\",\"params\":[\"\xc0\x80\"]}]",
        b"\xff",
        b"{\"method\":\"echo\"}\x00",
        b"{\"method\":\"echo\",\"params\":[\"\n\"]}",
    ] {
        check(body, 500, UNPARSABLE);
    }
}

#[test]
fn huge_numbers_are_text() {
    let number = "9".repeat(100_000);
    check(
        format!(r#"{{"method":"echo","params":[{number},-{number}.{number}e{number}],"id":{number}}}"#),
        200,
        &format!(r#"{{"result":[{number},-{number}.{number}e{number}],"error":null,"id":{number}}}"#),
    );
    let answer = answer_of(
        &server().0,
        format!(r#"{{"method":"repeat","params":["a",{number}],"id":1}}"#),
    );
    assert_eq!(answer.status, 500);
}

#[test]
fn a_million_parameters_are_not_kept() {
    let many = format!("[{}1]", "1,".repeat(1_000_000));
    let answer = answer_of(
        &server().0,
        format!(r#"{{"method":"repeat","params":{many},"id":1}}"#),
    );
    assert_eq!(answer.status, 500);
    let answer = answer_of(
        &server().0,
        format!(r#"{{"method":"echo","params":{{"args":{many},"arg3":1}},"id":1}}"#),
    );
    assert_eq!(answer.status, 500);
}

/// Bodies that are often near to requests.
fn bodies() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "null",
        "1",
        "-0.50",
        "1e999",
        "\"\"",
        "\"echo\"",
        "\"2.0\"",
        "\"1.0\"",
        "[]",
        "[1,[2]]",
        "{}",
        r#"{"args":[1]}"#,
        "\"count\"",
        "\"\\ud800\"",
        "\"fail\"",
    ]);
    let name = prop::sample::select(vec!["jsonrpc", "id", "method", "params", "x", ""]);
    let object = prop::collection::vec((name, value.clone()), 0..6).prop_map(|members| {
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("{name:?}:{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    let item = prop_oneof![4 => object, 1 => value.prop_map(str::to_owned)];
    prop_oneof![
        item.clone(),
        prop::collection::vec(item, 0..6).prop_map(|items| format!("[{}]", items.join(", "))),
        "[\\[\\]{}\",:a0.\\\\ -]{0,20}",
    ]
}

proptest! {
    #[test]
    fn whatever_comes_the_reply_is_one(body in bodies()) {
        let (server, _) = server();
        let wanted = match server.read(body.as_bytes()) {
            Message::Batch(items) if items.is_empty() => Some(0),
            Message::Batch(items) => Some(
                items
                    .iter()
                    .filter(|item| !item.as_ref().is_ok_and(Request::is_notification))
                    .count(),
            ),
            _ => None,
        };
        let answer = answer_of(&server, &body);
        if answer.status == 204 {
            prop_assert!(answer.body.is_empty() && wanted.is_none_or(|wanted| wanted == 0));
        } else if let Some(wanted) = wanted {
            prop_assert_eq!(answer.status, 200);
            let replies: Vec<&RawValue> = serde_json::from_slice(&answer.body).expect("a batch");
            prop_assert_eq!(replies.len(), wanted);
        } else {
            let reply: serde_json::Map<_, _> = match serde_json::from_slice(&answer.body) {
                Ok(reply) => reply,
                // An id that only text can hold.
                Err(_) => return Ok(()),
            };
            prop_assert!(reply.contains_key("id"));
            prop_assert_eq!(reply.contains_key("jsonrpc"), !(reply.contains_key("result") && reply.contains_key("error")));
        }
    }
}
