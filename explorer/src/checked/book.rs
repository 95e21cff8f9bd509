//! What is known of each connection, and the rules.

use sockman::{
    Closed, Config, Conn, ConnMap, Disconnect, Endpoint, Gone, Id, Origin, OriginKind, Sent, SockMan, Timer,
    WantError,
};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is known of an open connection.
#[derive(Debug)]
struct Facts {
    peer: Option<Endpoint>,
    paused: bool,
    /// How it was disconnected.
    ended: Option<Disconnect>,
    finished: bool,
    eof: bool,
    /// A send answered that the mark was crossed, and `drained` has not come since.
    high: bool,
    deadline: Option<Instant>,
    /// What the handler did not consume.
    left: Vec<u8>,
    /// What had been received when the last turn that brought a callback began, and which turn that was.
    base: (u64, u64),
    /// The same of the last callback.
    last: (u64, u64),
}

/// What is known of a loop.
pub(crate) struct Book {
    pub(super) callbacks: u64,
    /// What the handler has asked for.
    pub(super) operations: u64,
    pub(super) opened: u64,
    config: Config,
    facts: ConnMap<Facts>,
    open: u64,
    /// The generation that was last seen in each slot.
    generations: Vec<u32>,
    /// Dials without an outcome, by key.
    dials: BTreeMap<u64, usize>,
    timers: BTreeMap<Timer, (Instant, u64)>,
    stopped: bool,
}

impl Book {
    pub(super) fn new(config: &Config) -> Book {
        Book {
            callbacks: 0,
            operations: 0,
            opened: 0,
            config: config.clone(),
            facts: ConnMap::new(),
            open: 0,
            generations: Vec::new(),
            dials: BTreeMap::new(),
            timers: BTreeMap::new(),
            stopped: false,
        }
    }

    // --- Callbacks ------------------------------------------------------------------------------------------------

    pub(super) fn open<S: SockMan>(&mut self, net: &S, conn: Conn, origin: &Origin) {
        self.callbacks += 1;
        self.opened += 1;
        self.open += 1;
        let raw = conn.raw();
        if self.generations.len() <= raw.slot() {
            self.generations.resize(raw.slot() + 1, 0);
        }
        let last = std::mem::replace(&mut self.generations[raw.slot()], raw.generation());
        assert!(raw.generation() > last, "{conn} was given out before");
        if origin.how == OriginKind::Dialed {
            self.dialled(origin.key, "open");
        }
        assert!(net.is_open(conn), "{conn} is not open in open");
        let turn = net.stats().turns;
        let facts = Facts {
            peer: Some(origin.peer.clone()),
            paused: false,
            ended: None,
            finished: false,
            eof: false,
            high: false,
            deadline: None,
            left: Vec::new(),
            base: (0, turn),
            last: (0, turn),
        };
        self.facts.insert(conn, facts);
    }

    pub(super) fn refused(&mut self, conn: Conn) {
        self.facts.remove(conn);
        self.open -= 1;
    }

    /// What holds of every callback of an open connection.
    pub(super) fn callback<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, what: &str) {
        self.callbacks += 1;
        assert_eq!(owner, conn, "{what} came with the session of another connection");
        let facts = self.facts.get_mut(conn);
        let facts = facts.unwrap_or_else(|| panic!("{conn}: {what}, but it is not open"));
        assert!(facts.ended.is_none(), "{conn}: {what} after disconnect");
        assert!(net.is_open(conn), "{conn}: {what} while it is not open");
        let bytes = net.info(conn).map_or(0, |info| info.bytes_in);
        let turn = net.stats().turns;
        if turn != facts.last.1 {
            facts.base = facts.last;
        }
        facts.last = (bytes, turn);
        // What came after the last callback of its turn was of that turn's budget.
        let budget = self.config.byte_budget as u64 * (turn - facts.base.1 + 1);
        let read = bytes - facts.base.0;
        assert!(
            read <= budget,
            "{conn}: {read} bytes were read against a budget of {budget}"
        );
    }

    /// What holds besides of what the peer does.
    fn of_the_peer<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, what: &str) {
        self.callback(net, conn, owner, what);
        if let Some(facts) = self.facts.get(conn) {
            assert!(!facts.paused, "{conn}: {what} while paused");
            assert!(!facts.eof, "{conn}: {what} after eof");
        }
    }

    pub(super) fn received<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, data: &[u8]) {
        self.of_the_peer(net, conn, owner, "received");
        assert!(!data.is_empty(), "{conn}: received without bytes");
        let limit = self.config.limits.unread;
        assert!(
            data.len() <= limit,
            "{conn}: {} bytes unread, above {limit}",
            data.len()
        );
        if let Some(facts) = self.facts.get(conn) {
            assert!(
                data.starts_with(&facts.left),
                "{conn}: what was left did not come back in front"
            );
        }
    }

    /// The handler has left these of what it received.
    pub(super) fn left(&mut self, conn: Conn, left: &[u8]) {
        if let Some(facts) = self.facts.get_mut(conn) {
            facts.left.clear();
            facts.left.extend_from_slice(left);
        }
    }

    pub(super) fn eof<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, unread: &[u8]) {
        self.of_the_peer(net, conn, owner, "eof");
        if let Some(facts) = self.facts.get_mut(conn) {
            assert_eq!(unread, facts.left, "{conn}: other bytes were left");
            facts.eof = true;
        }
    }

    pub(super) fn drained<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn) {
        self.callback(net, conn, owner, "drained");
        if let Some(facts) = self.facts.get_mut(conn) {
            assert!(facts.high, "{conn}: drained, but the mark was not crossed");
            facts.high = false;
        }
        let queued = net.info(conn).map_or(0, |info| info.queued);
        let high = self.config.limits.high;
        assert!(
            queued <= high,
            "{conn}: drained, with {queued} bytes queued above the mark of {high}"
        );
    }

    pub(super) fn deadline<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn) {
        self.callback(net, conn, owner, "deadline");
        if let Some(facts) = self.facts.get_mut(conn) {
            let at = facts.deadline.take();
            assert!(
                at.is_some_and(|at| at <= net.now()),
                "{conn}: a deadline too early, or none was set"
            );
        }
    }

    pub(super) fn timer<S: SockMan>(&mut self, net: &S, key: u64) {
        self.callbacks += 1;
        let due = self
            .timers
            .iter()
            .filter(|(_, (at, its))| *its == key && *at <= net.now());
        let due = due.min_by_key(|(_, (at, _))| *at).map(|(timer, _)| *timer);
        let due = due.unwrap_or_else(|| panic!("timer {key} fired too early, or was not set"));
        self.timers.remove(&due);
    }

    /// A dial has its outcome.
    pub(super) fn dialled(&mut self, key: u64, what: &str) {
        self.callbacks += u64::from(what == "dial_failed");
        let count = self.dials.get_mut(&key).filter(|count| **count > 0);
        *count.unwrap_or_else(|| panic!("{what} of dial {key}, which has no outcome to come")) -= 1;
    }

    pub(super) fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, owner: Conn, why: &Closed) {
        self.callbacks += 1;
        assert_eq!(owner, conn, "closed came with the session of another connection");
        assert!(
            net.info(conn).is_none() && !net.is_open(conn),
            "{conn} lives on after closed"
        );
        assert_eq!(net.send(conn, b"x"), Err(Gone), "{conn} takes bytes after closed");
        let facts = self.facts.get(conn);
        let facts = facts.unwrap_or_else(|| panic!("{conn}: closed, but it is not open"));
        let flushed = matches!(facts.ended, Some(Disconnect::Flush { .. }));
        match why {
            Closed::Flushed | Closed::FlushTimeout { .. } => {
                assert!(flushed, "{conn}: {why}, but nobody asked for that");
            }
            Closed::Reset(_) => assert!(
                !facts.paused || facts.ended.is_some(),
                "{conn}: {why} while paused"
            ),
            Closed::UnreadLimit { limit } => {
                let left = facts.left.len();
                assert!(left >= *limit, "{conn}: {why}, but only {left} are");
            }
            Closed::Stopped => assert!(self.stopped, "{conn}: {why}, but nobody asked for that"),
            // A remote may have asked for it.
            _ => {}
        }
    }

    /// The connection is no more; who was at its other end.
    pub(super) fn forget(&mut self, conn: Conn) -> Option<Endpoint> {
        self.open -= 1;
        self.facts.remove(conn)?.peer
    }

    pub(super) fn finish(&self) {
        assert_eq!(self.open, 0, "connections were opened and never reported closed");
        let dials: usize = self.dials.values().sum();
        assert_eq!(dials, 0, "dials had no outcome");
    }

    // --- Operations -----------------------------------------------------------------------------------------------

    pub(super) fn dials(&mut self, key: u64) {
        self.operations += 1;
        *self.dials.entry(key).or_default() += 1;
    }

    pub(super) fn sent(&mut self, conn: Conn, sent: Result<Sent, Gone>) {
        self.operations += 1;
        let Some(facts) = self.facts.get_mut(conn) else {
            assert_eq!(sent, Err(Gone), "{conn} is not open and takes bytes");
            return;
        };
        if let Ok(sent) = sent {
            assert!(
                facts.ended.is_none() && !facts.finished,
                "{conn} takes bytes after its end"
            );
            facts.high |= sent.is_high();
            let high = self.config.limits.high;
            assert_eq!(
                sent.is_high(),
                sent.queued() > high,
                "{conn}: {sent:?} with the mark at {high}"
            );
            let most = self.config.limits.queued;
            assert!(sent.queued() <= most, "{conn}: {sent:?} with the limit at {most}");
        }
    }

    pub(super) fn disconnects(&mut self, conn: Conn, how: Disconnect) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn) {
            // A second one that is no flush takes the place of a flush.
            if facts.ended.is_none() || !matches!(how, Disconnect::Flush { .. }) {
                facts.ended = Some(how);
            }
        }
    }

    pub(super) fn finishes(&mut self, conn: Conn) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn) {
            facts.finished = true;
        }
    }

    pub(super) fn pauses(&mut self, conn: Conn, paused: bool) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn).filter(|facts| facts.ended.is_none()) {
            facts.paused = paused;
        }
    }

    pub(super) fn wants(&mut self, conn: Conn, unread: usize, answer: Result<(), WantError>) {
        self.operations += 1;
        let limit = self.config.limits.unread;
        if self.facts.get(conn).is_none() {
            assert_eq!(answer, Err(WantError::Gone), "{conn} is not open, and may want");
        } else if answer.is_ok() {
            assert!(
                unread <= limit,
                "{conn} may want {unread} bytes, above its limit of {limit}"
            );
        }
    }

    pub(super) fn sets_deadline(&mut self, conn: Conn, at: Option<Instant>) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn).filter(|facts| facts.ended.is_none()) {
            facts.deadline = at;
        }
    }

    pub(super) fn sets_timer(&mut self, timer: Timer, at: Instant, key: u64) {
        self.operations += 1;
        let other = self.timers.insert(timer, (at, key));
        assert!(other.is_none(), "{timer} was given out before");
    }

    pub(super) fn cancels(&mut self, timer: Timer) {
        self.operations += 1;
        self.timers.remove(&timer);
    }

    pub(super) fn shuts_down(&mut self, within: Duration) {
        self.operations += 1;
        self.stopped = true;
        let ended = Disconnect::Flush { within };
        for (_, facts) in self.facts.iter_mut() {
            facts.ended.get_or_insert(ended);
        }
    }
}
