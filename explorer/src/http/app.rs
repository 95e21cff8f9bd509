//! What the server serves.

use super::kinds::{Kind, What};
use sockman::Bytes;
use sockman_http::http::{Response, StatusCode};
use sockman_http::{
    Answered, Body, Deferred, Flow, Pull, Reply, Request, Resumer, Service, Source, Take, Upload, Writer,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// What the application shares with the other threads, and with the model.
#[derive(Default)]
pub(super) struct Shared {
    /// What other threads have to do.
    pub(super) pending: RefCell<Vec<Pending>>,
    /// The numbers of requests that were served.
    served: RefCell<BTreeSet<u32>>,
    /// Sources and uploads that are there.
    alive: Cell<usize>,
    stopped: Cell<bool>,
}

/// What another thread has to do.
pub(super) enum Pending {
    Answer(What, Deferred),
    /// Pieces, of which the first so many have been given.
    Write(What, Writer, usize),
    Resume(Resumer),
}

impl Shared {
    pub(super) fn is_served(&self, number: u32) -> bool {
        self.served.borrow().contains(&number)
    }

    pub(super) fn stop(&self) {
        self.stopped.set(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Everything is over.
    pub(super) fn finish(&self) {
        assert_eq!(self.alive.get(), 0, "sources or uploads are left");
    }
}

/// The application.
pub(super) struct App(Rc<Shared>);

impl App {
    pub(super) fn new(shared: &Rc<Shared>) -> App {
        App(shared.clone())
    }
}

/// Something whose end is noticed.
#[derive(Debug)]
struct Alive(Rc<Shared>);

impl Alive {
    fn new(shared: &Rc<Shared>) -> Alive {
        shared.alive.set(shared.alive.get() + 1);
        Alive(shared.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Service for App {
    type Upload = Uploading;
    type Source = Pieces;

    fn begin(&mut self, request: &Request<'_>) -> Take<Uploading> {
        let what = What::parse(request.path());
        match what.kind {
            Kind::Upload => Take::Pieces(Uploading {
                alive: Alive::new(&self.0),
                resumer: request.resumer(),
                stops: what.count,
                body: Vec::new(),
            }),
            Kind::Nothing => Take::Nothing,
            _ => Take::Whole,
        }
    }

    fn call(
        &mut self,
        request: &Request<'_>,
        body: Body<'_, Uploading>,
        reply: Reply<'_, Pieces>,
    ) -> Answered {
        let what = What::parse(request.path());
        let is_new = self.0.served.borrow_mut().insert(what.number);
        assert!(is_new, "request {} is served twice", what.number);
        match what.kind {
            Kind::Now => reply.ok().send(&what.piece(0)),
            Kind::Shared => reply.ok().send_bytes(what.piece(0).into()),
            Kind::Echo => reply.ok().send(body.bytes()),
            Kind::Deferred | Kind::Written => {
                let (deferred, answered) = reply.defer();
                self.0.pending.borrow_mut().push(Pending::Answer(what, deferred));
                answered
            }
            Kind::Stream => {
                let source = Pieces {
                    _alive: Alive::new(&self.0),
                    what,
                    given: 0,
                };
                let length = what.flag.then(|| (what.count * what.size) as u64);
                reply.ok().stream(source, length)
            }
            Kind::Upload => match body {
                Body::Pieces(upload) => reply.ok().send(&upload.body),
                Body::Whole(_) => panic!("an upload came whole"),
            },
            Kind::Nothing => reply.ok().empty(),
            Kind::After => {
                let wait = Duration::from_millis(what.ms);
                reply.ok().after(wait).send(&what.piece(0))
            }
            Kind::Status => {
                let status = StatusCode::from_u16(what.size as u16).expect("a status");
                reply.status(status).empty()
            }
            Kind::Close => reply.close().ok().send(&what.piece(0)),
        }
    }
}

/// Takes a body in pieces, and stops so often.
#[derive(Debug)]
pub(super) struct Uploading {
    alive: Alive,
    resumer: Resumer,
    stops: usize,
    body: Vec<u8>,
}

impl Upload for Uploading {
    fn piece(&mut self, data: &[u8]) -> Flow {
        assert!(!data.is_empty(), "a piece of nothing");
        self.body.extend_from_slice(data);
        if self.stops == 0 {
            return Flow::On;
        }
        self.stops -= 1;
        let pending = &mut self.alive.0.pending.borrow_mut();
        pending.push(Pending::Resume(self.resumer.clone()));
        Flow::Stop
    }
}

/// Gives an answer in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    _alive: Alive,
    what: What,
    given: usize,
}

impl Source for Pieces {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        if self.given == self.what.count {
            return Pull::End;
        }
        to.extend_from_slice(&self.what.piece(self.given));
        self.given += 1;
        match self.what.ms {
            0 => Pull::More,
            ms => Pull::After(Duration::from_millis(ms)),
        }
    }
}

impl Pending {
    /// Does some of it. What is left is given back; whether anything was done is told.
    pub(super) fn act(self) -> (Option<Pending>, bool) {
        match self {
            Pending::Resume(resumer) => {
                resumer.resume();
                (None, true)
            }
            Pending::Answer(what, deferred) if what.kind == Kind::Written => {
                let writer = deferred.stream(Response::new(()), 2 * what.size);
                (Some(Pending::Write(what, writer, 0)), true)
            }
            // (Without an answer it answers by itself.)
            Pending::Answer(what, _) if what.flag => (None, true),
            Pending::Answer(what, deferred) => {
                deferred.respond(Response::new(Bytes::from(what.piece(0))));
                (None, true)
            }
            Pending::Write(what, mut writer, given) => {
                if given < what.count {
                    use sockman_http::SendError::{Full, Gone};
                    return match writer.send(what.piece(given).into()) {
                        Ok(()) => (Some(Pending::Write(what, writer, given + 1)), true),
                        Err(Full) => (Some(Pending::Write(what, writer, given)), false),
                        Err(Gone) => (None, true),
                    };
                }
                if !what.flag {
                    writer.finish();
                }
                (None, true)
            }
        }
    }
}
