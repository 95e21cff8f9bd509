//! What runs on workers, and the end: on sockets, since threads know no simulated time.

use super::{ALICE, dispatcher, post, users};
use serde_json::Value;
use sockman_backends::Mio;
use sockman_backends::sockman::{Config, Driver, Endpoint, ListenOptions, Remote, SockMan as _};
use sockman_http::Server;
use sockman_http::rpc::{Rpc, Settings};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Running {
    at: SocketAddr,
    remote: Remote,
    thread: Option<JoinHandle<()>>,
}

fn run(settings: Settings) -> Running {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let rpc = Rpc::new(dispatcher(), users(), settings).expect("threads");
        let dispatcher = rpc.dispatcher().clone();
        let server = Server::new(rpc, sockman_http::Settings::default());
        let mut driver = Driver::<Mio, _>::new(&Config::default(), server).expect("a backend");
        let at = "127.0.0.1:0".parse().expect("an address");
        let (at, remote) = driver.with(|server, net| {
            let listener = server
                .listen(net, &at, &ListenOptions::default())
                .expect("a listener");
            (net.local_addr(listener), net.remote())
        });
        let within = Duration::from_secs(10);
        dispatcher.instance().stop_by(remote.clone(), within);
        let at = at.as_ref().and_then(Endpoint::tcp).expect("TCP");
        tell.send((at, remote)).expect("somebody waits");
        driver.run().expect("no error");
        dispatcher.instance().interrupt();
    });
    let (at, remote) = told.recv().expect("it started");
    let thread = Some(thread);
    Running { at, remote, thread }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.remote.stop(Duration::ZERO);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
    }
}

/// A client's connection.
struct Client(BufReader<TcpStream>);

impl Running {
    fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.at).expect("a connection");
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a limit");
        Client(BufReader::new(socket))
    }

    /// The methods that are running, this question apart.
    fn active(&self) -> usize {
        let mut client = self.connect();
        client.say(r#"{"method":"getrpcinfo"}"#);
        let info: Value = serde_json::from_str(&client.hear().1).expect("JSON");
        let active = info["result"]["active_commands"].as_array();
        active.expect("a list").len() - 1
    }
}

impl Client {
    fn say(&mut self, body: &str) {
        self.0
            .get_mut()
            .write_all(post("/", ALICE, body).as_bytes())
            .expect("sent");
    }

    /// Status and body of an answer.
    fn hear(&mut self) -> (u16, String) {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a line");
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().expect("a status");
            }
            if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        (status, String::from_utf8(body).expect("UTF-8"))
    }
}

const SLEPT: &str = "{\"result\":null,\"error\":null,\"id\":1}\n";

#[test]
fn calls_that_wait_hold_up_nobody() {
    let server = run(Settings::default());
    let mut slowest = server.connect();
    slowest.say(r#"{"method":"sleep","params":[3600000],"id":1}"#);
    let mut slow = server.connect();
    slow.say(r#"{"method":"sleep","params":[10],"id":1}"#);
    let mut quick = server.connect();
    quick.say(r#"{"method":"echo","id":1}"#);
    assert_eq!(
        quick.hear(),
        (200, "{\"result\":[],\"error\":null,\"id\":1}\n".into())
    );
    assert_eq!(slow.hear(), (200, SLEPT.into()));
    slow.say(r#"[{"method":"echo","id":1},{"method":"sleep","params":[1],"id":2},{"jsonrpc":"2.0","method":"sleep","params":[1]}]"#);
    let replies = "[{\"result\":[],\"error\":null,\"id\":1},{\"result\":null,\"error\":null,\"id\":2}]\n";
    assert_eq!(slow.hear(), (200, replies.into()));
    slow.say(r#"{"jsonrpc":"2.0","method":"sleep","params":[1]}"#);
    assert_eq!(slow.hear(), (204, String::new()));
}

#[test]
fn large_bodies_are_answered() {
    let server = run(Settings::default());
    let mut client = server.connect();
    let text = "x".repeat(1 << 20);
    client.say(&format!(r#"{{"method":"echo","params":["{text}"],"id":1}}"#));
    let (status, body) = client.hear();
    assert_eq!(status, 200);
    assert_eq!(
        body,
        format!("{{\"result\":[\"{text}\"],\"error\":null,\"id\":1}}\n")
    );
    let calls = vec![r#"{"method":"echo","id":1}"#; 10_000].join(",");
    client.say(&format!("[{calls}]"));
    let (status, body) = client.hear();
    assert_eq!((status, body.matches("result").count()), (200, 10_000));
}

#[test]
fn a_full_queue_is_503() {
    let server = run(Settings {
        workers: 1,
        queue: 1,
        ..Settings::default()
    });
    let sleep = r#"{"method":"sleep","params":[3600000],"id":1}"#;
    let mut clients = Vec::new();
    clients.resize_with(3, || server.connect());
    clients[0].say(sleep);
    while server.active() == 0 {
        thread::yield_now();
    }
    // One works, one waits, and a third is one too many, whichever of the two comes first.
    clients[1].say(sleep);
    clients[2].say(sleep);
    let (tell, told) = mpsc::channel();
    for mut client in clients {
        let tell = tell.clone();
        thread::spawn(move || tell.send(client.hear().0));
    }
    assert_eq!(told.recv().expect("an answer"), 503);
    assert_eq!(server.active(), 1);
    // What runs on the loop is answered still.
    let mut client = server.connect();
    client.say(r#"{"method":"uptime","id":1}"#);
    assert_eq!(client.hear().0, 200);
}

#[test]
fn stop_answers_and_stops() {
    let mut server = run(Settings::default());
    let mut client = server.connect();
    client.say(r#"{"method":"stop","id":1}"#);
    assert_eq!(
        client.hear(),
        (
            200,
            "{\"result\":\"tester stopping\",\"error\":null,\"id\":1}\n".into()
        )
    );
    drop(client);
    let thread = server.thread.take().expect("it ran");
    thread.join().expect("no panic");
    assert!(TcpStream::connect(server.at).is_err());
}
