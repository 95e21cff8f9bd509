//! Answers that come from other threads.

use crate::mutant::{Mutant, planted};
use bytes::Bytes;
use http::Response;
use sockman::{Conn, Remote};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What other threads say to a server.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) conn: Conn,
    /// The number of the request on its connection.
    pub(crate) exchange: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The whole response.
    Respond(Response<Bytes>),
    /// The head of a response whose body follows.
    Start(Response<()>, Arc<Flight>),
    /// The next piece of the body.
    Piece(Bytes),
    /// That was the last piece; or, if not all is well, the response breaks off here.
    End { whole: bool },
    /// Nobody is left who could answer.
    Dropped,
    /// Go on reading.
    Resume,
}

/// Where messages wait for the loop.
#[derive(Clone)]
pub(crate) struct Mail(Arc<Inner>);

struct Inner {
    messages: Mutex<Messages>,
    remote: Remote,
}

#[derive(Default)]
struct Messages {
    waiting: Vec<Message>,
    /// The server is gone: nobody will read them.
    closed: bool,
}

impl Message {
    /// Nobody will read it.
    fn lose(self) {
        if let What::Start(_, flight) = self.what {
            flight.gone();
        }
    }
}

impl Mail {
    pub(crate) fn new(remote: Remote) -> Mail {
        Mail(Arc::new(Inner {
            messages: Mutex::default(),
            remote,
        }))
    }

    fn push(&self, message: Message) {
        let mut messages = self.messages();
        if messages.closed {
            message.lose();
            return;
        }
        messages.waiting.push(message);
        // Whoever found the queue empty has woken the loop.
        if messages.waiting.len() == 1 && !planted(Mutant::WakeLost) {
            self.0.remote.wake();
        }
    }

    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server is gone: what waits and what comes is lost, and those who write responses are told.
    pub(crate) fn close(&self) {
        let mut messages = self.messages();
        messages.closed = true;
        for message in messages.waiting.drain(..) {
            message.lose();
        }
    }

    /// Swaps what waits into `into`, which must be empty.
    pub(crate) fn take(&self, into: &mut Vec<Message>) {
        std::mem::swap(into, &mut self.messages().waiting);
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// Answers a request later, from any thread. The answer leaves at once: the loop is woken.
///
/// Dropped without an answer, it answers 500 (Internal Server Error), so that a panic leaves no client waiting. If the client
/// is gone, the answer goes nowhere.
#[derive(Debug)]
#[must_use]
pub struct Deferred {
    to: Address,
    answered: bool,
}

#[derive(Clone, Debug)]
struct Address {
    mail: Mail,
    conn: Conn,
    exchange: u64,
}

impl Address {
    fn say(&self, what: What) {
        self.mail.push(Message {
            conn: self.conn,
            exchange: self.exchange,
            what,
        });
    }
}

impl Deferred {
    pub(crate) fn new(mail: Mail, conn: Conn, exchange: u64) -> Deferred {
        Deferred {
            to: Address { mail, conn, exchange },
            answered: false,
        }
    }

    /// Answers. The fields that frame a message (`content-length`, `transfer-encoding`, `connection`) and `date` are the
    /// server's to write; they are ignored.
    pub fn respond(mut self, response: Response<Bytes>) {
        self.answered = true;
        self.to.say(What::Respond(response));
    }

    /// Answers with a body that comes in pieces. `most` bytes may wait for the client before [`Writer::send`] says
    /// [`Full`](SendError::Full).
    pub fn stream(mut self, head: Response<()>, most: usize) -> Writer {
        self.answered = true;
        let flight = Arc::new(Flight::default());
        self.to.say(What::Start(head, flight.clone()));
        Writer {
            to: self.to.clone(),
            flight,
            most,
            finished: false,
        }
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if !self.answered {
            self.to.say(What::Dropped);
        }
    }
}

/// How much of a response has been sent and not been taken by the socket.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    bytes: AtomicUsize,
    gone: AtomicBool,
}

impl Flight {
    /// So much of it has been handed to the socket.
    pub(crate) fn landed(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The client is gone.
    pub(crate) fn gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

/// Gives the body of a response from any thread, piece by piece. Dropped before [`finish`](Writer::finish) it breaks the
/// response off: the client sees that it is not complete.
#[derive(Debug)]
#[must_use]
pub struct Writer {
    to: Address,
    flight: Arc<Flight>,
    most: usize,
    finished: bool,
}

/// Why a [`Writer`] took no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The client is gone.
    #[error("the client is gone")]
    Gone,
    /// The client is slow: as many bytes wait as may.
    #[error("the client is too slow")]
    Full,
}

impl Writer {
    /// Sends a piece, or takes nothing of it.
    pub fn send(&mut self, piece: Bytes) -> Result<(), SendError> {
        if self.flight.gone.load(Ordering::Relaxed) {
            return Err(SendError::Gone);
        }
        // A piece that alone is more than may wait passes when nothing waits.
        let waits = self.flight.bytes.load(Ordering::Relaxed);
        if waits > 0 && waits + piece.len() > self.most {
            return Err(SendError::Full);
        }
        if !piece.is_empty() {
            self.flight.bytes.fetch_add(piece.len(), Ordering::Relaxed);
            self.to.say(What::Piece(piece));
        }
        Ok(())
    }

    /// Bytes that the client has not taken yet.
    pub fn waiting(&self) -> usize {
        self.flight.bytes.load(Ordering::Relaxed)
    }

    /// Ends the response.
    pub fn finish(mut self) {
        self.finished = true;
        self.to.say(What::End { whole: true });
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            self.to.say(What::End { whole: false });
        }
    }
}

/// Goes on with a body that an [`Upload`](crate::Upload) has stopped, from any thread.
#[derive(Clone, Debug)]
pub struct Resumer {
    to: Address,
}

impl Resumer {
    pub(crate) fn new(mail: Mail, conn: Conn, exchange: u64) -> Resumer {
        Resumer {
            to: Address { mail, conn, exchange },
        }
    }

    /// Goes on. Does nothing if that body does not wait.
    pub fn resume(&self) {
        self.to.say(What::Resume);
    }
}
