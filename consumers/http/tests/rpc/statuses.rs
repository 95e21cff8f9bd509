//! Single requests, in all versions: status and reply, byte by byte.

use super::{check, on, server};
use sockman_http::rpc::{Access, Place};

#[test]
fn results() {
    check(
        r#"{"method":"echo","id":1}"#,
        200,
        r#"{"result":[],"error":null,"id":1}"#,
    );
    check(
        r#"{"jsonrpc":"1.0","method":"echo","params":[1],"id":"a"}"#,
        200,
        r#"{"result":[1],"error":null,"id":"a"}"#,
    );
    check(
        r#"{"version":"1.1","method":"echo","params":[],"id":1}"#,
        200,
        r#"{"result":[],"error":null,"id":1}"#,
    );
    check(
        r#"{"jsonrpc":"1.1","method":"echo","params":null,"id":1}"#,
        200,
        r#"{"result":[],"error":null,"id":1}"#,
    );
    check(
        r#"{"jsonrpc":null,"method":"echo","id":1}"#,
        200,
        r#"{"result":[],"error":null,"id":1}"#,
    );
    check(
        r#"{"jsonrpc":"2.0","method":"echo","params":["x"],"id":7}"#,
        200,
        r#"{"jsonrpc":"2.0","result":["x"],"id":7}"#,
    );
}

#[test]
fn ids_come_back_as_they_were_written() {
    for id in [
        "0",
        "-1.50",
        "1e3",
        "123456789012345678901234567890",
        r#""\u0041\n""#,
        "null",
        "true",
        "[1, 2]",
        "{}",
    ] {
        check(
            format!(r#"{{"jsonrpc":"2.0","method":"echo","id": {id} }}"#),
            200,
            &format!(r#"{{"jsonrpc":"2.0","result":[],"id":{id}}}"#),
        );
    }
}

#[test]
fn only_2_0_without_an_id_is_a_notification() {
    check(r#"{"jsonrpc":"2.0","method":"echo"}"#, 204, "");
    check(r#"{"jsonrpc":"2.0","method":"nothing"}"#, 204, "");
    check(r#"{"jsonrpc":"2.0","method":"repeat"}"#, 204, "");
    check(
        r#"{"jsonrpc":"2.0","method":"echo","id":null}"#,
        200,
        r#"{"jsonrpc":"2.0","result":[],"id":null}"#,
    );
    check(
        r#"{"method":"echo","id":null}"#,
        200,
        r#"{"result":[],"error":null,"id":null}"#,
    );
    check(
        r#"{"method":"echo"}"#,
        200,
        r#"{"result":[],"error":null,"id":null}"#,
    );
}

#[test]
fn a_notification_is_carried_out() {
    let (server, _) = server();
    let access = Access::everything("alice");
    server.run(
        &server.read(br#"{"jsonrpc":"2.0","method":"count"}"#),
        on(&access),
    );
    let answer = server.run(&server.read(br#"{"method":"count","id":1}"#), on(&access));
    assert_eq!(answer.body, b"{\"result\":2,\"error\":null,\"id\":1}\n");
}

#[test]
fn errors_are_of_http_in_1_x_and_not_in_2_0() {
    let not_found = r#"{"code":-32601,"message":"Method not found"}"#;
    check(
        r#"{"method":"nothing","id":1}"#,
        404,
        &format!(r#"{{"result":null,"error":{not_found},"id":1}}"#),
    );
    check(
        r#"{"jsonrpc":"2.0","method":"nothing","id":1}"#,
        200,
        &format!(r#"{{"jsonrpc":"2.0","error":{not_found},"id":1}}"#),
    );
    let failed = r#"{"code":-5,"message":"No \"such\" block"}"#;
    check(
        r#"{"method":"fail","id":1}"#,
        500,
        &format!(r#"{{"result":null,"error":{failed},"id":1}}"#),
    );
    check(
        r#"{"jsonrpc":"2.0","method":"fail","id":1}"#,
        200,
        &format!(r#"{{"jsonrpc":"2.0","error":{failed},"id":1}}"#),
    );
}

#[test]
fn a_method_that_panics_fails_alone() {
    let failed = r#"{"code":-32603,"message":"Internal error"}"#;
    check(
        r#"{"method":"panics","id":1}"#,
        500,
        &format!(r#"{{"result":null,"error":{failed},"id":1}}"#),
    );
    check(
        r#"[{"method":"panics","id":1},{"method":"echo","id":2}]"#,
        200,
        &format!(r#"[{{"result":null,"error":{failed},"id":1}},{{"result":[],"error":null,"id":2}}]"#),
    );
}

#[test]
fn what_is_no_request_is_400_in_any_version() {
    let reply = |why: &str, id: &str| {
        format!(r#"{{"result":null,"error":{{"code":-32600,"message":"{why}"}},"id":{id}}}"#)
    };
    let reply_2 = |why: &str, id: &str| {
        format!(r#"{{"jsonrpc":"2.0","error":{{"code":-32600,"message":"{why}"}},"id":{id}}}"#)
    };
    check("{}", 400, &reply("Missing method", "null"));
    check(r#"{"id":3}"#, 400, &reply("Missing method", "3"));
    check(r#"{"id":3,"method":null}"#, 400, &reply("Missing method", "3"));
    check(
        r#"{"id":3,"method":1}"#,
        400,
        &reply("Method must be a string", "3"),
    );
    check(
        r#"{"id":3,"method":"echo","params":1}"#,
        400,
        &reply("Params must be an array or object", "3"),
    );
    check(
        r#"{"id":3,"method":"echo","params":"x"}"#,
        400,
        &reply("Params must be an array or object", "3"),
    );
    check(
        r#"{"jsonrpc":"2.0","id":3}"#,
        400,
        &reply_2("Missing method", "3"),
    );
    check(r#"{"jsonrpc":"2.0"}"#, 400, &reply_2("Missing method", "null"));
    check(
        r#"{"jsonrpc":"2.0","method":"echo","params":true}"#,
        400,
        &reply_2("Params must be an array or object", "null"),
    );
    check(
        r#"{"jsonrpc":2,"method":"echo","id":3}"#,
        400,
        &reply("jsonrpc field must be a string", "3"),
    );
    for version in ["2.1", "3.0", "", "2"] {
        check(
            format!(r#"{{"jsonrpc":"{version}","method":"echo","id":3}}"#),
            400,
            &reply("JSON-RPC version not supported", "3"),
        );
    }
}

#[test]
fn what_is_no_json_is_500() {
    let unparsable = r#"{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}"#;
    for body in [
        "",
        " ",
        "{",
        "{]",
        "[1,]",
        "nul",
        r#"{"method":"echo","id":1}x"#,
        r#"{"method":"echo","id":1}{}"#,
        r#"{"method":"echo","id":01}"#,
        r#"{"method":"echo","params":[1,],"id":1}"#,
        r"{'method':'echo'}",
        "\u{feff}{}",
        r#"[{"method":"echo","id":1},"#,
        r#"[{"method":"echo","id":1}]]"#,
    ] {
        check(body, 500, unparsable);
    }
    let no_object =
        r#"{"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}"#;
    for body in ["1", "\"echo\"", "null", " true ", "1e999"] {
        check(body, 500, no_object);
    }
}

#[test]
fn there_are_no_wallets() {
    let (server, _) = server();
    let access = Access::everything("alice");
    let on = super::On {
        access: &access,
        wallet: true,
        place: Place::Loop,
    };
    let why = r#"{"code":-18,"message":"Requested wallet does not exist or is not loaded"}"#;
    for (body, status, reply) in [
        (
            r#"{"method":"count","id":1}"#,
            500,
            format!("{{\"result\":null,\"error\":{why},\"id\":1}}\n"),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"count","id":1}"#,
            200,
            format!("{{\"jsonrpc\":\"2.0\",\"error\":{why},\"id\":1}}\n"),
        ),
        (
            r#"[{"jsonrpc":"2.0","method":"count","id":1}]"#,
            200,
            format!("[{{\"jsonrpc\":\"2.0\",\"error\":{why},\"id\":1}}]\n"),
        ),
        (r#"{"jsonrpc":"2.0","method":"count"}"#, 204, String::new()),
    ] {
        let answer = server.run(&server.read(body.as_bytes()), on);
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(String::from_utf8_lossy(&answer.body), reply, "{body}");
    }
    let answer = server.run(&server.read(br#"{"method":"count"}"#), super::on(&access));
    assert_eq!(
        answer.body, b"{\"result\":1,\"error\":null,\"id\":null}\n",
        "it was called before"
    );
}
