//! Answering a request.

use crate::deferred::{Deferred, Mail};
use crate::http1::encode::{self, Framing, Terms};
use crate::server::access::Entry;
use crate::server::counters::{Count, Counters};
use crate::server::date::Date;
use crate::server::output::{Payload, SLICE};
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
    pub(crate) scene: &'a mut Scene<'a, S>,
}

/// What an answer has to do with. It stays in its place while the answer is built: most are built at once, and should not be
/// moved about for the sake of those that are not.
#[derive(Debug)]
pub(crate) struct Scene<'a, S> {
    /// Where answers go for which none waits.
    pub(crate) out: &'a mut Payload,
    /// Where this one begins there.
    pub(crate) start: usize,
    /// Where it is written to, if earlier ones wait or it is held back; otherwise empty.
    pub(crate) own: &'a mut Payload,
    pub(crate) is_own: bool,
    pub(crate) wait: Option<Duration>,
    /// Answers that wait, in order.
    pub(crate) queue: &'a mut Queue<S>,
    /// Whether this is the connection's last answer.
    pub(crate) last: &'a mut bool,
    pub(crate) terms: Terms,
    pub(crate) date: &'a Date,
    pub(crate) counters: &'a Counters,
    pub(crate) mail: &'a Mail,
    pub(crate) conn: Conn,
    /// The request's number on its connection.
    pub(crate) number: u64,
    pub(crate) is_safe: bool,
    pub(crate) now: Instant,
    /// Fields that layers have added, as text.
    pub(crate) extra: &'a mut Vec<u8>,
    pub(crate) entry: &'a mut Option<Box<Entry>>,
}

impl<S> Scene<'_, S> {
    fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.payload().bytes
    }

    fn payload(&mut self) -> &mut Payload {
        if self.is_own { self.own } else { self.out }
    }

    /// Takes what has been written so far out of the output: the answer goes through the queue.
    fn set_aside(&mut self) {
        if !self.is_own {
            *self.own = Payload::of(self.out.bytes.split_off(self.start));
            self.is_own = true;
        }
    }

    /// Puts the answer in the queue, as far as it is.
    fn enqueue(&mut self, status: Option<StatusCode>, progress: Progress<S>) {
        self.queue.push(Exchange {
            number: self.number,
            terms: self.terms,
            is_safe: self.is_safe,
            begun: self.now,
            status,
            extra: std::mem::take(self.extra),
            entry: self.entry.take(),
            progress,
        });
    }
}

impl<'a, S: Source> Reply<'a, S> {
    /// Adds a field to the answer, whoever gives it: for layers around a service. The fields that frame a message and `date` are
    /// the server's; they are ignored.
    pub fn with(self, name: &HeaderName, value: &HeaderValue) -> Self {
        encode::field(self.scene.extra, name, value);
        self
    }

    /// Makes this the last answer of its connection.
    pub fn close(self) -> Self {
        self.scene.terms.keep_alive = false;
        self
    }

    /// Begins an answer. An interim status (1xx) answers nothing: in its place 500 is sent.
    #[inline]
    pub fn status(self, status: StatusCode) -> Respond<'a, S> {
        let (scene, status) = (self.scene, encode::final_status(status));
        scene.is_own = !scene.queue.is_empty();
        let date = scene.date;
        if status == StatusCode::OK {
            scene.bytes().extend_from_slice(date.ok());
        } else {
            encode::start(scene.bytes(), status, date.text());
        }
        if !scene.extra.is_empty() {
            let extra = std::mem::take(scene.extra);
            scene.bytes().extend_from_slice(&extra);
        }
        Respond {
            scene,
            status,
            has_type: false,
        }
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
        let respond = self.status(head.status);
        encode::fields(respond.scene.bytes(), &head.headers);
        respond.send_bytes(body)
    }

    /// Answers later, from any thread.
    pub fn defer(self) -> (Deferred, Answered) {
        let scene = self.scene;
        scene.counters.add(Count::deferred);
        *scene.last |= !scene.terms.keep_alive;
        scene.enqueue(None, Progress::Waiting);
        let deferred = Deferred::new(scene.mail.clone(), scene.conn, scene.number);
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
    scene: &'a mut Scene<'a, S>,
    status: StatusCode,
    /// Whether a `content-type` is there.
    has_type: bool,
}

impl<S: Source> Respond<'_, S> {
    /// Adds a field. Those that frame a message (`content-length`, `transfer-encoding`, `connection`) and `date` are the
    /// server's; they are ignored.
    #[inline]
    pub fn header(mut self, name: &HeaderName, value: &HeaderValue) -> Self {
        encode::field(self.scene.bytes(), name, value);
        self.has_type |= *name == header::CONTENT_TYPE;
        self
    }

    /// Holds the answer back for this long, without holding up anybody else: after a wrong password, say.
    pub fn after(self, wait: Duration) -> Self {
        self.scene.set_aside();
        self.scene.wait = Some(wait);
        self
    }

    /// Answers with a body of text: plain text in UTF-8, unless a `content-type` says otherwise.
    #[inline]
    pub fn text(self, text: &str) -> Answered {
        if !self.has_type {
            self.scene
                .bytes()
                .extend_from_slice(b"content-type: text/plain; charset=utf-8\r\n");
        }
        self.send(text.as_bytes())
    }

    /// Answers without a body.
    pub fn empty(self) -> Answered {
        self.send(&[])
    }

    /// Answers with this body.
    #[inline]
    pub fn send(mut self, body: &[u8]) -> Answered {
        if body.len() > SLICE {
            return self.send_bytes(Bytes::copy_from_slice(body));
        }
        if self.end(Some(body.len() as u64)) != Framing::Empty {
            self.scene.bytes().extend_from_slice(body);
        }
        self.finish()
    }

    /// Answers with this body, which if it is large is sent from where it lies.
    pub fn send_bytes(mut self, body: Bytes) -> Answered {
        if body.len() > SLICE {
            // It may be more than the connection's queue takes: it leaves as the client takes it.
            self.scene.set_aside();
        }
        if self.end(Some(body.len() as u64)) != Framing::Empty {
            self.scene.payload().push(body);
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
        let scene = self.scene;
        let progress = Progress::Pulled {
            head: std::mem::take(scene.own),
            source,
            framing,
            due: scene.wait.map(|wait| later(scene.now, wait)),
        };
        scene.enqueue(Some(self.status), progress);
        Answered(())
    }

    /// Ends the head.
    #[inline]
    fn end(&mut self, length: Option<u64>) -> Framing {
        let (status, scene) = (self.status, &mut *self.scene);
        let mut terms = scene.terms;
        let framing = encode::end(scene.bytes(), status, terms, length);
        terms.keep_alive &= framing != Framing::Close;
        *scene.last |= !terms.keep_alive;
        scene.counters.answered(status);
        framing
    }

    #[inline]
    fn finish(self) -> Answered {
        let scene = self.scene;
        if scene.is_own {
            let payload = std::mem::take(scene.own);
            let progress = match scene.wait {
                None => Progress::Ready(payload),
                Some(wait) => Progress::Held(later(scene.now, wait), payload),
            };
            scene.enqueue(Some(self.status), progress);
        } else if let Some(entry) = scene.entry.take() {
            entry.write(self.status, Duration::ZERO);
        }
        Answered(())
    }
}
