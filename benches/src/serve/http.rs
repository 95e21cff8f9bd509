//! The server of HTTP that is compared, on a backend.

use super::backend::serve;
use super::{Ready, Running};
use crate::http::{HELLO, TEXT, USER};
use sockman::Backend;
use sockman::bytes::Bytes;
use sockman_http::http::header::{self, HeaderValue};
use sockman_http::http::{Response, StatusCode};
use sockman_http::rpc::{self, Credentials, Dispatcher, Instance, Methods, Rpc};
use sockman_http::{Answered, Body, Reply, Request, Server, Service, Settings, Workers};
use std::io;

/// Jobs that may wait for the worker: more than there are connections.
const QUEUE: usize = 1024;

/// What all of them answer.
struct Answers {
    workers: Workers,
}

impl Service for Answers {
    type Upload = ();
    type Source = ();

    #[inline]
    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        match (request.method(), request.path()) {
            ("GET", "/hello") => reply.text(HELLO),
            ("POST", "/echo") => reply
                .ok()
                .header(
                    &header::CONTENT_TYPE,
                    &HeaderValue::from_static("application/octet-stream"),
                )
                .send(body.bytes()),
            ("GET", "/worker") => self.workers.run(reply, || {
                let mut answer = Response::new(Bytes::from_static(HELLO.as_bytes()));
                let of = HeaderValue::from_static(TEXT);
                answer.headers_mut().insert(header::CONTENT_TYPE, of);
                answer
            }),
            _ => reply.status(StatusCode::NOT_FOUND).empty(),
        }
    }
}

/// Runs it on a backend.
pub fn run<B: Backend>(ready: Ready<'_>) -> io::Result<()> {
    let service = Answers {
        workers: Workers::new(1, QUEUE)?,
    };
    serve::<B, _>(Server::new(service, Settings::default()), ready)
}

/// Runs JSON-RPC on a backend: the method of that name comes with every server.
pub fn run_rpc<B: Backend>(ready: Ready<'_>) -> io::Result<()> {
    let mut users = Credentials::default();
    users.password(USER, USER).map_err(io::Error::other)?;
    let dispatcher = Dispatcher::new(Methods::new(), Instance::new("bench"), ());
    let rpc = Rpc::new(dispatcher, users, rpc::Settings::default())?;
    serve::<B, _>(Server::new(rpc, Settings::default()), ready)
}

/// Runs it on a backend, for answers by the worker: that makes system calls of its own, which the loop does not count.
pub fn run_uncounted<B: Backend>(ready: Ready<'_>) -> io::Result<()> {
    run::<B>(&mut |running| {
        ready(Running {
            probe: Box::new(|| None),
            ..running
        });
    })
}
