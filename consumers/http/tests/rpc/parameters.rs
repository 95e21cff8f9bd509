//! Parameters by place, by name, and both.

use super::check;

#[track_caller]
fn result(call: &str, expected: &str) {
    check(
        format!(r#"{{{call},"id":1}}"#),
        200,
        &format!(r#"{{"result":{expected},"error":null,"id":1}}"#),
    );
}

#[track_caller]
fn error(call: &str, code: i32, message: &str) {
    check(
        format!(r#"{{{call},"id":1}}"#),
        500,
        &format!(r#"{{"result":null,"error":{{"code":{code},"message":{message:?}}},"id":1}}"#),
    );
}

const USAGE: &str = "repeat text ( times ) ( more )\n\nSays it again.";

#[test]
fn by_place() {
    result(r#""method":"repeat","params":["a"]"#, r#""aa""#);
    result(r#""method":"repeat","params":["a",3]"#, r#""aaa""#);
    result(r#""method":"repeat","params":["a",null]"#, r#""aa""#);
    result(r#""method":"repeat","params":["\u00e9\n",1]"#, r#""é\n""#);
    error(r#""method":"repeat""#, -1, USAGE);
    error(r#""method":"repeat","params":[]"#, -1, USAGE);
    error(r#""method":"repeat","params":["a",1,2,3]"#, -1, USAGE);
    error(
        r#""method":"repeat","params":[1]"#,
        -3,
        "Wrong type passed: position 1 (text): invalid type: integer `1`, expected a string",
    );
    error(
        r#""method":"repeat","params":["a","b"]"#,
        -3,
        "Wrong type passed: position 2 (times): invalid type: string \"b\", expected usize",
    );
    error(
        r#""method":"repeat","params":[null]"#,
        -3,
        "Wrong type passed: position 1 (text): invalid type: null, expected a string",
    );
}

#[test]
fn by_name() {
    result(r#""method":"repeat","params":{"text":"a"}"#, r#""aa""#);
    result(r#""method":"repeat","params":{"times":3,"text":"a"}"#, r#""aaa""#);
    result(r#""method":"repeat","params":{"n":1,"te\u0078t":"a"}"#, r#""a""#);
    result(r#""method":"repeat","params":{"text":"a","more":1}"#, r#""aa""#);
    error(r#""method":"repeat","params":{}"#, -1, USAGE);
    error(
        r#""method":"repeat","params":{"text":"a","x":1,"y":2}"#,
        -8,
        "Unknown named parameter x",
    );
    error(
        r#""method":"repeat","params":{"text":"a","text":"b"}"#,
        -8,
        "Parameter text specified multiple times",
    );
    error(
        r#""method":"repeat","params":{"text":"a","n":1,"times":2}"#,
        -8,
        "Parameter times specified multiple times",
    );
}

#[test]
fn by_both() {
    result(r#""method":"repeat","params":{"args":["a"],"times":1}"#, r#""a""#);
    result(r#""method":"repeat","params":{"args":["a"],"more":1}"#, r#""aa""#);
    result(r#""method":"repeat","params":{"args":["a",3]}"#, r#""aaa""#);
    result(r#""method":"repeat","params":{"args":[],"text":"a"}"#, r#""aa""#);
    error(
        r#""method":"repeat","params":{"args":["a",1],"times":1}"#,
        -8,
        "Parameter times specified twice both as positional and named argument",
    );
    error(r#""method":"repeat","params":{"args":["a",1,2,3]}"#, -1, USAGE);
    error(
        r#""method":"repeat","params":{"args":"a"}"#,
        -8,
        "Unknown named parameter args",
    );
    error(
        r#""method":"repeat","params":{"args":[],"args":["a"]}"#,
        -8,
        "Parameter args specified multiple times",
    );
}

#[test]
fn echo_gives_back_what_it_was_given() {
    result(r#""method":"echo","params":{}"#, "[]");
    result(
        r#""method":"echo","params":[1.00000000,-0,1e400,"\u0041",{"a":[]}]"#,
        r#"[1.00000000,-0,1e400,"\u0041",{"a":[]}]"#,
    );
    result(
        r#""method":"echo","params":[1,2,3,4,5,6,7,8,9,10,11]"#,
        "[1,2,3,4,5,6,7,8,9,10,11]",
    );
    result(
        r#""method":"echo","params":{"arg2":0.10,"arg0":"x"}"#,
        r#"["x",null,0.10]"#,
    );
    result(
        r#""method":"echo","params":{"args":[1,2],"arg3":4}"#,
        "[1,2,null,4]",
    );
    result(r#""method":"echo","params":{"args":[1,2]}"#, "[1,2]");
    error(
        r#""method":"echo","params":{"x":1}"#,
        -8,
        "Unknown named parameter x",
    );
}
