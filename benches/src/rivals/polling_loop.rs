//! An echo server written by hand on the crate `polling`, level-triggered.

#![allow(
    unsafe_code,
    reason = "registering with `polling` is unsafe: the socket must stay open until it is deleted"
)]

use crate::serve::{Ready, Running, Tally, accept, listener};
use polling::{Event, Events, PollMode, Poller};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;

/// The listener's key; a descriptor is never that high, and the highest is `polling`'s own.
const LISTENER: usize = usize::MAX - 1;

/// A wait sets the timer, arms it, waits, clears the notification and arms that.
const CALLS_PER_WAIT: u64 = 5;

struct Client {
    socket: OwnedFd,
    /// Bytes received whose echo the kernel has not taken; nothing more is read until it has.
    owed: Vec<u8>,
}

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poller = Poller::new()?;
    // SAFETY: the listener lives as long as the poller, to the end of this function.
    unsafe { poller.add_with_mode(&listener, Event::readable(LISTENER), PollMode::Level)? };
    ready(Running {
        at,
        probe: tally.probe(),
        post: None,
    });
    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut events = Events::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        tally.turn();
        tally.calls(CALLS_PER_WAIT);
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == LISTENER {
                while let Some(socket) = accept(&listener, &tally)? {
                    let slot = socket.as_raw_fd().unsigned_abs() as usize;
                    tally.call();
                    // SAFETY: the socket is deleted from the poller before it is closed, below.
                    unsafe { poller.add_with_mode(&socket, Event::readable(slot), PollMode::Level)? };
                    if slot >= clients.len() {
                        clients.resize_with(slot + 1, || None);
                    }
                    clients[slot] = Some(Client {
                        socket,
                        owed: Vec::new(),
                    });
                }
                continue;
            }
            let Some(client) = clients.get_mut(event.key).and_then(Option::as_mut) else {
                continue;
            };
            let was_stuck = !client.owed.is_empty();
            if !client.serve(&mut buffer, &tally) {
                tally.calls(2);
                poller.delete(&client.socket)?;
                clients[event.key] = None;
                continue;
            }
            let is_stuck = !client.owed.is_empty();
            if was_stuck != is_stuck {
                tally.call();
                let interest = if is_stuck {
                    Event::writable(event.key)
                } else {
                    Event::readable(event.key)
                };
                poller.modify_with_mode(&client.socket, interest, PollMode::Level)?;
            }
        }
    }
}

impl Client {
    /// Sends what is owed, or else receives and sends back once; whether the connection goes on.
    #[inline]
    fn serve(&mut self, buffer: &mut [u8], tally: &Tally) -> bool {
        tally.call();
        if !self.owed.is_empty() {
            return match send(&self.socket, &self.owed, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    self.owed.drain(..sent);
                    true
                }
                Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
            };
        }
        let received = match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((0, _)) => return false,
            Ok((received, _)) => received,
            Err(error) => return matches!(error, Errno::AGAIN | Errno::INTR),
        };
        tally.call();
        let sent = match send(&self.socket, &buffer[..received], SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => return false,
        };
        self.owed.extend_from_slice(&buffer[sent..received]);
        true
    }
}
