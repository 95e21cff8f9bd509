//! Answering a request.

use crate::deferred::{Deferred, Mail};
use crate::http1::encode::{self, Framing, Terms};
use crate::server::counters::{Count, Counters};
use crate::server::output::Payload;
use crate::server::queue::{Exchange, Progress, Queue};
use crate::service::Source;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use sockman::Conn;
use std::time::{Duration, Instant};

/// Says that a request has its answer, or will have it: what [`Service::call`](crate::Service::call) returns. Only a [`Reply`]
/// gives one.
#[derive(Debug)]
#[must_use]
pub struct Answered(());

/// The answer to one request, not begun yet.
#[derive(Debug)]
#[must_use]
pub struct Reply<'a, S> {
    pub(crate) scene: Scene<'a, S>,
}

/// What an answer has to do with.
#[derive(Debug)]
pub(crate) struct Scene<'a, S> {
    /// Where answers go for which none waits.
    pub(crate) out: &'a mut Payload,
    /// Answers that wait, in order.
    pub(crate) queue: &'a mut Queue<S>,
    /// Whether this is the connection's last answer.
    pub(crate) last: &'a mut bool,
    pub(crate) terms: Terms,
    pub(crate) date: &'a [u8],
    pub(crate) counters: &'a Counters,
    pub(crate) mail: &'a Mail,
    pub(crate) conn: Conn,
    pub(crate) exchange: Exchange<S>,
    pub(crate) now: Instant,
}

impl<'a, S: Source> Reply<'a, S> {
    /// Adds a field to the answer, whoever gives it: for layers around a service. The fields that frame a message and `date` are
    /// the server's; they are ignored.
    pub fn with(mut self, name: &HeaderName, value: &HeaderValue) -> Self {
        encode::field(&mut self.scene.exchange.extra, name, value);
        self
    }

    /// Makes this the last answer of its connection.
    pub fn close(mut self) -> Self {
        self.scene.terms.keep_alive = false;
        self
    }

    /// Begins an answer.
    pub fn status(self, status: StatusCode) -> Respond<'a, S> {
        let scene = self.scene;
        let own = (!scene.queue.is_empty()).then(Payload::default);
        let mut respond = Respond {
            scene,
            status,
            own,
            wait: None,
        };
        let date = respond.scene.date;
        let extra = std::mem::take(&mut respond.scene.exchange.extra);
        let to = respond.bytes();
        encode::start(to, status, date);
        to.extend_from_slice(&extra);
        respond
    }

    /// Begins an answer of status 200 (OK).
    pub fn ok(self) -> Respond<'a, S> {
        self.status(StatusCode::OK)
    }

    /// Answers 200 with text.
    pub fn text(self, text: &str) -> Answered {
        self.ok().text(text)
    }

    /// Answers with a response as other libraries have it. Fields that frame a message are the server's to write; they are
    /// ignored.
    pub fn respond(self, response: Response<Bytes>) -> Answered {
        let (head, body) = response.into_parts();
        let mut respond = self.status(head.status);
        encode::fields(respond.bytes(), &head.headers);
        respond.send_bytes(body)
    }

    /// Answers later, from any thread.
    pub fn defer(self) -> (Deferred, Answered) {
        let mut scene = self.scene;
        scene.counters.add(Count::deferred);
        *scene.last |= !scene.terms.keep_alive;
        scene.exchange.terms = scene.terms;
        let deferred = Deferred::new(scene.mail.clone(), scene.conn, scene.exchange.number);
        scene.queue.push(scene.exchange);
        (deferred, Answered(()))
    }
}

/// So long after, or in a century.
pub(crate) fn later(now: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    now + wait.min(CENTURY)
}

/// An answer that has been begun: its status and perhaps some fields are there.
#[derive(Debug)]
#[must_use]
pub struct Respond<'a, S> {
    scene: Scene<'a, S>,
    status: StatusCode,
    /// Where it is written to when earlier answers wait.
    own: Option<Payload>,
    wait: Option<Duration>,
}

impl<S: Source> Respond<'_, S> {
    fn payload(&mut self) -> &mut Payload {
        match &mut self.own {
            Some(own) => own,
            None => self.scene.out,
        }
    }

    fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.payload().bytes
    }

    /// Adds a field. Those that frame a message (`content-length`, `transfer-encoding`, `connection`) and `date` are the
    /// server's; they are ignored.
    pub fn header(mut self, name: &HeaderName, value: &HeaderValue) -> Self {
        encode::field(self.bytes(), name, value);
        self
    }

    /// Holds the answer back for this long, without holding up anybody else: after a wrong password, say.
    pub fn after(mut self, wait: Duration) -> Self {
        if self.own.is_none() {
            // What has been written so far is this answer's own.
            let start = self.scene.exchange.start;
            let bytes = self.scene.out.bytes.split_off(start);
            self.own = Some(Payload::of(bytes));
        }
        self.wait = Some(wait);
        self
    }

    /// Answers with a body of plain text.
    pub fn text(self, text: &str) -> Answered {
        self.header(
            &header::CONTENT_TYPE,
            &HeaderValue::from_static("text/plain; charset=utf-8"),
        )
        .send(text.as_bytes())
    }

    /// Answers without a body.
    pub fn empty(self) -> Answered {
        self.send(&[])
    }

    /// Answers with this body.
    pub fn send(mut self, body: &[u8]) -> Answered {
        if self.end(Some(body.len() as u64)) != Framing::Empty {
            self.bytes().extend_from_slice(body);
        }
        self.finish()
    }

    /// Answers with this body, which if it is large is sent from where it lies.
    pub fn send_bytes(mut self, body: Bytes) -> Answered {
        if self.end(Some(body.len() as u64)) != Framing::Empty {
            self.payload().push(body);
        }
        self.finish()
    }

    /// Answers with what `source` gives, as fast as the client takes it. `length` is how many bytes that will be, if it is known: a
    /// source that gives fewer breaks the answer off, and what it gives beyond is left out.
    pub fn stream(mut self, source: S, length: Option<u64>) -> Answered {
        let framing = self.end(length);
        if framing == Framing::Empty {
            return self.finish();
        }
        let progress = Progress::Pulled {
            head: self.own.take().unwrap_or_default(),
            source,
            framing,
            due: self.wait.map(|wait| later(self.scene.now, wait)),
        };
        self.enqueue(progress)
    }

    /// Ends the head.
    fn end(&mut self, length: Option<u64>) -> Framing {
        let (status, mut terms) = (self.status, self.scene.terms);
        let framing = encode::end(self.bytes(), status, terms, length);
        terms.keep_alive &= framing != Framing::Close;
        *self.scene.last |= !terms.keep_alive;
        self.scene.counters.answered(status);
        framing
    }

    fn finish(mut self) -> Answered {
        match (self.own.take(), self.wait) {
            (None, _) => {
                self.scene.exchange.log(self.status, self.scene.now);
                Answered(())
            }
            (Some(payload), None) => self.enqueue(Progress::Ready(payload)),
            (Some(payload), Some(wait)) => {
                let until = later(self.scene.now, wait);
                self.enqueue(Progress::Held(until, payload))
            }
        }
    }

    fn enqueue(mut self, progress: Progress<S>) -> Answered {
        self.scene.exchange.terms = self.scene.terms;
        self.scene.exchange.status = Some(self.status);
        self.scene.exchange.progress = progress;
        self.scene.queue.push(self.scene.exchange);
        Answered(())
    }
}
