//! What flags change.

use super::client::Client;
use super::{everywhere, talk};
use std::fmt::Write as _;
use std::io::Read;
use std::time::Duration;

/// Sends one request on a connection of its own and expects this status, and that the connection ends.
fn last(at: &str, request: &str, status: u16) {
    let mut client = Client::new(at);
    client.send(request);
    let answer = client.answer();
    assert_eq!(answer.status, status, "{request:?}: {answer:?}");
    assert_eq!(answer.field("connection"), Some("close"), "{request:?}");
    client.end();
}

#[test]
fn requests_above_their_limits_are_refused_and_those_at_them_are_not() {
    let flags = [
        "--max-request-line",
        "100",
        "--max-head",
        "1KiB",
        "--max-fields",
        "5",
        "--max-body",
        "10",
        "--max-chunk-line",
        "20",
        "--max-extensions",
        "30",
        "--max-trailers",
        "60",
    ];
    everywhere(&flags, |server| {
        let at = &server.at[0];
        let mut client = Client::new(at);
        // "GET " and " HTTP/1.1" are 13 bytes of the line.
        let path = |length: usize| format!("/{}", "x".repeat(length - 14));
        assert_eq!(client.get(&path(100)).status, 404);
        last(at, &format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path(101)), 414);
        let fields = |count: usize| {
            (1..count).fold("GET / HTTP/1.1\r\nHost: x\r\n".to_owned(), |mut text, field| {
                let _ = write!(text, "x{field}: y\r\n");
                text
            }) + "\r\n"
        };
        client.send(fields(5));
        assert_eq!(client.answer().status, 200);
        last(at, &fields(6), 431);
        last(
            at,
            &format!("GET / HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n", "y".repeat(1024)),
            431,
        );
        assert_eq!(client.post("POST", "/", &[b'x'; 10]).body.len(), 10);
        last(
            at,
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nxxxxxxxxxxx",
            413,
        );
        let chunked = |chunks: &str| {
            format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
        };
        client.send(chunked(
            "3;abcdefgh\r\nabc\r\n3;abcdefgh\r\nabc\r\n0\r\nx: y\r\n\r\n",
        ));
        assert_eq!(client.answer().text(), "abcabc");
        last(at, &chunked("b\r\nxxxxxxxxxxx\r\n0\r\n\r\n"), 413);
        last(
            at,
            &chunked("3;abcdefghijklmnopqrstuvwxyz\r\nabc\r\n0\r\n\r\n"),
            400,
        );
        let extended = "1;abcdefghij\r\nx\r\n".repeat(4);
        last(at, &chunked(&format!("{extended}0\r\n\r\n")), 400);
        last(at, &chunked(&format!("0\r\nx: {}\r\n\r\n", "y".repeat(60))), 431);
    });
}

#[test]
fn what_is_slow_is_given_up() {
    let flags = [
        "--head-timeout",
        "0.3",
        "--body-timeout",
        "0.3",
        "--idle-timeout",
        "0.5",
    ];
    everywhere(&flags, |server| {
        let at = &server.at[0];
        let mut clients = [
            "G",
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx",
        ]
        .map(|request| {
            let mut client = Client::new(at);
            client.send(request);
            client
        });
        // Before the first byte and after an answer.
        let (silent, mut idle) = (Client::new(at), Client::new(at));
        assert_eq!(idle.get("/hello").status, 200);
        for client in &mut clients {
            let answer = client.answer();
            assert_eq!((answer.status, answer.field("connection")), (408, Some("close")));
        }
        clients.into_iter().chain([silent, idle]).for_each(Client::end);
    });
}

#[test]
fn a_body_that_comes_too_slowly_is_given_up_and_one_that_does_not_is_not() {
    let flags = ["--body-timeout", "0.4", "--body-least", "3"];
    everywhere(&flags, |server| {
        let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
        let (mut slow, mut fast) = (Client::new(&server.at[0]), Client::new(&server.at[0]));
        slow.send(post);
        fast.send(post);
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(50));
            fast.send("xxxxx");
        }
        fast.send("x".repeat(900));
        assert_eq!(fast.answer().body.len(), 1000);
        assert_eq!(slow.answer().status, 408);
    });
}

#[test]
fn a_client_that_takes_nothing_is_reset() {
    everywhere(&["--response-timeout", "0.3"], |server| {
        let mut client = Client::new(&server.at[0]);
        client.send("GET /stream/1000000000 HTTP/1.1\r\nHost: x\r\n\r\n");
        std::thread::sleep(Duration::from_millis(800));
        let mut all = Vec::new();
        client.peer.read_to_end(&mut all).expect_err("a reset");
        assert!(all.len() < 1_000_000_000);
    });
}

#[test]
fn a_connection_has_so_many_requests() {
    talk(&["--max-requests", "3"], |client| {
        assert_eq!(client.get("/hello").field("connection"), None);
        assert_eq!(client.get("/hello").field("connection"), None);
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.answer().field("connection"), Some("close"));
        let mut rest = Vec::new();
        client.peer.read_to_end(&mut rest).expect("an orderly end");
        assert!(rest.is_empty(), "the fourth is not answered");
    });
}

#[test]
fn connections_above_a_limit_are_closed_or_wait() {
    let refusals: [&[&str]; 2] = [&["--refuse-above", "2"], &["--refuse-above-per-address", "2"]];
    for flags in refusals {
        everywhere(flags, |server| {
            let mut two = [Client::new(&server.at[0]), Client::new(&server.at[0])];
            for client in &mut two {
                assert_eq!(client.get("/hello").status, 200);
            }
            Client::new(&server.at[0]).end();
            assert_eq!(two[0].get("/hello").status, 200);
        });
    }
    everywhere(&["--max-connections", "1"], |server| {
        let (mut first, mut second) = (Client::new(&server.at[0]), Client::new(&server.at[0]));
        second.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(first.get("/hello").status, 200);
        drop(first);
        assert_eq!(second.answer().status, 200);
    });
}

#[test]
fn an_answer_that_takes_too_long_is_503() {
    // One worker, and nowhere to wait: of two at once one is too many. Which is not ours to say.
    talk(&["--workers", "1", "--worker-queue", "0"], |client| {
        let many = 200;
        client.send("GET /worker HTTP/1.1\r\nHost: x\r\n\r\n".repeat(many));
        let statuses: Vec<u16> = (0..many).map(|_| client.answer().status).collect();
        assert!(
            statuses.iter().all(|status| matches!(status, 200 | 503)),
            "{statuses:?}"
        );
        assert!(statuses.contains(&503), "{statuses:?}");
    });
}

#[test]
fn unwanted_bodies_are_thrown_away_up_to_a_limit() {
    everywhere(&["--discard", "1000"], |server| {
        let mut client = Client::new(&server.at[0]);
        assert_eq!(
            client.post("POST", "/nowhere", &[0; 1000]).field("connection"),
            None
        );
        client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection")), (404, Some("close")));
        client.send([0; 1001]);
        client.end();
    });
}

#[test]
fn answers_have_numbers_when_they_are_asked_for() {
    talk(&[], |client| {
        let answer = client.get("/hello");
        assert_eq!(answer.field("x-request-id"), None);
    });
    talk(&["--request-ids"], |client| {
        let first = client
            .get("/hello")
            .field("x-request-id")
            .expect("a number")
            .to_owned();
        let second = client
            .get("/worker")
            .field("x-request-id")
            .expect("a number")
            .to_owned();
        assert_ne!(first, second);
    });
}
