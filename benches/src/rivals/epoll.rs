//! An echo server written by hand on epoll, edge-triggered: one recv and one send per message, a share of the wait, and
//! no read that would only say that there is no more.

use super::parts::{Client, Clients, Echoed, wait};
use crate::serve::{Ready, Running, Tally, listener};
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io;

/// The listener's key; a descriptor is never that high.
const LISTENER: u64 = u64::MAX;

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    ready(Running::counted(at, &tally));
    let mut clients = Clients::<()>::default();
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 << 10];
    loop {
        wait(&poll, &mut events, &tally)?;
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                clients.accept(&listener, &tally, |socket, key| {
                    let all = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                    Ok(epoll::add(&poll, socket, EventData::new_u64(key as u64), all)?)
                })?;
                continue;
            }
            let key = key as usize;
            let Some(client) = clients.get(key) else {
                continue;
            };
            if !serve(client, event.flags, &mut buffer, &tally) {
                clients.close(key, &tally);
            }
        }
    }
}

/// Carries out what an event reports; whether the connection goes on.
#[inline]
fn serve(client: &mut Client, flags: EventFlags, buffer: &mut [u8], tally: &Tally) -> bool {
    if !client.owed.is_empty() {
        if !client.pay(tally) {
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
        match client.echo(buffer, tally) {
            Echoed::Over => return false,
            Echoed::Nothing | Echoed::Owing => return true,
            // A short read has emptied the socket: what comes next raises an edge.
            Echoed::All(received) if received < buffer.len() && !ends => return true,
            Echoed::All(_) => {}
        }
    }
}
