//! The conformance suite on every backend that is compiled in.

#[cfg(feature = "mio")]
sockman_tests::conformance!(mio, sockman_backends::Mio);
#[cfg(feature = "polling")]
sockman_tests::conformance!(polling, sockman_backends::Polling);
#[cfg(feature = "uring")]
sockman_tests::conformance!(uring, sockman_backends::Uring);
#[cfg(feature = "uv")]
sockman_tests::conformance!(uv, sockman_backends::Uv);

#[cfg(feature = "sim")]
sockman_tests::simulated_conformance!(sim, sockman_tests::Simulated, sockman_backends::sim::Sim);
#[cfg(feature = "sim")]
sockman_tests::simulated_conformance!(
    sim_level,
    sockman_tests::Simulated,
    sockman_backends::sim::SimLevel
);
