//! Answers come in the order of their requests, however they are made (RFC 9112 section 9.3.2).

use crate::rig::{End, Rig, get, ms, post, secs};
use sockman_http::Settings;

/// Every order of so many.
fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(of - 1) {
        for place in 0..of {
            let mut longer = shorter.clone();
            longer.insert(place, of - 1);
            all.push(longer);
        }
    }
    all
}

#[test]
fn deferred_answers_come_in_order_whatever_the_order_they_are_made_in() {
    for order in permutations(4) {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        let requests: String = (0..4).map(|number| get(&format!("/deferred?{number}"))).collect();
        rig.send(&mut client, requests);
        assert_eq!(rig.calls().len(), 4, "safe requests run side by side");
        let mut done = [false; 4];
        for number in order {
            rig.complete(&number.to_string(), &number.to_string());
            rig.pass(ms(1), &mut [&mut client]);
            done[number] = true;
            let expected: Vec<_> = (0..4)
                .take_while(|number| done[*number])
                .map(|number| number.to_string())
                .collect();
            assert_eq!(client.bodies(), expected, "what can be given is given at once");
        }
    }
}

#[test]
fn every_way_to_answer_waits_for_the_answers_before_it() {
    for (target, body) in [
        ("/now", "GET /now\n"),
        ("/large?size=40000", &*"x".repeat(40_000)),
        ("/stream?count=3&size=2", "ccbbaa"),
        ("/stream?count=2&size=2&ms=20", "bbaa"),
        ("/after?ms=30", "later\n"),
        ("/status?is=404", "a status\n"),
    ] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.send(
            &mut client,
            get("/deferred?a") + &get(target) + &get("/deferred?b") + &get("/last"),
        );
        rig.pass(secs(1), &mut [&mut client]);
        assert_eq!(client.heard, b"", "{target}");
        rig.complete("b", "b");
        rig.complete("a", "a");
        rig.pass(secs(1), &mut [&mut client]);
        assert_eq!(client.bodies(), ["a", body, "b", "GET /last\n"]);
    }
}

#[test]
fn a_request_that_is_not_safe_waits_for_those_before_it_and_is_waited_for() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let put = "PUT /deferred?put HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    rig.send(
        &mut client,
        get("/deferred?get") + put + &post("/deferred?post", "abc") + &get("/deferred?after"),
    );
    let mut begun = vec!["/deferred?get"];
    for next in ["get", "put", "post", "after"] {
        assert_eq!(rig.calls(), begun);
        assert_eq!(client.statuses().len(), begun.len() - 1);
        rig.complete(next, next);
        rig.pass(ms(1), &mut [&mut client]);
        begun.push(match next {
            "get" => "/deferred?put",
            "put" => "/deferred?post",
            _ => "/deferred?after",
        });
    }
    assert_eq!(client.bodies(), ["get", "put", "post", "after"]);
}

#[test]
fn a_body_that_follows_later_does_not_run_beside_others() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(
        &mut client,
        get("/deferred?a") + "GET /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n",
    );
    rig.send(&mut client, "abc");
    assert_eq!(rig.calls(), ["/deferred?a"]);
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.bodies(), ["a", "GET /b\nabc"]);
}

#[test]
fn an_error_waits_for_the_answers_before_it_and_nothing_follows() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + "BAD\r\n\r\n" + &get("/never"));
    rig.send(&mut client, get("/never"));
    assert_eq!(client.heard, b"");
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.statuses(), [200, 400]);
    assert!(client.answers()[1].closes());
    assert_eq!(rig.calls(), ["/deferred?a"]);
}

/// What came before a request that waits has room for it is given away inside the same callback: then it must go on by
/// itself, since no more bytes may come.
#[test]
fn a_request_behind_a_stream_goes_on_when_the_stream_has_ended() {
    for rest in [
        post("/b", "abc"),
        get("/b"),
        "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".into(),
    ] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        let answers = rig.ask(&mut client, get("/stream?count=3") + &rest + &get("/c"));
        assert_eq!(answers.len(), 3, "{rest}");
    }
}

/// Neither does an error: its answer would be taken for more of the body.
#[test]
fn nothing_follows_an_answer_that_ends_with_the_connection() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(
        &mut client,
        "GET /deferred?a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nBAD\r\n\r\n",
    );
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 1_000);
    writer.send("all of it".into()).expect("there is room");
    writer.finish();
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(
        (client.bodies(), client.end),
        (vec!["all of it".to_owned()], End::Finished)
    );
}

#[test]
fn http_1_0_does_not_run_side_by_side() {
    // The end of an answer to it may be the connection's end.
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let old = |target| format!("GET {target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    rig.send(&mut client, old("/deferred?a") + &old("/deferred?b"));
    assert_eq!(rig.calls(), ["/deferred?a"]);
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 1_000);
    writer.send("all of it".into()).expect("there is room");
    writer.finish();
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(client.bodies(), ["all of it"]);
    assert_eq!(rig.calls(), ["/deferred?a"], "it was the last");
}
