//! Hostile peers of a Bitcoin node over sockets, on every backend that is compiled in: see `consumers/p2p/tests/sockets/mod.rs`.

#![allow(clippy::unwrap_used)]

#[path = "../../p2p/tests/sockets/mod.rs"]
mod sockets;

macro_rules! on {
    ($($feature:literal $name:ident $backend:ident;)*) => {
        $(
            #[cfg(feature = $feature)]
            #[test]
            fn $name() {
                sockets::check::<sockman_backends::$backend>();
            }
        )*
    };
}

on! {
    "mio" hostile_peers_on_mio Mio;
    "polling" hostile_peers_on_polling Polling;
    "uv" hostile_peers_on_uv Uv;
    "uring" hostile_peers_on_uring Uring;
}
