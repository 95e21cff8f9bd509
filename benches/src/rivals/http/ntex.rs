//! The crate `ntex`, with its own runtime, which uses `io_uring` where the kernel lets it and epoll otherwise; on tokio it is
//! slower than on either. One thread accepts, and one serves.

use crate::http::{HELLO, TEXT};
use crate::serve::{Ready, Running, listener};
use ::ntex::http::body::Body;
use ::ntex::http::header::{CONTENT_TYPE, HeaderValue};
use ::ntex::http::{HttpService, HttpServiceConfig, KeepAlive, Method, Request, Response, StatusCode};
use ::ntex::rt::{DefaultRuntime, System};
use ::ntex::util::{Bytes, BytesMut};
use ::ntex::{SharedCfg, server};
use rustix::net::sockopt;
use std::io;

const NAME: &str = "http";

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let (listener, at) = listener()?;
    // Accepted sockets have it from the one that listens.
    sockopt::set_tcp_nodelay(&listener, true)?;
    ready(Running::new(at));
    System::new(NAME, DefaultRuntime).block_on(async move {
        let settings = HttpServiceConfig::new().set_keepalive(KeepAlive::Os);
        let server = server::build()
            .workers(1)
            .disable_signals()
            .listen(NAME, listener, async |_| HttpService::h1(answer))?
            .config(NAME, SharedCfg::new(NAME).add(settings));
        server.run().await
    })
}

async fn answer(mut request: Request) -> io::Result<Response> {
    Ok(match (request.method(), request.path()) {
        (&Method::GET, "/hello") => with(TEXT, Bytes::from_static(HELLO.as_bytes())),
        (&Method::POST, "/echo") => {
            let mut body = BytesMut::new();
            while let Some(piece) = request.payload().recv().await {
                body.extend_from_slice(&piece.map_err(io::Error::other)?);
            }
            with("application/octet-stream", body.freeze())
        }
        _ => Response::new(StatusCode::NOT_FOUND),
    })
}

fn with(of: &'static str, body: Bytes) -> Response {
    let mut answer = Response::with_body(StatusCode::OK, Body::Bytes(body));
    let of = HeaderValue::from_static(of);
    answer.headers_mut().insert(CONTENT_TYPE, of);
    answer
}
