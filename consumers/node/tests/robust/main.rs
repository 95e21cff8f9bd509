//! What a hostile or unlucky world does to `sockman http`, to `sockman node` and to a template provider, on every backend that is
//! compiled in, with figures.
//!
//! - `slow.rs`: clients that send slowly, or never read
//! - `many.rs`: many connections: at once, idle, and more than there are descriptors for
//! - `stop.rs`: an end under load
//! - `delay.rs`: an echo that comes in two pieces
//! - `killed.rs`: the download of a long chain that is killed and goes on; `released.rs`: the program as it is released
//! - `together.rs`: three protocols on one loop, and what each costs the others
//! - `sv2`: hostile clients of a template provider
//! - `measure.rs`: memory and CPU time of the server; a client
//!
//! Limits are generous: they tell what is broken from what is not. The figures are printed, one line each.

mod delay;
#[path = "."]
mod http {
    #[path = "../program/http/client.rs"]
    #[allow(dead_code, reason = "the tests of the program use more of it")]
    pub(crate) mod client;
}
mod killed;
mod many;
mod measure;
#[path = "../program/peer.rs"]
#[allow(dead_code, reason = "the tests of the program use more of it")]
mod peer;
mod released;
#[path = "../program/node/rig.rs"]
#[allow(dead_code, reason = "the tests of the program use more of it")]
mod rig;
#[path = "../program/server.rs"]
#[allow(dead_code, reason = "the tests of the program use more of it")]
mod server;
mod slow;
mod stop;
mod sv2;
mod together;

use server::Server;
use sockman_node::Choice;
use std::sync::{Mutex, PoisonError};

/// One at a time: they measure.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a script with the server on each backend; prints what it tells.
fn everywhere(name: &str, flags: &[&str], script: impl Fn(&Server) -> String) {
    on_each_backend(name, |backend| {
        let server = Server::http(backend, &["127.0.0.1:0"], flags);
        let told = script(&server);
        server.stop();
        told
    });
}

fn on_each_backend(name: &str, script: impl Fn(&str) -> String) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    measure::raise_descriptor_limit();
    for backend in Choice::compiled().map(Choice::name) {
        println!("{name:12} {backend:8} {}", script(backend));
    }
}
