//! Stopping: what is under way is finished, and says that it is the last.

use crate::rig::{Client, End, Rig, get, ms, post, secs};
use sockman::{ListenOptions, SockMan as _};
use sockman_http::Settings;

fn stop(rig: &mut Rig, client: &mut Client) {
    rig.driver.remote().stop(secs(60)).expect("the loop is there");
    rig.pass(ms(20), &mut [client]);
}

/// Every connection has ended, and the loop with them, long before it would have been cut off.
fn has_stopped(rig: &mut Rig) {
    rig.wait(secs(10));
    assert!(rig.driver.is_stopped());
}

#[test]
fn idle_connections_have_until_the_last_call() {
    let mut rig = Rig::new(Settings::default());
    let (mut idle, mut late) = (rig.connect(), rig.connect());
    rig.send(&mut idle, get("/a"));
    stop(&mut rig, &mut idle);
    assert_eq!((idle.end, late.end), (End::Open, End::Open));
    rig.send(&mut late, get("/b") + &get("/never"));
    assert_eq!((late.statuses(), late.end), (vec![200], End::Finished));
    assert!(late.answers()[0].closes());
    rig.pass(ms(100), &mut [&mut idle]);
    assert_eq!(idle.end, End::Finished);
    assert!(
        rig.far.connect(&rig.near.at(80)).is_err() || rig.connections() <= 2,
        "nobody new is taken"
    );
    drop((idle, late));
    has_stopped(&mut rig);
}

#[test]
fn what_is_under_way_is_finished() {
    for (requests, answers) in [
        (get("/deferred?a"), 1),
        (get("/deferred?a") + &get("/deferred?b"), 2),
        (get("/deferred?a") + &get("/b"), 2),
        (get("/deferred?a") + &get("/stream?count=3&ms=100"), 2),
        (get("/stream?count=5&ms=1000"), 1),
        (get("/after?ms=3000"), 1),
        (get("/deferred?a") + &post("/b", "abc"), 2),
        ("GET /".to_owned(), 1),
        (post("/echo", "abcdefghijk")[..60].to_owned(), 1),
        (post("/upload?stops=1", "abcdefghijk"), 1),
    ] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.drip(&mut client, &requests, 70);
        stop(&mut rig, &mut client);
        rig.pass(secs(1), &mut [&mut client]);
        assert_eq!(client.end, End::Open, "{requests}");
        if requests == "GET /" {
            rig.send(&mut client, &get("/")[5..]);
        } else if requests.contains("/echo") {
            rig.send(&mut client, &post("/echo", "abcdefghijk")[60..]);
        }
        for resumer in rig.seen.resumers.take() {
            resumer.resume();
        }
        for query in ["a", "b"] {
            if rig.seen.is_deferred(query) {
                rig.complete(query, query);
                rig.pass(ms(10), &mut [&mut client]);
            }
        }
        rig.pass(secs(10), &mut [&mut client]);
        let heard = client.answers();
        assert_eq!((heard.len(), client.end), (answers, End::Finished), "{requests}");
        // Nothing comes after one that says that it is the last.
        assert!(heard.iter().all(|answer| answer.is_whole));
        assert!(
            heard[..answers - 1].iter().all(|answer| !answer.closes()),
            "{requests}"
        );
        drop(client);
        has_stopped(&mut rig);
    }
}

#[test]
fn an_answer_made_after_the_stop_says_that_it_is_the_last() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    stop(&mut rig, &mut client);
    rig.complete("a", "a");
    rig.pass(ms(5), &mut [&mut client]);
    assert!(client.answers()[0].closes());
    assert_eq!(client.end, End::Finished);
}

#[test]
fn a_large_answer_comes_whole_though_the_loop_is_stopped() {
    let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, get("/large?size=200000"));
    stop(&mut rig, &mut client);
    let mut seconds = 0;
    while client.heard.len() < 190_000 {
        rig.wait(secs(1));
        client.sip(8_000);
        seconds += 1;
        assert!(seconds < 55, "{} bytes", client.heard.len());
    }
    client.deaf = false;
    rig.pass(secs(1), &mut [&mut client]);
    assert!(client.answers()[0].is_whole);
    drop(client);
    has_stopped(&mut rig);
}

#[test]
fn what_takes_too_long_is_cut_off() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.send(&mut client, get("/deferred?a"));
    stop(&mut rig, &mut client);
    rig.pass(secs(61), &mut [&mut client]);
    assert_ne!(client.end, End::Open);
    assert!(rig.driver.is_stopped());
}

/// Requests that were here long before the stop, held up by nothing but what the client has not taken, are no idle connection.
#[test]
fn requests_that_wait_for_a_slow_client_are_not_forgotten() {
    let mut rig = Rig::narrow(Settings::default(), 20_000, 5_000, 10_000);
    let mut client = rig.connect();
    client.deaf = true;
    rig.send(&mut client, get("/large?size=25000").repeat(6));
    rig.wait(secs(1));
    rig.driver.remote().stop(secs(60)).expect("it runs");
    rig.wait(secs(2));
    client.deaf = false;
    rig.pass(secs(10), &mut [&mut client]);
    let answers = client.answers();
    assert!(answers.len() == 6 || answers.last().is_some_and(crate::answers::Answer::closes));
}

#[test]
fn connections_that_come_after_the_last_call_are_refused() {
    let mut rig = Rig::new(Settings::default());
    let at = rig.near.at(81);
    // A listener that the server does not know of.
    let listened = rig
        .driver
        .with(|_, net| net.listen(&at, &ListenOptions::default()));
    listened.expect("the port is free");
    rig.driver.remote().stop(secs(60)).expect("it runs");
    rig.wait(secs(1));
    let late = rig.far.connect(&at).expect("there is a listener");
    rig.wait(secs(1));
    assert_eq!(rig.connections(), 0);
    drop(late);
}
