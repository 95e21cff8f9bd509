//! The other threads, and how their commands are told apart.

use super::bell::Bell;
use crate::id::{Conn, Id, RawId};
use crate::reason::{Disconnect, RemoteError};
use crate::remote::{Command, Remote};
use bytes::Bytes;
use loom::thread;
use std::sync::Arc;
use std::time::Duration;

/// What a thread asks of the loop.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ask {
    /// To post so many bytes.
    Post(usize),
    Disconnect,
    Stop,
    Wake,
}

/// Which command it is: the thread, and the place among its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) thread: usize,
    pub(super) place: u32,
}

impl Label {
    pub(super) fn of(command: &Command) -> Label {
        match command {
            Command::Post(conn, _)
            | Command::Disconnect(conn, _)
            | Command::Pause(conn)
            | Command::Resume(conn) => Label {
                thread: conn.raw().slot(),
                place: conn.raw().generation(),
            },
            Command::Stop(within) => Label {
                thread: within.as_secs() as usize,
                place: within.subsec_nanos(),
            },
        }
    }

    fn conn(self) -> Conn {
        Conn::from_raw(RawId::new(0, self.thread, self.place).expect("in range"))
    }

    fn time(self) -> Duration {
        Duration::new(self.thread as u64, self.place)
    }
}

/// What became of it: the commands that were accepted, in order, and how many of the others were refused for which reason.
pub(super) struct Outcome {
    /// Kept, so that a loop is seen to let go of what was posted though there are remotes.
    pub(super) remote: Remote,
    pub(super) accepted: Vec<Label>,
    pub(super) full: usize,
    pub(super) gone: usize,
}

/// Starts a thread that asks all this. `data` makes what is posted.
pub(super) fn start(
    thread: usize,
    asks: &'static [Ask],
    remote: Remote,
    bell: Arc<Bell>,
    data: impl Fn(usize) -> Bytes + 'static,
) -> thread::JoinHandle<Outcome> {
    thread::spawn(move || {
        let mut outcome = Outcome {
            remote,
            accepted: Vec::new(),
            full: 0,
            gone: 0,
        };
        for (place, ask) in (1..).zip(asks) {
            let label = Label { thread, place };
            let remote = &outcome.remote;
            let answer = match *ask {
                Ask::Post(bytes) => remote.post(label.conn(), data(bytes)),
                Ask::Disconnect => remote.disconnect(label.conn(), Disconnect::Now),
                Ask::Stop => remote.stop(label.time()),
                Ask::Wake => {
                    remote.wake();
                    continue;
                }
            };
            match answer {
                Ok(()) => outcome.accepted.push(label),
                Err(RemoteError::Full) => outcome.full += 1,
                Err(RemoteError::Gone) => outcome.gone += 1,
            }
        }
        bell.leave();
        outcome
    })
}
