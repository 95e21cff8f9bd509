//! Signals while requests are under way.

use super::client::Client;
use super::everywhere;
use crate::server::Server;
use rustix::process::Signal;
use sockman_node::Choice;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn on_each_backend(script: impl Fn(&str)) {
    Choice::compiled().map(Choice::name).for_each(script);
}

#[test]
fn what_is_under_way_is_finished() {
    on_each_backend(|backend| {
        for shards in ["1", "2"] {
            let flags = ["--drain", "50", "--last-call", "1", "--shards", shards];
            let server = Server::http(backend, &["127.0.0.1:0"], &flags);
            let at = server.at[0].clone();
            // A body half sent, a head half sent, an answer half read, and one connection without a request.
            let mut body = Client::new(&at);
            body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
            let mut head = Client::new(&at);
            head.send("GET /hello HTTP/1.1\r\nHo");
            let mut stream = Client::new(&at);
            stream.send("GET /stream/30000000 HTTP/1.1\r\nHost: x\r\n\r\n");
            let streamed = stream.head();
            let mut idle = Client::new(&at);
            assert_eq!(idle.get("/healthz").status, 200);

            server.signal(Signal::TERM);
            // The server does not listen any more: the signal has been carried out.
            while TcpStream::connect(&at).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
            // With several loops, others may hear of it a little later.
            let mut health = idle.get("/healthz");
            while health.field("connection").is_none() {
                health = idle.get("/healthz");
            }
            assert_eq!((health.status, health.field("connection")), (503, Some("close")));
            idle.end();
            body.send("def");
            let answer = body.answer();
            assert_eq!(
                (answer.text(), answer.field("connection")),
                ("abcdef", Some("close"))
            );
            body.end();
            head.send("st: x\r\n\r\n");
            assert_eq!(head.answer().text(), "Hello, world!");
            head.end();
            assert!(streamed.contains("content-length: 30000000"), "{streamed}");
            let mut count = Vec::new();
            stream.peer.read_to_end(&mut count).expect("an orderly end");
            // What came with the head is not among it.
            assert!(count.len() > 29_900_000, "{}", count.len());
            drop(stream);
            assert_eq!(server.wait().status.code(), Some(0));
        }
    });
}

#[test]
fn events_end_when_the_server_does() {
    everywhere(&["--sse-every", "0.05"], |server| {
        let mut client = Client::new(&server.at[0]);
        client.send("GET /sse HTTP/1.1\r\nHost: x\r\n\r\n");
        client.head();
        client.chunk();
        server.signal(Signal::TERM);
        // In order, with the last chunk.
        while !client.chunk().is_empty() {}
        client.end();
    });
}

#[test]
fn what_does_not_end_is_given_up_after_the_limit() {
    everywhere(&["--drain", "0.3"], |server| {
        let mut client = Client::new(&server.at[0]);
        client.send("GET /stream/18446744073709551615 HTTP/1.1\r\nHost: x\r\n\r\n");
        client.head();
        server.signal(Signal::TERM);
        let mut buffer = [0; 16 << 10];
        while let Ok(1..) = client.peer.read(&mut buffer) {}
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    on_each_backend(|backend| {
        for shards in ["1", "2"] {
            let server = Server::http(
                backend,
                &["127.0.0.1:0"],
                &["--drain", "100000", "--shards", shards],
            );
            let mut client = Client::new(&server.at[0]);
            client.send("GET /stream/18446744073709551615 HTTP/1.1\r\nHost: x\r\n\r\n");
            client.head();
            server.signal(Signal::TERM);
            while TcpStream::connect(&server.at[0]).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
            server.signal(Signal::INT);
            let ended = server.wait();
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        }
    });
}

/// A request that is sent, again and again on one connection, until the server is gone. Tells how many were answered.
///
/// A connection that the server had not taken up yet when it stopped listening ends without an answer; any other ends after
/// an answer that says so.
fn hammer(at: &str, path: &str, stop: &AtomicBool) -> u64 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answered = 0;
    loop {
        let Ok(mut stream) = TcpStream::connect(at) else {
            assert!(stop.load(Ordering::SeqCst), "refused before the signal");
            return answered;
        };
        let mut buffer = [0; 4096];
        for number in 0.. {
            let is_taken = number > 0;
            let sent = stream.write_all(request.as_bytes());
            assert!(sent.is_ok() || !is_taken, "{sent:?} after {number} answers");
            let mut got = Vec::new();
            while !got.ends_with(b"Hello, world!") {
                match stream.read(&mut buffer) {
                    Ok(count @ 1..) => got.extend_from_slice(&buffer[..count]),
                    other => {
                        assert!(
                            got.is_empty() && !is_taken,
                            "{other:?} after {number} answers: {got:?}"
                        );
                        assert!(stop.load(Ordering::SeqCst), "{other:?} before the signal");
                        break;
                    }
                }
            }
            if got.is_empty() {
                break;
            }
            answered += 1;
            if String::from_utf8_lossy(&got).contains("connection: close") {
                assert_eq!(stream.read(&mut buffer).expect("an orderly end"), 0);
                break;
            }
        }
    }
}

/// Clients that have a request under way when the signal comes get its answer, and are told that it was the last.
#[test]
fn under_load_no_request_that_was_taken_is_left_without_its_answer() {
    on_each_backend(|backend| {
        for shards in ["1", "2"] {
            // Long enough that no client is taken for idle between two requests.
            let flags = ["--shards", shards, "--last-call", "5", "--drain", "50"];
            let server = Server::http(backend, &["127.0.0.1:0"], &flags);
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                let path = |number: usize| {
                    if number.is_multiple_of(2) {
                        "/hello"
                    } else {
                        "/worker"
                    }
                };
                let (at, stop) = (&server.at[0], &stop);
                let clients: Vec<_> = (0..16)
                    .map(|number| scope.spawn(move || hammer(at, path(number), stop)))
                    .collect();
                thread::sleep(Duration::from_millis(300));
                stop.store(true, Ordering::SeqCst);
                server.signal(Signal::TERM);
                for client in clients {
                    assert!(client.join().expect("every answer is whole") > 0);
                }
            });
            assert_eq!(server.wait().status.code(), Some(0));
        }
    });
}
