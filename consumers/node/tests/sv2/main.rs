//! The Stratum V2 template provider over real sockets, on every backend that is compiled in, with a client that is built from the
//! reference implementation's own crates.
//!
//! - `peer`: the client; `served`: a provider with a loop on a thread
//! - `messages`: every message of the protocol
//! - `pieces`: bytes one at a time, and 64 requests at once
//! - `writes`: one write for a frame, options of sockets, and no turns when there is nothing to do

mod messages;
mod peer;
mod pieces;
mod served;
mod writes;

macro_rules! on_every_backend {
    ($($module:ident::$scenario:ident;)*) => {
        $(
            mod $scenario {
                use crate::$module::$scenario;

                #[cfg(feature = "mio")]
                #[test]
                fn mio() {
                    $scenario::<sockman_backends::Mio>();
                }

                #[cfg(feature = "polling")]
                #[test]
                fn polling() {
                    $scenario::<sockman_backends::Polling>();
                }

                #[cfg(feature = "uv")]
                #[test]
                fn uv() {
                    $scenario::<sockman_backends::Uv>();
                }

                #[cfg(feature = "uring")]
                #[test]
                fn uring() {
                    $scenario::<sockman_backends::Uring>();
                }
            }
        )*
    };
}

on_every_backend! {
    messages::certificates;
    messages::refusals;
    messages::templates;
    messages::tips;
    messages::fees;
    messages::solutions;
    pieces::same_answers;
    writes::one_write_each;
    writes::idle;
    writes::options;
}
