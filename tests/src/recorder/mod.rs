//! The handler of the scripts: logs every callback, checks what must hold of all of them, and does what it is told.
//!
//! - this file: [`Recorder`], its behaviours and its log
//! - [`Event`]: what the log holds
//! - [`Ops`]: the operations, as a trait object for behaviours

mod event;
mod ops;

pub use event::Event;
pub use ops::Ops;

use crate::traces::Trace;
use sockman::{Bytes, Closed, Conn, DialError, Disconnect, Gone, Handler, Origin, SockMan};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

type OnOpen = Box<dyn FnMut(&mut dyn Ops, Conn, &Origin) -> bool>;
type OnReceived = Box<dyn FnMut(&mut dyn Ops, Conn, &mut [u8]) -> usize>;
type OnPosted = Box<dyn FnMut(&mut dyn Ops, Conn, Bytes)>;
type OnConn = Box<dyn FnMut(&mut dyn Ops, Conn)>;
type OnKey = Box<dyn FnMut(&mut dyn Ops, u64)>;
type OnLoop = Box<dyn FnMut(&mut dyn Ops)>;

/// Logs every callback. Behaviours are set with the `on_…` methods; without one a callback does what [`Handler`] does by
/// default, and `received` consumes everything.
///
/// Whatever the script, it checks that each connection is opened once, with an id never seen before; that what follows
/// comes with its own session, while it is open, and not after `eof` or while paused if it is the peer's doing; and that
/// `closed` comes once, when the id is dead.
pub struct Recorder {
    /// Every callback in order, with its connection if it has one.
    pub log: Vec<(Option<Conn>, Event)>,
    /// What each connection's handler consumed.
    pub bytes: BTreeMap<Conn, Vec<u8>>,
    /// Every closing, with its reason.
    pub closings: Vec<(Conn, Closed)>,
    /// Every failed dial, with its key and reason.
    pub failed_dials: Vec<(u64, DialError)>,
    ever: BTreeSet<Conn>,
    trace: Option<(Trace, &'static str)>,
    on_open: OnOpen,
    on_received: OnReceived,
    on_posted: Option<OnPosted>,
    on_drained: OnConn,
    on_eof: Option<OnConn>,
    on_deadline: Option<OnConn>,
    on_closed: OnConn,
    on_timer: OnKey,
    on_dial_failed: OnKey,
    on_woken: OnLoop,
    on_stopping: Option<OnLoop>,
}

/// The session of a connection: whose it is, and what must not come again.
#[derive(Debug)]
pub struct Life {
    conn: Conn,
    eof: bool,
}

impl Recorder {
    /// Consumes everything and answers nothing.
    pub fn new() -> Self {
        Recorder {
            log: Vec::new(),
            bytes: BTreeMap::new(),
            closings: Vec::new(),
            failed_dials: Vec::new(),
            ever: BTreeSet::new(),
            trace: None,
            on_open: Box::new(|_, _, _| true),
            on_received: Box::new(|_, _, data| data.len()),
            on_posted: None,
            on_drained: Box::new(|_, _| ()),
            on_eof: None,
            on_deadline: None,
            on_closed: Box::new(|_, _| ()),
            on_timer: Box::new(|_, _| ()),
            on_dial_failed: Box::new(|_, _| ()),
            on_woken: Box::new(|_| ()),
            on_stopping: None,
        }
    }

    /// Sends everything back.
    pub fn echo() -> Self {
        Recorder::new().on_received(|net, conn, data| {
            let _ = net.send(conn, data);
            data.len()
        })
    }

    /// Also writes to this trace, under this name.
    #[must_use]
    pub fn traced(mut self, trace: &Trace, name: &'static str) -> Self {
        self.trace = Some((trace.clone(), name));
        self
    }

    /// Returns whether the connection is taken.
    #[must_use]
    pub fn on_open(mut self, act: impl FnMut(&mut dyn Ops, Conn, &Origin) -> bool + 'static) -> Self {
        self.on_open = Box::new(act);
        self
    }

    /// Returns how much is consumed.
    #[must_use]
    pub fn on_received(mut self, act: impl FnMut(&mut dyn Ops, Conn, &mut [u8]) -> usize + 'static) -> Self {
        self.on_received = Box::new(act);
        self
    }

    /// Instead of sending what was posted.
    #[must_use]
    pub fn on_posted(mut self, act: impl FnMut(&mut dyn Ops, Conn, Bytes) + 'static) -> Self {
        self.on_posted = Some(Box::new(act));
        self
    }

    /// When the queue has drained.
    #[must_use]
    pub fn on_drained(mut self, act: impl FnMut(&mut dyn Ops, Conn) + 'static) -> Self {
        self.on_drained = Box::new(act);
        self
    }

    /// Instead of disconnecting once flushed.
    #[must_use]
    pub fn on_eof(mut self, act: impl FnMut(&mut dyn Ops, Conn) + 'static) -> Self {
        self.on_eof = Some(Box::new(act));
        self
    }

    /// Instead of disconnecting at once.
    #[must_use]
    pub fn on_deadline(mut self, act: impl FnMut(&mut dyn Ops, Conn) + 'static) -> Self {
        self.on_deadline = Some(Box::new(act));
        self
    }

    /// When a connection has been closed.
    #[must_use]
    pub fn on_closed(mut self, act: impl FnMut(&mut dyn Ops, Conn) + 'static) -> Self {
        self.on_closed = Box::new(act);
        self
    }

    /// When a timer fires.
    #[must_use]
    pub fn on_timer(mut self, act: impl FnMut(&mut dyn Ops, u64) + 'static) -> Self {
        self.on_timer = Box::new(act);
        self
    }

    /// When a dial has failed.
    #[must_use]
    pub fn on_dial_failed(mut self, act: impl FnMut(&mut dyn Ops, u64) + 'static) -> Self {
        self.on_dial_failed = Box::new(act);
        self
    }

    /// When a remote woke the loop.
    #[must_use]
    pub fn on_woken(mut self, act: impl FnMut(&mut dyn Ops) + 'static) -> Self {
        self.on_woken = Box::new(act);
        self
    }

    /// Instead of shutting down.
    #[must_use]
    pub fn on_stopping(mut self, act: impl FnMut(&mut dyn Ops) + 'static) -> Self {
        self.on_stopping = Some(Box::new(act));
        self
    }

    /// What happened to one connection, in order.
    pub fn of(&self, conn: Conn) -> Vec<Event> {
        let own = self.log.iter().filter(|(whose, _)| *whose == Some(conn));
        own.map(|(_, event)| event.clone()).collect()
    }

    /// How often something happened, to any connection.
    pub fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.log.iter().filter(|(_, event)| what(event)).count()
    }

    /// The connections that were opened, in order.
    pub fn opened(&self) -> Vec<Conn> {
        let opened = self
            .log
            .iter()
            .filter(|(_, event)| matches!(event, Event::Open { .. }));
        opened.filter_map(|(conn, _)| *conn).collect()
    }

    /// What the connection's handler consumed.
    pub fn bytes(&self, conn: Conn) -> &[u8] {
        self.bytes.get(&conn).map_or(&[], |bytes| bytes)
    }

    /// Why the connection was closed, if it was.
    pub fn reason(&self, conn: Conn) -> Option<&Closed> {
        self.closings
            .iter()
            .find(|(closed, _)| *closed == conn)
            .map(|(_, why)| why)
    }

    /// Empties the log, for scripts that run long. Ids that have been given out stay known.
    pub fn forget(&mut self) {
        self.log.clear();
        self.closings.clear();
        self.failed_dials.clear();
        self.bytes.clear();
    }

    fn note(&mut self, conn: Conn, event: Event) {
        self.log.push((Some(conn), event));
    }

    /// Writes a call to the trace.
    fn write(&self, conn: Option<Conn>, data: &[u8], call: impl FnOnce() -> String) {
        if let Some((trace, name)) = &self.trace {
            trace.call(name, conn, call(), data);
        }
    }

    /// What must hold when any callback of an open connection comes.
    fn check<S: SockMan>(&self, net: &S, conn: Conn, life: &Life, event: &Event) {
        assert_eq!(
            life.conn, conn,
            "{event:?} came with the session of another connection"
        );
        assert!(net.is_open(conn), "{conn}: {event:?} after disconnect");
        assert!(self.reason(conn).is_none(), "{conn}: {event:?} after closed");
        let info = net.info(conn).expect("an open connection has its facts");
        if matches!(event, Event::Received(_) | Event::Eof(_)) {
            assert!(!life.eof, "{conn}: {event:?} after eof");
            assert!(!info.paused, "{conn}: {event:?} while paused");
        }
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder::new()
    }
}

impl Handler for Recorder {
    type Session = Life;

    fn open<S: SockMan>(&mut self, net: &mut S, conn: Conn, origin: &Origin) -> Option<Life> {
        assert!(self.ever.insert(conn), "{conn} was given out twice");
        let (key, how) = (origin.key, origin.how);
        self.note(conn, Event::Open { key, how });
        self.write(Some(conn), &[], || {
            format!("open: {}, key {key}", event::origin_name(how))
        });
        assert!(
            net.info(conn).is_some_and(|info| info.peer == origin.peer),
            "{conn}: another peer"
        );
        (self.on_open)(net, conn, origin).then_some(Life { conn, eof: false })
    }

    fn received<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Life, data: &mut [u8]) -> usize {
        let event = Event::Received(data.len());
        self.check(net, conn, life, &event);
        assert!(!data.is_empty(), "{conn}: received without bytes");
        self.note(conn, event);
        let offered = data.to_vec();
        let consumed = (self.on_received)(net, conn, data);
        let (taken, left) = offered.split_at(consumed.min(offered.len()));
        self.bytes.entry(conn).or_default().extend_from_slice(taken);
        if let Some((trace, name)) = &self.trace {
            trace.received(name, conn, taken, left);
        }
        consumed
    }

    fn posted<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Life, data: Bytes) {
        let event = Event::Posted(data.len());
        self.check(net, conn, life, &event);
        self.note(conn, event);
        self.write(Some(conn), &data, || "posted".to_owned());
        match &mut self.on_posted {
            Some(act) => act(net, conn, data),
            None => drop(net.send_bytes(conn, data)),
        }
    }

    fn drained<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Life) {
        self.check(net, conn, life, &Event::Drained);
        self.note(conn, Event::Drained);
        self.write(Some(conn), &[], || "drained".to_owned());
        (self.on_drained)(net, conn);
    }

    fn eof<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Life, unread: &mut [u8]) {
        let event = Event::Eof(unread.len());
        self.check(net, conn, life, &event);
        life.eof = true;
        self.note(conn, event);
        self.write(Some(conn), unread, || "eof".to_owned());
        match &mut self.on_eof {
            Some(act) => act(net, conn),
            None => net.disconnect(conn, Disconnect::flush()),
        }
    }

    fn deadline<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: &mut Life) {
        self.check(net, conn, life, &Event::Deadline);
        self.note(conn, Event::Deadline);
        self.write(Some(conn), &[], || "deadline".to_owned());
        match &mut self.on_deadline {
            Some(act) => act(net, conn),
            None => net.disconnect(conn, Disconnect::Now),
        }
    }

    fn timer<S: SockMan>(&mut self, net: &mut S, key: u64) {
        self.log.push((None, Event::Timer(key)));
        self.write(None, &[], || format!("timer {key}"));
        (self.on_timer)(net, key);
    }

    fn woken<S: SockMan>(&mut self, net: &mut S) {
        self.log.push((None, Event::Woken));
        self.write(None, &[], || "woken".to_owned());
        (self.on_woken)(net);
    }

    fn dial_failed<S: SockMan>(&mut self, net: &mut S, key: u64, why: DialError) {
        let name = event::dial_name(&why);
        self.log.push((None, Event::DialFailed { key, why: name }));
        self.write(None, &[], || format!("dial_failed: {name}, key {key}"));
        self.failed_dials.push((key, why));
        (self.on_dial_failed)(net, key);
    }

    fn closed<S: SockMan>(&mut self, net: &mut S, conn: Conn, life: Life, why: Closed) {
        assert_eq!(
            life.conn, conn,
            "closed came with the session of another connection"
        );
        assert!(self.reason(conn).is_none(), "{conn}: closed twice");
        assert!(
            !net.is_open(conn) && net.info(conn).is_none(),
            "{conn} lives on after closed"
        );
        assert_eq!(net.send(conn, b"x"), Err(Gone), "{conn} takes bytes after closed");
        self.note(conn, Event::Closed(why.name()));
        self.write(Some(conn), &[], || format!("closed: {}", why.name()));
        self.closings.push((conn, why));
        (self.on_closed)(net, conn);
    }

    fn stopping<S: SockMan>(&mut self, net: &mut S, within: Duration) {
        self.log.push((None, Event::Stopping(within)));
        self.write(None, &[], || format!("stopping within {within:?}"));
        match &mut self.on_stopping {
            Some(act) => act(net),
            None => net.shut_down(within),
        }
    }
}
