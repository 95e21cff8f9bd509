//! A loop in the shape that was criticised: poll(2), its set rebuilt from hash maps on every turn, virtual callbacks, a
//! time limit of 50 ms, and no way to wake it: what another thread queues waits for the next turn.

use crate::serve::{Ready, Running, Tally, accept, listener};
use crate::wake::MESSAGE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

type Id = u64;

struct Session {
    id: Id,
    socket: OwnedFd,
    out: Mutex<Vec<u8>>,
}

/// What the loop calls.
trait Callbacks {
    fn got_data(&self, manager: &Manager, id: Id, data: &[u8]);
}

struct Echo;

impl Callbacks for Echo {
    fn got_data(&self, manager: &Manager, id: Id, data: &[u8]) {
        manager.send_bytes(id, data);
    }
}

#[derive(Default)]
struct Manager {
    sessions: Mutex<HashMap<Id, Arc<Session>>>,
    tally: Tally,
}

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let (listener, at) = listener()?;
    let manager = Arc::new(Manager::default());
    let outside = manager.clone();
    ready(Running {
        post: Some(Box::new(move || {
            if let Some(session) = outside.find(0) {
                lock(&session.out).extend_from_slice(MESSAGE);
            }
        })),
        ..Running::counted(at, &manager.tally)
    });
    let callbacks: Box<dyn Callbacks> = Box::new(Echo);
    let mut next_id = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        manager.tally.turn();
        let sessions: Vec<Arc<Session>> = lock(&manager.sessions).values().cloned().collect();
        let occurred = manager.wait(&listener, &sessions)?;
        if occurred.contains_key(&listener.as_raw_fd()) {
            while let Some(socket) = accept(&listener, &manager.tally)? {
                let session = Session {
                    id: next_id,
                    socket,
                    out: Mutex::default(),
                };
                lock(&manager.sessions).insert(next_id, Arc::new(session));
                next_id += 1;
            }
        }
        for session in &sessions {
            let Some(flags) = occurred.get(&session.socket.as_raw_fd()) else {
                continue;
            };
            if flags.contains(PollFlags::OUT) {
                manager.flush(session);
            }
            if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                manager.tally.call();
                match recv(&session.socket, &mut buffer[..], RecvFlags::empty()) {
                    Ok((0, _)) => manager.close(session.id),
                    Ok((received, _)) => callbacks.got_data(&manager, session.id, &buffer[..received]),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(_) => manager.close(session.id),
                }
            }
        }
    }
}

impl Manager {
    /// Builds the set, waits, and gives what occurred to each descriptor.
    fn wait(
        &self,
        listener: &TcpListener,
        sessions: &[Arc<Session>],
    ) -> io::Result<HashMap<RawFd, PollFlags>> {
        let mut wanted: HashMap<RawFd, (&OwnedFd, PollFlags)> = HashMap::new();
        for session in sessions {
            let mut flags = PollFlags::IN;
            if !lock(&session.out).is_empty() {
                flags |= PollFlags::OUT;
            }
            wanted.insert(session.socket.as_raw_fd(), (&session.socket, flags));
        }
        let mut set: Vec<PollFd<'_>> = vec![PollFd::new(listener, PollFlags::IN)];
        set.extend(
            wanted
                .values()
                .map(|(socket, flags)| PollFd::new(*socket, *flags)),
        );
        self.tally.call();
        match poll(&mut set, Some(&TICK)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(set
            .iter()
            .filter(|entry| !entry.revents().is_empty())
            .map(|entry| (entry.as_fd().as_raw_fd(), entry.revents()))
            .collect())
    }

    fn find(&self, id: Id) -> Option<Arc<Session>> {
        lock(&self.sessions).get(&id).cloned()
    }

    fn send_bytes(&self, id: Id, data: &[u8]) {
        if let Some(session) = self.find(id) {
            let waiting = {
                let mut out = lock(&session.out);
                out.extend_from_slice(data);
                out.len() > data.len()
            };
            // The optimistic write: only what was queued before waits for a turn.
            if !waiting {
                self.flush(&session);
            }
        }
    }

    fn flush(&self, session: &Session) {
        let mut out = lock(&session.out);
        self.tally.call();
        match send(&session.socket, &out, SendFlags::NOSIGNAL) {
            Ok(sent) => drop(out.drain(..sent)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => out.clear(),
        }
    }

    fn close(&self, id: Id) {
        self.tally.call();
        lock(&self.sessions).remove(&id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
