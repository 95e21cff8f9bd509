//! An echo that comes in two pieces.

use crate::everywhere;
use crate::measure::{connect, spread};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// A body of 20 kB behind its head, as clients send it that write one after the other. If either end waited for the other's
/// acknowledgement, each would take 40 ms, which is how long a kernel puts that off.
#[test]
fn no_step_of_40_ms() {
    everywhere("20 kB echo", &[], |server| {
        let mut stream = connect(&server.at[0]);
        let body = vec![b'x'; 20_000];
        let mut latencies = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        for _ in 0..200 {
            let since = Instant::now();
            stream
                .write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
                .expect("the server reads");
            stream.write_all(&body).expect("the server reads");
            let mut got = 0;
            let mut all = None;
            while all.is_none_or(|all| got < all) {
                got += stream.read(&mut buffer[got..]).expect("an answer");
                let head = buffer[..got].windows(4).position(|window| window == b"\r\n\r\n");
                all = head.map(|place| place + 4 + body.len());
            }
            latencies.push(since.elapsed());
        }
        let slow = latencies
            .iter()
            .filter(|time| **time >= Duration::from_millis(39))
            .count();
        assert!(slow < 100, "{slow} of 200 took a step of 40 ms");
        format!("200 answered, {slow} with a step of 40 ms; {}", spread(latencies))
    });
}
