//! A peer that does no harm, and wants an answer every ten milliseconds.

use super::peer::Peer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(super) struct Bystander {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Bystander {
    pub(super) fn start(node: SocketAddr) -> Bystander {
        let done = Arc::new(AtomicBool::new(false));
        let mut peer = Peer::ready(node);
        let thread = thread::spawn({
            let done = done.clone();
            move || {
                let mut worst = Duration::ZERO;
                let mut number = 0;
                while !done.load(Ordering::Relaxed) {
                    number += 1;
                    worst = worst.max(peer.ping(number));
                    thread::sleep(Duration::from_millis(10));
                }
                worst
            }
        });
        Bystander { done, thread }
    }

    /// How long its worst ping took. It goes then.
    pub(super) fn worst(self) -> Duration {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
