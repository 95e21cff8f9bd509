//! The methods that every server has.

use super::{State, answer_of, check, on, server};
use serde_json::Value;
use sockman_http::rpc::{Access, Dispatcher, Instance, Methods, On, Place};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

fn result(body: &str) -> Value {
    let answer = answer_of(&server().0, body);
    assert_eq!(answer.status, 200);
    let mut reply: Value = serde_json::from_slice(&answer.body).expect("JSON");
    reply["result"].take()
}

#[test]
fn help_lists_all_methods_and_explains_one() {
    let all = result(r#"{"method":"help"}"#);
    let all = all.as_str().expect("text");
    for line in [
        "== Control ==",
        "== Util ==",
        "== Test ==",
        "getrpcinfo",
        "help ( command )",
        "repeat text ( times ) ( more )",
        "sleep milliseconds",
        "stop",
        "uptime",
    ] {
        assert!(all.lines().any(|other| other == line), "{line}:\n{all}");
    }
    assert_eq!(result(r#"{"method":"help","params":[""]}"#), all);
    assert_eq!(
        result(r#"{"method":"help","params":["repeat"]}"#),
        "repeat text ( times ) ( more )\n\nSays it again."
    );
    assert_eq!(
        result(r#"{"method":"help","params":{"command":"x"}}"#),
        "help: unknown command: x"
    );
}

#[test]
fn uptime_is_in_seconds() {
    assert!(
        result(r#"{"method":"uptime"}"#)
            .as_u64()
            .is_some_and(|uptime| uptime < 600)
    );
}

#[test]
fn stop_asks_once() {
    let (server, stops) = server();
    let answer = answer_of(&server, r#"{"method":"stop","id":1}"#);
    assert_eq!(
        answer.body,
        b"{\"result\":\"tester stopping\",\"error\":null,\"id\":1}\n"
    );
    assert_eq!(stops.load(Ordering::Relaxed), 1);
    answer_of(&server, r#"{"method":"stop","params":["now or never"],"id":1}"#);
    assert_eq!(stops.load(Ordering::Relaxed), 1, "that was no call of it");
    let server = Dispatcher::new(Methods::new(), Instance::new("tester"), State::default());
    assert_eq!(
        answer_of(&server, r#"{"method":"stop"}"#).status,
        500,
        "nobody to ask"
    );
}

#[test]
fn sleep_sleeps() {
    let started = Instant::now();
    check(
        r#"{"method":"sleep","params":[20],"id":1}"#,
        200,
        r#"{"result":null,"error":null,"id":1}"#,
    );
    check(
        r#"{"method":"sleep","params":["20"],"id":1}"#,
        200,
        r#"{"result":null,"error":null,"id":1}"#,
    );
    assert!(started.elapsed() >= Duration::from_millis(40));
    for wrong in ["3600001", "\"x\"", "\"-1\""] {
        check(
            format!(r#"{{"method":"sleep","params":[{wrong}],"id":1}}"#),
            500,
            r#"{"result":null,"error":{"code":-8,"message":"milliseconds out of range"},"id":1}"#,
        );
    }
    check(
        r#"{"method":"sleep","params":[-1],"id":1}"#,
        500,
        concat!(
            r#"{"result":null,"error":{"code":-3,"message":"Wrong type passed: position 1 (milliseconds): "#,
            r#"expected a number of milliseconds"},"id":1}"#
        ),
    );
}

#[test]
fn sleepers_are_seen_and_woken() {
    let (server, _) = server();
    let access = Access::everything("alice");
    let place = Place::Worker;
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let on = On { place, ..on(&access) };
            server.run(
                &server.read(br#"{"method":"sleep","params":[3000000],"id":1}"#),
                on,
            )
        });
        let info = loop {
            let answer = answer_of(&server, r#"{"method":"getrpcinfo","id":1}"#);
            let info: Value = serde_json::from_slice(&answer.body).expect("JSON");
            if info["result"]["active_commands"][1].is_object() {
                break info;
            }
            thread::yield_now();
        };
        let active = &info["result"]["active_commands"];
        assert_eq!(active[0]["method"], "sleep");
        assert!(active[0]["duration"].is_u64());
        assert_eq!(active[1]["method"], "getrpcinfo");
        assert_eq!(info["result"]["logpath"], "/var/log/tester.log");
        server.instance().interrupt();
        let answer = sleeper.join().expect("no panic");
        assert_eq!(
            answer.body,
            b"{\"result\":null,\"error\":{\"code\":-9,\"message\":\"Shutting down\"},\"id\":1}\n"
        );
    });
    let info = answer_of(&server, r#"{"method":"getrpcinfo","id":1}"#);
    let info: Value = serde_json::from_slice(&info.body).expect("JSON");
    assert_eq!(
        info["result"]["active_commands"].as_array().map(Vec::len),
        Some(1)
    );
}
