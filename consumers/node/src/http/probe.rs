//! What probes of other projects expect to find.

use super::site::refuse;
use sockman_http::http::{HeaderValue, StatusCode, header};
use sockman_http::{Answered, Body, Reply, Request, Service};

/// A site for probes: suites that look how a server reads requests.
///
/// | path | answer |
/// |---|---|
/// | `/` | `OK`; to POST, PUT and PATCH the request's own body; to OPTIONS what it allows, which DELETE is not among |
/// | `/echo` | the fields of the request, as they were received, one a line |
/// | `/cookie` | the cookies of the request, one a line |
#[derive(Clone, Copy, Debug, Default)]
pub struct Probe;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, OPTIONS, PATCH");

impl Service for Probe {
    type Upload = ();
    type Source = ();

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        let method = request.method();
        if !METHODS.contains(&method) {
            return refuse(reply, StatusCode::NOT_IMPLEMENTED);
        }
        match request.path() {
            "/" | "" if method == "DELETE" => {
                refuse(reply.with(&header::ALLOW, &ALLOW), StatusCode::METHOD_NOT_ALLOWED)
            }
            "/" | "" | "*" if method == "OPTIONS" => {
                (reply.with(&header::ALLOW, &ALLOW).status(StatusCode::NO_CONTENT)).empty()
            }
            "/" | "" if matches!(method, "POST" | "PUT" | "PATCH") => reply.ok().send(body.bytes()),
            "/" | "" | "*" => reply.text("OK"),
            "/echo" => reply.ok().send(&fields(request)),
            "/cookie" => reply.ok().send(&cookies(request)),
            _ => refuse(reply, StatusCode::NOT_FOUND),
        }
    }
}

/// All fields, in order, as they were sent.
fn fields(request: &Request<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for field in request.head().fields {
        text.extend_from_slice(field.name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(field.value);
        text.push(b'\n');
    }
    text
}

/// All cookies as `name=value`, in order (RFC 6265 section 5.4).
fn cookies(request: &Request<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for value in request.head().values("cookie") {
        let pairs = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        for pair in pairs.filter(|pair| pair.contains(&b'=')) {
            text.extend_from_slice(pair);
            text.push(b'\n');
        }
    }
    text
}
