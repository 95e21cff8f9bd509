//! From a body to its answer, without sockets: which methods are called, what comes of it, and with which status.

use super::auth::Access;
use super::call::{Call, Done, Out};
use super::code;
use super::error::RpcError;
use super::instance::Instance;
use super::message::{Item, Message, Request, Version};
use super::methods::{Methods, Place};
use super::params::Values;
use super::reply;
use http::StatusCode;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A batch longer than this goes to a worker, whatever it calls: the loop has others to serve.
const SHORT_BATCH: usize = 64;

/// An answer to a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of the response.
    pub status: StatusCode,
    /// The body: JSON and a line feed, or nothing.
    pub body: Vec<u8>,
}

impl Answer {
    fn empty(status: StatusCode) -> Self {
        let body = Vec::new();
        Answer { status, body }
    }

    fn json(status: StatusCode, mut body: Vec<u8>) -> Self {
        body.push(b'\n');
        Answer { status, body }
    }
}

/// For whom a body is carried out, and where.
#[derive(Clone, Copy, Debug)]
pub struct On<'a> {
    /// Who calls.
    pub access: &'a Access,
    /// Whether the request names a wallet (its path is `/wallet/NAME`). There is none, so that each call fails with
    /// [`code::WALLET_NOT_FOUND`].
    pub wallet: bool,
    /// Where this runs.
    pub place: Place,
}

/// The methods and what they work on.
pub struct Dispatcher<C> {
    methods: Methods<C>,
    instance: Instance,
    state: C,
    batch: usize,
}

impl<C> Dispatcher<C> {
    /// Methods, and what they work on. A batch may have [`DEFAULT_BATCH`](Self::DEFAULT_BATCH) requests.
    pub fn new(methods: Methods<C>, instance: Instance, state: C) -> Self {
        Dispatcher {
            methods,
            instance,
            state,
            batch: Self::DEFAULT_BATCH,
        }
    }

    /// How many requests a batch may have if nothing else is said.
    pub const DEFAULT_BATCH: usize = 10_000;

    /// How many requests a batch may have. One with more is answered as an invalid request.
    #[must_use]
    pub fn batch(mut self, most: usize) -> Self {
        self.batch = most;
        self
    }

    /// What the methods work on.
    pub fn state(&self) -> &C {
        &self.state
    }

    /// The server, as the methods see it.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Reads a body.
    pub fn read<'a>(&self, body: &'a [u8]) -> Message<'a> {
        Message::read(body, self.batch)
    }

    /// Where it is to be carried out. A batch goes to a worker as a whole.
    pub fn place(&self, message: &Message<'_>) -> Place {
        let to_worker = match message {
            Message::Bad(_) => false,
            Message::Single(item) => self.needs_worker(item),
            Message::Batch(items) => {
                items.len() > SHORT_BATCH || items.iter().any(|item| self.needs_worker(item))
            }
        };
        if to_worker { Place::Worker } else { Place::Loop }
    }

    fn needs_worker(&self, item: &Item<'_>) -> bool {
        item.as_ref()
            .ok()
            .and_then(|request| self.methods.find(&request.method))
            .is_some_and(|(about, _)| about.place == Place::Worker)
    }

    /// Carries it out.
    pub fn run(&self, message: &Message<'_>, on: On<'_>) -> Answer {
        match message {
            Message::Bad(why) => {
                let mut body = Vec::new();
                reply::error(&mut body, Version::V1, None, why);
                Answer::json(status_of(why), body)
            }
            Message::Single(Err(invalid)) => {
                let mut body = Vec::new();
                reply::error(&mut body, invalid.version, invalid.id, &invalid.why);
                Answer::json(status_of(&invalid.why), body)
            }
            Message::Single(Ok(request)) => self.single(request, on),
            Message::Batch(items) => self.several(items, on),
        }
    }

    fn single(&self, request: &Request<'_>, on: On<'_>) -> Answer {
        if !on.access.permits(&request.method) {
            return Answer::empty(StatusCode::FORBIDDEN);
        }
        let mut body = Vec::with_capacity(256);
        let done = self.reply(request, on, &mut body);
        match done {
            _ if request.is_notification() => Answer::empty(StatusCode::NO_CONTENT),
            // In 2.0 an error of the method is none of HTTP.
            Err(why) if request.version == Version::V1 => Answer::json(status_of(&why), body),
            _ => Answer::json(StatusCode::OK, body),
        }
    }

    fn several(&self, items: &[Item<'_>], on: On<'_>) -> Answer {
        let permitted = |request: &Request<'_>| on.access.permits(&request.method);
        if !items.iter().flatten().all(permitted) {
            return Answer::empty(StatusCode::FORBIDDEN);
        }
        let mut body = vec![b'['];
        for item in items {
            let start = body.len();
            if start > 1 {
                body.push(b',');
            }
            match item {
                Ok(request) => {
                    // Whether it failed stands in the reply; HTTP does not hear of it.
                    let _ = self.reply(request, on, &mut body);
                    if request.is_notification() {
                        body.truncate(start);
                    }
                }
                // No request, so no notification either (2.0 section 5): it gets its reply.
                Err(invalid) => {
                    reply::error(&mut body, invalid.version, invalid.id, &invalid.why);
                }
            }
        }
        // 2.0 section 6 has nothing returned here; to an empty batch Core returns an empty one.
        if body.len() == 1 && !items.is_empty() {
            return Answer::empty(StatusCode::NO_CONTENT);
        }
        body.push(b']');
        Answer::json(StatusCode::OK, body)
    }

    /// Writes the reply to a request.
    fn reply(&self, request: &Request<'_>, on: On<'_>, to: &mut Vec<u8>) -> Result<(), RpcError> {
        reply::write(to, request.version, request.id, |out| self.call(request, on, out))
    }

    fn call(&self, request: &Request<'_>, on: On<'_>, out: Out<'_>) -> Result<Done, RpcError> {
        if on.wallet {
            let why = "Requested wallet does not exist or is not loaded";
            return Err(RpcError::new(code::WALLET_NOT_FOUND, why));
        }
        let Some((about, run)) = self.methods.find(&request.method) else {
            return Err(RpcError::new(code::METHOD_NOT_FOUND, "Method not found"));
        };
        let call = Call {
            about,
            all: self.methods.all(),
            values: Values::read(about, request.params)?,
            instance: &self.instance,
            user: on.access.user(),
            place: on.place,
        };
        let _entry = (on.place == Place::Worker).then(|| self.instance.enter(about.name));
        // A method that panics is a bug of that method; it takes neither the loop nor the rest of a batch with it.
        let run = AssertUnwindSafe(|| run(&self.state, &call, out));
        catch_unwind(run).unwrap_or_else(|_| Err(RpcError::new(code::INTERNAL_ERROR, "Internal error")))
    }
}

/// The status of an error, in 1.x and of what is no request (Core's `JSONErrorReply`).
fn status_of(why: &RpcError) -> StatusCode {
    match why.code {
        code::INVALID_REQUEST => StatusCode::BAD_REQUEST,
        code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
