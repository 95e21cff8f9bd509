//! The program `sockman`, run as its users run it, on every backend that is compiled in.
//!
//! - `cli.rs`: what it says, the list of backends, errors
//! - `echo.rs`: the echo server over TCP and Unix sockets
//! - `stop.rs`: signals, and what is left behind
//! - `http/`: the HTTP server; `node/`: the Bitcoin node, and files of blocks
//! - `server.rs`, `peer.rs`: the program running, and the other end of a connection to it

mod cli;
mod echo;
mod http;
mod node;
mod peer;
#[allow(dead_code, reason = "other test programs use more of it")]
mod server;
mod stop;
