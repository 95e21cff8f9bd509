//! A peer that only pings while others download: how long its worst ping takes is how long the loop was busy with something
//! else.

use super::chain::magic;
use super::talk::Role;
use sockman_p2p::wire::{self, HEADER, Header, Message};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The time between an answer and the next ping.
const PAUSE: Duration = Duration::from_millis(1);

/// Waits for somebody who greets it, and pings until the connection ends.
pub struct Bystander {
    /// Where it listens.
    pub at: SocketAddr,
    thread: JoinHandle<io::Result<Duration>>,
}

impl Bystander {
    /// Begins.
    pub fn new() -> io::Result<Bystander> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let at = listener.local_addr()?;
        let thread = thread::spawn(move || ping(listener.accept()?.0));
        Ok(Bystander { at, thread })
    }

    /// The worst time from a ping to its answer. The connection must have been ended by the other side.
    pub fn worst(self) -> io::Result<Duration> {
        // One that nobody has greeted is waiting for that.
        drop(TcpStream::connect(self.at));
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the bystander has panicked")))
    }
}

fn ping(mut peer: TcpStream) -> io::Result<Duration> {
    peer.set_nodelay(true)?;
    let mut worst = Duration::ZERO;
    let mut out = Vec::new();
    if receive(&mut peer)?.is_none() {
        return Ok(worst);
    }
    Role::Bystander.greet(&mut out);
    wire::encode(&mut out, magic(), &Message::Verack);
    let mut number = 0;
    loop {
        number += 1;
        wire::encode(&mut out, magic(), &Message::Ping(Some(number)));
        let sent = Instant::now();
        if peer.write_all(&out).is_err() {
            return Ok(worst);
        }
        out.clear();
        loop {
            match receive(&mut peer)? {
                // A process that has ended answers no more.
                None => return Ok(worst),
                Some(answer) if answer == number => break,
                Some(_) => {}
            }
        }
        worst = worst.max(sent.elapsed());
        thread::sleep(PAUSE);
    }
}

/// The number of the next message, if it is a pong, otherwise 0; `None` when no message comes any more.
fn receive(peer: &mut TcpStream) -> io::Result<Option<u64>> {
    let mut head = [0; HEADER];
    if peer.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let header = Header::read(&head, magic()).map_err(io::Error::other)?;
    let header = header.ok_or_else(|| io::Error::other("a header is cut short"))?;
    let mut payload = vec![0; header.length];
    if peer.read_exact(&mut payload).is_err() {
        return Ok(None);
    }
    match wire::decode(header.command, &payload) {
        Ok(Message::Pong(Some(number))) => Ok(Some(number)),
        _ => Ok(Some(0)),
    }
}
