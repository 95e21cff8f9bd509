//! JSON-RPC over HTTP: what is refused by its head, on a simulated network; what workers do, on sockets.

#[path = "rpc_service/heads.rs"]
mod heads;
#[path = "rpc_service/workers.rs"]
mod workers;

use sockman_http::rpc::{Credentials, Dispatcher, Instance, Methods, Rpc, Settings};

/// `alice:secret`.
const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";
/// `alice:wrong`.
const WRONG: &str = "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n";

fn users() -> Credentials {
    let mut users = Credentials::default();
    users.password("alice", "secret").expect("a user");
    users
}

fn dispatcher() -> Dispatcher<()> {
    Dispatcher::new(Methods::new(), Instance::new("tester"), ())
}

fn rpc(settings: Settings) -> Rpc<()> {
    Rpc::new(dispatcher(), users(), settings).expect("threads")
}

fn post(path: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}
