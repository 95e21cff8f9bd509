//! Scenarios that nobody thought up: steps by pseudo-random numbers, the same on every backend.
//!
//! What is not promised is left out: when a peer that has told its end is found to be gone altogether (libuv does not watch
//! such a stream, so a failing send tells it). Peers that have finished read all before they close, and do not reset; and
//! nothing is sent to those that have closed.

use super::play::Play;
use super::trace::{Trace, quoted};
use crate::recorder::Recorder;
use crate::rig::{Peer, Rig};
use crate::stage::{pattern, take};
use sockman::{Bytes, Conn, Disconnect, SockMan};

/// A few connections, of which each step does something to one.
pub fn a_walk<R: Rig>(trace: &Trace) {
    walk::<R>(trace, 1);
}

/// The same by other numbers.
pub fn another_walk<R: Rig>(trace: &Trace) {
    walk::<R>(trace, 1_000_000);
}

/// And by others.
pub fn a_third_walk<R: Rig>(trace: &Trace) {
    walk::<R>(trace, 2_000_001);
}

/// At most so many connections in one walk.
const CONNECTIONS: usize = 12;

/// A connection of a walk.
struct End<R: Rig> {
    number: usize,
    conn: Conn,
    /// Until it is gone.
    peer: Option<R::Peer>,
    finished: bool,
}

/// The numbers of a walk.
struct Chances {
    numbers: std::vec::IntoIter<u8>,
}

impl Chances {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        let [low, high] = [(); 2].map(|()| usize::from(self.numbers.next().unwrap_or(0)));
        (low | high << 8) % end
    }

    /// Some bytes.
    fn bytes(&mut self) -> Vec<u8> {
        let count = self.below(2000);
        pattern(count, self.below(usize::MAX) as u64)
    }
}

fn walk<R: Rig>(trace: &Trace, seed: u64) {
    const STEPS: usize = 150;
    let mut chances = Chances {
        numbers: pattern(STEPS * 16, seed).into_iter(),
    };
    // Whole tens: a rule under which it is the same in how many pieces bytes come.
    let recorder = Recorder::new()
        .on_received(|_, _, data| data.len() / 10 * 10)
        .on_eof(|_, _| ())
        .on_deadline(|_, _| ());
    let mut play = Play::<R>::new(trace, recorder);
    let mut ends: Vec<End<R>> = Vec::new();
    for _ in 0..STEPS {
        let open = ends.iter().filter(|end| end.peer.is_some()).count();
        if ends.len() < CONNECTIONS && (open == 0 || chances.below(8) == 0) {
            let (conn, peer) = play.connect();
            ends.push(End {
                number: ends.len() + 1,
                conn,
                peer: Some(peer),
                finished: false,
            });
            continue;
        }
        let which = chances.below(ends.len());
        let end = &mut ends[which];
        if chances.below(2) == 0 {
            peer_does(&mut play, &mut chances, end);
        } else {
            we_do(&mut play, &mut chances, end);
        }
    }
    for End { number, conn, .. } in &ends {
        play.act(&format!("we disconnect {number}"), |net| {
            net.disconnect(*conn, Disconnect::Now);
        });
    }
    play.end();
}

/// A step of a peer, if it is still there.
fn peer_does<R: Rig>(play: &mut Play<R>, chances: &mut Chances, end: &mut End<R>) {
    let Some(mut peer) = end.peer.take() else { return };
    let number = end.number;
    match chances.below(16) {
        0 if !end.finished => {
            play.step(format!("peer {number} resets"));
            return peer.reset();
        }
        0..=1 => {
            play.step(format!("peer {number} reads and closes"));
            let _ = take(&mut peer, &mut Vec::new(), usize::MAX);
            return;
        }
        2 => {
            play.step(format!("peer {number} finishes"));
            peer.finish();
            end.finished = true;
        }
        3..=7 => {
            play.step(format!("peer {number} reads"));
            let mut data = Vec::new();
            let over = take(&mut peer, &mut data, usize::MAX);
            let over = over.map_err(|error| error.kind());
            play.step(format!("it was {} {over:?}", quoted(&data)));
            // An end that is no failure it may answer.
            if over.is_err() {
                return;
            }
        }
        _ => {
            let data = chances.bytes();
            play.step(format!("peer {number} says {}", quoted(&data)));
            // A peer that has finished, or was reset, may not.
            match peer.write(&data) {
                Ok(count) => assert_eq!(count, data.len(), "so little always fits"),
                Err(error) => play.step(format!("but may not: {:?}", error.kind())),
            }
        }
    }
    end.peer = Some(peer);
}

/// A step of ours; the connection may be closed already.
fn we_do<R: Rig>(play: &mut Play<R>, chances: &mut Chances, end: &End<R>) {
    let End { number, conn, .. } = *end;
    let data = Bytes::from(chances.bytes());
    match chances.below(16) {
        0..=7 if end.peer.is_none() => {}
        0..=4 => {
            let sent = play.act(&format!("we send to {number}"), |net| net.send(conn, &data));
            play.step(format!("{sent:?}"));
        }
        5..=6 => play.act(&format!("we post to {number}"), |net| net.post(conn, data)),
        7 => {
            play.step(format!("a remote posts to {number}"));
            let _ = play.stage.driver.remote().post(conn, data);
        }
        8..=9 => play.act(&format!("we pause {number}"), |net| net.pause(conn)),
        10..=11 => play.act(&format!("we resume {number}"), |net| net.resume(conn)),
        12 => {
            let count = chances.below(3000);
            let answer = play.act(&format!("we want {count} of {number}"), |net| {
                net.want(conn, count)
            });
            play.step(format!("{answer:?}"));
        }
        13 => play.act(&format!("we set a deadline of {number}"), |net| {
            net.set_deadline(conn, Some(net.now()));
        }),
        14 => play.act(&format!("we finish {number}"), |net| net.finish(conn)),
        _ => {
            let how = [
                Disconnect::flush(),
                Disconnect::Now,
                Disconnect::Reset,
                Disconnect::flush(),
            ][chances.below(4)];
            play.act(&format!("we disconnect {number}, {how:?}"), |net| {
                net.disconnect(conn, how);
            });
        }
    }
}
