//! What is known of each connection, and the rules.

use super::fates::{Fate, Fates};
use sockman::{
    Closed, Config, Conn, ConnMap, Disconnect, Endpoint, Gone, Id, Origin, OriginKind, Sent, SockMan, Timer,
    WantError,
};
use sockman_backends::sim::Network;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A time for which something was asked, and the turn in which it was.
#[derive(Clone, Copy, Debug)]
struct Due {
    at: Instant,
    turn: u64,
}

impl Due {
    /// Whether it should have come by the end of this turn. (What is asked for in a turn comes in the next one.)
    fn is_over(self, now: Instant, turn: u64) -> bool {
        self.at <= now && self.turn < turn
    }
}

/// What is known of an open connection.
#[derive(Debug)]
struct Facts {
    /// The address that dialled: what both ends know it by.
    dialler: Option<Endpoint>,
    paused: bool,
    /// How it was disconnected.
    ended: Option<Disconnect>,
    /// When a flush is over at the latest.
    flushed_by: Option<Due>,
    finished: bool,
    eof: bool,
    /// A send answered that the mark was crossed, and `drained` has not come since.
    high: bool,
    /// Something was sent after that.
    sent_above: bool,
    /// A send was refused that would have gone above the limit.
    overflowed: bool,
    deadline: Option<Due>,
    /// What the handler did not consume.
    left: Vec<u8>,
    /// It was offered all it may have unread, and consumed nothing: nothing but its end may follow.
    is_full: bool,
    /// What had been received when the last turn that brought a callback began, and which turn that was.
    base: (u64, u64),
    /// The same of the last callback.
    last: (u64, u64),
}

/// What is known of a loop.
pub(crate) struct Book {
    name: &'static str,
    network: Network,
    pub(super) own: Fates,
    pub(super) other: Option<Fates>,
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
    timers: BTreeMap<Timer, (Due, u64)>,
    stopped: bool,
    /// Connections that remotes were asked to disconnect.
    asked: RefCell<BTreeSet<Conn>>,
    /// The turn of the last callback.
    turn: u64,
}

/// A peer that cannot be reached for this long is given up (Linux: `tcp_retries2`), and nobody has done anything.
const GIVEN_UP: Duration = Duration::from_secs(900);

impl Book {
    pub(super) fn new(name: &'static str, config: &Config, network: &Network) -> Book {
        Book {
            name,
            network: network.clone(),
            own: Fates::default(),
            other: None,
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
            asked: RefCell::default(),
            turn: 0,
        }
    }

    /// A callback comes.
    pub(super) fn note(&mut self, conn: Option<Conn>, what: &str, number: u64) {
        self.callbacks += 1;
        match conn {
            Some(conn) => self
                .network
                .note(format_args!("{} {conn} {what} {number}", self.name)),
            None => self.network.note(format_args!("{} {what} {number}", self.name)),
        }
    }

    /// Whether connections may have broken by themselves.
    fn may_break(&self) -> bool {
        self.network.fatalities() > 0 || self.network.elapsed() > GIVEN_UP
    }

    // --- Callbacks ------------------------------------------------------------------------------------------------

    pub(super) fn open<S: SockMan>(&mut self, net: &S, conn: Conn, origin: &Origin) {
        self.note(Some(conn), "open", origin.key);
        self.opened += 1;
        self.open += 1;
        let raw = conn.raw();
        if self.generations.len() <= raw.slot() {
            self.generations.resize(raw.slot() + 1, 0);
        }
        let last = std::mem::replace(&mut self.generations[raw.slot()], raw.generation());
        assert!(raw.generation() > last, "{conn} was given out before");
        let dialler = match origin.how {
            OriginKind::Dialed => {
                self.dialled(origin.key, "open");
                net.info(conn).and_then(|info| info.local)
            }
            _ => Some(origin.peer.clone()),
        };
        assert!(net.is_open(conn), "{conn} is not open in open");
        self.turn = net.stats().turns;
        let facts = Facts {
            dialler,
            paused: false,
            ended: None,
            flushed_by: None,
            finished: false,
            eof: false,
            high: false,
            sent_above: false,
            overflowed: false,
            deadline: None,
            left: Vec::new(),
            is_full: false,
            base: (0, self.turn),
            last: (0, self.turn),
        };
        self.facts.insert(conn, facts);
        self.tell(conn, None);
    }

    /// Tells the other end what has become of this one.
    fn tell(&self, conn: Conn, closed: Option<&'static str>) {
        if let Some(facts) = self.facts.get(conn)
            && let Some(dialler) = &facts.dialler
        {
            let fate = Fate {
                closed,
                is_finished: facts.finished || matches!(facts.ended, Some(Disconnect::Flush { .. })),
                // (It may have been closed for another reason before that: the first holds.)
                is_reset: facts.ended == Some(Disconnect::Reset)
                    && closed.is_none_or(|why| why == "disconnected"),
            };
            self.own.set(dialler, fate);
        }
    }

    /// What has become of the other end, if it was ever opened.
    fn other_end(&self, conn: Conn) -> Option<Fate> {
        let dialler = self.facts.get(conn)?.dialler.as_ref()?;
        self.other.as_ref()?.of(dialler)
    }

    pub(super) fn refused(&mut self, conn: Conn) {
        self.forget(conn, "refused");
    }

    /// What holds of every callback of an open connection.
    pub(super) fn callback<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, what: &str) {
        let bytes = net.info(conn).map_or(0, |info| info.bytes_in);
        self.note(Some(conn), what, bytes);
        assert_eq!(owner, conn, "{what} came with the session of another connection");
        let facts = self.facts.get_mut(conn);
        let facts = facts.unwrap_or_else(|| panic!("{conn}: {what}, but it is not open"));
        assert!(facts.ended.is_none(), "{conn}: {what} after disconnect");
        assert!(net.is_open(conn), "{conn}: {what} while it is not open");
        assert!(
            !facts.is_full,
            "{conn}: {what}, but it had more unread than it may"
        );
        let turn = net.stats().turns;
        self.turn = turn;
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
    pub(super) fn left(&mut self, conn: Conn, offered: usize, left: &[u8]) {
        let limit = self.config.limits.unread;
        if let Some(facts) = self.facts.get_mut(conn) {
            facts.left.clear();
            facts.left.extend_from_slice(left);
            facts.is_full =
                left.len() == offered && offered >= limit && !facts.paused && facts.ended.is_none();
        }
    }

    pub(super) fn eof<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn, unread: &[u8]) {
        self.of_the_peer(net, conn, owner, "eof");
        if let Some(fate) = self.other_end(conn) {
            assert!(
                fate.is_finished || fate.closed.is_some() && !fate.is_reset,
                "{conn}: eof, but the other end is {fate:?}"
            );
        }
        if let Some(facts) = self.facts.get_mut(conn) {
            assert_eq!(unread, facts.left, "{conn}: other bytes were left");
            facts.eof = true;
        }
    }

    pub(super) fn drained<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn) {
        self.callback(net, conn, owner, "drained");
        let queued = net.info(conn).map_or(0, |info| info.queued);
        let limits = &self.config.limits;
        if let Some(facts) = self.facts.get_mut(conn) {
            assert!(facts.high, "{conn}: drained, but the mark was not crossed");
            facts.high = false;
            let below = if facts.sent_above {
                limits.high + 1
            } else {
                limits.low
            };
            assert!(
                queued < below,
                "{conn}: drained with {queued} bytes queued, not below {below}"
            );
        }
    }

    pub(super) fn deadline<S: SockMan>(&mut self, net: &S, conn: Conn, owner: Conn) {
        self.callback(net, conn, owner, "deadline");
        if let Some(facts) = self.facts.get_mut(conn) {
            let due = facts.deadline.take();
            assert!(
                due.is_some_and(|due| due.at <= net.now()),
                "{conn}: a deadline too early, or none was set"
            );
        }
    }

    pub(super) fn timer<S: SockMan>(&mut self, net: &S, key: u64) {
        self.note(None, "timer", key);
        self.turn = net.stats().turns;
        let due = self
            .timers
            .iter()
            .filter(|(_, (due, its))| *its == key && due.at <= net.now());
        let due = due.min_by_key(|(_, (due, _))| due.at).map(|(timer, _)| *timer);
        let due = due.unwrap_or_else(|| panic!("timer {key} fired too early, or was not set"));
        self.timers.remove(&due);
    }

    /// A dial has its outcome.
    pub(super) fn dialled(&mut self, key: u64, what: &str) {
        let count = self.dials.get_mut(&key).filter(|count| **count > 0);
        *count.unwrap_or_else(|| panic!("{what} of dial {key}, which has no outcome to come")) -= 1;
    }

    pub(super) fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, owner: Conn, why: &Closed) {
        self.note(Some(conn), why.name(), 0);
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
            Closed::Flushed => assert!(flushed, "{conn}: {why}, but nobody asked for that"),
            Closed::FlushTimeout { .. } => assert!(
                facts.flushed_by.is_some_and(|due| due.at <= net.now()),
                "{conn}: {why}, and it was not over"
            ),
            Closed::Reset(_) => {
                assert!(
                    !facts.paused || facts.ended.is_some(),
                    "{conn}: {why} while paused"
                );
                let open = self.other_end(conn).filter(|fate| fate.closed.is_none());
                assert!(
                    open.is_none() || self.may_break(),
                    "{conn}: {why}, but the other end is {open:?}"
                );
            }
            Closed::Failed(_) => assert!(self.may_break(), "{conn}: {why}, and nothing has failed"),
            Closed::UnreadLimit { .. } => assert!(facts.is_full, "{conn}: {why}, and it had not"),
            Closed::SendLimit { .. } => assert!(facts.overflowed, "{conn}: {why}, and nothing was sent"),
            Closed::Stopped => assert!(self.stopped, "{conn}: {why}, but nobody asked for that"),
            _ => {
                let asked = facts.ended.is_some() || self.asked.borrow().contains(&conn);
                assert!(asked, "{conn}: {why}, but nobody asked for that");
            }
        }
    }

    /// The connection is no more.
    pub(super) fn forget(&mut self, conn: Conn, why: &'static str) {
        self.open -= 1;
        self.tell(conn, Some(why));
        self.facts.remove(conn);
    }

    // --- Between and behind turns ---------------------------------------------------------------------------------

    pub(super) fn expect_disconnect(&self, conn: Conn) {
        self.asked.borrow_mut().insert(conn);
    }

    pub(super) fn after_turn<S: SockMan>(&self, net: &S) {
        let (now, turn) = (net.now(), net.stats().turns);
        for (due, key) in self.timers.values() {
            assert!(!due.is_over(now, turn), "timer {key} is late");
        }
        for (conn, facts) in self.facts.iter() {
            assert!(!facts.is_full, "{conn} has more unread than it may, and lives");
            let due = if facts.ended.is_some() {
                facts.flushed_by
            } else {
                facts.deadline
            };
            assert!(
                due.is_none_or(|due| !due.is_over(now, turn)),
                "the time of {conn} is over, and nothing has come of it"
            );
        }
    }

    pub(super) fn finish(&self) {
        assert_eq!(self.open, 0, "connections were opened and never reported closed");
        let dials: usize = self.dials.values().sum();
        assert_eq!(dials, 0, "dials had no outcome");
    }

    // --- Operations -----------------------------------------------------------------------------------------------

    fn due<S: SockMan>(net: &S, at: Instant) -> Due {
        let turn = net.stats().turns;
        Due { at, turn }
    }

    pub(super) fn dials(&mut self, key: u64) {
        self.operations += 1;
        *self.dials.entry(key).or_default() += 1;
    }

    /// A send was answered; so much had been queued before, and this was to be added.
    pub(super) fn sent(&mut self, conn: Conn, before: usize, count: usize, sent: Result<Sent, Gone>) {
        self.operations += 1;
        let limits = &self.config.limits;
        let Some(facts) = self.facts.get_mut(conn) else {
            assert_eq!(sent, Err(Gone), "{conn} is not open and takes bytes");
            return;
        };
        match sent {
            Err(Gone) => facts.overflowed |= before + count > limits.queued,
            Ok(sent) => {
                assert!(
                    facts.ended.is_none() && !facts.finished,
                    "{conn} takes bytes after its end"
                );
                facts.sent_above |= facts.high;
                if sent.is_high() {
                    facts.sent_above &= facts.high;
                    facts.high = true;
                }
                let (high, queued) = (limits.high, sent.queued());
                assert_eq!(
                    sent.is_high(),
                    queued > high,
                    "{conn}: {sent:?} with the mark at {high}"
                );
                let most = limits.queued;
                assert!(queued <= most, "{conn}: {sent:?} with the limit at {most}");
            }
        }
    }

    pub(super) fn disconnects<S: SockMan>(&mut self, net: &S, conn: Conn, how: Disconnect) {
        self.operations += 1;
        let Some(facts) = self.facts.get_mut(conn) else {
            return;
        };
        match how {
            Disconnect::Flush { within } if facts.ended.is_none() => {
                facts.flushed_by = net.now().checked_add(within).map(|at| Self::due(net, at));
                facts.ended = Some(how);
            }
            Disconnect::Flush { .. } => {}
            _ => {
                // It takes the place of a flush, which may have sent its FIN.
                facts.finished |= facts.ended.is_some();
                (facts.ended, facts.flushed_by) = (Some(how), None);
            }
        }
        self.tell(conn, None);
    }

    pub(super) fn finishes(&mut self, conn: Conn) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn) {
            facts.finished = true;
        }
        self.tell(conn, None);
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

    pub(super) fn sets_deadline<S: SockMan>(&mut self, net: &S, conn: Conn, at: Option<Instant>) {
        self.operations += 1;
        if let Some(facts) = self.facts.get_mut(conn).filter(|facts| facts.ended.is_none()) {
            facts.deadline = at.map(|at| Self::due(net, at));
        }
    }

    pub(super) fn sets_timer<S: SockMan>(&mut self, net: &S, timer: Timer, at: Instant, key: u64) {
        self.operations += 1;
        let other = self.timers.insert(timer, (Self::due(net, at), key));
        assert!(other.is_none(), "{timer} was given out before");
    }

    pub(super) fn cancels(&mut self, timer: Timer) {
        self.operations += 1;
        self.timers.remove(&timer);
    }

    pub(super) fn shuts_down<S: SockMan>(&mut self, net: &S, within: Duration) {
        self.stopped = true;
        for conn in self.facts.iter().map(|(conn, _)| conn).collect::<Vec<_>>() {
            self.disconnects(net, conn, Disconnect::Flush { within });
        }
    }
}
