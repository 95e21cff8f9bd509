//! What only the libuv backend can get wrong, besides the conformance suite.
#![cfg(feature = "uv")]

use sockman::{Config, Conn, Disconnect, Driver, Handler, ListenOptions, Origin, SockMan, Timer};
use sockman_backends::{Uv, sockman};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Waits no longer for what must happen.
const LIMIT: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Last {
    conn: Option<Conn>,
    received: usize,
    fired: usize,
    timer: Option<Timer>,
}

impl Handler for Last {
    type Session = ();

    fn open<S: SockMan>(&mut self, _: &mut S, conn: Conn, _: &Origin) -> Option<()> {
        self.conn = Some(conn);
        Some(())
    }

    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), data: &mut [u8]) -> usize {
        self.received += data.len();
        data.len()
    }

    fn timer<S: SockMan>(&mut self, _: &mut S, _: u64) {
        self.fired += 1;
    }
}

/// A loop with one connection, and its peer.
fn connected() -> (Driver<Uv, Last>, Conn, TcpStream) {
    let mut driver = Driver::<Uv, _>::new(&Config::default(), Last::default()).expect("a loop");
    let at = driver.with(|_, net| {
        let any = "127.0.0.1:0".parse().expect("an address");
        let listener = net.listen(&any, &ListenOptions::default()).expect("free");
        net.local_addr(listener).and_then(|at| at.tcp()).expect("TCP")
    });
    let peer = TcpStream::connect(at).expect("the backlog has room");
    peer.set_read_timeout(Some(LIMIT)).expect("it is not zero");
    until(&mut driver, |last| last.conn.is_some());
    let conn = driver.handler().conn.expect("just opened");
    (driver, conn, peer)
}

fn until(driver: &mut Driver<Uv, Last>, done: impl Fn(&Last) -> bool) {
    let by = Instant::now() + LIMIT;
    while !done(driver.handler()) {
        assert!(Instant::now() < by, "it did not happen");
        driver.turn(Some(Duration::from_millis(10))).expect("a turn");
    }
}

/// libuv refuses to reset a stream that it is about to half-close.
#[test]
fn a_reset_cuts_a_pending_half_close_short() {
    let (mut driver, conn, mut peer) = connected();
    driver.with(|_, net| net.finish(conn));
    driver.with(|_, net| net.disconnect(conn, Disconnect::Reset));
    driver.turn(Some(Duration::ZERO)).expect("a turn");
    let error = peer.read(&mut [0; 1]).expect_err("it is reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// A half-close waits for libuv's next run, and the loop says that this is due.
#[test]
fn a_half_close_is_due_at_once() {
    let (mut driver, conn, mut peer) = connected();
    while driver.next_deadline().is_some() {
        driver.turn(Some(Duration::ZERO)).expect("a turn");
    }
    driver.with(|_, net| net.finish(conn));
    assert!(driver.next_deadline().is_some_and(|at| at <= Instant::now()));
    driver.turn(None).expect("a turn that does not sleep");
    assert_eq!(peer.read(&mut [0; 1]).expect("the end"), 0);
}

/// The loop's one timer is set again when what it stood for goes, is moved, or has passed.
#[test]
fn waits_last_as_long_as_the_next_timer_says() {
    let (mut driver, _conn, mut peer) = connected();
    let set = |driver: &mut Driver<Uv, Last>, ms| {
        driver.with(|last, net| {
            if let Some(timer) = last.timer.take() {
                net.cancel(timer);
            }
            let at = Instant::now() + Duration::from_millis(ms);
            last.timer = Some(net.set_timer(at, 0));
            at
        })
    };
    // Long, then short: the long wait must not be kept. Short, then long: nothing wakes the loop early.
    set(&mut driver, 3_600_000);
    driver.turn(Some(Duration::from_millis(1))).expect("a turn");
    let at = set(&mut driver, 20);
    until(&mut driver, |last| last.fired == 1);
    assert!(Instant::now() >= at, "early");
    set(&mut driver, 1);
    driver.turn(Some(Duration::ZERO)).expect("a turn");
    let fired = driver.handler().fired;
    let at = set(&mut driver, 100);
    let mut turns = 0;
    while driver.handler().fired == fired {
        driver.turn(None).expect("a turn");
        turns += 1;
    }
    assert!(Instant::now() >= at, "early");
    assert!(turns <= 5, "{turns} turns for one timer");
    // And without any, it sleeps until there is something.
    peer.write_all(b"x").expect("there is room");
    until(&mut driver, |last| last.received == 1);
}

/// Of two loops in one thread each delivers its own, also when one is dropped between the other's turns.
#[test]
fn loops_share_a_thread() {
    let (mut one, _, mut first) = connected();
    let (mut two, _, mut second) = connected();
    first.write_all(b"1").expect("there is room");
    second.write_all(b"22").expect("there is room");
    until(&mut one, |last| last.received == 1);
    drop(one);
    until(&mut two, |last| last.received == 2);
    assert_eq!(first.read(&mut [0; 1]).expect("the end"), 0);
}
