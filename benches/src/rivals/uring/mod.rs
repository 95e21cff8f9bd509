//! Servers written by hand on `io_uring` (Linux 6.7 and later): multishot accept and receive into buffers of a
//! pool, and the answers of a turn submitted by the same call that waits for the next. An echo server, and what
//! [`http`](super::http) has.
//!
//! - `pool`: the receive buffers
//! - `client`: one connection's state, and what it still owes
//! - `engine`: the operations: submitting, and reaping what they came to
//! - here: the loop, and what it does about each completion

#![allow(
    unsafe_code,
    reason = "submitting is unsafe: what operations refer to must live until they are done"
)]

mod client;
mod engine;
mod pool;

use crate::serve::{Ready, Running, Tally, listener};
use client::{Client, Owed};
use engine::{Engine, Event, Kind};
use io_uring::cqueue;
use std::io;
use std::os::fd::AsRawFd;

/// What is sent back for what was received.
pub(super) trait Protocol {
    /// What is remembered of a connection.
    type State: Default;
    /// Whether a connection is closed when something was sent back.
    const CLOSES: bool;

    /// Writes what to send into a buffer whose first `length` bytes were received; how much it is.
    fn reply(&mut self, state: &mut Self::State, buffer: &mut [u8], length: usize) -> usize;
}

/// Sends back what was received.
struct Echo;

impl Protocol for Echo {
    type State = ();
    const CLOSES: bool = false;

    #[inline]
    fn reply(&mut self, (): &mut (), _: &mut [u8], length: usize) -> usize {
        length
    }
}

/// Runs the echo server.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    serve(Echo, ready)
}

/// Serves a protocol.
pub(super) fn serve<P: Protocol>(protocol: P, ready: Ready<'_>) -> io::Result<()> {
    let tally = Tally::default();
    let (listener, at) = listener()?;
    let mut engine = Engine::new(tally.clone())?;
    engine.accept(listener.as_raw_fd())?;
    ready(Running::counted(at, &tally));
    let mut server = Server {
        protocol,
        engine,
        listener: listener.as_raw_fd(),
        clients: Vec::new(),
        turn: 1,
        held: Vec::new(),
        starved: Vec::new(),
    };
    // Whatever comes of it, the process ends with it: nothing that an operation may still refer to is freed before.
    let outcome = server.serve();
    std::mem::forget(server);
    outcome
}

struct Server<P: Protocol> {
    protocol: P,
    engine: Engine,
    listener: i32,
    /// By the slot of the connection's direct descriptor.
    clients: Vec<Client<P::State>>,
    turn: u32,
    /// Completions that wait for the next turn: their connection has an answer under way already, and a second one could
    /// overtake the rest of the first.
    held: Vec<Event>,
    /// Connections that receive nothing because the pool had run dry.
    starved: Vec<u32>,
}

impl<P: Protocol> Server<P> {
    fn serve(&mut self) -> io::Result<()> {
        let mut events = Vec::new();
        loop {
            self.engine.tally.turn();
            std::mem::swap(&mut events, &mut self.held);
            let idle = events.is_empty() && self.starved.is_empty();
            self.engine.turn(idle, &mut events)?;
            while let Some((slot, rest)) = self.engine.short.pop() {
                self.owe(slot, rest)?;
            }
            self.turn = self.turn.wrapping_add(1);
            for event in events.drain(..) {
                self.handle(event)?;
            }
            for _ in 0..self.engine.pool.free() {
                let Some(slot) = self.starved.pop() else { break };
                self.resume(slot)?;
            }
        }
    }

    /// Receives again, unless something is owed or the connection has ended meanwhile.
    fn resume(&mut self, slot: u32) -> io::Result<()> {
        let client = &mut self.clients[slot as usize];
        client.receives = client.owed.is_none() && !client.ends;
        if client.receives {
            return self.engine.receive(slot);
        }
        self.close_if_done(slot)
    }

    #[inline]
    fn handle(&mut self, event: Event) -> io::Result<()> {
        match event.kind() {
            Kind::Receive => self.received(event),
            Kind::Flush => self.flushed(event),
            Kind::Accept => self.accepted(event),
            // A cancellation that came too late, or an option refused: nothing follows from it.
            Kind::Send | Kind::Other => Ok(()),
        }
    }

    fn accepted(&mut self, event: Event) -> io::Result<()> {
        if !cqueue::more(event.flags) {
            self.engine.accept(self.listener)?;
        }
        let slot = match -event.result {
            libc::ECONNABORTED => return Ok(()),
            error if error > 0 => return Err(io::Error::from_raw_os_error(error)),
            slot => slot.unsigned_abs(),
        };
        let index = slot as usize;
        if index >= self.clients.len() {
            self.clients.resize_with(index + 1, Client::default);
        }
        self.clients[index] = Client {
            receives: true,
            ..Client::default()
        };
        self.engine.set_nodelay(slot)?;
        self.engine.receive(slot)
    }

    #[inline]
    fn received(&mut self, event: Event) -> io::Result<()> {
        let slot = event.index();
        let client = &mut self.clients[slot as usize];
        if client.answered == self.turn {
            self.held.push(event);
            return Ok(());
        }
        client.receives = cqueue::more(event.flags);
        if let Some(buffer) = event.buffer() {
            let received = event.result.unsigned_abs() as usize;
            let whole = self.engine.pool.whole(buffer);
            let length = self.protocol.reply(&mut client.state, whole, received) as u32;
            match &mut client.owed {
                None if length == 0 => {
                    self.engine.pool.give(buffer);
                    self.engine.pool.publish();
                }
                None => {
                    client.answered = self.turn;
                    self.engine.send(slot, buffer, length)?;
                }
                Some(owed) => {
                    owed.add(self.engine.pool.bytes(buffer, 0..length));
                    self.engine.pool.give(buffer);
                    self.engine.pool.publish();
                }
            }
        }
        let client = &mut self.clients[slot as usize];
        if P::CLOSES && client.answered == self.turn {
            client.ends = true;
            if client.receives {
                return self.engine.stop_receiving(slot);
            }
        }
        if client.receives {
            return Ok(());
        }
        match -event.result {
            libc::ENOBUFS => {
                client.receives = true;
                self.starved.push(slot);
                Ok(())
            }
            // While something is owed nothing more is received; `flushed` goes on with it.
            error if error < 0 || error == libc::ECANCELED => self.resume(slot),
            _ => {
                client.ends = true;
                self.close_if_done(slot)
            }
        }
    }

    /// An answer was sent in part.
    fn owe(&mut self, slot: u32, rest: io::Result<Vec<u8>>) -> io::Result<()> {
        let client = &mut self.clients[slot as usize];
        match rest {
            Ok(rest) => {
                let owed = client.owed.insert(Box::new(Owed::new(rest)));
                self.engine.flush(slot, owed)?;
            }
            Err(_) => client.ends = true,
        }
        if client.receives {
            return self.engine.stop_receiving(slot);
        }
        self.close_if_done(slot)
    }

    fn flushed(&mut self, event: Event) -> io::Result<()> {
        let slot = event.index();
        let client = &mut self.clients[slot as usize];
        let Some(owed) = &mut client.owed else {
            return Ok(());
        };
        if event.result < 0 {
            client.ends = true;
            client.owed = None;
        } else if owed.sent(event.result.unsigned_abs() as usize) {
            return self.engine.flush(slot, owed);
        } else {
            client.owed = None;
        }
        if client.receives {
            // Until its cancellation has completed; or it was missed, and an end must be repeated.
            return if client.ends {
                self.engine.stop_receiving(slot)
            } else {
                Ok(())
            };
        }
        self.resume(slot)
    }

    /// Closes a connection that has ended, when no operation refers to it any more.
    fn close_if_done(&mut self, slot: u32) -> io::Result<()> {
        let client = &mut self.clients[slot as usize];
        if client.ends && !client.receives && client.owed.is_none() {
            client.ends = false;
            return self.engine.close(slot);
        }
        Ok(())
    }
}
