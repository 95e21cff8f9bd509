//! What an application implements.

use crate::deferred::{Mail, Resumer};
use crate::http1::{Flow, Head, Version};
use crate::reply::{Answered, Reply};
use bytes::Bytes;
use memchr::memchr;
use sockman::{Conn, Endpoint};
use std::time::Duration;

/// An application: takes requests and answers each, on the loop's thread.
///
/// What would block belongs on another thread: [`Reply::defer`] gives a token that any thread can answer by. Bodies come whole
/// unless [`begin`](Service::begin) asks for pieces.
///
/// ```
/// use sockman_http::{Answered, Body, Reply, Request, Service};
///
/// struct Hello;
///
/// impl Service for Hello {
///     type Upload = ();
///     type Source = ();
///
///     fn call(&mut self, _: &Request<'_>, _: Body<'_, ()>, reply: Reply<'_, ()>) -> Answered {
///         reply.text("Hello, world!")
///     }
/// }
/// ```
pub trait Service {
    /// What takes a body in pieces; `()` when none does.
    type Upload: Upload;
    /// What gives a response in pieces; `()` when none does.
    type Source: Source;

    /// A head is there: how is the body to come? By default whole. Called for requests without a body as well.
    fn begin(&mut self, request: &Request<'_>) -> Take<Self::Upload> {
        let _ = request;
        Take::Whole
    }

    /// Answers a request.
    fn call(
        &mut self,
        request: &Request<'_>,
        body: Body<'_, Self::Upload>,
        reply: Reply<'_, Self::Source>,
    ) -> Answered;
}

/// How a body is to come.
#[derive(Debug)]
pub enum Take<U> {
    /// Whole, collected up to [`Limits::body`](crate::Limits::body), and without a copy if it is there with its head.
    Whole,
    /// To this, piece by piece; [`Service::call`] follows after the last.
    Pieces(U),
    /// Not at all: [`Service::call`] follows at once, as for a request that is refused by its head. What comes of the body is
    /// thrown away up to [`Settings::discard`](crate::Settings::discard) bytes; above it the connection closes after the answer.
    Nothing,
}

/// A request's body.
#[derive(Debug)]
pub enum Body<'a, U> {
    /// All of it; empty if there is none, or if [`Take::Nothing`] was asked for.
    Whole(&'a [u8]),
    /// It went here.
    Pieces(U),
}

impl<'a, U> Body<'a, U> {
    /// The bytes, if it came whole.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Body::Whole(bytes) => bytes,
            Body::Pieces(_) => &[],
        }
    }
}

/// Takes a request's body piece by piece.
pub trait Upload {
    /// A piece, decoded and never empty. [`Flow::Stop`] stops reading until [`Request::resumer`]'s token is used.
    fn piece(&mut self, data: &[u8]) -> Flow;
}

impl Upload for () {
    fn piece(&mut self, _: &[u8]) -> Flow {
        Flow::On
    }
}

/// Gives a response's body piece by piece, as fast as the client takes it.
pub trait Source {
    /// Appends the next piece to `to`, some tens of KiB at most. Called whenever there is room.
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull;
}

/// What a [`Source`] says after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// There is more.
    More,
    /// There will be more after this time.
    After(Duration),
    /// That was all.
    End,
}

impl Source for () {
    fn pull(&mut self, _: &mut Vec<u8>) -> Pull {
        Pull::End
    }
}

/// A request, as the application sees it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) head: &'a Head<'a>,
    pub(crate) peer: &'a Endpoint,
    pub(crate) id: u64,
    pub(crate) conn: Conn,
    pub(crate) exchange: u64,
    pub(crate) key: u64,
    pub(crate) mail: &'a Mail,
}

impl<'a> Request<'a> {
    /// The head: fields, version, authority, and whatever else was sent.
    pub fn head(&self) -> &'a Head<'a> {
        self.head
    }

    /// The method.
    pub fn method(&self) -> &'a str {
        self.head.method
    }

    /// The path, as it was sent (percent-encoded), without the query; `*` and `host:port` are given as they are.
    pub fn path(&self) -> &'a str {
        let target = self.head.path_and_query();
        match memchr(b'?', target.as_bytes()).unwrap_or(target.len()) {
            // An absolute target may go from its authority to its query.
            0 => "/",
            end => &target[..end],
        }
    }

    /// The query, without its question mark.
    pub fn query(&self) -> Option<&'a str> {
        self.head.path_and_query().split_once('?').map(|(_, query)| query)
    }

    /// The value of the first field of this name, whatever its case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.head.field(name)
    }

    /// Who sent it.
    pub fn peer(&self) -> &'a Endpoint {
        self.peer
    }

    /// The request in the types of the crate `http`, for code that has them already: a copy, with the peer's [`Endpoint`] among its
    /// extensions. Fails for the few targets that are no URI as that crate has it.
    pub fn to_http(&self, body: Bytes) -> Result<http::Request<Bytes>, http::Error> {
        let version = match self.head.version {
            Version::V10 => http::Version::HTTP_10,
            Version::V11 => http::Version::HTTP_11,
        };
        let mut request = http::Request::builder()
            .method(self.head.method)
            .uri(self.head.target)
            .version(version)
            .extension(self.peer.clone());
        for field in self.head.fields {
            request = request.header(field.name, field.value);
        }
        request.body(body)
    }

    /// The token by which any thread goes on with a body that an [`Upload`] has stopped.
    pub fn resumer(&self) -> Resumer {
        Resumer::new(self.mail.clone(), self.conn, self.exchange)
    }

    /// The key of the listener that its connection came to ([`ListenOptions::key`](sockman::ListenOptions::key)).
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Its number among all requests of this server, for logs.
    pub fn id(&self) -> u64 {
        self.id
    }
}
