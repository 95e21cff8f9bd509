//! The io_uring backend while the kernel fails and shortens what it is asked for.
#![cfg(feature = "uring-faults")]

use sockman_tests::faults::Faulty;

sockman_tests::conformance!(faulty, Faulty);
