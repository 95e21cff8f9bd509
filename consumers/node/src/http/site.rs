//! The site: what stands at which path is said in `page`.

use super::page::{self, Page};
use super::source::{Letters, Pieces, Ticks};
use sockman_backends::sockman::Bytes;
use sockman_http::http::{HeaderValue, Response, StatusCode, header};
use sockman_http::rpc::Rpc;
use sockman_http::{
    Answered, Body, Counters, Reply, Request, Respond, Service, Source, Take, Workers, metrics, sse,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What all loops of a server know. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopping: AtomicBool,
    counters: Mutex<Vec<Counters>>,
}

impl Shared {
    /// One more loop's server counts here, for [`/metrics`](Site).
    pub fn count(&self, counters: Counters) {
        self.counters().push(counters);
    }

    fn counters(&self) -> MutexGuard<'_, Vec<Counters>> {
        // A list that is only added to is right at any time, also after a panic.
        self.0.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on [`/healthz`](Site) is 503, and answers without end come to one.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}

/// A site that shows what the server can do.
///
/// | path | answer |
/// |---|---|
/// | `/`, `/echo` | the request's own body |
/// | `/hello` | `Hello, world!` |
/// | `/worker` | the same, by a worker |
/// | `/stream/N` | N letters, in pieces; with the query `chunked` their number is not told first |
/// | `/sse` | server-sent events, one each period |
/// | `/metrics` | what the servers of all loops have counted, for Prometheus |
/// | `/healthz` | `ok`, or 503 while the server stops |
/// | `/rpc` | JSON-RPC, by POST; with [`bitcoin_compat`](Site::bitcoin_compat) at `/` instead |
/// | `/browser` | a page that tries the others |
#[derive(Clone)]
pub struct Site {
    workers: Workers,
    shared: Shared,
    sse_every: Duration,
    rpc: Rpc<()>,
    bitcoin_compat: bool,
}

impl Site {
    /// A site, with an event of `/sse` so often. Clones share everything.
    ///
    /// `rpc` has to be at `/rpc`, or with [`bitcoin_compat`](Self::bitcoin_compat) at `/`.
    pub fn new(workers: Workers, rpc: Rpc<()>, shared: Shared, sse_every: Duration) -> Site {
        Site {
            workers,
            shared,
            sse_every,
            rpc,
            bitcoin_compat: false,
        }
    }

    /// JSON-RPC is at `/` (and `/wallet/NAME`), which then is nothing else, and not at `/rpc`.
    #[must_use]
    pub fn bitcoin_compat(mut self, is_so: bool) -> Site {
        self.bitcoin_compat = is_so;
        self
    }

    /// The page that a request is for.
    fn find(&self, request: &Request<'_>) -> Result<Page, Wrong> {
        let method = request.method();
        let found = Page::find(request.path(), self.bitcoin_compat);
        match found {
            // It says itself what is wrong, by rules of its own.
            Some(Page::Rpc) => Ok(Page::Rpc),
            None if self.bitcoin_compat => Err(Wrong::Path),
            _ if !page::is_implemented(method) => Err(Wrong::Method),
            None => Err(Wrong::Path),
            Some(page) if !page.takes(method) => Err(Wrong::MethodFor(page)),
            Some(page) => Ok(page),
        }
    }

    fn page(&self, page: Page, request: &Request<'_>, body: &[u8], reply: Reply<'_, Pieces>) -> Answered {
        match page {
            // Not by the type that the body says it has: what a stranger sends must not become a page of this site.
            Page::Echo => {
                let reply = match request.method() {
                    "OPTIONS" => reply.with(&header::ALLOW, &HeaderValue::from_static(page.allow())),
                    _ => reply,
                };
                typed(reply, "application/octet-stream").send(body)
            }
            Page::Rpc => self.rpc.answer(request, body, reply),
            _ if request.method() == "OPTIONS" => reply
                .ok()
                .header(&header::ALLOW, &HeaderValue::from_static(page.allow()))
                .empty(),
            Page::Hello | Page::Server => reply.text(HELLO),
            Page::Worker => self.workers.run(reply, hello),
            Page::Stream(count) => {
                let length = (request.query() != Some("chunked")).then_some(count);
                typed(reply, "application/octet-stream").stream(Pieces::Letters(Letters::new(count)), length)
            }
            Page::Events => {
                let ticks = Ticks::new(first_event(request), self.sse_every, self.shared.clone());
                typed(reply, sse::MEDIA_TYPE)
                    .header(&header::CACHE_CONTROL, &HeaderValue::from_static("no-store"))
                    .stream(Pieces::Ticks(ticks), None)
            }
            Page::Metrics => {
                let text = metrics::text(&self.shared.counters());
                typed(reply, metrics::MEDIA_TYPE).send_bytes(text.into())
            }
            Page::Health if self.shared.is_stopping() => {
                reply.status(StatusCode::SERVICE_UNAVAILABLE).text("stopping\n")
            }
            Page::Health => reply.text("ok\n"),
            Page::Browser => typed(reply, "text/html; charset=utf-8").send(include_bytes!("page.html")),
        }
    }
}

impl Service for Site {
    type Upload = ();
    type Source = Pieces;

    /// Only an echo and a call want a body.
    fn begin(&mut self, request: &Request<'_>) -> Take<()> {
        match self.find(request) {
            Ok(Page::Echo) => Take::Whole,
            Ok(Page::Rpc) if self.rpc.admits(request) => Take::Whole,
            _ => Take::Nothing,
        }
    }

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, Pieces>) -> Answered {
        match self.find(request) {
            Ok(page) => self.page(page, request, body.bytes(), reply),
            Err(Wrong::Method) => refuse(reply, StatusCode::NOT_IMPLEMENTED),
            Err(Wrong::Path) => refuse(reply, StatusCode::NOT_FOUND),
            Err(Wrong::MethodFor(page)) => {
                let reply = reply.with(&header::ALLOW, &HeaderValue::from_static(page.allow()));
                refuse(reply, StatusCode::METHOD_NOT_ALLOWED)
            }
        }
    }
}

/// Why there is no page for a request.
enum Wrong {
    /// No page takes the method.
    Method,
    /// There is nothing at the path.
    Path,
    /// This page does not take the method.
    MethodFor(Page),
}

const HELLO: &str = "Hello, world!";

/// What a worker answers.
fn hello() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(HELLO.as_bytes()));
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// A client that has lost its connection goes on after the last event that it had.
fn first_event(request: &Request<'_>) -> u64 {
    let last = request
        .field("last-event-id")
        .and_then(|id| str::from_utf8(id).ok()?.parse::<u64>().ok());
    last.map_or(0, |last| last.wrapping_add(1))
}

fn typed<'a>(reply: Reply<'a, Pieces>, content_type: &'static str) -> Respond<'a, Pieces> {
    reply
        .ok()
        .header(&header::CONTENT_TYPE, &HeaderValue::from_static(content_type))
}

/// Ends an answer that is an error, by its name.
pub(super) fn refuse<S: Source>(reply: Reply<'_, S>, status: StatusCode) -> Answered {
    let reason = status.canonical_reason().unwrap_or_default();
    reply
        .status(status)
        .text(&format!("{}: {}\n", status.as_str(), reason))
}
