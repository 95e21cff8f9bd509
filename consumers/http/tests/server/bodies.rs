//! Bodies of requests, and what comes back: framing, expectations, methods and versions.

use crate::answers::{Answer, answers};
use crate::rig::{End, Rig, get, ms, post, secs};
use sockman_http::{Count, Settings};

const EXPECTS: &str = "Expect: 100-continue\r\n";

fn chunked(target: &str, chunks: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
}

#[test]
fn bodies_come_back_however_they_come() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let answers = rig.ask(
        &mut client,
        post("/a", "one") + &chunked("/b", "2\r\ntw\r\n1;x=y\r\no\r\n0\r\nA: b\r\n\r\n"),
    );
    let bodies: Vec<_> = answers.iter().map(Answer::text).collect();
    assert_eq!(bodies, ["POST /a\none", "POST /b\ntwo"]);
    rig.drip(&mut client, chunked("/c", "5\r\nthree\r\n0\r\n\r\n"), 1);
    assert_eq!(client.bodies()[2], "POST /c\nthree");
    let large = "y".repeat(300_000);
    let answers = rig.ask(&mut client, post("/d", &large));
    assert_eq!(answers[0].text(), format!("POST /d\n{large}"));
}

#[test]
fn a_client_that_expects_100_hears_it_before_it_sends() {
    for target in ["/echo", "/upload"] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.send(
            &mut client,
            format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n{EXPECTS}\r\n"),
        );
        assert_eq!(client.heard, b"HTTP/1.1 100 Continue\r\n\r\n");
        rig.send(&mut client, "body");
        assert_eq!(client.statuses(), [100, 200]);
        assert!(!client.answers()[1].closes());
        assert_eq!(rig.ask(&mut client, get("/next"))[0].status, 200);
    }
}

/// Whether it is sent does not depend on what of the body has come, so that answers do not depend on how requests are split.
#[test]
fn a_client_that_sends_its_body_at_once_hears_100_too() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let request = format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n{EXPECTS}\r\nbody");
    rig.send(&mut client, &request);
    assert_eq!(client.statuses(), [100, 200]);
    rig.drip(&mut client, &request, 1);
    assert_eq!(client.statuses(), [100, 200, 100, 200]);
}

#[test]
fn a_client_that_expects_100_behind_others_hears_it_in_its_turn() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    rig.send(
        &mut client,
        format!("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n{EXPECTS}\r\n"),
    );
    assert_eq!(client.heard, b"");
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.statuses(), [200, 100]);
    rig.send(&mut client, "body");
    assert_eq!(client.statuses(), [200, 100, 200]);
}

#[test]
fn a_client_whose_body_nobody_wants_hears_its_answer_instead_of_100() {
    let mut rig = Rig::new(Settings::default());
    for body in ["", "body"] {
        // It may send the body or not: what follows cannot be told apart.
        let mut client = rig.connect();
        rig.send(
            &mut client,
            format!("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n{EXPECTS}\r\n{body}"),
        );
        assert_eq!(client.statuses(), [200]);
        assert!(client.answers()[0].closes());
        assert_eq!(client.end, End::Finished);
    }
}

#[test]
fn a_body_that_nobody_wants_is_thrown_away_and_the_connection_stays() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let answers = rig.ask(
        &mut client,
        post("/nothing", "abc") + &chunked("/nothing", "3\r\nabc\r\n0\r\n\r\n") + &get("/next"),
    );
    let bodies: Vec<_> = answers.iter().map(Answer::text).collect();
    assert_eq!(bodies, ["nothing\n", "nothing\n", "GET /next\n"]);
    rig.drip(&mut client, post("/nothing", "abc") + &get("/next"), 1);
    assert_eq!(client.bodies().len(), 5);
    assert!(client.answers().iter().all(|answer| !answer.closes()));
}

#[test]
fn what_nobody_wants_is_refused_above_its_limit() {
    let settings = Settings {
        discard: 10,
        ..Settings::default()
    };
    // Known before: the answer says so, whether or not the body has come.
    for sent in [0, 5, 11] {
        let mut rig = Rig::new(settings.clone());
        let mut client = rig.connect();
        let request = post("/nothing", "01234567890");
        rig.send(&mut client, &request[..request.len() - 11 + sent]);
        assert_eq!(client.statuses(), [200]);
        assert!(client.answers()[0].closes(), "{sent} bytes were sent");
        assert_eq!(
            (client.end, rig.count(Count::discards_refused)),
            (End::Finished, 1)
        );
    }
    let mut rig = Rig::new(settings.clone());
    let mut client = rig.connect();
    let answers = rig.ask(&mut client, post("/nothing", "0123456789") + &get("/next"));
    assert_eq!(answers.len(), 2, "just kept");
    // Known only when it comes: the answer has been given.
    let answers = rig.ask(&mut client, chunked("/nothing", "b\r\n0123456789"));
    assert_eq!((answers.len(), answers[0].closes()), (1, false));
    rig.send(&mut client, "0");
    assert_eq!(
        (client.end, rig.count(Count::discards_refused)),
        (End::Finished, 1)
    );
}

/// One request, one answer: what is wrong with a body whose request has been answered is not answered again.
#[test]
fn a_body_that_nobody_wants_and_that_is_wrong_gets_no_second_answer() {
    let mut rig = Rig::new(Settings::default());
    for chunks in ["zz\r\n", "3\r\nabcd\r\n"] {
        let mut client = rig.connect();
        rig.send(&mut client, chunked("/nothing", chunks) + &get("/next"));
        assert_eq!((client.statuses(), client.end), (vec![200], End::Finished));
        // Nor while its answer is waited for.
        let mut client = rig.connect();
        rig.send(&mut client, chunked("/nothing/deferred", chunks) + &get("/next"));
        rig.complete("", "a");
        rig.pass(ms(5), &mut [&mut client]);
        assert_eq!((client.statuses(), client.end), (vec![200], End::Finished));
    }
    let mut client = rig.connect();
    rig.send(&mut client, post("/nothing", "abc").trim_end_matches('c'));
    rig.pass(secs(100), &mut [&mut client]);
    assert_eq!((client.statuses(), client.end), (vec![200], End::Finished));
    assert_eq!(rig.count(Count::body_timeouts), 1);
}

/// Its request goes on too, though no byte may follow that would tell so.
#[test]
fn an_upload_that_stops_at_its_last_piece_goes_on() {
    for request in [
        post("/upload?stops=1", "abc"),
        chunked("/upload?stops=1", "3\r\nabc\r\n0\r\n\r\n"),
    ] {
        for size in [1, 90, usize::MAX] {
            let mut rig = Rig::new(Settings::default());
            let mut client = rig.connect();
            rig.drip(&mut client, &request, size);
            client.finish();
            rig.pass(ms(10), &mut [&mut client]);
            rig.seen.resumers.borrow()[0].resume();
            rig.pass(ms(10), &mut [&mut client]);
            assert_eq!(client.bodies(), ["3 bytes\n"], "{request:?} in pieces of {size}");
        }
    }
}

#[test]
fn uploads_stop_and_go_on() {
    for stops in [1, 2, 3, 100] {
        let requests = [
            post(&format!("/upload?stops={stops}"), "abcdef"),
            chunked(
                &format!("/upload?stops={stops}"),
                "3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n",
            ),
        ];
        for request in requests {
            for size in [1, 3, usize::MAX] {
                let mut rig = Rig::new(Settings::default());
                let mut client = rig.connect();
                rig.drip(&mut client, request.clone() + &get("/next"), size);
                for _ in 0..20 {
                    let before = rig.seen.pieces.get();
                    rig.pass(ms(10), &mut [&mut client]);
                    assert_eq!(rig.seen.pieces.get(), before, "nothing goes on by itself");
                    let resumers = rig.seen.resumers.borrow().clone();
                    for resumer in resumers {
                        resumer.resume();
                    }
                    rig.pass(ms(10), &mut [&mut client]);
                }
                assert_eq!(
                    client.bodies(),
                    ["6 bytes\n", "GET /next\n"],
                    "{request:?} in pieces of {size}"
                );
            }
        }
    }
}

/// A stopped body is the application's to go on with, however long that takes.
#[test]
fn an_upload_that_has_stopped_is_not_idle() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(
        &mut client,
        "POST /upload?stops=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n",
    );
    rig.send(&mut client, "abc");
    rig.pass(secs(1_000), &mut [&mut client]);
    assert_eq!((client.end, client.heard.len()), (End::Open, 0));
    rig.seen.resumers.borrow()[0].resume();
    rig.send(&mut client, "def");
    assert_eq!(client.bodies(), ["6 bytes\n"]);
}

#[test]
fn head_has_the_fields_and_no_body() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    for (target, field, value) in [
        ("/a", "content-length", "8"),
        ("/large?size=50000", "content-length", "50000"),
        ("/stream", "transfer-encoding", "chunked"),
        ("/stream?length=15", "content-length", "15"),
        ("/after?ms=3", "content-length", "6"),
    ] {
        client.heard.clear();
        rig.send(&mut client, format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        rig.pass(ms(10), &mut [&mut client]);
        let answers = answers(&client.heard, &["HEAD"]);
        assert_eq!(answers.len(), 1, "{target}");
        let found = answers[0].field(field).map(|value| value.replace("GET", "HEAD"));
        let expected = if target == "/a" { "8" } else { value };
        assert_eq!(found.as_deref(), Some(expected), "{target}");
    }
    assert_eq!(
        rig.seen.sources.get(),
        0,
        "no source is kept for a body that is not sent"
    );
}

#[test]
fn head_of_http_1_0_keeps_the_connection_if_it_says_so() {
    let mut rig = Rig::new(Settings::default());
    for target in ["/stream", "/a", "/deferred?a"] {
        let mut client = rig.connect();
        rig.send(
            &mut client,
            format!("HEAD {target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        );
        if target == "/deferred?a" {
            rig.seen
                .deferred("a")
                .stream(http::Response::new(()), 10)
                .finish();
            rig.pass(ms(5), &mut [&mut client]);
        }
        let answers = answers(&client.heard, &["HEAD"]);
        assert_eq!(answers[0].field("connection"), Some("keep-alive"), "{target}");
        assert_eq!(client.end, End::Open);
    }
}

#[test]
fn statuses_without_a_body_have_none() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let answers = rig.ask(
        &mut client,
        get("/status?is=204") + &get("/status?is=304") + &get("/next"),
    );
    for answer in &answers[..2] {
        assert_eq!(
            (answer.field("content-length"), answer.field("transfer-encoding")),
            (None, None)
        );
    }
    assert_eq!(answers[2].text(), "GET /next\n");
}

#[test]
fn http_1_0_closes_unless_it_is_asked_not_to() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, "GET /a HTTP/1.0\r\n\r\n");
    assert_eq!((client.answers()[0].closes(), client.end), (true, End::Finished));
    let mut client = rig.connect();
    rig.send(&mut client, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answers()[0].field("connection"), Some("keep-alive"));
    // A body of unknown length ends with the connection.
    rig.send(
        &mut client,
        "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    );
    let answer = &client.answers()[1];
    assert_eq!(
        (answer.text(), answer.closes(), client.end),
        ("cccccbbbbbaaaaa", true, End::Finished)
    );
    assert_eq!(
        (answer.field("content-length"), answer.field("transfer-encoding")),
        (None, None)
    );
}

/// RFC 9110 section 9.3.2: the answer to `HEAD` has no body, a refusal neither.
#[test]
fn a_refused_head_gets_no_body() {
    let mut rig = Rig::new(Settings::default());
    for request in [
        "HEAD / HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\nExpect: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HEAD /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ] {
        for size in [1, usize::MAX] {
            let mut client = rig.connect();
            rig.drip(&mut client, request, size);
            rig.pass(ms(10), &mut [&mut client]);
            assert_eq!(client.end, End::Finished);
            assert!(
                client.heard.ends_with(b"\r\n\r\n"),
                "{:?}",
                String::from_utf8_lossy(&client.heard)
            );
        }
    }
}

/// Whether a body that is stopped was there with its head or came byte by byte makes no difference.
#[test]
fn a_stop_holds_however_the_body_comes() {
    for size in [1, usize::MAX] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.drip(&mut client, post("/upload?stops=1", "abcdef"), size);
        rig.pass(secs(1), &mut [&mut client]);
        assert_eq!(client.statuses(), [] as [u16; 0]);
        loop {
            let Some(resumer) = rig.seen.resumers.borrow_mut().pop() else {
                break;
            };
            resumer.resume();
            rig.pass(ms(10), &mut [&mut client]);
        }
        assert_eq!(client.statuses(), [200]);
    }
}

/// An interim status as an answer would leave its request without one, and give it the next one's.
#[test]
fn an_interim_status_is_no_answer() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let answers = rig.ask(
        &mut client,
        get("/status?is=100") + &get("/next") + &get("/status?is=205"),
    );
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [500, 200, 205]);
    assert_eq!(
        (answers[2].field("content-length"), answers[2].text()),
        (Some("0"), "")
    );
}

#[test]
fn what_layers_add_is_in_the_servers_own_answers_too() {
    let settings = Settings {
        request_ids: true,
        first_id: 0x1234,
        ..Settings::default()
    };
    let mut rig = Rig::new(settings);
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    drop(rig.seen.deferred("a"));
    rig.pass(ms(5), &mut [&mut client]);
    let answer = &client.answers()[0];
    assert_eq!(
        (answer.status, answer.field("x-request-id")),
        (500, Some("0000000000001234"))
    );
}

#[test]
fn text_is_plain_unless_it_was_said_to_be_something_else() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let types: Vec<Vec<String>> = (rig
        .ask(&mut client, get("/status?is=200") + &get("/typed"))
        .into_iter())
    .map(|answer| {
        let types = answer
            .fields
            .into_iter()
            .filter(|(name, _)| name == "content-type");
        types.map(|(_, value)| value).collect()
    })
    .collect();
    assert_eq!(types, [["text/plain; charset=utf-8"], ["text/html"]]);
}
