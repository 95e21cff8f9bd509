//! Clients that others have written, against `sockman http` on every backend that is compiled in: over TCP, and those that can
//! over Unix sockets.
//!
//! - `curl.rs`, `python.rs` (`http.client` and `requests`), `node.rs` (`http` and `fetch`), `hyper.rs`: requests of all kinds
//! - `load.rs`: `wrk`, `ab` and `h2load`, which send many
//! - `browser.rs`: a page in Chromium
//! - `tool.rs`: running them
//!
//! Whatever is not installed is a failure: `./test clients` installs it.

mod browser;
mod curl;
mod hyper;
mod load;
mod node;
mod python;
#[path = "../program/server.rs"]
#[allow(dead_code, reason = "the tests of the program use more of it")]
mod server;
mod tool;

use server::Server;
use sockman_node::Choice;
use tempfile::TempDir;

/// Where a server is to be found.
enum At<'a> {
    Tcp(&'a str),
    /// A path.
    Unix(&'a str),
}

impl At<'_> {
    /// The beginning of URLs. Over a Unix socket their host is only a name.
    fn base(&self) -> String {
        match self {
            At::Tcp(at) => format!("http://{at}"),
            At::Unix(_) => "http://localhost".to_owned(),
        }
    }

    /// As `sockman --listen` has it.
    fn endpoint(&self) -> String {
        match self {
            At::Tcp(at) => (*at).to_owned(),
            At::Unix(path) => format!("unix:{path}"),
        }
    }
}

/// Runs a script against a server on each backend, over TCP.
fn over_tcp(script: impl Fn(&At<'_>)) {
    for backend in Choice::compiled().map(Choice::name) {
        eprintln!("{backend}");
        let server = Server::http(backend, &["127.0.0.1:0"], FLAGS);
        script(&At::Tcp(&server.at[0]));
        server.stop();
    }
}

/// The same, and over a Unix socket.
fn over_both(script: impl Fn(&At<'_>)) {
    over_tcp(&script);
    for backend in Choice::compiled().map(Choice::name) {
        eprintln!("{backend}, Unix");
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("http").display().to_string();
        let server = Server::http(backend, &[&format!("unix:{path}")], FLAGS);
        script(&At::Unix(&path));
        server.stop();
    }
}

/// Events come quickly, and nobody is waited for who does not hang up.
const FLAGS: &[&str] = &["--sse-every", "0.05", "--linger", "1"];
