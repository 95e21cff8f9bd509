//! Code that is `async`, on workers and on an executor of the program's own.

#![cfg(feature = "async")]

use async_trait::async_trait;
use sockman::{Bytes, Config, Driver, ListenOptions, SockMan};
use sockman_backends::DefaultBackend;
use sockman_http::http::{Request, Response};
use sockman_http::{Async, AsyncService, Run, Server, Settings, Task, Workers};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// Says what it was asked; panics where it is told to.
struct Says;

#[async_trait]
impl AsyncService for Says {
    async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        assert_ne!(request.uri().path(), "/panic");
        let text = format!(
            "{} {} {:?} {}",
            request.method(),
            request.uri(),
            request.headers().get("x-a"),
            String::from_utf8_lossy(request.body())
        );
        std::future::ready(Response::new(text.into())).await
    }
}

/// What a server answers to requests of one connection, the last of which closes it.
fn ask<R: Run>(run: R, requests: &str) -> String {
    let server = Server::new(Async::new(Says, run), Settings::default());
    let mut driver = Driver::<DefaultBackend, _>::new(&Config::default(), server).expect("it works here");
    let at = driver.with(|server, net| {
        let any = "127.0.0.1:0".parse().expect("an address");
        let listener = server
            .listen(net, &any, &ListenOptions::default())
            .expect("a port");
        net.local_addr(listener).and_then(|at| at.tcp()).expect("TCP")
    });
    let remote = driver.remote();
    let requests = requests.to_owned();
    let client = thread::spawn(move || {
        let mut socket = TcpStream::connect(at).expect("it listens");
        let limit = Some(Duration::from_secs(20));
        socket.set_read_timeout(limit).expect("a socket");
        socket.write_all(requests.as_bytes()).expect("connected");
        let mut heard = String::new();
        socket.read_to_string(&mut heard).expect("answers, and the end");
        remote.stop(Duration::from_secs(5)).expect("it runs");
        heard
    });
    driver.run().expect("the backend works");
    client.join().expect("no panic")
}

const POST: &str =
    "POST /a?b HTTP/1.1\r\nHost: x\r\nX-A: v\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";

#[test]
fn workers_run_a_task_each_and_a_panic_is_one_requests_own() {
    let requests = format!("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n{POST}");
    let heard = ask(Workers::new(2, 8).expect("threads"), &requests);
    assert!(heard.starts_with("HTTP/1.1 500 "), "{heard}");
    assert!(heard.ends_with("POST /a?b Some(\"v\") abc"), "{heard}");
}

#[test]
fn tasks_go_to_an_executor_of_ones_own() {
    let spawn = |task: Task| drop(thread::spawn(move || pollster::block_on(task)));
    let heard = ask(spawn, POST);
    assert!(heard.starts_with("HTTP/1.1 200 "), "{heard}");
    assert!(heard.ends_with("POST /a?b Some(\"v\") abc"), "{heard}");
}
