//! What requests cost: system calls, turns, and work for bytes that come one by one.

use crate::rig::{Rig, get, ms, post};
use sockman::Syscall;
use sockman_http::Settings;

#[test]
fn a_request_is_one_read_and_one_write() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.ask(&mut client, get("/first"));
    for request in [
        get("/"),
        post("/", "body"),
        post("/upload", "body"),
        get("/stream?count=3"),
        get("/large?size=30000"),
    ] {
        let before = (rig.syscalls(Syscall::Read), rig.syscalls(Syscall::Write));
        for _ in 0..10 {
            rig.send(&mut client, &request);
        }
        let after = (rig.syscalls(Syscall::Read), rig.syscalls(Syscall::Write));
        assert_eq!((after.0 - before.0, after.1 - before.1), (10, 10), "{request}");
    }
}

#[test]
fn a_deferred_answer_is_one_write_at_once() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    for number in 0..10 {
        let number = number.to_string();
        rig.send(&mut client, get(&format!("/deferred?{number}")));
        let before = rig.syscalls(Syscall::Write);
        rig.complete(&number, "x");
        rig.pass(ms(1), &mut [&mut client]);
        assert_eq!(rig.syscalls(Syscall::Write) - before, 1);
    }
    assert_eq!(client.statuses(), [200; 10]);
}

/// Bytes of a request that comes byte by byte are given to the loop once each: what is unread is not read again.
#[test]
fn a_dripped_request_costs_a_turn_and_a_read_a_byte() {
    let mut rig = Rig::new(Settings::default());
    let mut client = rig.connect();
    rig.ask(&mut client, get("/first"));
    let request = post(&format!("/{}", "a".repeat(300)), &"b".repeat(300));
    let before = (
        rig.turns(),
        rig.syscalls(Syscall::Read),
        rig.syscalls(Syscall::Write),
    );
    rig.drip(&mut client, &request, 1);
    let length = request.len() as u64;
    assert_eq!(rig.syscalls(Syscall::Read) - before.1, length);
    assert_eq!(rig.syscalls(Syscall::Write) - before.2, 1);
    assert!(rig.turns() - before.0 <= length + 5);
}
