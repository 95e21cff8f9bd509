//! An echo server written by hand on epoll, edge-triggered: one recv and one send per message, a share of the wait, and
//! no read that would only say that there is no more.

use crate::serve::{Ready, Running, Tally, accept, listener};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::io;

/// The listener's key; a descriptor is never that high.
const LISTENER: u64 = u64::MAX;

struct Client {
    socket: OwnedFd,
    /// Bytes received whose echo the kernel has not taken; nothing more is read until it has.
    owed: Vec<u8>,
}

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    ready(Running {
        at,
        probe: tally.probe(),
        post: None,
    });
    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 << 10];
    loop {
        tally.turn();
        tally.call();
        events.clear();
        match epoll::wait(&poll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                while let Some(socket) = accept(&listener, &tally)? {
                    let slot = socket.as_raw_fd().unsigned_abs() as usize;
                    let all = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                    tally.call();
                    epoll::add(&poll, &socket, EventData::new_u64(slot as u64), all)?;
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
            let slot = key as usize;
            let Some(client) = clients.get_mut(slot).and_then(Option::as_mut) else {
                continue;
            };
            if !client.serve(event.flags, &mut buffer, &tally) {
                tally.call();
                clients[slot] = None;
            }
        }
    }
}

impl Client {
    /// Carries out what an event reports; whether the connection goes on.
    #[inline]
    fn serve(&mut self, flags: EventFlags, buffer: &mut [u8], tally: &Tally) -> bool {
        if !self.owed.is_empty() {
            tally.call();
            match send(&self.socket, &self.owed, SendFlags::NOSIGNAL) {
                Ok(sent) => drop(self.owed.drain(..sent)),
                Err(Errno::AGAIN | Errno::INTR) => return true,
                Err(_) => return false,
            }
            if !self.owed.is_empty() {
                return true;
            }
        } else if !flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
            return true;
        }
        // A hang-up reported together with bytes raises no edge of its own, so it is read for at once.
        let ends = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        loop {
            tally.call();
            let received = match recv(&self.socket, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return false,
                Ok((received, _)) => received,
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => continue,
                Err(_) => return false,
            };
            tally.call();
            let sent = match send(&self.socket, &buffer[..received], SendFlags::NOSIGNAL) {
                Ok(sent) => sent,
                Err(Errno::AGAIN | Errno::INTR) => 0,
                Err(_) => return false,
            };
            if sent < received {
                self.owed.extend_from_slice(&buffer[sent..received]);
                return true;
            }
            // A short read has emptied the socket: what comes next raises an edge.
            if received < buffer.len() && !ends {
                return true;
            }
        }
    }
}
