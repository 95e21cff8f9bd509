//! An eventfd in an epoll, and a loop that sends one message each time it is woken: the floor of a send from another
//! thread.

use super::parts::wait;
use crate::serve::{Ready, Running, Tally, accept, listener};
use crate::wake::MESSAGE;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::net::{SendFlags, send};
use std::io;
use std::sync::Arc;

const LISTENER: u64 = 0;
const WAKE: u64 = 1;

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    // Edge-triggered, so that it need not be read.
    epoll::add(
        &poll,
        &*wake,
        EventData::new_u64(WAKE),
        EventFlags::IN | EventFlags::ET,
    )?;
    let waker = wake.clone();
    ready(Running {
        post: Some(Box::new(move || {
            // It fails only when the counter is full, and it is woken then.
            let _ = rustix::io::write(&*waker, &1_u64.to_ne_bytes());
        })),
        ..Running::counted(at, &tally)
    });
    let mut client: Option<OwnedFd> = None;
    let mut events: Vec<Event> = Vec::with_capacity(16);
    loop {
        wait(&poll, &mut events, &tally)?;
        for event in &events {
            if event.data.u64() == LISTENER {
                client = accept(&listener, &tally)?;
            } else if let Some(client) = &client {
                tally.call();
                send(client, MESSAGE, SendFlags::NOSIGNAL)?;
            }
        }
    }
}
