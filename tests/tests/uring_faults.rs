//! The io_uring backend while the kernel fails and shortens what it is asked for.
//!
//! - this file: the whole suite under faults that happen by chance, and that each kind of them happens
//! - `named`: a test for each kind of fault
#![cfg(feature = "uring-faults")]

#[path = "uring_faults/named.rs"]
mod named;
#[path = "uring_faults/whole.rs"]
mod whole;

use sockman_backends::uring::faults::Fault;
use sockman_tests::faults::{Faulty, can_inject, happened};
use sockman_tests::{Real, Tcp, Unix, bytes, half_close, soundness, wanting};

sockman_tests::conformance!(faulty, Faulty);

/// The suite cannot pass because nothing happened.
#[test]
fn every_kind_of_fault_happens() {
    if !can_inject() {
        return;
    }
    let mut missing: Vec<Fault> = Fault::ALL
        .into_iter()
        .filter(|fault| fault.is_survived())
        .collect();
    for round in 0..40 {
        let name = format!("uring_faults::round::{round}");
        sockman_tests::named(&name, || {
            half_close::finish_sends_what_is_queued_and_leaves_reading_open::<Real<Faulty, Unix>>();
            bytes::an_echo_returns_every_byte::<Real<Faulty, Tcp>>();
            wanting::wanted_messages_of_all_sizes_come_whole::<Real<Faulty, Tcp>>();
            soundness::random_operations_keep_the_contract::<Real<Faulty, Tcp>>();
        });
        missing.retain(|fault| {
            !happened()
                .iter()
                .any(|(which, times)| which == fault && *times > 0)
        });
        if missing.is_empty() {
            return;
        }
    }
    panic!("never happened: {missing:?}");
}
