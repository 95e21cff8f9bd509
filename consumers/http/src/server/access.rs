//! The access log: one event of `tracing` for each answer.
//!
//! Its target is `sockman_http::access`, its level INFO. While nobody listens to it, a request costs one look at a flag.

use crate::service::Request;
use http::StatusCode;
use sockman::Endpoint;
use std::time::Duration;
use tracing::Level;

/// Bytes of a target that are logged.
const TARGET: usize = 512;

/// What is kept of a request for the log.
#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    peer: Endpoint,
    method: String,
    target: String,
}

/// Whether anybody listens.
#[inline]
pub(crate) fn is_on() -> bool {
    tracing::enabled!(target: "sockman_http::access", Level::INFO)
}

/// A request has been refused by the server itself.
pub(crate) fn refused(peer: &Endpoint, status: StatusCode, why: &str) {
    tracing::info!(
        target: "sockman_http::access",
        peer = %peer,
        status = status.as_u16(),
        why,
        "refused"
    );
}

impl Entry {
    pub(crate) fn new(request: &Request<'_>) -> Entry {
        let head = request.head();
        // A target is ASCII.
        let target = &head.target[..head.target.len().min(TARGET)];
        Entry {
            id: request.id(),
            peer: request.peer().clone(),
            method: head.method.to_owned(),
            target: target.to_owned(),
        }
    }

    pub(crate) fn write(&self, status: StatusCode, took: Duration) {
        self.event(Some(status), took, "answered");
    }

    /// The answer broke off, or the client has left before it was there.
    pub(crate) fn left(&self, status: Option<StatusCode>, took: Duration) {
        self.event(status, took, "not answered to the end");
    }

    fn event(&self, status: Option<StatusCode>, took: Duration, what: &str) {
        tracing::info!(
            target: "sockman_http::access",
            id = self.id,
            peer = %self.peer,
            method = self.method,
            target = self.target,
            status = status.map(|status| status.as_u16()),
            micros = took.as_micros() as u64,
            "{what}"
        );
    }
}
