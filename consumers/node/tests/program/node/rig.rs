//! A node that runs, and calls of its methods.

use crate::http::client::{Answer, Client};
use crate::server::{Ended, PATIENCE, Server, sockman};
use serde_json::{Value, json};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Where blocks are mined to.
pub(super) const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

/// Credentials that are given by flags.
pub(super) const USER: [&str; 4] = ["--rpc-user", "u", "--rpc-password", "p"];
const BASIC: &str = "Authorization: Basic dTpw\r\n";

/// A node on regtest.
pub(super) struct Node {
    pub(super) server: Server,
    /// Its chain's directory.
    pub(super) dir: PathBuf,
    rpc: Rpc,
}

/// Calls of a node's methods, from any thread.
pub(super) struct Rpc {
    at: String,
}

impl Deref for Node {
    type Target = Rpc;

    fn deref(&self) -> &Rpc {
        &self.rpc
    }
}

/// The command line of a node with this data directory.
pub(super) fn command(backend: &str, data: &Path, more: &[&str]) -> Command {
    let mut command = sockman();
    arguments(&mut command, backend, data, more);
    command
}

/// Appends them to what starts the program.
pub(super) fn arguments(command: &mut Command, backend: &str, data: &Path, more: &[&str]) {
    command
        .args(["node", "--backend", backend, "--datadir"])
        .arg(data);
    for (flag, value) in [
        ("--chain", "regtest"),
        ("--p2p-bind", "127.0.0.1:0"),
        ("--rpc-bind", "127.0.0.1:0"),
    ] {
        if !more.contains(&flag) {
            command.args([flag, value]);
        }
    }
    command.args(more);
}

impl Node {
    /// Starts one, with a user whose password is known.
    pub(super) fn start(backend: &str, data: &Path, more: &[&str]) -> Node {
        let more = [&USER[..], more].concat();
        Node::spawn(&mut command(backend, data, &more), backend, data)
    }

    /// The same, which cannot write files of more than so many KiB.
    pub(super) fn start_with_little_room(kib: u32, backend: &str, data: &Path, more: &[&str]) -> Node {
        let mut command = Command::new("sh");
        // What a file that grows too large is answered with is an error, and not the end.
        let script = "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"";
        command
            // In blocks of 512 bytes.
            .args(["-c", script, &(2 * kib).to_string()])
            .arg(env!("CARGO_BIN_EXE_sockman"))
            .env_remove("SOCKMAN_LOG");
        arguments(&mut command, backend, data, &[&USER[..], more].concat());
        Node::spawn(&mut command, backend, data)
    }

    pub(super) fn spawn(command: &mut Command, backend: &str, data: &Path) -> Node {
        let templates = command.get_args().filter(|arg| *arg == "--sv2-bind").count();
        let server = Server::spawn(command, backend, 2 + templates);
        let at = server.at[1].clone();
        Node {
            server,
            dir: data.join("regtest"),
            rpc: Rpc { at },
        }
    }

    /// Where peers connect.
    pub(super) fn p2p(&self) -> &str {
        &self.server.at[0]
    }

    /// Its methods, for other threads.
    pub(super) fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Where pools connect.
    pub(super) fn sv2(&self) -> &str {
        &self.server.at[2]
    }

    pub(super) fn cookie(&self) -> String {
        fs::read_to_string(self.dir.join(".cookie")).expect("it is there")
    }

    pub(super) fn stop(self) -> Ended {
        self.server.stop()
    }
}

impl Rpc {
    /// A connection.
    pub(super) fn client(&self) -> Client {
        Client::new(&self.at)
    }

    /// The answer to a call, with this user.
    pub(super) fn post(&self, fields: &str, method: &str, params: &Value) -> Answer {
        let mut client = self.client();
        send(&mut client, fields, method, params);
        client.answer()
    }

    /// What a call is answered, result or error.
    pub(super) fn ask(&self, method: &str, params: &Value) -> Value {
        json_of(&self.post(BASIC, method, params))
    }

    /// What a method returns.
    pub(super) fn call(&self, method: &str, params: &Value) -> Value {
        let mut value = self.ask(method, params);
        assert_eq!(value["error"], Value::Null, "{method} {params}");
        value["result"].take()
    }

    /// The same on a connection that stays.
    pub(super) fn call_on(client: &mut Client, method: &str, params: &Value) -> Value {
        send(client, BASIC, method, params);
        let mut value = json_of(&client.answer());
        assert_eq!(value["error"], Value::Null, "{method} {params}");
        value["result"].take()
    }

    /// The error that a method fails with.
    pub(super) fn fail(&self, method: &str, params: &Value) -> (i64, String) {
        let value = self.ask(method, params);
        let error = &value["error"];
        let code = error["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("{method} {params}: {value}"));
        (code, error["message"].as_str().expect("a message").to_owned())
    }

    /// A call whose answer is looked at later.
    pub(super) fn begin(&self, method: &str, params: &Value) -> Client {
        let mut client = self.client();
        send(&mut client, BASIC, method, params);
        client
    }

    pub(super) fn height(&self) -> u64 {
        self.call("getblockcount", &json!([])).as_u64().expect("a height")
    }

    pub(super) fn tip(&self) -> Value {
        self.call("getbestblockhash", &json!([]))
    }

    /// Mines so many blocks.
    pub(super) fn mine(&self, blocks: u64) {
        let mined = self.call("generatetoaddress", &json!([blocks, ADDRESS]));
        assert_eq!(mined.as_array().expect("hashes").len() as u64, blocks);
    }

    /// Waits until this holds.
    pub(super) fn until(&self, what: &str, holds: impl Fn(&Rpc) -> bool) {
        let by = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < by, "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until so many calls of this method are being carried out.
    pub(super) fn until_running(&self, method: &str, count: usize) {
        self.until(method, |node| {
            let info = node.call("getrpcinfo", &json!([]));
            let running = info["active_commands"].as_array().expect("a list");
            running
                .iter()
                .filter(|command| command["method"] == method)
                .count()
                == count
        });
    }
}

fn send(client: &mut Client, fields: &str, method: &str, params: &Value) {
    let body = json!({"id": 1, "method": method, "params": params}).to_string();
    let length = body.len();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    ));
}

/// The body of an answer.
pub(super) fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|why| panic!("{why}: {answer:?}"))
}
