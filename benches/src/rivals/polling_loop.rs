//! An echo server written by hand on the crate `polling`, level-triggered.

#![allow(
    unsafe_code,
    reason = "registering with `polling` is unsafe: the socket must stay open until it is deleted"
)]

use super::parts::{Clients, Echoed};
use crate::serve::{Ready, Running, Tally, listener};
use polling::{Event, Events, PollMode, Poller};
use std::io;

/// The listener's key; a descriptor is never that high, and the highest is `polling`'s own.
const LISTENER: usize = usize::MAX - 1;

/// A wait sets the timer, arms it, waits, clears the notification and arms that.
const CALLS_PER_WAIT: u64 = 5;

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let poller = Poller::new()?;
    // SAFETY: the listener lives as long as the poller, to the end of this function.
    unsafe { poller.add_with_mode(&listener, Event::readable(LISTENER), PollMode::Level)? };
    ready(Running::counted(at, &tally));
    let mut clients = Clients::<()>::default();
    let mut events = Events::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        tally.turn();
        tally.calls(CALLS_PER_WAIT);
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == LISTENER {
                clients.accept(&listener, &tally, |socket, key| {
                    // SAFETY: the socket is deleted from the poller before it is closed, below.
                    unsafe { poller.add_with_mode(socket, Event::readable(key), PollMode::Level) }
                })?;
                continue;
            }
            let Some(client) = clients.get(event.key) else {
                continue;
            };
            let was_stuck = !client.owed.is_empty();
            let goes_on = if was_stuck {
                client.pay(&tally)
            } else {
                client.echo(&mut buffer, &tally) != Echoed::Over
            };
            if !goes_on {
                tally.call();
                poller.delete(&client.socket)?;
                clients.close(event.key, &tally);
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
