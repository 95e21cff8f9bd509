//! Pipelines, deep ones too.

use crate::rig::{Rig, get, ms, secs};
use sockman::Syscall;
use sockman_http::{Count, Settings};

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[test]
fn nine_hundred_requests_in_one_piece_get_nine_hundred_answers() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let requests: String = (0..900).map(|number| get(&format!("/{number}"))).collect();
    let answers = rig.ask(&mut client, requests);
    let bodies: Vec<_> = answers.iter().map(|answer| answer.text().to_owned()).collect();
    let expected: Vec<_> = (0..900).map(|number| format!("GET /{number}\n")).collect();
    assert_eq!(bodies, expected);
}

#[test]
fn nine_hundred_streams_in_one_piece_get_nine_hundred_answers() {
    for target in [
        "/stream?count=2&size=3",
        "/stream?count=2&size=3&ms=1",
        "/stream?count=1&size=600",
        "/after?ms=1",
    ] {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.send(&mut client, get(target).repeat(900));
        rig.pass(secs(5), &mut [&mut client]);
        assert_eq!(client.answers().len(), 900, "{target}");
        assert!(client.answers().iter().all(|answer| answer.is_whole));
        assert_eq!(rig.seen.sources.get(), 0);
    }
}

#[test]
fn nine_hundred_deferred_answers_are_as_many_at_once_as_the_pipeline_is_long() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    let requests: String = (0..900)
        .map(|number| get(&format!("/deferred?{number}")))
        .collect();
    rig.send(&mut client, requests);
    let mut most = 0;
    for number in 0..900 {
        let number = number.to_string();
        if !rig.seen.is_deferred(&number) {
            rig.pass(ms(1), &mut [&mut client]);
        }
        most = most.max(rig.seen.deferred.borrow().len());
        rig.complete(&number, &number);
    }
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(client.bodies(), numbers(900));
    assert_eq!(most, Settings::default().pipeline);
    assert!(rig.count(Count::pipeline_pauses) > 0);
    assert_eq!(rig.count(Count::deferred), 900);
}

#[test]
fn nine_hundred_deferred_answers_from_the_last_to_the_first() {
    let mut rig = Rig::new(Settings {
        pipeline: 1_000,
        ..Settings::default()
    });
    let mut client = rig.connect();
    let requests: String = (0..900)
        .map(|number| get(&format!("/deferred?{number}")))
        .collect();
    rig.send(&mut client, requests);
    for number in (0..900).rev() {
        assert_eq!(client.heard, b"");
        rig.complete(&number.to_string(), &number.to_string());
        rig.pass(ms(1), &mut [&mut client]);
    }
    assert_eq!(client.bodies(), numbers(900));
}

#[test]
fn a_mixed_pipeline_whatever_the_size_of_its_pieces() {
    let mut all = String::new();
    for _ in 0..20 {
        all += &get("/a");
        all += "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        all += &get("/stream?count=4&size=1000");
        all += "\r\nPUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n1234567";
        all += "DELETE /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
        all += &get("/large?size=20000");
        all += &get("/after?ms=1");
    }
    let heard = |size| {
        let mut rig = Rig::new(Settings::default());
        let mut client = rig.connect();
        rig.drip(&mut client, &all, size);
        rig.pass(secs(2), &mut [&mut client]);
        let answers = client.answers();
        let mut text = String::new();
        for answer in &answers {
            assert!(answer.is_whole && answer.status == 200 && !answer.closes());
            text += answer.text();
            text += "|";
        }
        text
    };
    let whole = heard(usize::MAX);
    assert_eq!(whole.matches('|').count(), 140);
    for size in [1, 2, 3, 7, 50, 61, 1_000] {
        assert!(heard(size) == whole, "in pieces of {size}");
    }
}

#[test]
fn one_write_for_what_came_together() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.ask(&mut client, get("/first"));
    for depth in [1, 2, 16, 200] {
        let before = rig.syscalls(Syscall::Write);
        assert_eq!(rig.ask(&mut client, get("/").repeat(depth)).len(), depth);
        assert_eq!(rig.syscalls(Syscall::Write) - before, 1, "{depth} answers");
    }
    // Also deferred ones that are made together.
    rig.send(
        &mut client,
        (0..10)
            .map(|n| get(&format!("/deferred?{n}")))
            .collect::<String>(),
    );
    let before = rig.syscalls(Syscall::Write);
    for number in (0..10).rev() {
        rig.complete(&number.to_string(), "x");
    }
    rig.pass(ms(5), &mut [&mut client]);
    assert_eq!(rig.syscalls(Syscall::Write) - before, 1, "ten deferred answers");
}
