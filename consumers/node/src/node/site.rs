//! What is at which path.

use super::context::Context;
use super::metrics;
use super::rest::{self, Asked};
use sockman_backends::sockman::Bytes;
use sockman_http::http::{HeaderValue, Response, StatusCode, header};
use sockman_http::rpc::{Acl, Rpc};
use sockman_http::{Answered, Body, Counters, Reply, Request, Service, Take, Workers};
use sockman_p2p::store::Store;
use std::sync::{Arc, OnceLock};

/// What a node serves by HTTP.
///
/// | path | answer |
/// |---|---|
/// | `/` | JSON-RPC, by POST |
/// | `/rest/…` | blocks and headers, if they are to be had ([`rest`](Site::rest)) |
/// | `/metrics` | what the node and this server have counted, for Prometheus |
pub struct Site<D: Store> {
    context: Context<D>,
    rpc: Rpc<Context<D>>,
    rest: Option<Workers>,
    acl: Acl,
    counters: Arc<OnceLock<Counters>>,
}

/// Where a request is to.
enum Place<'a> {
    Rpc,
    /// What comes after `/rest/`.
    Rest(&'a Workers, &'a str),
    Metrics,
}

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD");

impl<D: Store> Site<D> {
    /// `rpc` has to be at `/`, and to let in the same addresses as `acl`.
    pub fn new(context: Context<D>, rpc: Rpc<Context<D>>, acl: Acl) -> Self {
        Site {
            context,
            rpc,
            rest: None,
            acl,
            counters: Arc::default(),
        }
    }

    /// Serves REST too, by these threads.
    #[must_use]
    pub fn rest(mut self, workers: Workers) -> Self {
        self.rest = Some(workers);
        self
    }

    /// What the server counts, for `/metrics`. The first one counts.
    pub fn count(&self, counters: Counters) {
        let _ = self.counters.set(counters);
    }

    /// What is nowhere is JSON-RPC's to refuse.
    fn find<'a>(&'a self, request: &'a Request<'_>) -> Place<'a> {
        let path = request.path();
        if path == "/metrics" {
            return Place::Metrics;
        }
        match (&self.rest, path.strip_prefix(rest::PREFIX)) {
            (Some(workers), Some(path)) => Place::Rest(workers, path),
            _ => Place::Rpc,
        }
    }

    fn rest_answer(
        &self,
        workers: &Workers,
        path: &str,
        request: &Request<'_>,
        reply: Reply<'_, ()>,
    ) -> Answered {
        match Asked::read(path, request.query()) {
            Err(refusal) => reply.respond(refused(refusal)),
            Ok(asked) => {
                let context = self.context.clone();
                workers.run(reply, move || match rest::answer(&context, &asked) {
                    Ok(answer) => typed(Response::new(answer.body), answer.media_type),
                    Err(refusal) => refused(refusal),
                })
            }
        }
    }
}

fn typed(mut response: Response<Bytes>, media_type: &'static str) -> Response<Bytes> {
    let media_type = HeaderValue::from_static(media_type);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

fn refused(refusal: rest::Refusal) -> Response<Bytes> {
    let (status, message) = (refusal.status, refusal.message);
    let mut response = if message.is_empty() {
        Response::new(Bytes::new())
    } else {
        typed(Response::new((message + "\r\n").into()), "text/plain")
    };
    *response.status_mut() = status;
    response
}

impl<D: Store> Service for Site<D> {
    type Upload = ();
    type Source = ();

    /// Only a call wants a body.
    fn begin(&mut self, request: &Request<'_>) -> Take<()> {
        match self.find(request) {
            Place::Rpc if self.rpc.admits(request) => Take::Whole,
            _ => Take::Nothing,
        }
    }

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        match self.find(request) {
            Place::Rpc => self.rpc.answer(request, body.bytes(), reply),
            _ if !self.acl.admits(request.peer()) => reply.status(StatusCode::FORBIDDEN).empty(),
            _ if !matches!(request.method(), "GET" | "HEAD") => {
                let reply = reply.with(&header::ALLOW, &ALLOW);
                reply.status(StatusCode::METHOD_NOT_ALLOWED).empty()
            }
            Place::Rest(workers, path) => self.rest_answer(workers, path, request, reply),
            Place::Metrics => {
                let text = metrics::text(
                    &self.context,
                    self.counters.get().map_or(&[], std::slice::from_ref),
                );
                let response = Response::new(text.into());
                reply.respond(typed(response, sockman_http::metrics::MEDIA_TYPE))
            }
        }
    }
}
