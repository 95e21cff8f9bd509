//! JSON-RPC as a service of an HTTP server.

use super::acl::Acl;
use super::auth::{Access, CHALLENGE, Credentials, Denied};
use super::dispatch::{Answer, Dispatcher, On};
use super::methods::Place;
use crate::{Answered, Body, Reply, Request, Service, Source, Take, Workers};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A body larger than this is read by a worker: the loop has others to serve.
const LARGE: usize = 64 << 10;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How a server of JSON-RPC behaves. Every field has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is. Default `/`. (Wallets are at `/wallet/NAME` in any case.)
    pub path: &'static str,
    /// Who may connect. Default: the machine itself.
    pub acl: Acl,
    /// How long the answer to wrong credentials is held back. Default 250 ms, as Core's.
    pub delay: Duration,
    /// Whether a request may say that its body is of any type (`Content-Type`), as Core lets it. Default false: one that
    /// says a type has to say JSON (`application/json`, `application/json-rpc`, `application/jsonrequest`) or `text/plain`,
    /// which Core's examples say; anything else, as what web forms send, is 415 (Unsupported Media Type).
    pub any_type: bool,
    /// Threads for what does not run on the loop. Default 16 (Core's `rpcthreads`).
    pub workers: usize,
    /// How much may wait for them; above it 503 (Service Unavailable). Default 64 (Core's `rpcworkqueue`).
    pub queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            path: "/",
            acl: Acl::default(),
            delay: Duration::from_millis(250),
            any_type: false,
            workers: 16,
            queue: 64,
        }
    }
}

impl Settings {
    /// Those of a server that is to pass for Bitcoin Core; see also [`Limits::bitcoin_core`](crate::Limits::bitcoin_core).
    pub fn bitcoin_core() -> Self {
        Settings {
            any_type: true,
            ..Settings::default()
        }
    }
}

/// JSON-RPC over HTTP: POST to [`Settings::path`], with Basic authentication (RFC 7617).
///
/// It is a [`Service`]; a service that has other paths too can hold it, and ask [`admits`](Self::admits) and
/// [`answer`](Self::answer).
///
/// What it refuses, in this order, by the head alone, so that the body is not waited for: 403 to whom the [`Acl`] does not
/// let in; 404 for paths other than this and `/wallet/NAME`; 405 for methods other than POST; 401 without credentials, and
/// after [`Settings::delay`] with wrong ones; 403 to users who may call nothing; 415, see [`Settings::any_type`].
///
/// Clones, for several loops, share everything but what belongs to requests.
pub struct Rpc<C> {
    dispatcher: Arc<Dispatcher<C>>,
    users: Option<Arc<Users>>,
    settings: Settings,
    /// The request whose body was wanted last, and who sent it: checking a password once a request is enough.
    admitted: Cell<Option<(u64, Access)>>,
}

impl<C> Clone for Rpc<C> {
    fn clone(&self) -> Self {
        Rpc {
            dispatcher: self.dispatcher.clone(),
            users: self.users.clone(),
            settings: self.settings.clone(),
            admitted: Cell::new(None),
        }
    }
}

/// Those who may call, and who works for them.
struct Users {
    credentials: Credentials,
    workers: Workers,
}

/// Why a request is refused by its head.
enum Refusal {
    Address,
    Path,
    Method,
    Credentials(Denied),
    /// The user may call nothing.
    User,
    Type,
}

/// A request that is to be carried out.
struct Admitted<'a> {
    access: Access,
    workers: &'a Workers,
    wallet: bool,
}

impl<C: Send + Sync + 'static> Rpc<C> {
    /// Calls of these methods by these users. Without any user RPC is off: every path is 404.
    ///
    /// Fails as starting threads does.
    pub fn new(dispatcher: Dispatcher<C>, credentials: Credentials, settings: Settings) -> io::Result<Self> {
        let users = if credentials.is_empty() {
            None
        } else {
            let workers = Workers::new(settings.workers, settings.queue)?;
            Some(Arc::new(Users { credentials, workers }))
        };
        Ok(Rpc {
            dispatcher: Arc::new(dispatcher),
            users,
            settings,
            admitted: Cell::new(None),
        })
    }

    /// The methods and what they work on.
    pub fn dispatcher(&self) -> &Arc<Dispatcher<C>> {
        &self.dispatcher
    }

    /// Whether the body of this request is wanted. If it is not, [`answer`](Self::answer) says why to the client.
    pub fn admits(&self, request: &Request<'_>) -> bool {
        let admitted = self.admit(request).ok();
        let is_wanted = admitted.is_some();
        self.admitted
            .set(admitted.map(|admitted| (request.id(), admitted.access)));
        is_wanted
    }

    /// Answers a request.
    pub fn answer<S: Source>(&self, request: &Request<'_>, body: &[u8], reply: Reply<'_, S>) -> Answered {
        let Admitted {
            access,
            workers,
            wallet,
        } = match self.admit(request) {
            Ok(admitted) => admitted,
            Err(why) => return self.refuse(request, &why, reply),
        };
        if body.len() <= LARGE {
            let message = self.dispatcher.read(body);
            let place = self.dispatcher.place(&message);
            if place == Place::Loop {
                let on = On {
                    access: &access,
                    wallet,
                    place,
                };
                return respond(self.dispatcher.run(&message, on), reply);
            }
        }
        let (dispatcher, body, access) = (self.dispatcher.clone(), body.to_vec(), access);
        workers.run(reply, move || {
            let on = On {
                access: &access,
                wallet,
                place: Place::Worker,
            };
            response(dispatcher.run(&dispatcher.read(&body), on))
        })
    }

    fn admit(&self, request: &Request<'_>) -> Result<Admitted<'_>, Refusal> {
        if !self.settings.acl.admits(request.peer()) {
            return Err(Refusal::Address);
        }
        let wallet = request.path().starts_with("/wallet/");
        let known = wallet || (request.path() == self.settings.path && request.query().is_none());
        let Users { credentials, workers } = self.users.as_deref().filter(|_| known).ok_or(Refusal::Path)?;
        if request.method() != "POST" {
            return Err(Refusal::Method);
        }
        let access = match self.admitted.take() {
            Some((id, access)) if id == request.id() => access,
            _ => credentials
                .check(request.field("authorization"))
                .map_err(Refusal::Credentials)?
                .clone(),
        };
        if access.permits_nothing() {
            return Err(Refusal::User);
        }
        if !self.settings.any_type && !request.field("content-type").is_none_or(is_json) {
            return Err(Refusal::Type);
        }
        Ok(Admitted {
            access,
            workers,
            wallet,
        })
    }

    fn refuse<S: Source>(&self, request: &Request<'_>, why: &Refusal, reply: Reply<'_, S>) -> Answered {
        match why {
            Refusal::Address | Refusal::User => reply.status(StatusCode::FORBIDDEN).empty(),
            Refusal::Path => reply.status(StatusCode::NOT_FOUND).empty(),
            Refusal::Method => reply
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .header(&header::ALLOW, &HeaderValue::from_static("POST"))
                .empty(),
            Refusal::Type => reply
                .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                // RFC 9110 section 15.5.16.
                .header(&header::ACCEPT, &JSON)
                .empty(),
            Refusal::Credentials(denied) => {
                let challenge = HeaderValue::from_static(CHALLENGE);
                let respond = reply
                    .status(StatusCode::UNAUTHORIZED)
                    .header(&header::WWW_AUTHENTICATE, &challenge);
                if *denied == Denied::Missing {
                    return respond.empty();
                }
                tracing::warn!(peer = %request.peer(), "wrong RPC credentials");
                respond.after(self.settings.delay).empty()
            }
        }
    }
}

/// Whether this value of `Content-Type` is one that JSON-RPC is sent with.
fn is_json(value: &[u8]) -> bool {
    let name = value
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    [
        &b"application/json"[..],
        b"application/json-rpc",
        b"application/jsonrequest",
        b"text/plain",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

fn field(answer: &Answer) -> Option<(HeaderName, HeaderValue)> {
    (!answer.body.is_empty()).then_some((header::CONTENT_TYPE, JSON))
}

fn respond<S: Source>(answer: Answer, reply: Reply<'_, S>) -> Answered {
    let mut respond = reply.status(answer.status);
    if let Some((name, value)) = field(&answer) {
        respond = respond.header(&name, &value);
    }
    respond.send_bytes(answer.body.into())
}

fn response(answer: Answer) -> Response<Bytes> {
    let field = field(&answer);
    let mut response = Response::new(answer.body.into());
    *response.status_mut() = answer.status;
    response.headers_mut().extend(field);
    response
}

impl<C: Send + Sync + 'static> Service for Rpc<C> {
    type Upload = ();
    type Source = ();

    fn begin(&mut self, request: &Request<'_>) -> Take<()> {
        if self.admits(request) {
            Take::Whole
        } else {
            Take::Nothing
        }
    }

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
        self.answer(request, body.bytes(), reply)
    }
}
