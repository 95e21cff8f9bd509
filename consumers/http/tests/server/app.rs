//! What the server under test serves: a path for each way to answer. Numbers are given in the query, as in `/after?ms=5`.

use sockman_backends::sockman::Bytes;
use sockman_http::http::header::CONTENT_TYPE;
use sockman_http::http::{HeaderValue, StatusCode};
use sockman_http::{
    Answered, Body, Deferred, Flow, Pull, Reply, Request, Resumer, Service, Source, Take, Upload,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// The application, which shares with its test what it has seen.
#[derive(Clone, Default)]
pub(crate) struct App(pub(crate) Rc<Seen>);

/// What it has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// The paths of requests, with their queries, in the order in which they were begun.
    pub(crate) calls: RefCell<Vec<String>>,
    /// Requests to `/deferred`, each with its query, until somebody answers.
    pub(crate) deferred: RefCell<Vec<(String, Deferred)>>,
    /// The tokens of uploads that stop.
    pub(crate) resumers: RefCell<Vec<Resumer>>,
    /// Pieces that uploads have taken.
    pub(crate) pieces: Cell<usize>,
    /// Bytes that sources have given.
    pub(crate) pulled: Cell<usize>,
    /// Sources that are there.
    pub(crate) sources: Cell<usize>,
}

impl Seen {
    /// Takes the token of the deferred request with this query.
    pub(crate) fn deferred(&self, query: &str) -> Deferred {
        let mut all = self.deferred.borrow_mut();
        let place = all.iter().position(|(its, _)| its == query);
        let place = place.unwrap_or_else(|| panic!("{query:?} is not among the deferred"));
        all.remove(place).1
    }

    /// Whether the deferred request with this query has been begun.
    pub(crate) fn is_deferred(&self, query: &str) -> bool {
        self.deferred.borrow().iter().any(|(its, _)| its == query)
    }
}

/// The number of this name in a request's query.
fn number(request: &Request<'_>, name: &str) -> Option<u64> {
    let pairs = request.query()?.split('&');
    let value = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(its, _)| *its == name);
    value.and_then(|(_, number)| number.parse().ok())
}

impl Service for App {
    type Upload = Uploading;
    type Source = Pieces;

    fn begin(&mut self, request: &Request<'_>) -> Take<Uploading> {
        match request.path() {
            "/upload" => {
                let stops = number(request, "stops").unwrap_or_default();
                if stops > 0 {
                    self.0.resumers.borrow_mut().push(request.resumer());
                }
                Take::Pieces(Uploading {
                    seen: self.0.clone(),
                    stops,
                    bytes: 0,
                })
            }
            "/nothing" | "/nothing/deferred" => Take::Nothing,
            _ => Take::Whole,
        }
    }

    fn call(
        &mut self,
        request: &Request<'_>,
        body: Body<'_, Uploading>,
        reply: Reply<'_, Pieces>,
    ) -> Answered {
        let target = match request.query() {
            Some(query) => format!("{}?{query}", request.path()),
            None => request.path().to_owned(),
        };
        self.0.calls.borrow_mut().push(target.clone());
        let size = number(request, "size");
        match request.path() {
            "/deferred" | "/nothing/deferred" => {
                let (deferred, answered) = reply.defer();
                let query = request.query().unwrap_or_default().to_owned();
                self.0.deferred.borrow_mut().push((query, deferred));
                answered
            }
            "/stream" => {
                let source = Pieces {
                    seen: self.0.clone(),
                    left: number(request, "count").unwrap_or(3),
                    size: size.unwrap_or(5) as usize,
                    pause: number(request, "ms").map(Duration::from_millis),
                };
                self.0.sources.set(self.0.sources.get() + 1);
                reply.ok().stream(source, number(request, "length"))
            }
            "/after" => {
                let wait = Duration::from_millis(number(request, "ms").unwrap_or(0));
                reply.ok().after(wait).text("later\n")
            }
            "/status" => {
                let status =
                    number(request, "is").and_then(|status| StatusCode::from_u16(status as u16).ok());
                reply.status(status.unwrap_or(StatusCode::OK)).text("a status\n")
            }
            "/typed" => {
                let html = HeaderValue::from_static("text/html");
                reply.ok().header(&CONTENT_TYPE, &html).text("<p>")
            }
            "/close" => reply.close().text("closing\n"),
            "/large" => {
                let body = vec![b'x'; size.unwrap_or(100_000) as usize];
                reply.ok().send_bytes(Bytes::from(body))
            }
            "/upload" => {
                let Body::Pieces(upload) = body else {
                    panic!("{target} came whole");
                };
                reply.text(&format!("{} bytes\n", upload.bytes))
            }
            "/nothing" => reply.text("nothing\n"),
            _ => {
                let mut text = format!("{} {target}\n", request.method()).into_bytes();
                text.extend_from_slice(body.bytes());
                reply.ok().send(&text)
            }
        }
    }
}

/// Takes a body in pieces.
#[derive(Debug)]
pub(crate) struct Uploading {
    seen: Rc<Seen>,
    /// So often it stops, after a piece each.
    stops: u64,
    bytes: usize,
}

impl Upload for Uploading {
    fn piece(&mut self, data: &[u8]) -> Flow {
        self.seen.pieces.set(self.seen.pieces.get() + 1);
        self.bytes += data.len();
        if self.stops == 0 {
            return Flow::On;
        }
        self.stops -= 1;
        Flow::Stop
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// Gives a body in pieces of a size, all of one letter each.
#[derive(Debug)]
pub(crate) struct Pieces {
    seen: Rc<Seen>,
    left: u64,
    size: usize,
    /// Between two pieces.
    pause: Option<Duration>,
}

impl Source for Pieces {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        if self.left == 0 {
            return Pull::End;
        }
        self.left -= 1;
        let letter = b'a' + (self.left % 26) as u8;
        to.resize(to.len() + self.size, letter);
        self.seen.pulled.set(self.seen.pulled.get() + self.size);
        match self.pause {
            _ if self.left == 0 => Pull::End,
            Some(pause) => Pull::After(pause),
            None => Pull::More,
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        self.seen.sources.set(self.seen.sources.get() - 1);
    }
}
