//! Clients that take their answers slowly, and those that are gone.

use crate::rig::{End, Rig, get, ms, post, secs};
use sockman::Config;
use sockman_http::{Count, SendError, Settings, http};

/// What a client hears that takes `rate` bytes a second, steadily, from a server with the usual marks; and how it ends.
fn sip(rig: &mut Rig, client: &mut crate::rig::Client, rate: usize) {
    client.deaf = true;
    loop {
        rig.wait(ms(100));
        let before = client.heard.len();
        client.sip(rate / 10);
        if client.heard.len() == before {
            break;
        }
    }
    client.deaf = false;
    rig.pass(secs(1), &mut [client]);
}

fn usual() -> Rig {
    let network = sockman_backends::sim::Settings {
        window: 64 << 10,
        ..Default::default()
    };
    Rig::with(Settings::default(), &Config::default(), network)
}

/// A last answer is no reason for haste: 15 seconds for what is queued are more than a client may linger.
#[test]
fn a_last_answer_is_sent_to_its_end_however_slow_the_client() {
    for request in [
        "GET /large?size=300000 HTTP/1.0\r\n\r\n",
        "GET /large?size=300000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /stream?count=300&size=1000 HTTP/1.0\r\n\r\n",
    ] {
        for finishes in [false, true] {
            let mut rig = usual();
            let mut client = rig.connect();
            client.deaf = true;
            rig.send(&mut client, request);
            if finishes {
                client.finish();
            }
            sip(&mut rig, &mut client, 20_000);
            assert_eq!(client.answers()[0].body.len(), 300_000, "{request:?}");
            assert_eq!(client.end, End::Finished);
            rig.wait(secs(10));
            assert_eq!(rig.connections(), 0);
        }
    }
}

/// One that takes nothing is reset all the same, so that it does not take what it has for all.
#[test]
fn a_last_answer_that_is_not_taken_ends_by_a_reset() {
    let mut rig = usual();
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, "GET /stream?count=300&size=1000 HTTP/1.0\r\n\r\n");
    rig.wait(secs(100));
    assert_eq!((rig.connections(), rig.count(Count::response_stalls)), (0, 1));
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(client.end, End::Reset);
}

#[test]
fn an_answer_of_any_size_leaves_as_the_client_takes_it() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    // More than may be queued for a connection.
    rig.send(&mut client, get("/large?size=70000000") + &get("/next"));
    rig.pass(secs(10), &mut [&mut client]);
    let answers = client.answers();
    assert_eq!(
        (answers.len(), answers[0].body.len(), client.end),
        (2, 70_000_000, End::Open)
    );
}

/// Behind an answer that goes on for ever a request waits, so that nothing is read: the end shows in writing alone.
#[test]
fn a_client_that_is_gone_is_noticed_by_who_writes_to_it() {
    for rest in [post("/b", "abc"), get("/x").repeat(70)] {
        let mut rig = Rig::new(Settings::default());
        let mut pulling = rig.connect();
        rig.send(&mut pulling, get("/stream?count=1000000&size=10&ms=1000") + &rest);
        let mut written = rig.connect();
        rig.send(&mut written, get("/deferred?a") + &rest);
        let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 1_000);
        rig.pass(secs(3), &mut [&mut pulling, &mut written]);
        pulling.reset();
        written.reset();
        let mut sent = Ok(());
        for _ in 0..10 {
            rig.wait(secs(10));
            sent = writer.send("tick".into());
        }
        assert_eq!(sent, Err(SendError::Gone));
        assert_eq!((rig.connections(), rig.seen.sources.get()), (0, 0));
    }
}

#[test]
fn writers_hear_that_the_server_is_gone() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + &get("/deferred?b"));
    let mut one = rig.seen.deferred("a").stream(http::Response::new(()), 1_000);
    let two = rig.seen.deferred("b");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(one.send("x".into()), Ok(()));
    drop(rig);
    assert_eq!(one.send("x".into()), Err(SendError::Gone));
    let mut late = two.stream(http::Response::new(()), 100);
    assert_eq!(late.send("x".into()), Err(SendError::Gone));
}

#[test]
fn what_is_collected_of_all_bodies_is_bounded() {
    let settings = Settings {
        bodies: 10_000,
        ..Settings::default()
    };
    let mut rig = Rig::new(settings);
    let (mut one, mut other) = (rig.connect(), rig.connect());
    let body = "x".repeat(6_000);
    let request = post("/echo", &body);
    let (most, rest) = request.split_at(request.len() - 1);
    rig.send(&mut one, most);
    rig.send(&mut other, most);
    assert_eq!((one.statuses(), other.statuses()), (vec![], vec![503]));
    assert_eq!((other.end, rig.count(Count::bodies_refused)), (End::Finished, 1));
    rig.send(&mut one, rest);
    assert_eq!(one.statuses(), [200]);
    // What was collected is there no more, whatever became of it.
    for _ in 0..5 {
        let mut client = rig.connect();
        rig.send(&mut client, most);
        client.reset();
        let mut client = rig.connect();
        rig.send(&mut client, most);
        rig.send(&mut client, rest);
        assert_eq!(client.statuses(), [200]);
    }
}
