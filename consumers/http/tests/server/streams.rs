//! Answers in pieces: given as fast as they are taken, and no faster.

use crate::rig::{End, Rig, get, ms, post, secs};
use sockman_http::{Count, SendError, Settings};

#[test]
fn a_stream_to_a_client_that_does_not_read_is_not_pulled_and_goes_on() {
    let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, get("/stream?count=1000&size=1000"));
    rig.wait(secs(10));
    let pulled = rig.seen.pulled.get();
    assert!(pulled < 150_000, "{pulled} bytes were pulled for nobody");
    // Behind it nothing is begun but what a pipeline may have.
    client.deaf = false;
    rig.pass(secs(10), &mut [&mut client]);
    assert!(client.answers()[0].is_whole);
    assert_eq!(client.answers()[0].body.len(), 1_000_000);
    assert_eq!((rig.seen.sources.get(), client.end), (0, End::Open));
    assert!(rig.count(Count::queue_pauses) > 0);
}

#[test]
fn a_large_stream_lets_others_have_their_turn() {
    let mut rig = Rig::new(Settings::default());
    let (mut one, mut other) = (rig.connect(), rig.connect());
    one.write(&get("/stream?count=20000&size=1000"));
    rig.turn();
    other.write(&get("/small"));
    for _ in 0..5 {
        rig.turn();
        one.hear();
        other.hear();
    }
    assert_eq!(other.statuses(), [200]);
    assert!(one.heard.len() < 5_000_000);
    rig.pass(secs(5), &mut [&mut one, &mut other]);
    assert_eq!(one.answers()[0].body.len(), 20_000_000);
}

#[test]
fn a_stream_waits_as_long_as_it_says() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/stream?count=3&size=4&ms=1000"));
    let heard = |client: &crate::rig::Client| client.answers()[0].body.len();
    assert_eq!(heard(&client), 4);
    rig.pass(ms(990), &mut [&mut client]);
    assert_eq!(heard(&client), 4);
    rig.pass(ms(20), &mut [&mut client]);
    assert_eq!(heard(&client), 8);
    rig.pass(ms(1_000), &mut [&mut client]);
    assert!(client.answers()[0].is_whole && heard(&client) == 12);
}

#[test]
fn a_stream_of_known_length_is_cut_or_broken_off() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let answers = rig.ask(
        &mut client,
        get("/stream?count=3&size=5&length=12") + &get("/next"),
    );
    assert_eq!((answers[0].text(), answers[1].status), ("cccccbbbbbaa", 200));
    let answers = rig.ask(
        &mut client,
        get("/stream?count=3&size=5&length=0") + &get("/next"),
    );
    assert_eq!((answers[0].text(), answers[1].status), ("", 200));
    // One that gives too little: the client sees that something is missing.
    let answers = rig.ask(
        &mut client,
        get("/stream?count=3&size=5&length=16") + &get("/next"),
    );
    assert_eq!(
        (answers.len(), answers[0].is_whole, client.end),
        (1, false, End::Finished)
    );
}

#[test]
fn a_source_that_has_nothing_does_not_hold_up_the_others() {
    let mut rig = Rig::new(Settings::default());
    let (mut one, mut other) = (rig.connect(), rig.connect());
    // A thousand times nothing.
    let before = rig.turns();
    rig.send(&mut one, get("/stream?count=1000&size=0"));
    rig.send(&mut other, get("/small"));
    assert_eq!(other.statuses(), [200]);
    rig.pass(secs(2), &mut [&mut one]);
    assert!(one.answers()[0].is_whole);
    let turns = rig.turns() - before;
    assert!(turns < 2_000, "asked once in a millisecond, not {turns} times");
}

#[test]
fn a_writer_gives_pieces_from_outside() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + &get("/next"));
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 100);
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(
        client.answers()[0].field("transfer-encoding"),
        Some("chunked"),
        "the head leaves at once"
    );
    for piece in ["one ", "", "two "] {
        writer.send(piece.into()).expect("there is room");
        rig.pass(ms(5), &mut [&mut client]);
    }
    assert_eq!(client.answers()[0].text(), "one two ");
    assert!(!client.answers()[0].is_whole);
    // More than may wait passes when nothing waits, and then nothing more does.
    writer.send(vec![b'x'; 500].into()).expect("nothing waits");
    assert_eq!(writer.send("y".into()), Err(SendError::Full));
    rig.pass(ms(5), &mut [&mut client]);
    writer.send("z".into()).expect("there is room");
    writer.finish();
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.answers()[0].body.len(), 8 + 500 + 1);
    assert_eq!(client.statuses(), [200, 200]);
}

#[test]
fn a_writer_is_full_while_its_client_does_not_read() {
    let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, get("/deferred?a"));
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 10_000);
    let mut sent = 0;
    for _ in 0..1_000 {
        if writer.send(vec![b'x'; 1_000].into()).is_ok() {
            sent += 1_000;
        }
        rig.wait(ms(1));
    }
    assert!(sent < 60_000, "{sent} bytes were taken for nobody");
    assert_eq!(writer.send("x".repeat(1_000).into()), Err(SendError::Full));
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(writer.waiting(), 0);
    writer.finish();
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(
        (client.answers()[0].body.len(), client.answers()[0].is_whole),
        (sent, true)
    );
}

#[test]
fn a_writer_that_is_dropped_breaks_its_answer_off() {
    // By chunks it shows; where the end of the connection would be the end of the answer, only a reset does.
    for (version, end) in [("1.1", End::Finished), ("1.0", End::Reset)] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.send(
            &mut client,
            format!("GET /deferred?a HTTP/{version}\r\nHost: x\r\n\r\n") + &get("/never"),
        );
        let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 100);
        writer.send("some".into()).expect("there is room");
        rig.pass(ms(5), &mut [&mut client]);
        drop(writer);
        rig.pass(ms(5), &mut [&mut client]);
        assert_eq!(client.end, end);
        assert_eq!(client.answers()[0].text(), "some");
        if version == "1.1" {
            assert!(!client.answers()[0].is_whole);
        }
    }
}

#[test]
fn a_body_to_a_writer_of_a_head_is_nobodys() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, "HEAD /deferred?a HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 100);
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(writer.send("some".into()), Err(SendError::Gone));
    drop(writer);
    client.heard.clear();
    assert_eq!(rig.ask(&mut client, get("/next"))[0].status, 200);
}

/// A client that sends a body nobody wants may read only when it has sent it.
#[test]
fn a_body_that_is_thrown_away_is_read_though_its_answer_is_not() {
    let mut rig = Rig::narrow(
        Settings {
            discard: 100_000,
            ..Settings::default()
        },
        1_000,
        500,
        400,
    );
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(
        &mut client,
        get("/large?size=900") + &post("/nothing", &"x".repeat(50_000)),
    );
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(client.statuses(), [200, 200]);
}
