//! What commands that run servers have in common.

use super::print;
use crate::failure::Failure;
use sockman_backends::sockman::{Backend, Endpoint};
use sockman_node::Choice;
use std::fmt::Write;

/// The backend that is asked for.
pub(super) fn choice(backend: Option<&str>) -> Result<Choice, Failure> {
    Ok(match backend {
        Some(name) => Choice::by_name(name)?,
        None => Choice::preferred()?,
    })
}

/// For `map_err`, when a loop cannot be made.
pub(super) fn cannot_start<B: Backend>() -> String {
    format!("start the backend {}", B::NAME)
}

/// For `map_err`, when a loop has failed.
pub(super) const CANNOT_GO_ON: &str = "go on: the backend has failed";

/// Tells where a server listens: `at` has the ports that the kernel chose.
pub(super) fn tell<B: Backend>(at: &[Endpoint]) -> Result<(), Failure> {
    let mut text = String::new();
    for at in at {
        let _ = writeln!(text, "listening on {at} (backend {})", B::NAME);
    }
    print(&text)
}
