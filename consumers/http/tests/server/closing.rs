//! How connections end: by either side, with answers outstanding and without.

use crate::rig::{End, Rig, get, ms, post, secs};
use sockman::Syscall;
use sockman_http::{Count, SendError, Settings};

#[test]
fn a_client_that_has_finished_gets_its_answers() {
    for requests in [
        get("/a") + &get("/b"),
        get("/deferred?a") + &get("/b"),
        get("/a") + &get("/deferred?a"),
        get("/deferred?a") + &post("/b", "abc"),
        get("/stream?count=2&ms=20") + &get("/b"),
        get("/after?ms=30") + &get("/large?size=300000"),
        post("/upload?stops=1", "abc") + &get("/b"),
        // The last is not complete, and gets none.
        get("/a") + &get("/b") + "GET",
        get("/a") + &get("/b") + post("/c", "abc").trim_end_matches('c'),
    ] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.send(&mut client, &requests);
        client.finish();
        rig.pass(ms(100), &mut [&mut client]);
        if rig.seen.is_deferred("a") {
            assert_eq!(client.end, End::Open);
            rig.complete("a", "a");
        }
        for resumer in rig.seen.resumers.take() {
            resumer.resume();
        }
        rig.pass(ms(100), &mut [&mut client]);
        assert_eq!(
            (client.statuses(), client.end),
            (vec![200, 200], End::Finished),
            "{requests}"
        );
        rig.wait(ms(5));
        assert_eq!(
            rig.connections(),
            0,
            "nobody lingers for a client that has finished"
        );
    }
}

#[test]
fn half_closed_connections_cost_nothing() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    client.finish();
    rig.wait(ms(5));
    let before = (rig.turns(), rig.syscalls(Syscall::Read));
    rig.wait(secs(100_000));
    assert!(rig.turns() - before.0 < 3, "{} turns", rig.turns() - before.0);
    assert_eq!(rig.syscalls(Syscall::Read), before.1);
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(
        (client.bodies(), client.end),
        (vec!["a".to_owned()], End::Finished)
    );
}

#[test]
fn a_client_that_resets_is_forgotten() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(
        &mut client,
        get("/deferred?a") + &get("/deferred?b") + &get("/stream?count=9&ms=9"),
    );
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 1_000);
    writer.send("some".into()).expect("somebody listens");
    rig.wait(ms(5));
    assert_eq!(writer.waiting(), 0);
    assert_eq!(rig.seen.sources.get(), 1);
    client.reset();
    rig.wait(ms(5));
    assert_eq!((rig.connections(), rig.driver.handler().connections()), (0, 0));
    assert_eq!(rig.seen.sources.get(), 0, "what was waiting is dropped");
    assert_eq!(writer.send("more".into()), Err(SendError::Gone));
    drop(writer);
    // An answer that nobody waits for goes nowhere.
    let mut late = rig.seen.deferred("b").stream(http::Response::new(()), 1_000);
    rig.wait(ms(5));
    assert_eq!(late.send("more".into()), Err(SendError::Gone));
    assert_eq!(rig.count(Count::connections_closed), 1);
}

#[test]
fn an_answer_may_be_the_last() {
    let mut rig = Rig::new(Settings::default());
    for requests in [
        get("/close"),
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(),
        "GET /a HTTP/1.0\r\n\r\n".into(),
        "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc".into(),
        "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(),
        "GET /after?ms=3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".into(),
    ] {
        for size in [1, usize::MAX] {
            let mut client = rig.connect();
            let calls = rig.calls().len();
            rig.drip(&mut client, requests.clone() + &get("/never"), size);
            rig.pass(ms(10), &mut [&mut client]);
            let answers = client.answers();
            assert_eq!((answers.len(), client.end), (1, End::Finished), "{requests}");
            assert!(answers[0].closes() && answers[0].is_whole);
            assert_eq!(rig.calls().len(), calls + 1, "nothing after it is served");
        }
    }
}

#[test]
fn a_deferred_answer_may_be_the_last() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    rig.send(
        &mut client,
        "GET /deferred?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    rig.send(&mut client, get("/never"));
    rig.complete("b", "b");
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    let closes: Vec<_> = client
        .answers()
        .iter()
        .map(crate::answers::Answer::closes)
        .collect();
    assert_eq!((closes, client.end), (vec![false, true], End::Finished));
}

/// As long as the client takes something it gets all of it, however long that takes: lingering comes after.
#[test]
fn a_large_last_answer_comes_whole_to_a_slow_client() {
    for fields in ["Connection: close\r\n\r\n", "\r\n"] {
        let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
        let mut client = rig.connect();
        client.deaf = true;
        rig.send(
            &mut client,
            format!("GET /large?size=200000 HTTP/1.1\r\nHost: x\r\n{fields}"),
        );
        if fields == "\r\n" {
            client.finish();
        }
        while client.heard.len() < 200_000 {
            let before = client.heard.len();
            rig.wait(secs(2));
            client.sip(6_000);
            assert!(client.heard.len() > before, "cut off after {before} bytes");
        }
        client.deaf = false;
        rig.pass(secs(1), &mut [&mut client]);
        assert!(client.answers()[0].is_whole);
        assert_eq!(client.end, End::Finished);
    }
}

#[test]
fn an_answer_that_nobody_gives_is_500_and_the_connection_stays() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + &get("/b"));
    drop(rig.seen.deferred("a"));
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!((client.statuses(), client.end), (vec![500, 200], End::Open));
    assert_eq!(rig.count(Count::dropped), 1);
}
