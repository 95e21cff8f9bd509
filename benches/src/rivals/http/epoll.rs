//! The floor: written by hand on epoll, edge-triggered, without parsing. One recv and one send for all requests that have
//! come together, and a share of the wait.

use super::floor::Script;
use crate::rivals::parts::{Client, Clients, wait};
use crate::serve::{Ready, Running, Tally, listener};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;

/// The listener's key; a descriptor is never that high.
const LISTENER: u64 = u64::MAX;

/// Runs it.
pub fn run<S: Script>(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    ready(Running::counted(at, &tally));
    let mut floor = Floor {
        script: S::default(),
        buffer: vec![0; 64 << 10],
        out: Vec::new(),
        tally,
    };
    let mut clients = Clients::<Vec<u8>>::default();
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    loop {
        wait(&poll, &mut events, &floor.tally)?;
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                clients.accept(&listener, &floor.tally, |socket, key| {
                    let all = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                    Ok(epoll::add(&poll, socket, EventData::new_u64(key as u64), all)?)
                })?;
                continue;
            }
            let key = key as usize;
            let Some(client) = clients.get(key) else {
                continue;
            };
            if !floor.serve(client, event.flags) {
                clients.close(key, &floor.tally);
            }
        }
    }
}

struct Floor<S> {
    script: S,
    buffer: Vec<u8>,
    out: Vec<u8>,
    tally: Tally,
}

impl<S: Script> Floor<S> {
    /// Carries out what an event reports; whether the connection goes on.
    #[inline]
    fn serve(&mut self, client: &mut Client<Vec<u8>>, flags: EventFlags) -> bool {
        if !client.owed.is_empty() {
            if !client.pay(&self.tally) {
                return false;
            }
            if !client.owed.is_empty() {
                return true;
            }
        } else if !flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
            return true;
        }
        // A hang-up reported together with bytes raises no edge of its own, so it is read for at once.
        let ends = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
        loop {
            self.tally.call();
            let received = match recv(&client.socket, &mut self.buffer[..], RecvFlags::empty()) {
                Ok((0, _)) => return false,
                Ok((received, _)) => received,
                Err(Errno::AGAIN) => return true,
                Err(Errno::INTR) => continue,
                Err(_) => return false,
            };
            self.out.clear();
            let data = &self.buffer[..received];
            self.script.answer_all(&mut client.state, data, &mut self.out);
            if !self.out.is_empty() {
                // An answer before the end is so short that the kernel always takes it.
                if !client.send(&self.out, &self.tally) || S::CLOSES {
                    return false;
                }
                if !client.owed.is_empty() {
                    return true;
                }
            }
            // A short read has emptied the socket: what comes next raises an edge.
            if received < self.buffer.len() && !ends {
                return true;
            }
        }
    }
}
