//! What is refused, and when: on a simulated network, whose time is exact.

use super::{ALICE, WRONG, dispatcher, post, rpc, users};
use sockman_backends::sim::{Host, Network, Plain, Sim};
use sockman_backends::sockman::{Config, Driver, ListenOptions};
use sockman_http::rpc::{Acl, Credentials, Rpc, Settings, Subnet};
use sockman_http::{Limits, Server};
use std::time::Duration;

struct World {
    network: Network,
    server: Driver<Sim, Server<Rpc<()>>>,
    host: Host,
    client: Host,
}

/// A client's connection, and what came over it.
struct Client {
    socket: Plain,
    heard: Vec<u8>,
}

impl World {
    fn new(rpc: impl FnOnce(Acl) -> Rpc<()>) -> Self {
        let network = Network::new(sockman_backends::sim::Settings::default());
        let (host, client) = (network.host(), network.host());
        let acl = Acl::default().allow(Subnet::new(client.ip4().into(), 32).expect("a subnet"));
        let settings = sockman_http::Settings {
            limits: Limits::bitcoin_core(),
            ..sockman_http::Settings::default()
        };
        let server = Server::new(rpc(acl), settings);
        let backend = host.backend::<Sim>(&Config::default()).expect("a backend");
        let mut server = Driver::with_backend(backend, server);
        server
            .with(|server, net| server.listen(net, &host.at(8332), &ListenOptions::default()))
            .expect("a listener");
        World {
            network,
            server,
            host,
            client,
        }
    }

    fn strict() -> Self {
        Self::new(|acl| {
            rpc(Settings {
                acl,
                ..Settings::default()
            })
        })
    }

    fn connect(&mut self, from: &Host) -> Client {
        let socket = from.connect(&self.host.at(8332)).expect("a socket");
        let mut client = Client {
            socket,
            heard: Vec::new(),
        };
        self.pass(Duration::from_millis(10), &mut client);
        assert!(client.socket.is_connected().expect("no error"));
        client
    }

    /// Lets time pass, and this client hear what comes.
    fn pass(&mut self, time: Duration, client: &mut Client) {
        self.network
            .run_until(&mut self.server, time, |_| false)
            .expect("turns");
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = client.socket.read(&mut buffer) {
            client.heard.extend_from_slice(&buffer[..count]);
        }
    }

    /// What a request is answered at once.
    fn ask(&mut self, request: &str) -> String {
        let from = self.client.clone();
        let mut client = self.connect(&from);
        client.say(request);
        self.pass(Duration::from_millis(100), &mut client);
        client.hear()
    }
}

impl Client {
    fn say(&self, request: &str) {
        assert_eq!(self.socket.write(request.as_bytes()).ok(), Some(request.len()));
    }

    fn hear(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.heard)).expect("UTF-8")
    }
}

#[track_caller]
fn is(answer: &str, status: u16, field: &str, body: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{status}: {answer}"
    );
    assert!(answer.contains(field), "{field}: {answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{body}: {answer}");
}

const ECHO: &str = r#"{"method":"echo","id":1}"#;
const ECHOED: &str = "{\"result\":[],\"error\":null,\"id\":1}\n";

#[test]
fn a_call_is_answered() {
    let mut world = World::strict();
    let answer = world.ask(&post("/", ALICE, ECHO));
    is(&answer, 200, "\r\ncontent-type: application/json\r\n", ECHOED);
    let answer = world.ask(&post("/", ALICE, r#"{"jsonrpc":"2.0","method":"echo"}"#));
    is(&answer, 204, "", "");
    assert!(!answer.contains("content-type"), "{answer}");
    let answer = world.ask(&post("/wallet/mine", ALICE, ECHO));
    let why = r#"{"code":-18,"message":"Requested wallet does not exist or is not loaded"}"#;
    is(
        &answer,
        500,
        "",
        &format!("{{\"result\":null,\"error\":{why},\"id\":1}}\n"),
    );
}

#[test]
fn what_is_no_post_to_a_known_path_is_refused() {
    let mut world = World::strict();
    for path in [
        "/x",
        "/wallet",
        "/index.html",
        "/../",
        "/.",
        "//",
        "/?x",
        "/rest/chaininfo.json",
    ] {
        is(&world.ask(&post(path, ALICE, ECHO)), 404, "", "");
        is(
            &world.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")),
            404,
            "",
            "",
        );
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "post"] {
        for path in ["/", "/wallet/x"] {
            let answer = world.ask(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
            is(&answer, 405, "\r\nallow: POST\r\n", "");
        }
    }
    is(
        &world.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
        405,
        "\r\nallow: POST\r\n",
        "",
    );
}

#[test]
fn without_credentials_it_is_401_at_once() {
    let mut world = World::strict();
    let answer = world.ask(&post("/", "", ECHO));
    is(
        &answer,
        401,
        "\r\nwww-authenticate: Basic realm=\"jsonrpc\"\r\n",
        "",
    );
}

#[test]
fn wrong_credentials_are_401_after_250_ms_and_nobody_else_waits() {
    let mut world = World::strict();
    let from = world.client.clone();
    let (mut guesser, mut other) = (world.connect(&from), world.connect(&from));
    guesser.say(&post("/", WRONG, ECHO));
    world.pass(Duration::from_millis(249), &mut guesser);
    assert_eq!(guesser.hear(), "");
    other.say(&post("/", ALICE, ECHO));
    world.pass(Duration::ZERO, &mut other);
    world.pass(Duration::from_micros(900), &mut other);
    is(&other.hear(), 200, "", ECHOED);
    world.pass(Duration::from_millis(2), &mut guesser);
    is(
        &guesser.hear(),
        401,
        "\r\nwww-authenticate: Basic realm=\"jsonrpc\"\r\n",
        "",
    );
    // The connection can go on.
    guesser.say(&post("/", ALICE, ECHO));
    world.pass(Duration::from_millis(10), &mut guesser);
    is(&guesser.hear(), 200, "", ECHOED);
}

#[test]
fn who_may_not_connect_is_403_whatever_it_says() {
    let mut world = World::strict();
    let stranger = world.network.host();
    for request in [
        post("/", ALICE, ECHO),
        post("/", "", ECHO),
        "GET /x HTTP/1.1\r\nHost: x\r\n\r\n".into(),
    ] {
        let mut client = world.connect(&stranger);
        client.say(&request);
        world.pass(Duration::from_millis(100), &mut client);
        is(&client.hear(), 403, "", "");
    }
}

#[test]
fn whoever_may_call_nothing_is_403() {
    let mut world = World::new(|acl| {
        let mut users = users();
        users.whitelist("bob:echo");
        let settings = Settings {
            acl,
            ..Settings::default()
        };
        Rpc::new(dispatcher(), users, settings).expect("threads")
    });
    is(&world.ask(&post("/", ALICE, "[]")), 403, "", "");
}

#[test]
fn without_users_there_is_no_rpc() {
    let mut world = World::new(|acl| {
        let settings = Settings {
            acl,
            ..Settings::default()
        };
        Rpc::new(dispatcher(), Credentials::default(), settings).expect("no threads")
    });
    is(&world.ask(&post("/", ALICE, ECHO)), 404, "", "");
    is(&world.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 404, "", "");
}

#[test]
fn types_of_bodies() {
    let mut strict = World::strict();
    let mut core = World::new(|acl| {
        rpc(Settings {
            acl,
            ..Settings::bitcoin_core()
        })
    });
    for (value, taken) in [
        ("application/json", true),
        ("Application/JSON ; charset=utf-8", true),
        ("application/json-rpc", true),
        ("text/plain;", true),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=x", false),
        ("application/jsonp", false),
        ("", false),
    ] {
        let request = post("/", &format!("{ALICE}Content-Type: {value}\r\n"), ECHO);
        is(&core.ask(&request), 200, "", ECHOED);
        let answer = strict.ask(&request);
        if taken {
            is(&answer, 200, "", ECHOED);
        } else {
            is(&answer, 415, "\r\naccept: application/json\r\n", "");
        }
    }
    let twice = format!("{ALICE}Content-Type: application/json\r\nContent-Type: text/plain\r\n");
    is(&core.ask(&post("/", &twice, ECHO)), 200, "", ECHOED);
}

#[test]
fn bodies_of_those_who_are_refused_are_not_waited_for() {
    let mut world = World::strict();
    let head =
        |fields: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: 33000000\r\n\r\n{{");
    is(&world.ask(&head("")), 401, "", "");
    assert_eq!(world.ask(&head(ALICE)), "", "this one is");
}

#[test]
fn above_32_mib_is_413() {
    let mut world = World::strict();
    let head = |length: u64| {
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    assert!(
        world.ask(&head(33_554_432)).starts_with("HTTP/1.1 100 "),
        "32 MiB are waited for"
    );
    assert!(world.ask(&head(33_554_433)).starts_with("HTTP/1.1 413 "));
}
