//! What the loops written by hand have in common: their clients, and a wait on epoll.

use crate::serve::{Tally, accept};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;
use std::net::TcpListener;

/// Waits for events, as one turn of the loop.
#[inline]
pub fn wait(poll: &OwnedFd, events: &mut Vec<Event>, tally: &Tally) -> io::Result<()> {
    tally.turn();
    tally.call();
    events.clear();
    match epoll::wait(poll, spare_capacity(events), None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A connection, with what a server remembers of it.
pub struct Client<T = ()> {
    /// Its socket.
    pub socket: OwnedFd,
    /// Bytes to send that the kernel has not taken; nothing more is read until it has.
    pub owed: Vec<u8>,
    /// What the server remembers.
    pub state: T,
}

/// What came of receiving once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echoed {
    /// So many bytes were received and sent back.
    All(usize),
    /// The kernel has not taken all of the echo.
    Owing,
    /// There was nothing to receive.
    Nothing,
    /// The connection is over.
    Over,
}

impl Client {
    /// Receives once, and sends back what that gives.
    #[allow(clippy::inline_always, reason = "as if it stood in each loop")]
    #[inline(always)]
    pub fn echo(&mut self, buffer: &mut [u8], tally: &Tally) -> Echoed {
        let received = loop {
            tally.call();
            match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Echoed::Over,
                Ok((received, _)) => break received,
                Err(Errno::AGAIN) => return Echoed::Nothing,
                Err(Errno::INTR) => {}
                Err(_) => return Echoed::Over,
            }
        };
        tally.call();
        let sent = match send(&self.socket, &buffer[..received], SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => return Echoed::Over,
        };
        if sent == received {
            return Echoed::All(received);
        }
        self.owed.extend_from_slice(&buffer[sent..received]);
        Echoed::Owing
    }
}

impl<T> Client<T> {
    /// Sends, and owes what the kernel does not take; whether the connection goes on.
    #[inline]
    pub fn send(&mut self, bytes: &[u8], tally: &Tally) -> bool {
        tally.call();
        let sent = match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => return false,
        };
        self.owed.extend_from_slice(&bytes[sent..]);
        true
    }

    /// Sends what is owed, as far as the kernel takes it; whether the connection goes on.
    pub fn pay(&mut self, tally: &Tally) -> bool {
        tally.call();
        match send(&self.socket, &self.owed, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                self.owed.drain(..sent);
                true
            }
            Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
        }
    }
}

/// The connections, by descriptor.
pub struct Clients<T = ()>(Vec<Option<Client<T>>>);

impl<T> Default for Clients<T> {
    fn default() -> Self {
        Clients(Vec::new())
    }
}

impl<T: Default> Clients<T> {
    /// Takes what waits in the backlog; `register` tells the poller of a socket and its key.
    pub fn accept(
        &mut self,
        listener: &TcpListener,
        tally: &Tally,
        register: impl Fn(&OwnedFd, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        while let Some(socket) = accept(listener, tally)? {
            let key = socket.as_raw_fd().unsigned_abs() as usize;
            tally.call();
            register(&socket, key)?;
            if key >= self.0.len() {
                self.0.resize_with(key + 1, || None);
            }
            self.0[key] = Some(Client {
                socket,
                owed: Vec::new(),
                state: T::default(),
            });
        }
        Ok(())
    }

    /// The connection of that key.
    #[inline]
    pub fn get(&mut self, key: usize) -> Option<&mut Client<T>> {
        self.0.get_mut(key).and_then(Option::as_mut)
    }

    /// Closes it.
    pub fn close(&mut self, key: usize, tally: &Tally) {
        tally.call();
        self.0[key] = None;
    }
}
