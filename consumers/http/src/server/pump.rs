//! Giving answers that were not complete at once to the output, in order.

use super::output::{Payload, SLICE};
use super::queue::{Exchange, Progress};
use super::state::{Broken, Receiving};
use super::work::{FLUSH, Work};
use crate::http1::Decoder;
use crate::http1::encode::{self, Framing};
use crate::mutant::{Mutant, planted};
use crate::service::{Pull, Service, Source};
use http::StatusCode;
use sockman::SockMan;
use std::time::{Duration, Instant};

/// Bytes that one connection's streams give before others have their turn.
const BUDGET: usize = 256 << 10;

/// How long a source rests that says that there is more, and gives nothing.
const NOTHING: Duration = Duration::from_millis(1);

/// What became of the first answer.
enum Step {
    /// It is complete.
    Done,
    /// There may be more of it at once.
    More,
    /// It waits for something.
    Wait,
    /// It breaks off.
    Break(Framing),
}

/// Gives away what can be given, and begins with what has waited for that.
pub(super) fn run<V: Service, N: SockMan>(work: &mut Work<'_, V, N>, decoder: &mut Decoder) {
    loop {
        give(work);
        let is_blocked = matches!(work.state.receiving, Receiving::Blocked(_));
        if !is_blocked || work.state.last || work.state.broken.is_some() {
            return;
        }
        work.unblock(decoder);
        if matches!(work.state.receiving, Receiving::Blocked(_)) {
            return;
        }
    }
}

/// Gives answers away until one is not complete, or the client takes no more.
fn give<V: Service, N: SockMan>(work: &mut Work<'_, V, N>) {
    let mut given = 0;
    work.state.more = false;
    while !work.state.high && work.state.broken.is_none() {
        let now = work.now;
        let (out, scratch) = (&mut work.common.out, &mut work.common.scratch);
        let before = out.len();
        let change = |front: &mut Exchange<V::Source>| step(front, now, out, scratch);
        let Some(step) = work.state.queue.change_front(change) else {
            return;
        };
        given += work.common.out.len() - before;
        if work.common.out.len() > FLUSH {
            work.flush();
        }
        match step {
            Step::Wait => return,
            Step::More if given > BUDGET => {
                work.state.more = true;
                return;
            }
            Step::More => {}
            Step::Done => {
                if let Some(exchange) = work.state.queue.pop() {
                    exchange.log(exchange.status.unwrap_or(StatusCode::OK), now);
                }
            }
            Step::Break(framing) => {
                work.state.broken = Some(match framing {
                    Framing::Close => Broken::Hides,
                    _ => Broken::Shows,
                });
            }
        }
    }
}

fn step<S: Source>(front: &mut Exchange<S>, now: Instant, out: &mut Payload, scratch: &mut Vec<u8>) -> Step {
    match &mut front.progress {
        Progress::Waiting => Step::Wait,
        Progress::Held(until, _) if *until > now => Step::Wait,
        Progress::Held(_, payload) | Progress::Ready(payload) => {
            out.append(payload.take_front(SLICE));
            if payload.len() == 0 {
                Step::Done
            } else {
                Step::More
            }
        }
        Progress::Pulled { due: Some(due), .. } if *due > now => Step::Wait,
        Progress::Pulled {
            head,
            source,
            framing,
            due,
        } => {
            *due = None;
            out.append(std::mem::take(head));
            scratch.clear();
            let pull = source.pull(scratch);
            let step = frame(framing, scratch, out, matches!(pull, Pull::End));
            let wait = match (pull, &step) {
                (Pull::After(wait), Step::More) => wait,
                // One that has nothing and says that there is more is asked again, but not at once.
                (Pull::More, Step::More) if scratch.is_empty() => NOTHING,
                _ => return step,
            };
            *due = now.checked_add(wait);
            Step::Wait
        }
        Progress::Written {
            pieces,
            body,
            flight,
            framing,
            ended,
        } => {
            flight.landed(std::mem::take(body));
            out.append(std::mem::take(pieces));
            match ended {
                None => Step::Wait,
                Some(true) => Step::Done,
                Some(false) if planted(Mutant::BreakHidden) => Step::Done,
                Some(false) => Step::Break(*framing),
            }
        }
    }
}

/// Gives a piece away as the framing has it; `is_last`: nothing follows.
fn frame(framing: &mut Framing, piece: &[u8], out: &mut Payload, is_last: bool) -> Step {
    match framing {
        Framing::Empty => return Step::Done,
        Framing::Chunked => {
            if !piece.is_empty() {
                encode::chunk_size(&mut out.bytes, piece.len());
                out.bytes.extend_from_slice(piece);
                out.bytes.extend_from_slice(b"\r\n");
            }
            if is_last && !planted(Mutant::LastChunkMissing) {
                out.bytes.extend_from_slice(encode::LAST_CHUNK);
            }
        }
        Framing::Length(left) => {
            let count = piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= count as u64;
            out.bytes.extend_from_slice(&piece[..count]);
            if *left == 0 {
                return Step::Done;
            }
            if is_last {
                return Step::Break(*framing);
            }
        }
        Framing::Close => out.bytes.extend_from_slice(piece),
    }
    if is_last { Step::Done } else { Step::More }
}
