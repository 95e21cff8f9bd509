//! JSON-RPC: where it is, for whom, and how it stops the server.

use super::client::{Answer, Client};
use super::everywhere;
use crate::server::Server;
use sockman_node::Choice;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tempfile::TempDir;

/// `u:p`, as Basic authentication has it (RFC 7617).
const GOOD: &str = "Authorization: Basic dTpw\r\n";
const USER: [&str; 4] = ["--rpc-user", "u", "--rpc-password", "p"];

/// Sends a call without waiting for its answer.
fn send(client: &mut Client, path: &str, fields: &str, body: &str) {
    let length = body.len();
    client.send(format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    ));
}

fn call(client: &mut Client, path: &str, fields: &str, body: &str) -> Answer {
    send(client, path, fields, body);
    client.answer()
}

const ECHO: &str = r#"{"id":1,"method":"echo","params":["a",2]}"#;
const ECHOED: &str = "{\"result\":[\"a\",2],\"error\":null,\"id\":1}\n";

#[test]
fn it_is_at_rpc_for_those_who_may_call() {
    everywhere(&USER, |server| {
        let mut client = Client::new(&server.at[0]);
        let answer = call(&mut client, "/rpc", GOOD, ECHO);
        assert_eq!((answer.status, answer.text()), (200, ECHOED));
        assert_eq!(answer.field("content-type"), Some("application/json"));
        let stranger = call(&mut client, "/rpc", "", ECHO);
        assert_eq!(stranger.status, 401);
        assert_eq!(
            stranger.field("www-authenticate"),
            Some("Basic realm=\"jsonrpc\"")
        );
        let liar = call(&mut client, "/rpc", "Authorization: Basic dTpx\r\n", ECHO);
        assert_eq!(liar.status, 401);
        let form = call(
            &mut client,
            "/rpc",
            &format!("{GOOD}Content-Type: text/html\r\n"),
            ECHO,
        );
        assert_eq!(form.status, 415);
        let got = client.get("/rpc");
        assert_eq!((got.status, got.field("allow")), (405, Some("POST")));
        assert_eq!(
            call(&mut client, "/", GOOD, ECHO).text(),
            ECHO,
            "the root is an echo"
        );
        assert_eq!(call(&mut client, "/wallet/w", GOOD, ECHO).status, 404);
    });
}

/// Whoever comes while another's call is under way is not taken for the other.
#[test]
fn nobody_calls_by_the_password_of_another() {
    everywhere(&USER, |server| {
        let (mut user, mut stranger) = (Client::new(&server.at[0]), Client::new(&server.at[0]));
        for _ in 0..2 {
            let length = ECHO.len();
            user.send(format!(
                "POST /rpc HTTP/1.1\r\nHost: x\r\n{GOOD}Content-Length: {length}\r\n\r\n"
            ));
            // So that the head has been read.
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(call(&mut stranger, "/rpc", "", ECHO).status, 401);
            user.send(ECHO);
            assert_eq!(user.answer().text(), ECHOED);
        }
    });
}

#[test]
fn for_bitcoin_it_is_the_root() {
    everywhere(&[&USER[..], &["--bitcoin-compat"]].concat(), |server| {
        let mut client = Client::new(&server.at[0]);
        for fields in ["", "Content-Type: text/html\r\n"] {
            let answer = call(&mut client, "/", &format!("{GOOD}{fields}"), ECHO);
            assert_eq!((answer.status, answer.text()), (200, ECHOED));
        }
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let answer = client.ask(method, "/");
            assert_eq!(
                (answer.status, answer.field("allow")),
                (405, Some("POST")),
                "{method}"
            );
        }
        for path in [
            "/rpc",
            "/nowhere",
            "/.",
            "/../",
            "/./",
            "//",
            "/nowhere/..",
            "/a.b.c",
        ] {
            assert_eq!(call(&mut client, path, GOOD, ECHO).status, 404, "{path}");
            assert_eq!(client.ask("BREW", path).status, 404, "{path}");
        }
        let wallet = call(&mut client, "/wallet/w", GOOD, ECHO);
        assert!(wallet.text().contains("-18"), "{}", wallet.text());
        // Clients of Core need not say whom they talk to.
        let length = ECHO.len();
        client.send(format!(
            "POST / HTTP/1.1\r\n{GOOD}Content-Length: {length}\r\n\r\n{ECHO}"
        ));
        assert_eq!(client.answer().text(), ECHOED);
        // Heads have Core's limit.
        client.send(format!("GET /hello HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(9000)));
        assert_eq!(client.answer().status, 400);
    });
    everywhere(&["--bitcoin-compat"], |server| {
        let mut client = Client::new(&server.at[0]);
        assert_eq!(
            call(&mut client, "/", GOOD, ECHO).status,
            404,
            "without credentials there is none"
        );
    });
}

#[test]
fn the_cookie_is_a_file_that_is_there_while_the_server_is() {
    for backend in Choice::compiled().map(Choice::name) {
        for shards in ["1", "2"] {
            let folder = TempDir::new().expect("a temporary folder");
            let file = folder.path().join("cookie");
            let path = file.display().to_string();
            let server = Server::http(
                backend,
                &["127.0.0.1:0"],
                &["--rpc-cookie", &path, "--shards", shards],
            );
            let cookie = fs::read(&file).expect("it is there");
            let mode = file.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let basic = format!("Authorization: Basic {}\r\n", base64(&cookie));
            for _ in 0..4 {
                let mut client = Client::new(&server.at[0]);
                assert_eq!(call(&mut client, "/rpc", &basic, ECHO).text(), ECHOED);
            }
            server.stop();
            assert!(!file.exists());
        }
    }
}

#[test]
fn a_call_stops_the_server_and_what_waits_is_told_so() {
    for backend in Choice::compiled().map(Choice::name) {
        for shards in ["1", "2"] {
            let flags = [&USER[..], &["--drain", "50", "--shards", shards]].concat();
            let server = Server::http(backend, &["127.0.0.1:0"], &flags);
            let (mut sleeper, mut client) = (Client::new(&server.at[0]), Client::new(&server.at[0]));
            send(
                &mut sleeper,
                "/rpc",
                GOOD,
                r#"{"id":1,"method":"sleep","params":[3600000]}"#,
            );
            loop {
                let info = call(&mut client, "/rpc", GOOD, r#"{"id":2,"method":"getrpcinfo"}"#);
                if info.text().contains("\"sleep\"") {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let stopping = call(&mut client, "/rpc", GOOD, r#"{"id":3,"method":"stop"}"#);
            assert!(
                stopping.text().contains("sockman stopping"),
                "{}",
                stopping.text()
            );
            client.end();
            let slept = sleeper.answer();
            assert!(slept.text().contains("Shutting down"), "{}", slept.text());
            drop(sleeper);
            assert_eq!(server.wait().status.code(), Some(0));
        }
    }
}

/// Base64 (RFC 4648 section 4) of what is a multiple of three bytes long, or filled up.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| {
            group << 8 | usize::from(*three.get(i).unwrap_or(&0))
        });
        for digit in 0..4 {
            let is_there = digit <= three.len();
            let value = group >> (18 - 6 * digit) & 63;
            text.push(if is_there { DIGITS[value].into() } else { '=' });
        }
    }
    text
}
