//! The conformance suite on every backend that is compiled in.

#[cfg(feature = "mio")]
sockman_tests::conformance!(mio, sockman_backends::Mio);
#[cfg(feature = "polling")]
sockman_tests::conformance!(polling, sockman_backends::Polling);
#[cfg(feature = "uring")]
sockman_tests::conformance!(uring, sockman_backends::Uring);
#[cfg(feature = "uv")]
sockman_tests::conformance!(uv, sockman_backends::Uv);
