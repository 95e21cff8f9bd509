//! Contract 12: a dial has exactly one outcome, and `SO_ERROR` is kept.

use crate::recorder::{Event, Recorder};
use crate::rig::{Family, Host, Rig};
use crate::stage::{Stage, stuff};
use sockman::{Closed, Config, DialError, DialOptions, Disconnect, Limits, OriginKind, SockMan};
use std::io::ErrorKind;
use std::time::Duration;

/// Waits for the dial to fail, and sees that nothing else becomes of it.
fn failure<R: Rig>(stage: &mut Stage<R>) -> &DialError {
    stage.until("the dial fails", |s| !s.seen().failed_dials.is_empty());
    stage.idle();
    assert_eq!(stage.seen().log.len(), 1, "{:?}", stage.seen().log);
    assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
    let stats = stage.stats();
    assert_eq!((stats.dials, stats.dial_failures), (0, 1));
    let (key, why) = &stage.seen().failed_dials[0];
    assert_eq!(*key, 7);
    why
}

/// Opens, with key and kind, as one more connection; and the bytes flow both ways.
pub fn a_dial_opens_once<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let mut host = stage.rig.host();
    let conn = stage.dial(&host.at(), &DialOptions::key(7));
    assert!(stage.seen().log.is_empty(), "called back from within dial");
    stage.until("open", |s| s.seen().opened() == [conn]);
    let open = Event::Open {
        key: 7,
        how: OriginKind::Dialed,
    };
    assert_eq!(stage.of(conn), [open]);
    let mut peer = None;
    stage.until("accepted", |_| {
        peer = host.accept();
        peer.is_some()
    });
    let mut peer = peer.expect("just accepted");
    assert_eq!(stuff(&mut peer, b"hello"), 5);
    assert_eq!(stage.read(&mut peer, 5), b"hello");
    assert_eq!(
        stage.driver.with(|_, net| net.info(conn)).map(|info| info.peer),
        Some(host.at())
    );
    drop(peer);
    assert_eq!(stage.closing(conn).name(), "flushed");
    let stats = stage.stats();
    assert_eq!((stats.dials, stats.dial_failures), (1, 0));
}

/// A dial whose connection is there at once (Unix sockets; some kernels on loopback) calls back later all the same, and
/// takes no bytes before `open`.
pub fn an_instant_dial_still_opens_later<R: Rig>() {
    let recorder = Recorder::new().on_open(|net, conn, _| {
        net.send(conn, b"first").expect("open");
        true
    });
    let mut stage = Stage::<R>::new(recorder);
    let mut host = stage.rig.host();
    let to = host.at();
    stage.driver.with(|handler, net| {
        let conn = net
            .dial(&to, &DialOptions::key(7))
            .expect("the options are right");
        assert!(net.send(conn, b"too early").is_err() && !net.is_open(conn));
        assert!(handler.log.is_empty(), "called back from within dial");
        assert_eq!(net.connections(), 1);
    });
    stage.until("open", |s| s.seen().opened().len() == 1);
    let mut peer = host.accept().expect("the dial is open");
    assert_eq!(stage.hear(&mut peer, 5), b"first");
}

/// Nobody listens there, and the kernel's own error says so.
pub fn a_refused_dial_says_so_and_keeps_the_error<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let to = stage.rig.nowhere();
    stage.dial(&to, &DialOptions::key(7));
    assert!(stage.seen().log.is_empty(), "called back from within dial");
    let DialError::Refused(error) = failure(&mut stage) else {
        panic!("{:?}", stage.seen().failed_dials);
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.raw_os_error().is_some(), "it is SO_ERROR: {error:?}");
}

/// No such network, no such socket file.
pub fn an_unreachable_dial_says_so_and_keeps_the_error<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let to = stage.rig.unreachable();
    stage.dial(
        &to,
        &DialOptions {
            timeout: Duration::from_millis(500),
            ..DialOptions::key(7)
        },
    );
    match failure(&mut stage) {
        DialError::Unreachable(error) => assert!(error.raw_os_error().is_some()),
        other => panic!("{other:?}"),
    }
}

/// Nobody answers: the dial fails at its limit, not before.
pub fn an_unanswered_dial_times_out<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let host = stage.rig.deaf_host();
    let from = stage.driver.with(|_, net| {
        let timeout = Duration::from_millis(300);
        net.dial(
            &host.at(),
            &DialOptions {
                timeout,
                ..DialOptions::key(7)
            },
        )
        .expect("the options are right");
        net.now()
    });
    assert!(matches!(failure(&mut stage), DialError::TimedOut));
    let took = stage.driver.with(|_, net| net.now()) - from;
    assert!(
        took >= Duration::from_millis(300),
        "gave up early, after {took:?}"
    );
}

/// Waiting for an answer costs no turns to speak of.
pub fn an_unanswered_dial_does_not_spin<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let host = stage.rig.deaf_host();
    let timeout = Duration::from_millis(500);
    stage.dial(
        &host.at(),
        &DialOptions {
            timeout,
            ..DialOptions::key(7)
        },
    );
    let before = stage.stats();
    while stage.seen().failed_dials.is_empty() {
        stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
    }
    let after = stage.stats();
    assert!(
        after.turns - before.turns < 100,
        "{} turns",
        after.turns - before.turns
    );
    assert!(after.syscalls.total() - before.syscalls.total() < 1000);
}

/// A full backlog is no refusal: when the host accepts again, within the limit, the dial opens.
pub fn a_dial_to_a_full_backlog_opens_when_there_is_room<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let mut host = stage.rig.deaf_host();
    let conn = stage.dial(&host.at(), &DialOptions::key(7));
    stage.idle();
    assert!(stage.seen().log.is_empty(), "{:?}", stage.seen().log);
    let mut fillers = Vec::new();
    stage.until("open", |s| {
        fillers.extend(host.accept());
        s.seen().opened() == [conn]
    });
    stage.send(conn, b"in").expect("open");
    stage.idle();
    assert_eq!(stage.seen().log.len(), 1);
}

/// A host that goes away while we wait in front of its backlog.
pub fn a_dial_whose_host_goes_away_is_refused<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let host = stage.rig.deaf_host();
    stage.dial(&host.at(), &DialOptions::key(7));
    stage.idle();
    drop(host);
    // TCP learns it from the answer to the repeated SYN, a second later.
    match failure(&mut stage) {
        DialError::Refused(error) | DialError::Unreachable(error) => assert!(error.raw_os_error().is_some()),
        other => panic!("{other:?}"),
    }
}

/// A host that resets at once: either the dial fails or the connection opens and is reset, never both or neither.
pub fn a_dial_reset_at_once_has_one_outcome<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    for round in 1..=20 {
        let mut host = stage.rig.host();
        stage.dial(&host.at(), &DialOptions::key(7));
        let mut accepted = false;
        stage.until("accepted", |_| {
            if let Some(peer) = host.accept() {
                crate::rig::Peer::reset(peer);
                accepted = true;
            }
            accepted
        });
        stage.until("its end", |s| {
            s.seen().failed_dials.len() + s.seen().closings.len() == round
        });
    }
    stage.idle();
    let stats = stage.stats();
    assert_eq!(stats.dials + stats.dial_failures, 20);
    assert_eq!(stage.seen().opened().len() as u64, stats.dials);
    for (_, why) in &stage.seen().closings {
        assert!(
            R::FAMILY == Family::Unix || matches!(why, Closed::Reset(_)),
            "{why:?}"
        );
    }
}

/// A dial may be taken back before it is answered.
pub fn a_dial_may_be_cancelled<R: Rig>() {
    for how in [Disconnect::Now, Disconnect::Reset, Disconnect::flush()] {
        let mut stage = Stage::<R>::new(Recorder::new());
        let host = stage.rig.deaf_host();
        let conn = stage.dial(&host.at(), &DialOptions::key(7));
        stage.idle();
        stage.driver.with(|handler, net| {
            net.disconnect(conn, how);
            assert!(handler.log.is_empty(), "called back from within disconnect");
        });
        assert!(matches!(failure(&mut stage), DialError::Cancelled));
    }
}

/// Also in the same breath, when it may have been there at once.
pub fn a_dial_may_be_cancelled_at_once<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let host = stage.rig.host();
    stage.driver.with(|_, net| {
        let conn = net
            .dial(&host.at(), &DialOptions::key(7))
            .expect("the options are right");
        net.disconnect(conn, Disconnect::Now);
        net.disconnect(conn, Disconnect::Now);
    });
    assert!(matches!(failure(&mut stage), DialError::Cancelled));
}

/// Options that contradict each other are refused, and then nothing follows.
pub fn a_dial_with_wrong_options_is_refused_at_once<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let host = stage.rig.host();
    let limits = Some(Limits {
        low: 2,
        high: 1,
        ..Limits::default()
    });
    stage.driver.with(|_, net| {
        let how = DialOptions {
            limits: limits.clone(),
            ..DialOptions::default()
        };
        let error = net.dial(&host.at(), &how).expect_err("low is above high");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
    stage.idle();
    assert!(stage.seen().log.is_empty());
    assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
}

/// A handler may dial again from where it learns of the failure.
pub fn a_failed_dial_may_be_repeated_from_its_callback<R: Rig>() {
    let mut rig = R::new();
    let nowhere = rig.nowhere();
    let mut left = 3;
    let to = nowhere.clone();
    let recorder = Recorder::new().on_dial_failed(move |net, key| {
        left -= 1;
        if left > 0 {
            net.dial(&to, &DialOptions::key(key + 1))
                .expect("the options are right");
        }
    });
    let mut stage = Stage::on(rig, &Config::default(), recorder);
    stage.dial(&nowhere, &DialOptions::key(1));
    stage.until("three failures", |s| s.seen().failed_dials.len() == 3);
    let keys: Vec<_> = stage.seen().failed_dials.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [1, 2, 3]);
}

/// Dials count among the connections, and those above the bound fail, later, with a reason.
pub fn dials_above_the_bound_fail<R: Rig>() {
    let config = Config {
        max_connections: Some(2),
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let host = stage.rig.host();
    for key in 1..=3 {
        stage.dial(&host.at(), &DialOptions::key(key));
    }
    stage.until("two are open", |s| s.seen().opened().len() == 2);
    stage.until("one failed", |s| s.seen().failed_dials.len() == 1);
    let (key, why) = &stage.seen().failed_dials[0];
    assert_eq!(*key, 3);
    assert!(matches!(why, DialError::Failed(_)), "{why:?}");
}
