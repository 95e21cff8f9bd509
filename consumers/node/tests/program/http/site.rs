//! What is at which path, and which methods it takes.

use super::client::Client;
use super::{everywhere, talk};
use crate::server::Server;
use sockman_node::Choice;
use std::thread;
use tempfile::TempDir;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

#[test]
fn any_method_is_echoed_with_its_body() {
    talk(&[], |client| {
        for path in ["/", "/echo"] {
            for method in METHODS {
                let empty = client.ask(method, path);
                assert_eq!((empty.status, empty.text()), (200, ""), "{method} {path}");
                assert_eq!(empty.field("content-length"), Some("0"));
                let echo = client.post(method, path, b"and \0 back");
                assert_eq!(
                    (echo.status, echo.text()),
                    (200, "and \0 back"),
                    "{method} {path}"
                );
            }
            let head = client.post("HEAD", path, b"12345");
            assert_eq!((head.status, head.field("content-length")), (200, Some("5")));
        }
        // Were the body of an answer to HEAD there, it would be in the way here.
        assert_eq!(client.get("/hello").text(), "Hello, world!");
    });
}

#[test]
fn bodies_of_all_sizes_come_back_whole() {
    talk(&[], |client| {
        let body: Vec<u8> = (0..5_000_000_u32).map(|place| (place / 7) as u8).collect();
        for size in [1, 1_000, 20_000, 65_536, 1_000_000, 5_000_000] {
            let body = body[..size].to_vec();
            // Larger than what the kernel buffers: we must read while we send.
            let mut other = client.peer.another();
            let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
            let sent = body.clone();
            let sending = thread::spawn(move || {
                other.write_all(head.as_bytes())?;
                other.write_all(&sent)
            });
            let answer = client.answer();
            sending.join().expect("no panic").expect("the server reads");
            assert!(answer.body == body, "{size} bytes");
        }
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        client.send(b"4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
        assert_eq!(client.answer().text(), "abcdefg");
    });
}

#[test]
fn pages_say_what_they_are() {
    talk(&[], |client| {
        for (path, kind, text) in [
            ("/hello", "text/plain; charset=utf-8", "Hello, world!"),
            ("/worker", "text/plain; charset=utf-8", "Hello, world!"),
            ("/healthz", "text/plain; charset=utf-8", "ok\n"),
            (
                "/hello?with=a&query",
                "text/plain; charset=utf-8",
                "Hello, world!",
            ),
            (
                "http://anywhere/hello",
                "text/plain; charset=utf-8",
                "Hello, world!",
            ),
        ] {
            let answer = client.get(path);
            assert_eq!((answer.status, answer.text()), (200, text), "{path}");
            assert_eq!(answer.field("content-type"), Some(kind), "{path}");
            let head = client.ask("HEAD", path);
            assert_eq!(head.status, 200);
            assert_eq!(
                head.field("content-length"),
                answer.field("content-length"),
                "{path}"
            );
        }
        let page = client.get("/browser");
        assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.text().contains("EventSource"));
    });
}

#[test]
fn what_there_is_not_and_what_may_not_be() {
    talk(&[], |client| {
        for path in [
            "/nowhere",
            "/hello/",
            "/./hello",
            "/../hello",
            "/..",
            "//",
            "/%68ello",
            "/stream/x",
        ] {
            assert_eq!(client.get(path).status, 404, "{path}");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = client.post(method, "/hello", b"body");
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.field("allow"), Some("GET, HEAD, OPTIONS"));
        }
        let options = client.ask("OPTIONS", "/hello");
        assert_eq!((options.status, options.text()), (200, ""));
        assert_eq!(options.field("allow"), Some("GET, HEAD, OPTIONS"));
        let echo = client.ask("OPTIONS", "/");
        assert_eq!(
            echo.field("allow"),
            Some("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
        );
        let all = client.ask("OPTIONS", "*");
        assert_eq!(all.status, 200);
        assert_eq!(
            all.field("allow"),
            Some("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
        );
        for (method, target) in [("BREW", "/"), ("get", "/hello"), ("TRACE", "/")] {
            assert_eq!(client.ask(method, target).status, 501, "{method}");
        }
        // Without credentials there is no RPC.
        assert_eq!(client.post("POST", "/rpc", b"{}").status, 404);
        // What follows a CONNECT is not meant for us.
        let tunnel = client.ask("CONNECT", "x:80");
        assert_eq!((tunnel.status, tunnel.field("connection")), (501, Some("close")));
    });
}

#[test]
fn streams_have_so_many_letters() {
    talk(&[], |client| {
        for count in [0, 1, 26, 100_000, 3_000_000_usize] {
            let is_right = |body: &[u8]| {
                let letters = body.iter().enumerate();
                body.len() == count
                    && letters.fold(true, |so_far, (i, l)| so_far && usize::from(l - b'a') == i % 26)
            };
            let known = client.get(&format!("/stream/{count}"));
            assert_eq!(known.field("content-length"), Some(&*count.to_string()));
            assert!(is_right(&known.body), "{count}");
            let chunked = client.get(&format!("/stream/{count}?chunked"));
            assert_eq!(chunked.field("transfer-encoding"), Some("chunked"));
            assert!(is_right(&chunked.body), "{count}");
            let head = client.ask("HEAD", &format!("/stream/{count}"));
            assert_eq!(head.field("content-length"), Some(&*count.to_string()));
        }
        // Somebody who knows no chunks has the connection's end instead.
        client.send(b"GET /stream/1000?chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let old = client.answer();
        assert_eq!((old.body.len(), old.field("connection")), (1000, Some("close")));
    });
}

#[test]
fn events_come_one_by_one_and_go_on_where_they_were() {
    everywhere(&["--sse-every", "0.02"], |server| {
        let mut client = Client::new(&server.at[0]);
        client.send(b"GET /sse HTTP/1.1\r\nHost: x\r\n\r\n");
        let head = client.head();
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        for number in 0..5 {
            let event = String::from_utf8(client.chunk()).expect("text");
            assert_eq!(event, format!("id: {number}\ndata: tick {number}\n\n"));
        }
        drop(client);
        let mut client = Client::new(&server.at[0]);
        client.send(b"GET /sse HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 4\r\n\r\n");
        client.head();
        assert_eq!(client.chunk(), b"id: 5\ndata: tick 5\n\n");
    });
}

#[test]
fn metrics_count_what_all_loops_have_done() {
    for shards in ["1", "2"] {
        everywhere(&["--shards", shards], |server| {
            let mut clients = [Client::new(&server.at[0]), Client::new(&server.at[0])];
            for client in &mut clients {
                assert_eq!(client.get("/hello").status, 200);
                assert_eq!(client.get("/nowhere").status, 404);
            }
            let mut bad = Client::new(&server.at[0]);
            bad.send("GET / HTTP/3.1\r\n\r\n");
            assert_eq!(bad.answer().status, 505);
            drop(bad);
            let answer = clients[1].get("/metrics");
            assert_eq!(
                answer.field("content-type"),
                Some("text/plain; version=0.0.4; charset=utf-8")
            );
            for line in [
                "sockman_http_connections_total 3",
                "sockman_http_requests_total 5",
                "sockman_http_responses_total{code=\"200\"} 2",
                "sockman_http_responses_total{code=\"404\"} 2",
                "sockman_http_responses_total{code=\"505\"} 1",
                "sockman_http_rejects_total{reason=\"MajorVersion\"} 1",
            ] {
                assert!(
                    answer.text().lines().any(|other| other == line),
                    "{line}: {}",
                    answer.text()
                );
            }
        });
    }
}

#[test]
fn probes_find_what_they_expect() {
    talk(&["--probe"], |client| {
        let answer = client.get("/");
        assert_eq!((answer.status, answer.text()), (200, "OK"));
        assert_eq!(client.ask("HEAD", "/").status, 200);
        let options = client.ask("OPTIONS", "/");
        let delete = client.ask("DELETE", "/");
        assert_eq!((options.status, delete.status), (204, 405));
        for answer in [options, delete] {
            assert_eq!(
                answer.field("allow"),
                Some("GET, HEAD, POST, PUT, OPTIONS, PATCH")
            );
        }
        assert_eq!(client.post("POST", "/", b"body").text(), "body");
        client.send(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nX-One:  a b \r\nx-one: c\r\nContent-Length: 2\r\n\r\nhi",
        );
        assert_eq!(
            client.answer().text(),
            "Host: x\nX-One: a b\nx-one: c\nContent-Length: 2\n"
        );
        client.send(b"GET /cookie HTTP/1.1\r\nHost: x\r\nCookie: a=1; b=2;c\r\nCookie: d=\r\n\r\n");
        assert_eq!(client.answer().text(), "a=1\nb=2\nd=\n");
        assert_eq!(client.get("/hello").status, 404);
        assert_eq!(client.ask("BREW", "/").status, 501);
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    talk(&[], |client| {
        let mut all = Vec::new();
        for number in 0..500 {
            let path = ["/hello", "/worker", "/stream/5000", "/nowhere", "/"][number % 5];
            let body = number.to_string();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            all.extend_from_slice(request.as_bytes());
        }
        let mut other = client.peer.another();
        let sending = thread::spawn(move || other.write_all(&all));
        for number in 0..500 {
            let answer = client.answer();
            match number % 5 {
                0 | 1 => assert_eq!(answer.text(), "Hello, world!"),
                2 => assert_eq!(answer.body.len(), 5000),
                3 => assert_eq!(answer.status, 404),
                _ => assert_eq!(answer.text(), number.to_string()),
            }
        }
        sending.join().expect("no panic").expect("the server reads");
    });
}

#[test]
fn it_listens_at_several_places_with_several_loops() {
    for backend in Choice::compiled().map(Choice::name) {
        for shards in ["1", "3"] {
            let folder = TempDir::new().expect("a temporary folder");
            let unix = format!("unix:{}", folder.path().join("http").display());
            let at = ["127.0.0.1:0", "127.0.0.1:0", &unix];
            let server = Server::http(backend, &at, &["--shards", shards]);
            assert_eq!(server.at[2], unix);
            for at in &server.at {
                let mut clients: Vec<Client> = (0..6).map(|_| Client::new(at)).collect();
                for client in &mut clients {
                    assert_eq!(client.get("/hello").text(), "Hello, world!", "{at}");
                    assert_eq!(client.get("/worker").text(), "Hello, world!", "{at}");
                    assert_eq!(client.post("POST", "/echo", b"there").text(), "there", "{at}");
                }
            }
            server.stop();
            assert!(!folder.path().join("http").exists());
        }
    }
}
