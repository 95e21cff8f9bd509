//! The server process: a server whose counters can be asked for by a line on its standard input.
//!
//! - [`backend`]: a sockman handler on a backend; `http`: the one that serves HTTP
//! - the other servers are in [`rivals`](crate::rivals)
//! - here: what they have in common, how they start, and the thread that answers

pub mod backend;
#[cfg(any_backend)]
pub mod http;

use crate::subject::Subject;
use crate::work::Work;
use crate::{heap, sys};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, accept_with, bind, getsockname, socket_with, sockopt,
};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Connections that may wait to be accepted, the same for every server.
pub const BACKLOG: i32 = 4096;

/// What a server process says of itself when asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time, user and system, in nanoseconds.
    pub cpu_ns: u64,
    /// System calls and turns of the loop, where they are counted.
    pub counts: Option<Counts>,
    /// Resident memory, in KiB.
    pub rss_kib: u64,
    /// The most there was of it, in KiB.
    pub peak_kib: u64,
    /// Bytes on the heap, where they are counted.
    pub heap: Option<u64>,
}

/// What a loop counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// System calls.
    pub calls: u64,
    /// Turns of the loop.
    pub turns: u64,
}

/// Asks the loop for its counts, from the thread that answers; `None` where nobody counts.
pub type Probe = Box<dyn FnMut() -> Option<Counts> + Send>;

/// Sends to the one connection that [`wake`](crate::wake) has made, from a thread that is not the loop's.
pub type Post = Box<dyn FnMut() + Send>;

/// A server that runs: where it listens, and how other threads reach it.
pub struct Running {
    /// Where it listens.
    pub at: SocketAddr,
    /// How it reaches the kernel, where that is not the same everywhere; otherwise empty.
    pub interface: String,
    /// Its counts.
    pub probe: Probe,
    /// Sends from outside, for those servers that [`wake`](crate::wake) measures.
    pub post: Option<Post>,
    /// The process that serves, where it is not this one: its CPU time and memory count.
    pub process: Option<Pid>,
}

impl Running {
    /// A server that counts nothing.
    pub fn new(at: SocketAddr) -> Running {
        Running {
            at,
            interface: String::new(),
            probe: Box::new(|| None),
            post: None,
            process: None,
        }
    }

    /// A loop that counts what it does.
    pub fn counted(at: SocketAddr, tally: &Tally) -> Running {
        Running {
            probe: tally.probe(),
            ..Running::new(at)
        }
    }
}

/// Called once by a server, when it listens and before it serves.
pub type Ready<'a> = &'a mut dyn FnMut(Running);

/// Why a server cannot run on this machine: something that it needs is missing or forbidden.
#[derive(Debug, thiserror::Error)]
#[error("not on this machine: {0}")]
pub struct Unable(pub String);

impl Unable {
    /// Says so, for [`able`].
    pub fn say(&self) {
        say(&format!("{UNABLE}{}", one_line(&self.0)));
    }
}

/// The arguments of this program with which a subject serves.
pub fn arguments(subject: &Subject, work: Work) -> Vec<String> {
    ["serve", subject.name, "--work", work.name()]
        .map(str::to_owned)
        .to_vec()
}

/// What stands before the reason, on the line where a process that can run says something else.
const UNABLE: &str = "unable: ";

/// Runs a server. `server` is given what to call when it listens. If it does not come so far as to listen, that is said on the standard output, for [`able`].
pub fn start(server: impl FnOnce(Ready<'_>) -> io::Result<()>, ready: Ready<'_>) -> io::Result<()> {
    let mut listens = false;
    let outcome = server(&mut |running| {
        listens = true;
        ready(running);
    });
    match outcome {
        Err(error) if !listens => {
            Unable(error.to_string()).say();
            Ok(())
        }
        outcome => outcome,
    }
}

/// The first line of a process that [`start`]s a server; that it cannot is an error.
pub fn able(line: String) -> Result<String, Unable> {
    match line.strip_prefix(UNABLE) {
        Some(why) => Err(Unable(why.to_owned())),
        None => Ok(line),
    }
}

/// Announces a server on the standard output, by its address and its interface, and answers each line on the standard
/// input with its usage. The process ends with the input.
pub fn announce(running: Running) {
    let Running {
        at,
        interface,
        mut probe,
        process,
        ..
    } = running;
    say(&format!("{at} {}", one_line(&interface)));
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.is_err() {
                break;
            }
            let counts = probe();
            let (rss_kib, peak_kib) = sys::resident(process);
            let usage = Usage {
                cpu_ns: process.map_or_else(sys::process_cpu, sys::cpu_of_process),
                counts,
                rss_kib,
                peak_kib,
                heap: heap::live()
                    .filter(|_| process.is_none())
                    .map(|bytes| bytes as u64),
            };
            say(&serde_json::to_string(&usage).unwrap_or_default());
        }
        std::process::exit(0);
    });
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// Writes a line to whoever started this process; without them there is nothing left to do.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Counts of a hand-written loop: written by the loop alone, read by the thread that answers.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    shared: Arc<(AtomicU64, AtomicU64)>,
}

impl Tally {
    /// One system call.
    #[inline]
    pub fn call(&self) {
        self.calls(1);
    }

    /// So many system calls.
    #[inline]
    pub fn calls(&self, count: u64) {
        let calls = &self.shared.0;
        // One writer: no atomic addition is needed.
        calls.store(calls.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }

    /// A turn of the loop.
    #[inline]
    pub fn turn(&self) {
        let turns = &self.shared.1;
        turns.store(turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// How the thread that answers reads them.
    pub fn probe(&self) -> Probe {
        let shared = self.shared.clone();
        Box::new(move || {
            Some(Counts {
                calls: shared.0.load(Ordering::Relaxed),
                turns: shared.1.load(Ordering::Relaxed),
            })
        })
    }
}

/// A non-blocking listener on a port of the kernel's choice, for the hand-written loops.
pub fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}

/// A port for a server that binds by itself, with `SO_REUSEPORT`: as long as the socket is there nobody else is given it.
pub fn reserve() -> io::Result<(OwnedFd, SocketAddr)> {
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let at = getsockname(&socket)?;
    let at = SocketAddr::try_from(at)?;
    Ok((socket, at))
}

/// The next connection of the backlog, non-blocking and without delay; `None` when there is none. Two system calls.
pub fn accept(listener: impl AsFd, tally: &Tally) -> io::Result<Option<OwnedFd>> {
    tally.call();
    match accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
        Ok(socket) => {
            tally.call();
            sockopt::set_tcp_nodelay(&socket, true)?;
            Ok(Some(socket))
        }
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::CONNABORTED) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_is_read_through_its_probe() {
        let tally = Tally::default();
        let mut probe = tally.probe();
        tally.call();
        tally.calls(5);
        tally.turn();
        assert_eq!(probe(), Some(Counts { calls: 6, turns: 1 }));
    }

    #[test]
    fn a_reserved_port_can_be_bound_by_who_shares_it() {
        let (_held, at) = reserve().expect("loopback");
        assert!(TcpListener::bind(at).is_err(), "not by others");
        let sharer = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        );
        let sharer = sharer.expect("a socket");
        sockopt::set_socket_reuseport(&sharer, true).expect("an option");
        bind(&sharer, &at).expect("shared");
    }

    #[test]
    fn a_listener_without_clients_has_none() {
        let (listener, at) = listener().expect("loopback");
        let tally = Tally::default();
        assert!(accept(&listener, &tally).expect("accept").is_none());
        let _client = std::net::TcpStream::connect(at).expect("connect");
        assert!(accept(&listener, &tally).expect("accept").is_some());
    }
}
