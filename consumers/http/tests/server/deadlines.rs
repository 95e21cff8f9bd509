//! Every deadline, just kept and just exceeded, with its status or its silent close, and its counter. (The network takes some
//! microseconds for each step, and clients send a millisecond apart.)

use crate::rig::{Client, End, Rig, get, ms, post, secs};
use sockman_http::{Count, Settings};
use std::time::Duration;

/// Settings in which no deadline but the one under test is near.
fn far() -> Settings {
    let far = secs(100_000);
    Settings {
        head_within: far,
        body_stall: far,
        response_stall: far,
        idle: far,
        ..Settings::default()
    }
}

/// Lets all but a little of this time pass and sees that nothing happens, then the rest of it, and sees that the connection
/// ends.
fn ends_after(rig: &mut Rig, client: &mut Client, time: Duration) {
    let before = client.heard.len();
    rig.pass(time.saturating_sub(ms(5)), &mut [client]);
    assert_eq!((client.end, client.heard.len()), (End::Open, before), "too early");
    rig.pass(ms(10), &mut [client]);
    assert_ne!(client.end, End::Open, "too late");
}

#[test]
fn a_head_has_its_time_from_its_first_byte() {
    let settings = Settings {
        head_within: secs(30),
        ..far()
    };
    for start in ["G", "GET / HTTP/1.1\r\nHost: x\r\n\r"] {
        let mut rig = Rig::new(settings.clone());
        let mut client = rig.connect();
        // Nothing is a head of no bytes; nor is an empty line.
        rig.send(&mut client, "\r\n");
        rig.pass(secs(1_000), &mut [&mut client]);
        rig.send(&mut client, start);
        ends_after(&mut rig, &mut client, secs(30));
        assert_eq!(
            (client.statuses(), client.answers()[0].closes()),
            (vec![408], true)
        );
        assert_eq!(rig.count(Count::head_timeouts), 1);
    }
    // That more bytes come is no excuse.
    let mut rig = Rig::new(settings.clone());
    let mut client = rig.connect();
    for byte in get("/").bytes() {
        rig.send(&mut client, [byte]);
        rig.pass(secs(2), &mut [&mut client]);
    }
    assert_eq!(client.statuses(), [408]);
    // Just kept.
    let mut client = rig.connect();
    rig.send(&mut client, "GET / HTTP/1.1\r\n");
    rig.pass(secs(30).saturating_sub(ms(5)), &mut [&mut client]);
    rig.send(&mut client, "Host: x\r\n\r\n");
    assert_eq!(client.statuses(), [200]);
    assert_eq!(rig.count(Count::head_timeouts), 1);
}

#[test]
fn each_head_has_its_own_time() {
    let mut rig = Rig::new(Settings {
        head_within: secs(30),
        ..far()
    });
    let mut client = rig.connect();
    let (start, rest) = ("GET / HTTP/1.1\r\n", "Host: x\r\n\r\n");
    rig.send(&mut client, start);
    for _ in 0..5 {
        // One ends and the next begins with the same bytes.
        rig.pass(secs(20), &mut [&mut client]);
        rig.send(&mut client, format!("{rest}{start}"));
    }
    assert_eq!(client.statuses(), [200; 5]);
    ends_after(&mut rig, &mut client, secs(30));
    assert_eq!(client.statuses(), [200, 200, 200, 200, 200, 408]);
}

#[test]
fn a_head_in_time_behind_one_that_is_being_answered() {
    let mut rig = Rig::new(Settings {
        head_within: secs(30),
        ..far()
    });
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + "GET");
    rig.pass(secs(31), &mut [&mut client]);
    assert_eq!(
        (client.heard.len(), rig.count(Count::head_timeouts)),
        (0, 1),
        "its answer waits"
    );
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!((client.statuses(), client.end), (vec![200, 408], End::Finished));
}

#[test]
fn a_body_must_bring_its_least_in_each_period() {
    let settings = Settings {
        body_stall: secs(60),
        body_least: 10,
        ..far()
    };
    let head = |target, length: u32| {
        format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
    };
    for target in ["/echo", "/upload"] {
        let mut rig = Rig::new(settings.clone());
        let mut client = rig.connect();
        rig.send(&mut client, head(target, 1_000));
        for _ in 0..5 {
            rig.pass(secs(60).saturating_sub(ms(4)), &mut [&mut client]);
            rig.send(&mut client, "0123456789");
        }
        assert_eq!(client.heard, b"", "just kept");
        rig.send(&mut client, "012345678");
        rig.pass(secs(121), &mut [&mut client]);
        assert_eq!((client.statuses(), client.end), (vec![408], End::Finished));
        assert!(client.answers()[0].closes());
        assert_eq!(rig.count(Count::body_timeouts), 1);
    }
    let mut rig = Rig::new(settings);
    let mut client = rig.connect();
    rig.send(&mut client, head("/echo", 1_000));
    ends_after(&mut rig, &mut client, secs(60));
    assert_eq!(client.statuses(), [408]);
}

#[test]
fn each_body_has_its_own_time() {
    let mut rig = Rig::new(Settings {
        body_stall: secs(60),
        body_least: 10,
        ..far()
    });
    let mut client = rig.connect();
    let all = post("/", "abc");
    let head = all.trim_end_matches("abc");
    rig.send(&mut client, format!("{head}ab"));
    for _ in 0..5 {
        rig.pass(secs(30), &mut [&mut client]);
        // One ends and the next begins with the same bytes.
        rig.send(&mut client, format!("c{head}"));
        rig.pass(secs(20), &mut [&mut client]);
        rig.send(&mut client, "ab");
    }
    assert_eq!(client.statuses(), [200; 5]);
}

#[test]
fn an_answer_that_takes_too_long_is_503_and_the_connection_stays() {
    let mut rig = Rig::new(Settings {
        answer_within: Some(secs(10)),
        ..far()
    });
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a") + &get("/b"));
    rig.pass(secs(5), &mut [&mut client]);
    rig.send(&mut client, get("/deferred?c"));
    rig.pass(secs(5).saturating_sub(ms(5)), &mut [&mut client]);
    assert_eq!(client.heard, b"");
    rig.pass(ms(10), &mut [&mut client]);
    assert_eq!(client.statuses(), [503, 200]);
    assert_eq!(rig.count(Count::answer_timeouts), 1);
    // What comes now is nobody's; that of the other is in time.
    rig.complete("a", "a");
    rig.pass(secs(4), &mut [&mut client]);
    rig.complete("c", "c");
    assert_eq!(rig.ask(&mut client, get("/d")).len(), 2);
    assert_eq!((rig.count(Count::answer_timeouts), client.end), (1, End::Open));
    // A writer hears that nobody waits for it.
    rig.send(&mut client, get("/deferred?e"));
    rig.pass(secs(11), &mut [&mut client]);
    let mut writer = rig.seen.deferred("e").stream(http::Response::new(()), 10);
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(writer.send("x".into()), Err(sockman_http::SendError::Gone));
}

#[test]
fn answers_that_take_too_long_behind_each_other() {
    let mut rig = Rig::new(Settings {
        answer_within: Some(secs(10)),
        ..far()
    });
    let mut client = rig.connect();
    rig.send(
        &mut client,
        get("/deferred?a") + &get("/deferred?b") + &get("/deferred?c"),
    );
    rig.complete("b", "b");
    rig.pass(secs(11), &mut [&mut client]);
    assert_eq!(client.statuses(), [503, 200, 503]);
    assert_eq!(rig.count(Count::answer_timeouts), 2);
}

#[test]
fn a_connection_without_a_request_is_closed_silently() {
    let mut rig = Rig::new(Settings {
        idle: secs(60),
        ..far()
    });
    let mut client = rig.connect();
    ends_after(&mut rig, &mut client, secs(60).saturating_sub(ms(1)));
    assert_eq!(
        (client.heard.len(), client.end, rig.count(Count::idle_closes)),
        (0, End::Finished, 1)
    );
    let mut client = rig.connect();
    for _ in 0..3 {
        rig.pass(secs(60).saturating_sub(ms(5)), &mut [&mut client]);
        rig.send(&mut client, get("/"));
    }
    ends_after(&mut rig, &mut client, secs(60).saturating_sub(ms(1)));
    assert_eq!(
        (client.statuses(), rig.count(Count::idle_closes)),
        (vec![200; 3], 2)
    );
}

#[test]
fn a_request_that_is_being_answered_is_not_idle() {
    let mut rig = Rig::new(Settings {
        idle: secs(60),
        ..far()
    });
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    rig.pass(secs(1_000), &mut [&mut client]);
    assert_eq!((client.heard.len(), client.end), (0, End::Open));
    rig.complete("a", "a");
    ends_after_answer(&mut rig, &mut client, secs(60));
    let mut client = rig.connect();
    rig.send(&mut client, get("/stream?count=3&ms=100000"));
    rig.pass(secs(250), &mut [&mut client]);
    assert!(client.answers()[0].is_whole);
    assert_eq!(client.end, End::Open);
}

fn ends_after_answer(rig: &mut Rig, client: &mut Client, time: Duration) {
    rig.pass(ms(1), &mut [client]);
    assert_eq!(client.statuses(), [200]);
    ends_after(rig, client, time.saturating_sub(ms(1)));
}

/// A server with little room, whose client does not read a large answer.
fn stalled(settings: Settings, target: &str) -> (Rig, Client) {
    let mut rig = Rig::narrow(settings, 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, get(target));
    (rig, client)
}

#[test]
fn a_client_that_takes_nothing_is_reset() {
    let settings = Settings {
        response_stall: secs(60),
        ..far()
    };
    for target in [
        "/large?size=100000",
        "/large?size=15000",
        "/stream?count=100&size=1000",
    ] {
        let (mut rig, mut client) = stalled(settings.clone(), target);
        rig.pass(secs(60).saturating_sub(ms(5)), &mut [&mut client]);
        assert_eq!(
            (rig.connections(), rig.count(Count::response_stalls)),
            (1, 0),
            "{target}"
        );
        rig.pass(secs(16), &mut [&mut client]);
        assert_eq!(
            (rig.connections(), rig.count(Count::response_stalls)),
            (0, 1),
            "{target}"
        );
        client.deaf = false;
        client.hear();
        assert_eq!(client.end, End::Reset);
        assert_eq!(rig.seen.sources.get(), 0);
    }
}

#[test]
fn a_client_that_takes_a_little_now_and_then_is_not() {
    for target in ["/large?size=100000", "/stream?count=100&size=1000"] {
        let (mut rig, mut client) = stalled(
            Settings {
                response_stall: secs(60),
                ..Settings::default()
            },
            target,
        );
        let mut more = 0;
        while client.heard.len() < 90_000 {
            rig.wait(secs(59));
            // (The window opens by halves.)
            client.sip(6_000);
            more += 1;
        }
        assert!(more > 10);
        client.deaf = false;
        rig.pass(secs(1), &mut [&mut client]);
        assert!(client.answers()[0].is_whole, "{target}");
        assert_eq!((client.end, rig.count(Count::response_stalls)), (End::Open, 0));
        // From here on it is idle, and not from when it was given the last byte.
        rig.pass(secs(40), &mut [&mut client]);
        assert_eq!(client.end, End::Open);
        rig.pass(secs(40), &mut [&mut client]);
        assert_eq!((client.end, rig.count(Count::idle_closes)), (End::Finished, 1));
    }
}

/// What other threads give for it does not count as taken.
#[test]
fn a_client_that_takes_nothing_is_reset_though_more_is_written_for_it() {
    let (mut rig, mut client) = stalled(
        Settings {
            response_stall: secs(60),
            ..far()
        },
        "/deferred?a",
    );
    let mut writer = rig.seen.deferred("a").stream(http::Response::new(()), 1_000_000);
    let mut seconds = 0;
    while writer.send(vec![b'x'; 1_000].into()).is_ok() && seconds < 300 {
        rig.pass(secs(1), &mut [&mut client]);
        seconds += 1;
    }
    assert!((60..120).contains(&seconds), "after {seconds} s");
    assert_eq!(rig.count(Count::response_stalls), 1);
}

/// While it is us who do not read, nobody is too slow.
#[test]
fn a_body_that_we_do_not_read_is_not_late() {
    let settings = Settings {
        body_stall: secs(10),
        head_within: secs(10),
        ..far()
    };
    let (mut rig, mut client) = stalled(settings, "/large?size=50000");
    rig.send(
        &mut client,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
    );
    rig.pass(secs(100), &mut [&mut client]);
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    rig.send(&mut client, "hello");
    rig.pass(secs(1), &mut [&mut client]);
    assert_eq!(client.statuses(), [200, 200]);
}

/// A deadline that has passed is not due again and again.
#[test]
fn loops_come_to_rest() {
    let mut rig = Rig::new(Settings {
        answer_within: Some(secs(10)),
        ..Settings::default()
    });
    let mut clients: Vec<_> = (0..8).map(|_| rig.connect()).collect();
    for (client, data) in clients.iter_mut().zip([
        String::new(),
        "GET".into(),
        post("/echo", "abc")[..50].to_owned(),
        get("/deferred?a"),
        get("/deferred?a") + &get("/stream?count=3&ms=700"),
        get("/large?size=2000000"),
        get("/stream?count=3&ms=70000"),
        post("/upload?stops=1", "abc"),
    ]) {
        client.deaf = true;
        rig.send(client, data);
    }
    let before = rig.turns();
    rig.wait(secs(10_000));
    let turns = rig.turns() - before;
    assert!(turns < 200, "{turns} turns");
    drop(clients);
}
