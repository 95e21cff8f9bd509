//! Loops on threads, and what the scripts about them have these do.

use crate::rig::{Machine, Peer};
use crate::stage::{LIMIT, take};
use sockman::{
    Backend, Config, Conn, Driver, Endpoint, Handler, ListenOptions, Origin, OriginKind, Remote, Seat,
    Shards, Sink, SockMan, Spread, Stats, Turn,
};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Tells a loop to wait until the script lets it go on.
pub(crate) const HOLD: u8 = 0xf0;
/// Tells a loop to do so once more when it is woken next.
pub(crate) const HOLD_WAKE: u8 = 0xf1;
/// Tells a loop to panic.
pub(crate) const PANIC: u8 = 0xf2;
/// Tells a loop's backend to fail at the end of the turn.
pub(crate) const FAIL: u8 = 0xf3;
/// Asks for the connection's bound of unread bytes, eight bytes of it.
pub(crate) const UNREAD: u8 = 0xf4;

/// Says which loop it is on, and how the connection came; does what it is told and echoes all else; hangs up when the peer
/// does.
struct Named {
    shard: usize,
    holds_wake: bool,
    fails: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

/// What the loops of a group share with the script.
struct Gate {
    /// A loop waits here.
    here: Sender<()>,
    /// It may go on.
    go: Mutex<Receiver<()>>,
    /// A loop, of this number, has gone with all it had.
    gone: Sender<usize>,
}

impl Gate {
    fn hold(&self) {
        self.here.send(()).expect("the script is there");
        let go = self.go.lock().expect("one loop at a time");
        go.recv_timeout(LIMIT).expect("the script lets it go on");
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        // Where the script is over already, nobody asks.
        let _ = self.gate.gone.send(self.shard);
    }
}

impl Handler for Named {
    type Session = ();

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        let how = u8::from(origin.how == OriginKind::Adopted);
        assert_eq!(origin.key, 7, "the listener's key comes along");
        net.send(conn, &[self.shard as u8, how]).ok()?;
        Some(())
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, (): &mut (), data: &mut [u8]) -> usize {
        for byte in &*data {
            match *byte {
                HOLD => self.gate.hold(),
                HOLD_WAKE => self.holds_wake = true,
                // Without the hook, which would print it.
                PANIC => resume_unwind(Box::new(self.shard)),
                FAIL => self.fails.store(true, Ordering::SeqCst),
                UNREAD => {
                    let unread = net.info(conn).expect("it is open").limits.unread as u64;
                    let _ = net.send(conn, &unread.to_le_bytes());
                }
                // Gone means that the peer is.
                _ => drop(net.send(conn, &[*byte])),
            }
        }
        data.len()
    }

    fn woken<S: SockMan>(&mut self, _: &mut S) {
        if std::mem::take(&mut self.holds_wake) {
            self.gate.hold();
        }
    }
}

/// A backend that fails when it is told to.
struct Failing<B> {
    inner: B,
    fails: Arc<AtomicBool>,
}

impl<B: Backend> Backend for Failing<B> {
    const NAME: &'static str = B::NAME;
    type SockMan = B::SockMan;

    fn new(config: &Config) -> io::Result<Self> {
        let fails = Arc::default();
        B::new(config).map(|inner| Failing { inner, fails })
    }

    fn sockets(&mut self) -> &mut B::SockMan {
        self.inner.sockets()
    }

    fn flush(&mut self) {
        self.inner.flush();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.inner.next_deadline()
    }

    fn turn(&mut self, sink: &mut impl Sink<B::SockMan>, timeout: Option<Duration>) -> io::Result<Turn> {
        let turn = self.inner.turn(sink, timeout)?;
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("told to fail"));
        }
        Ok(turn)
    }
}

/// What a peer is sent, `count` bytes.
pub(crate) fn hear<P: Peer>(peer: &mut P, count: usize) -> Vec<u8> {
    let (mut heard, end) = (Vec::new(), Instant::now() + LIMIT);
    while heard.len() < count {
        let is_over = take(peer, &mut heard, count).expect("still open");
        assert!(!is_over, "the end after {heard:?}");
        assert!(Instant::now() < end, "heard only {heard:?}");
        thread::sleep(Duration::from_millis(1));
    }
    heard
}

/// Waits until a peer is told of its connection's end, and nothing else.
pub(crate) fn ended<P: Peer>(peer: &mut P) {
    let end = Instant::now() + LIMIT;
    loop {
        match peer.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // A reset is an end too.
            Ok(0) | Err(_) => return,
            Ok(_) => panic!("it was served"),
        }
        assert!(Instant::now() < end, "still open");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Loops on threads, the first of which accepts for all.
pub(crate) struct Group<R: Machine> {
    pub(crate) rig: R,
    /// The peers that are served, with their loops.
    pub(crate) peers: Vec<(usize, R::Peer)>,
    pub(crate) shards: Shards,
    pub(crate) at: Endpoint,
    held: Receiver<()>,
    pub(crate) go: Sender<()>,
    pub(crate) gone: Receiver<usize>,
}

impl<R: Machine> Group<R> {
    pub(crate) fn start(count: usize) -> Self {
        Group::with(count, ListenOptions::key(7), |_, _| ())
    }

    /// `prepare` does something on each loop before it runs.
    pub(crate) fn with(
        count: usize,
        how: ListenOptions,
        prepare: impl Fn(usize, &mut <R::Backend as Backend>::SockMan) + Send + Sync + 'static,
    ) -> Self {
        let mut rig = R::new();
        let seats = Seat::group(count);
        let (address, at) = (rig.address(), Arc::new(OnceLock::new()));
        let told = at.clone();
        let ((here, held), (go, goes), (ends, gone)) = (channel(), channel(), channel());
        let gate = Arc::new(Gate {
            here,
            go: Mutex::new(goes),
            gone: ends,
        });
        let shards = Shards::start(count, move |shard| {
            let mut backend = Failing::<R::Backend>::new(&Config::default())?;
            let named = Named {
                shard,
                holds_wake: false,
                fails: backend.fails.clone(),
                gate: gate.clone(),
            };
            prepare(shard, backend.sockets());
            let mut driver = Driver::with_backend(backend, Spread::new(named, seats[shard].clone()));
            driver.with(|spread, net| {
                spread.join(net);
                if shard == 0 {
                    let listener = net.listen(&address, &how)?;
                    told.get_or_init(|| net.local_addr(listener).expect("it listens"));
                }
                io::Result::Ok(())
            })?;
            Ok(driver)
        });
        let shards = shards.expect("they start");
        let at = at.get().expect("the first loop listens").clone();
        Group {
            rig,
            peers: Vec::new(),
            shards,
            at,
            held,
            go,
            gone,
        }
    }

    /// Connects a peer, which is served; by which loop.
    fn served(&mut self) -> (usize, R::Peer) {
        let mut peer = self.rig.connect(&self.at);
        let heard = hear(&mut peer, 2);
        let adopted = u8::from(heard[0] != 0);
        assert_eq!(heard[1], adopted, "only what is handed over is adopted");
        (usize::from(heard[0]), peer)
    }

    /// Connects so many more, one after the other; how many the first three loops have now.
    pub(crate) fn connect(&mut self, count: usize) -> [usize; 3] {
        for _ in 0..count {
            let peer = self.served();
            self.peers.push(peer);
        }
        [0, 1, 2].map(|shard| self.peers.iter().filter(|(on, _)| *on == shard).count())
    }

    /// Has a peer tell its loop something.
    pub(crate) fn tell(&mut self, shard: usize, what: &[u8]) {
        let mut served = self.peers.iter_mut();
        let (_, peer) = served.find(|(on, _)| *on == shard).expect("it has one");
        assert_eq!(peer.write(what).expect("room"), what.len());
    }

    pub(crate) fn remote(&self, shard: usize) -> Remote {
        self.shards.remotes().nth(shard).expect("it was started")
    }

    /// Waits until a loop waits for the script.
    pub(crate) fn held(&self) {
        self.held.recv_timeout(LIMIT).expect("a loop holds");
    }

    /// Lets it go on.
    pub(crate) fn release(&self) {
        self.go.send(()).expect("the loops are there");
    }

    /// Waits until a loop has gone; which.
    pub(crate) fn gone(&self) -> usize {
        self.gone.recv_timeout(LIMIT).expect("a loop ends")
    }
}

type Joined = thread::Result<io::Result<Vec<Stats>>>;

/// Joins on a thread of its own, so that one that never returns is a failure.
pub(crate) fn join(shards: Shards) -> Receiver<Joined> {
    let (say, hears) = channel();
    thread::spawn(move || say.send(catch_unwind(AssertUnwindSafe(|| shards.join()))));
    hears
}

/// What `join` came to: the counters, the error's text, or whose panic it was.
pub(crate) fn outcome(joined: &Receiver<Joined>) -> Result<Vec<Stats>, String> {
    let whose = |panic: Box<dyn Any + Send>| {
        panic
            .downcast_ref::<usize>()
            .map(|shard| format!("panic of {shard}"))
    };
    match joined.recv_timeout(LIMIT).expect("join returns") {
        Ok(Ok(stats)) => Ok(stats),
        Ok(Err(why)) => Err(why.to_string()),
        Err(panic) => Err(whose(panic).expect("the handler's")),
    }
}
