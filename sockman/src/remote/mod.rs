//! Reaching a loop from other threads.
//!
//! Here: the [`Remote`] that they are given, and what they may ask. `mailbox`: the queue, and who wakes the loop. `model`
//! (with `--cfg loom`, `./test loom`): a loop and its remotes, through every order of events.

mod mailbox;
#[cfg(all(test, loom))]
mod model;
// Loom's mutex can be made in a model only.
#[cfg(all(test, not(loom)))]
mod tests;

pub use mailbox::Mailbox;

use crate::id::Conn;
use crate::reason::{Disconnect, RemoteError};
use bytes::Bytes;
use mailbox::Shared;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A handle through which other threads reach a loop: clone it and send it anywhere.
///
/// Every command takes effect at once, waking the loop if it sleeps; commands of one thread are carried out in their
/// order. A command for a connection that is gone does nothing.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

/// What a [`Remote`] asks of the loop.
#[derive(Debug)]
pub(crate) enum Command {
    Post(Conn, Bytes),
    Disconnect(Conn, Disconnect),
    Pause(Conn),
    Resume(Conn),
    Stop(Duration),
}

impl Remote {
    /// Hands `data` to the connection's handler, by [`posted`](crate::Handler::posted): by default it is sent. Fails when
    /// the loop is gone or has not taken [`Config::remote_queue`](crate::Config::remote_queue) bytes posted before.
    pub fn post(&self, conn: Conn, data: impl Into<Bytes>) -> Result<(), RemoteError> {
        self.shared.push(Command::Post(conn, data.into()))
    }

    /// As [`SockMan::disconnect`](crate::SockMan::disconnect).
    pub fn disconnect(&self, conn: Conn, how: Disconnect) -> Result<(), RemoteError> {
        self.shared.push(Command::Disconnect(conn, how))
    }

    /// As [`SockMan::pause`](crate::SockMan::pause).
    pub fn pause(&self, conn: Conn) -> Result<(), RemoteError> {
        self.shared.push(Command::Pause(conn))
    }

    /// As [`SockMan::resume`](crate::SockMan::resume).
    pub fn resume(&self, conn: Conn) -> Result<(), RemoteError> {
        self.shared.push(Command::Resume(conn))
    }

    /// Calls [`woken`](crate::Handler::woken) on the loop: once for several calls that come before it runs.
    pub fn wake(&self) {
        self.shared.wake();
    }

    /// Stops the loop: the handler is told by [`stopping`](crate::Handler::stopping), and what is still open after
    /// `within` is closed. [`Driver::run`](crate::Driver::run) returns when nothing is open any more.
    pub fn stop(&self, within: Duration) -> Result<(), RemoteError> {
        self.shared.push(Command::Stop(within))
    }

    /// Swaps the waiting commands into `into`, which must be empty, and tells whether `wake` was called.
    pub(crate) fn take(&self, into: &mut Vec<Command>) -> bool {
        self.shared.take(into)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}
