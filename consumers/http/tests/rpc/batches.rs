//! Batches.

use super::{answer_of, check, server};
use sockman_http::rpc::Place;

#[test]
fn replies_come_in_order_and_never_as_errors_of_http() {
    check("[]", 200, "[]");
    check(" [ ] ", 200, "[]");
    check(
        r#"[{"method":"echo","params":[1],"id":1},{"jsonrpc":"2.0","method":"nothing","id":2},{"method":"fail","id":3}]"#,
        200,
        concat!(
            r#"[{"result":[1],"error":null,"id":1},"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2},"#,
            r#"{"result":null,"error":{"code":-5,"message":"No \"such\" block"},"id":3}]"#
        ),
    );
}

#[test]
fn what_is_no_request_gets_a_reply_of_its_own() {
    let invalid = r#"{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}"#;
    check(
        r#"[1, "x", null, [], {"jsonrpc":"2.0","method":"echo","id":4}, 1e999]"#,
        200,
        &format!(
            r#"[{invalid},{invalid},{invalid},{invalid},{{"jsonrpc":"2.0","result":[],"id":4}},{invalid}]"#
        ),
    );
    check(
        r#"[{"id":9},{"jsonrpc":"2.0","method":1}]"#,
        200,
        concat!(
            r#"[{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":9},"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Method must be a string"},"id":null}]"#
        ),
    );
}

#[test]
fn notifications_get_none() {
    check(
        r#"[{"jsonrpc":"2.0","method":"echo"},{"jsonrpc":"2.0","method":"nothing"}]"#,
        204,
        "",
    );
    check(
        r#"[{"jsonrpc":"2.0","method":"count"},{"method":"count","id":1},{"jsonrpc":"2.0","method":"count"},{"method":"count","id":2}]"#,
        200,
        r#"[{"result":2,"error":null,"id":1},{"result":4,"error":null,"id":2}]"#,
    );
}

#[test]
fn ten_thousand_pass_and_one_more_does_not() {
    let batch = |count| format!("[{}]", vec![r#"{"method":"count","id":1}"#; count].join(","));
    let answer = answer_of(&server().0, batch(10_000));
    assert_eq!(answer.status, 200);
    let replies: Vec<serde_json::Value> = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(replies.len(), 10_000);
    assert_eq!(replies[9_999]["result"], 10_000);
    check(
        batch(10_001),
        400,
        r#"{"result":null,"error":{"code":-32600,"message":"A batch may have 10000 requests at most"},"id":null}"#,
    );
    let answer = answer_of(&server().0.batch(2), batch(2));
    assert_eq!(answer.status, 200);
    let answer = answer_of(&server().0.batch(2), batch(3));
    assert_eq!(answer.status, 400);
    // What is behind the limit is still to be JSON.
    let answer = answer_of(&server().0.batch(2), "[1,2,3,4,}]");
    assert_eq!(answer.status, 500);
}

#[test]
fn one_call_for_a_worker_takes_the_batch_there() {
    let (server, _) = server();
    let place = |body: &str| server.place(&server.read(body.as_bytes()));
    assert_eq!(place(r#"{"method":"echo"}"#), Place::Loop);
    assert_eq!(place(r#"{"method":"sleep","params":[1]}"#), Place::Worker);
    assert_eq!(place(r#"[{"method":"echo"},{"method":"echo"},3]"#), Place::Loop);
    assert_eq!(place(r#"[{"method":"echo"},{"method":"sleep"}]"#), Place::Worker);
    assert_eq!(place(&format!("[{}0]", "0,".repeat(100))), Place::Worker);
    for body in ["", "{}", "3", r#"{"method":"nothing"}"#] {
        assert_eq!(place(body), Place::Loop);
    }
}
