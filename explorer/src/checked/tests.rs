//! Each rule is broken once, and that is noticed.

use super::{Checked, Fates};
use sockman::{
    Bytes, Closed, Config, Conn, DialError, DialOptions, Disconnect, Driver, Endpoint, Handler, Id, Limits,
    ListenOptions, Listener, Origin, OriginKind, RawId, SockMan,
};
use sockman_backends::sim::{Network, Plain, Settings, Sim};
use std::io;
use std::time::Duration;

/// Takes everything, and does nothing.
struct Quiet;

impl Handler for Quiet {
    type Session = ();
    fn open<S: SockMan>(&mut self, _: &mut S, _: Conn, _: &Origin) -> Option<()> {
        Some(())
    }
    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), data: &mut [u8]) -> usize {
        data.len()
    }
}

/// Remembers whom it has.
#[derive(Default)]
struct Keeper(Vec<(Conn, Origin)>);

impl Handler for Keeper {
    type Session = ();
    fn open<S: SockMan>(&mut self, _: &mut S, conn: Conn, origin: &Origin) -> Option<()> {
        self.0.push((conn, origin.clone()));
        Some(())
    }
    fn received<S: SockMan>(&mut self, _: &mut S, _: Conn, (): &mut (), data: &mut [u8]) -> usize {
        data.len()
    }
}

type Net = <Sim as sockman::Backend>::SockMan;
type Life = super::Life<()>;

fn config() -> Config {
    Config {
        limits: Limits {
            unread: 100,
            high: 50,
            low: 10,
            queued: 1_000,
        },
        ..Config::default()
    }
}

/// A loop that has accepted one connection, with its peer.
fn accepted() -> (Network, Driver<Sim, Keeper>, Plain) {
    let network = Network::new(Settings::default());
    let (near, far) = (network.host(), network.host());
    let backend = near.backend::<Sim>(&config()).expect("the settings are right");
    let mut driver = Driver::with_backend(backend, Keeper::default());
    driver
        .with(|_, net| net.listen(&near.at(1), &ListenOptions::default()))
        .expect("free");
    let peer = far.connect(&near.at(1)).expect("it listens");
    driver.turn(Some(Duration::ZERO)).expect("a turn");
    (network, driver, peer)
}

/// Calls `work` with a checked handler that has been told of one open connection, and with the truth about it.
fn with_open(work: impl FnOnce(&mut Checked<Quiet>, &mut Net, Conn, Life)) {
    let (network, mut driver, _peer) = accepted();
    let mut checked = Checked::new(Quiet, "quiet", &config(), &network);
    driver.with(|keeper, net| {
        let (conn, origin) = keeper.0[0].clone();
        let life = checked.open(net, conn, &origin).expect("it takes everything");
        work(&mut checked, net, conn, life);
    });
}

/// A connection that was never opened.
fn nobody() -> Conn {
    Conn::from_raw(RawId::new(0, 9, 9).expect("in range"))
}

fn reset() -> Closed {
    Closed::Reset(io::ErrorKind::ConnectionReset.into())
}

/// What is done right is no violation.
#[test]
fn a_right_life_is_no_violation() {
    with_open(|checked, net, conn, mut life| {
        assert_eq!(checked.received(net, conn, &mut life, &mut [1, 2]), 2);
        checked.posted(net, conn, &mut life, Bytes::new());
        // By default it is disconnected once flushed.
        checked.eof(net, conn, &mut life, &mut []);
        assert!(!net.is_open(conn));
        checked.after_turn(net);
    });
}

macro_rules! broken {
    ($($(#[$doc:meta])* $name:ident: $words:literal, $work:expr;)*) => {
        $(
            $(#[$doc])*
            #[test]
            #[should_panic(expected = $words)]
            fn $name() {
                with_open($work);
            }
        )*
    };
}

broken! {
    opened_twice: "given out before", |checked, net, conn, _| {
        let how = OriginKind::Accepted(Listener::from_raw(conn.raw()));
        let origin = Origin { key: 0, how, peer: at([1, 2, 3, 4], 5) };
        checked.open(net, conn, &origin);
    };
    another_session: "session of another", |checked, net, conn, mut life| {
        life.conn = nobody();
        checked.received(net, conn, &mut life, &mut [1]);
    };
    received_nothing: "without bytes", |checked, net, conn, mut life| {
        checked.received(net, conn, &mut life, &mut []);
    };
    received_too_much: "unread, above 100", |checked, net, conn, mut life| {
        checked.received(net, conn, &mut life, &mut [0; 101]);
    };
    received_while_paused: "while paused", |checked, net, conn, mut life| {
        checked.with(net, |_, net| net.pause(conn));
        checked.received(net, conn, &mut life, &mut [1]);
    };
    received_after_disconnect: "after disconnect", |checked, net, conn, mut life| {
        checked.with(net, |_, net| net.disconnect(conn, Disconnect::Now));
        checked.received(net, conn, &mut life, &mut [1]);
    };
    other_bytes_were_left: "other bytes were left", |checked, net, conn, mut life| {
        checked.eof(net, conn, &mut life, &mut [1]);
    };
    drained_without_high: "not crossed", |checked, net, conn, mut life| {
        checked.drained(net, conn, &mut life);
    };
    a_deadline_that_was_not_set: "none was set", |checked, net, conn, mut life| {
        checked.deadline(net, conn, &mut life);
    };
    a_deadline_too_early: "too early", |checked, net, conn, mut life| {
        checked.with(net, |_, net| net.set_deadline(conn, Some(net.now() + Duration::from_secs(1))));
        checked.deadline(net, conn, &mut life);
    };
    a_timer_that_was_not_set: "was not set", |checked, net, _, _| checked.timer(net, 1);
    a_timer_that_was_cancelled: "was not set", |checked, net, _, _| {
        checked.with(net, |_, net| {
            let timer = net.set_timer(net.now(), 1);
            net.cancel(timer);
        });
        checked.timer(net, 1);
    };
    a_timer_too_early: "too early", |checked, net, _, _| {
        checked.with(net, |_, net| net.set_timer(net.now() + Duration::from_secs(1), 1));
        checked.timer(net, 1);
    };
    two_outcomes_of_a_dial: "no outcome to come", |checked, net, _, _| {
        checked.with(net, |_, net| {
            let to = at([10, 9, 9, 9], 1);
            net.dial(&to, &DialOptions::key(7)).expect("the options are right");
        });
        checked.dial_failed(net, 7, DialError::TimedOut);
        checked.dial_failed(net, 7, DialError::TimedOut);
    };
    a_dial_without_an_outcome: "no outcome", |checked, net, conn, _| {
        checked.with(net, |_, net| {
            let to = at([10, 9, 9, 9], 1);
            net.dial(&to, &DialOptions::key(7)).expect("the options are right");
        });
        checked.book.forget(conn, "gone");
        checked.finish();
    };
    a_closing_that_lives_on: "lives on", |checked, net, conn, life| {
        checked.closed(net, conn, life, reset());
    };
    never_closed: "never reported closed", |checked, _, _, _| checked.finish();
}

/// As [`with_open`], with the connection gone.
fn with_gone(work: impl FnOnce(&mut Checked<Quiet>, &mut Net, Conn, Life)) {
    let (network, mut driver, peer) = accepted();
    let (own, other) = (Fates::default(), Fates::default());
    let mut checked = Checked::new(Quiet, "quiet", &config(), &network).between(&own, &other);
    let (conn, origin) = driver.handler().0[0].clone();
    let life = driver.with(|_, net| checked.open(net, conn, &origin));
    // What the other end says of itself: it is open.
    let mut at_the_other = Checked::new(Quiet, "other", &config(), &network).between(&other, &own);
    driver.with(|_, net| at_the_other.open(net, conn, &origin));
    peer.reset();
    for _ in 0..3 {
        driver.turn(Some(Duration::ZERO)).expect("a turn");
    }
    driver.with(|_, net| work(&mut checked, net, conn, life.expect("it takes everything")));
}

macro_rules! groundless {
    ($($name:ident: $words:literal, $why:expr;)*) => {
        $(
            #[test]
            #[should_panic(expected = $words)]
            fn $name() {
                with_gone(|checked, net, conn, life| checked.closed(net, conn, life, $why));
            }
        )*
    };
}

groundless! {
    a_reset_that_nobody_sent: "but the other end is", reset();
    a_failure_of_nothing: "nothing has failed", Closed::Failed(io::ErrorKind::Other.into());
    a_flush_that_nobody_asked_for: "nobody asked", Closed::Flushed;
    a_flush_that_was_not_over: "was not over", Closed::FlushTimeout { unsent: 1 };
    a_limit_that_was_not_reached: "had not", Closed::UnreadLimit { limit: 100 };
    a_limit_of_nothing: "nothing was sent", Closed::SendLimit { limit: 1_000 };
    a_disconnection_that_nobody_asked_for: "nobody asked", Closed::Disconnected;
    a_stop_that_nobody_asked_for: "nobody asked", Closed::Stopped;
}

/// An address.
fn at(ip: [u8; 4], port: u16) -> Endpoint {
    Endpoint::Tcp((ip, port).into())
}
