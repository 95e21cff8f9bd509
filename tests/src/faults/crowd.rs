//! Many peers at once, for tests of faults.

use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, stuff, take};
use sockman::Conn;

/// Peers of an echoing stage, each with bytes of its own.
pub struct Crowd<P> {
    peers: Vec<Talk<P>>,
}

struct Talk<P> {
    peer: P,
    data: Vec<u8>,
    written: usize,
    heard: Vec<u8>,
}

impl<P: Peer> Crowd<P> {
    /// `count` peers connect, and are opened; each will say `size` bytes.
    pub fn connect<R: Rig<Peer = P>>(stage: &mut Stage<R>, count: usize, size: usize) -> Self {
        let before = stage.seen().opened().len();
        let at = stage.at.clone();
        let mut peers = Vec::new();
        for number in 0..count {
            peers.push(Talk {
                peer: stage.rig.connect(&at),
                data: pattern(size, number as u64),
                written: 0,
                heard: Vec::new(),
            });
            // Some at a time, as they come in life.
            if number % 7 == 6 {
                stage.poll();
            }
        }
        stage.until("all are open", |stage| {
            stage.seen().opened().len() == before + count
        });
        Crowd { peers }
    }

    /// Each says everything and hears exactly that.
    pub fn talk<R: Rig<Peer = P>>(&mut self, stage: &mut Stage<R>) {
        stage.until("all is echoed", |_| {
            let mut done = true;
            for talk in &mut self.peers {
                talk.written += stuff(&mut talk.peer, &talk.data[talk.written..]);
                take(&mut talk.peer, &mut talk.heard, talk.data.len()).expect("the peer's read");
                assert!(
                    talk.data.starts_with(&talk.heard),
                    "bytes were lost, doubled or mixed up"
                );
                done &= talk.heard.len() == talk.data.len();
            }
            done
        });
        for talk in &mut self.peers {
            (talk.written, talk.heard) = (0, Vec::new());
        }
    }

    /// The connections' own accounts: each got one peer's bytes, complete.
    pub fn check<R: Rig<Peer = P>>(&self, stage: &Stage<R>, conns: &[Conn]) {
        for conn in conns {
            let bytes = stage.seen().bytes(*conn);
            assert!(
                self.peers.iter().any(|talk| bytes == talk.data),
                "{conn}: {} bytes that no peer said",
                bytes.len()
            );
        }
    }

    /// The peers.
    pub fn peers(&mut self) -> impl Iterator<Item = &mut P> {
        self.peers.iter_mut().map(|talk| &mut talk.peer)
    }
}
