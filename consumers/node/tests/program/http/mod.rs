//! The HTTP server, from the other end of a socket.
//!
//! - `site.rs`: what is at which path, and which methods it takes
//! - `limits.rs`: what flags change
//! - `rpc.rs`: JSON-RPC
//! - `stop.rs`: signals while requests are under way
//! - `cli.rs`: bad flags, the access log
//! - `client.rs`: a client that shows what it gets

mod cli;
pub(crate) mod client;
mod limits;
mod rpc;
mod site;
mod stop;

use crate::server::Server;
use client::Client;
use sockman_node::Choice;

/// Runs a script with the server on each backend, over TCP.
fn everywhere(flags: &[&str], script: impl Fn(&Server)) {
    for backend in Choice::compiled().map(Choice::name) {
        let server = Server::http(backend, &["127.0.0.1:0"], flags);
        script(&server);
        server.stop();
    }
}

/// The same, with a connection.
fn talk(flags: &[&str], script: impl Fn(&mut Client)) {
    everywhere(flags, |server| {
        script(&mut Client::new(&server.at[0]));
    });
}
