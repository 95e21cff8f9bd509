//! Hostile peers over real sockets, on loopback, on the `mio` backend: see `sockets/mod.rs`. `sockman-node` has the same on every
//! backend that is compiled in.

#![allow(clippy::unwrap_used)]

#[path = "sockets/mod.rs"]
mod sockets;

use sockman_backends::Mio;

#[test]
fn hostile_peers_on_sockets() {
    sockets::check::<Mio>();
}
