//! Operations, and a model of what must come of them: for [`soundness`](crate::soundness), and for fuzzers.
//!
//! With the feature `arbitrary` a [`Step`] can be made of a fuzzer's bytes.

#[cfg(feature = "arbitrary")]
mod arbitrary;

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, take};
use proptest::prelude::*;
use sockman::{Bytes, Config, Conn, Disconnect, Gone, Id, Limits, SockMan, WantError};
use std::time::Duration;

/// What a random script does next. The numbers choose among all connections there ever were.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A peer connects.
    Connect,
    /// A peer does something.
    Peer(usize, PeerDoes),
    /// The loop sends so many bytes.
    Send(usize, usize, Way),
    /// An operation of the loop.
    Do(usize, Operation),
    /// A remote disconnects.
    RemoteDisconnect(usize),
    /// After so many milliseconds; whether it is kept, or cancelled at once.
    Timer(u64, bool),
    /// A turn that does not wait.
    Turn,
}

/// What a peer does.
#[derive(Clone, Copy, Debug)]
pub enum PeerDoes {
    /// Writes so many bytes, if they fit.
    Write(usize),
    /// Reads what is there.
    Read,
    /// Half-closes.
    Finish,
    /// Reads, and closes.
    Close,
    /// Reads, and resets.
    Reset,
}

/// The ways to send.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// By `send`.
    Copied,
    /// By `send_bytes`.
    Shared,
    /// By `post`.
    Posted,
    /// By a remote's post.
    Remote,
}

/// An operation on a connection, alive or dead.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    /// `disconnect`.
    Disconnect(Disconnect),
    /// `finish`.
    Finish,
    /// `pause`.
    Pause,
    /// `resume`.
    Resume,
    /// `want` so many bytes.
    Want(usize),
    /// `set_deadline`, in so many milliseconds, or none.
    Deadline(Option<u64>),
}

/// Any step; the commoner ones more often.
pub fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    let size = prop_oneof![0..20_usize, 0..5_000_usize, 0..300_000_usize];
    let how = prop_oneof![
        Just(Disconnect::Now),
        Just(Disconnect::Reset),
        (0..30_u64).prop_map(|ms| Disconnect::Flush {
            within: Duration::from_millis(ms)
        }),
    ];
    let peer = prop_oneof![
        5 => size.clone().prop_map(PeerDoes::Write),
        4 => Just(PeerDoes::Read),
        1 => Just(PeerDoes::Finish),
        1 => Just(PeerDoes::Close),
        1 => Just(PeerDoes::Reset),
    ];
    let way = prop_oneof![
        4 => Just(Way::Copied),
        3 => Just(Way::Shared),
        2 => Just(Way::Posted),
        2 => Just(Way::Remote),
    ];
    let operation = prop_oneof![
        2 => how.prop_map(Operation::Disconnect),
        1 => Just(Operation::Finish),
        2 => Just(Operation::Pause),
        3 => Just(Operation::Resume),
        1 => size.clone().prop_map(Operation::Want),
        1 => proptest::option::of(0..20_u64).prop_map(Operation::Deadline),
    ];
    prop_oneof![
        4 => Just(Step::Connect),
        12 => (which.clone(), peer).prop_map(|(which, does)| Step::Peer(which, does)),
        11 => (which.clone(), size, way).prop_map(|(which, size, way)| Step::Send(which, size, way)),
        10 => (which.clone(), operation).prop_map(|(which, operation)| Step::Do(which, operation)),
        1 => which.prop_map(Step::RemoteDisconnect),
        1 => (0..20_u64, any::<bool>()).prop_map(|(ms, kept)| Step::Timer(ms, kept)),
        8 => Just(Step::Turn),
    ]
}

/// What the model knows of a connection.
struct Model<P> {
    conn: Conn,
    /// Until it closes.
    peer: Option<P>,
    finished: bool,
    /// The stream from the peer, and how much of it was written.
    up: Vec<u8>,
    written: usize,
    /// The stream to the peer, as far as sends were accepted or may come to be (posts), and what was heard of it.
    down: Vec<u8>,
    heard: Vec<u8>,
}

/// A peer writes no more than this; patterns of this length are quickly made.
const STREAM: usize = 1 << 18;

/// A loop with what must be true of it.
pub struct World<R: Rig> {
    stage: Stage<R>,
    models: Vec<Model<R::Peer>>,
    kept_timers: usize,
}

impl<R: Rig> World<R> {
    /// Nobody is connected yet.
    pub fn on(rig: R) -> Self {
        let config = Config {
            limits: Limits {
                unread: 50_000,
                high: 100_000,
                low: 10_000,
                queued: 1 << 20,
            },
            read_buffer: 4 << 10,
            byte_budget: 16 << 10,
            accept_budget: 2,
            ..Config::default()
        };
        // Leaves some unread now and then: up to 30 bytes, and all when they come again.
        let recorder = Recorder::new().on_received(|_, _, data| {
            if data.len() % 3 == 0 {
                data.len() - data.len().min(30) / 2
            } else {
                data.len()
            }
        });
        World {
            stage: Stage::on(rig, &config, recorder),
            models: Vec::new(),
            kept_timers: 0,
        }
    }

    /// What the peer hears must be what was sent, from the start.
    fn listen(model: &mut Model<R::Peer>) {
        if let Some(peer) = &mut model.peer {
            // An error is the end, and may come at any time.
            let _ = take(peer, &mut model.heard, usize::MAX);
        }
        assert!(
            model.down.starts_with(&model.heard),
            "{}: the peer heard what was not sent to it",
            model.conn
        );
    }

    /// Sends in some way. Once a connection has refused bytes it takes none again, so what it took before it refused, if
    /// only a part, is the end of its stream.
    fn send(stage: &mut Stage<R>, model: &mut Model<R::Peer>, size: usize, way: Way) {
        let conn = model.conn;
        let data = pattern(size, Id::raw(conn).to_bits() ^ model.down.len() as u64);
        let shared = Bytes::copy_from_slice(&data);
        let takes = stage.send(conn, b"").is_ok();
        match way {
            Way::Copied => drop(stage.send(conn, &data).ok()),
            Way::Shared => drop(stage.send_bytes(conn, shared).ok()),
            Way::Posted => stage.driver.with(|_, net| net.post(conn, shared)),
            Way::Remote => stage.driver.remote().post(conn, shared).expect("there is room"),
        }
        if matches!(way, Way::Posted | Way::Remote) {
            // Posts are carried out by the next turn: taken now, so that their place in the stream is known.
            stage.poll();
        }
        if takes {
            model.down.extend_from_slice(&data);
        }
    }

    fn peer_does(model: &mut Model<R::Peer>, does: PeerDoes) {
        if matches!(does, PeerDoes::Read | PeerDoes::Close | PeerDoes::Reset) {
            Self::listen(model);
        }
        match does {
            PeerDoes::Write(size) => {
                let end = (model.written + size).min(STREAM);
                if let (Some(peer), false) = (&mut model.peer, model.finished) {
                    // Fails when we have closed.
                    if let Ok(count) = peer.write(&model.up[model.written..end]) {
                        model.written += count;
                    }
                }
            }
            PeerDoes::Read => {}
            PeerDoes::Finish => {
                model.finished = true;
                if let Some(peer) = &mut model.peer {
                    peer.finish();
                }
            }
            PeerDoes::Close => model.peer = None,
            PeerDoes::Reset => {
                if let Some(peer) = model.peer.take() {
                    peer.reset();
                }
            }
        }
    }

    fn operate<S: SockMan>(net: &mut S, conn: Conn, operation: Operation) {
        match operation {
            Operation::Disconnect(how) => {
                net.disconnect(conn, how);
                assert!(!net.is_open(conn) && net.send(conn, b"").is_err());
            }
            Operation::Finish => {
                net.finish(conn);
                assert_eq!(net.send(conn, b"x"), Err(Gone));
            }
            Operation::Pause => net.pause(conn),
            Operation::Resume => net.resume(conn),
            Operation::Want(size) => match net.want(conn, size) {
                Ok(()) => assert!(size <= 50_000 && net.is_open(conn)),
                Err(WantError::AboveLimit { limit }) => assert!(size > limit && limit == 50_000),
                Err(WantError::Gone) => assert!(!net.is_open(conn)),
            },
            Operation::Deadline(ms) => {
                let at = ms.map(|ms| net.now() + Duration::from_millis(ms));
                net.set_deadline(conn, at);
            }
        }
    }

    /// Does one step, and sees that every operation answers as it must, given what the recorder has been told.
    pub fn carry_out(&mut self, step: Step) {
        let World { stage, models, .. } = self;
        let count = models.len();
        match step {
            Step::Connect => {
                let (conn, peer) = stage.connect();
                models.push(Model {
                    conn,
                    peer: Some(peer),
                    finished: false,
                    up: pattern(STREAM, Id::raw(conn).to_bits()),
                    written: 0,
                    down: Vec::new(),
                    heard: Vec::new(),
                });
            }
            Step::Turn => stage.poll(),
            Step::Timer(ms, kept) => {
                self.kept_timers += usize::from(kept);
                stage.driver.with(|_, net| {
                    let timer = net.set_timer(net.now() + Duration::from_millis(ms), u64::from(kept));
                    if !kept {
                        net.cancel(timer);
                    }
                });
            }
            _ if count == 0 => {}
            Step::Peer(which, does) => Self::peer_does(&mut models[which % count], does),
            Step::Send(which, size, way) => Self::send(stage, &mut models[which % count], size, way),
            Step::Do(which, operation) => {
                let conn = models[which % count].conn;
                stage.driver.with(|_, net| Self::operate(net, conn, operation));
            }
            Step::RemoteDisconnect(which) => {
                let conn = models[which % count].conn;
                let asked = stage.driver.remote().disconnect(conn, Disconnect::Now);
                asked.expect("the loop is there");
            }
        }
        self.check_the_dead();
    }

    /// Whoever was reported closed is dead to every question.
    fn check_the_dead(&mut self) {
        let World { stage, models, .. } = self;
        for model in models {
            if stage.seen().reason(model.conn).is_some() {
                stage.driver.with(|_, net| {
                    assert!(!net.is_open(model.conn) && net.info(model.conn).is_none());
                    assert_eq!(net.send(model.conn, b"x"), Err(Gone));
                });
            }
        }
    }

    /// Every peer goes, every pause ends, and then every connection must have been closed, once.
    pub fn end(mut self) {
        for model in &mut self.models {
            Self::listen(model);
            model.peer = None;
        }
        let World { stage, models, .. } = &mut self;
        stage.driver.with(|_, net| {
            for model in models.iter() {
                net.resume(model.conn);
            }
        });
        stage.until("every connection is closed", |s| {
            s.driver.with(|_, net| net.connections()) == 0
        });
        let kept = self.kept_timers;
        self.stage.until("every timer has fired", |s| {
            s.seen().count(|e| *e == Event::Timer(1)) == kept
        });
        self.check_the_dead();
        let World { stage, models, .. } = self;
        assert_eq!(
            stage.seen().count(|e| *e == Event::Timer(0)),
            0,
            "a cancelled timer fired"
        );
        for model in models {
            let events = stage.of(model.conn);
            let consumed = stage.seen().bytes(model.conn);
            assert!(
                model.up[..model.written].starts_with(consumed),
                "{}: not what was sent",
                model.conn
            );
            assert_eq!(events.iter().filter(|e| e.is_closed()).count(), 1, "{events:?}");
            if let Some(place) = events.iter().position(Event::is_eof) {
                let Event::Eof(rest) = events[place] else {
                    unreachable!("just found")
                };
                let consumed = consumed.len();
                assert_eq!(consumed + rest, model.written, "eof before all bytes: {events:?}");
            }
        }
    }
}
