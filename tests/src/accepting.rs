//! Contract 13: accepting drains the backlog in bursts, and neither spins nor gives up when it cannot go on.

use crate::recorder::{Event, Recorder};
use crate::rig::{Machine, Peer, Rig, in_child};
use crate::stage::{LIMIT, Stage, stuff};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sockman::{Config, Disconnect, SockMan, Syscall};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// One turn takes what waits, with one call more than connections at most.
pub fn a_backlog_is_drained_in_a_burst<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let before = stage.stats();
    let at = stage.at.clone();
    let _peers: Vec<_> = (0..50).map(|_| stage.rig.connect(&at)).collect();
    stage.until("all are open", |s| s.seen().opened().len() == 50);
    let after = stage.stats();
    let turns = after.turns - before.turns;
    assert!(turns <= 10, "{turns} turns for 50 connections that wait");
    assert_eq!(after.accepts - before.accepts, 50);
    assert!(after.syscalls[Syscall::Accept] - before.syscalls[Syscall::Accept] <= 50 + turns);
}

/// No turn accepts more than its budget, and what it leaves is not forgotten.
pub fn accepting_keeps_to_its_budget<R: Rig>() {
    let config = Config {
        accept_budget: 4,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let at = stage.at.clone();
    let _peers: Vec<_> = (0..50).map(|_| stage.rig.connect(&at)).collect();
    let by = stage.rig.now() + LIMIT;
    while stage.seen().opened().len() < 50 {
        assert!(
            stage.rig.now() < by,
            "only {} are open",
            stage.seen().opened().len()
        );
        let before = stage.seen().opened().len();
        // What is left raises no new event; the turn must not sleep over it.
        stage.driver.turn(Some(LIMIT)).expect("a turn");
        let opened = stage.seen().opened().len() - before;
        assert!(opened <= 4, "{opened} in one turn");
    }
}

/// Connections above the bound wait in the backlog, cost no turns, and are taken as soon as one closes.
pub fn connections_above_the_bound_wait_in_the_backlog<R: Rig>() {
    let config = Config {
        max_connections: Some(3),
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::echo());
    let at = stage.at.clone();
    let mut peers: Vec<_> = (0..8).map(|_| stage.rig.connect(&at)).collect();
    stage.until("three are open", |s| s.seen().opened().len() == 3);
    stage.idle();
    assert_eq!(stage.seen().opened().len(), 3);
    assert!(stage.stats().accept_waits >= 1);
    let turns = stage.stats().turns;
    stage
        .driver
        .turn(Some(Duration::from_millis(100)))
        .expect("a turn");
    stage
        .driver
        .turn(Some(Duration::from_millis(100)))
        .expect("a turn");
    assert_eq!(stage.stats().turns - turns, 2, "a full loop sleeps");
    for (count, peer) in peers.iter_mut().enumerate() {
        stage.until("its turn", |s| s.seen().opened().len() >= (count + 1).min(8));
        assert_eq!(stuff(peer, b"me"), 2);
        assert_eq!(stage.read(peer, 2), b"me");
        peer.finish();
        stage.until("the next", |s| {
            s.seen().opened().len() >= (count + 4).min(8) || count >= 5
        });
    }
    drop(peers);
    stage.until("all are closed", |s| s.seen().closings.len() == 8);
    assert_eq!(stage.seen().opened().len(), 8);
}

/// Clients that have gone by the time we accept them harm nobody.
pub fn clients_gone_before_accept_harm_nobody<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let at = stage.at.clone();
    for _ in 0..20 {
        let mut peer = stage.rig.connect(&at);
        stuff(&mut peer, b"and gone");
        peer.reset();
    }
    let mut good = stage.rig.connect(&at);
    assert_eq!(stuff(&mut good, b"still there?"), 12);
    assert_eq!(stage.read(&mut good, 12), b"still there?");
    stage.until("the others are closed", |s| {
        s.driver.with(|_, net| net.connections()) == 1
    });
    assert_eq!(stage.seen().opened().len(), stage.seen().closings.len() + 1);
}

/// Limits descriptors to those that are open, and `more`.
fn allow(open: &File, more: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // The kernel gives out the lowest free number, so the next is the number of a descriptor just made.
    let current = Some(u64::from(open.as_raw_fd().unsigned_abs()) + more);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("the soft limit may be lowered");
}

fn allow_all() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .expect("up to the hard limit");
}

/// A descriptor with the lowest free number.
fn lowest() -> File {
    File::open("/dev/null").expect("a descriptor is free")
}

/// Without descriptors the listener rests, which is counted; the loop does not spin meanwhile; and when there are
/// descriptors again everybody in the backlog is served, by the same listener.
pub fn accepting_survives_running_out_of_descriptors<R: Machine>() {
    in_child(|| {
        let config = Config {
            accept_backoff: Duration::from_millis(50),
            max_connections: Some(1000),
            ..Config::default()
        };
        let mut stage = Stage::<R>::with(&config, Recorder::echo());
        let (_, mut early) = stage.connect();
        let at = stage.at.clone();
        let mut peers: Vec<_> = (0..8).map(|_| stage.rig.connect(&at)).collect();
        allow(&lowest(), 2);
        let from = stage.rig.now();
        let before = stage.stats();
        while stage.rig.now() - from < Duration::from_millis(500) {
            stage
                .driver
                .turn(Some(Duration::from_millis(500)))
                .expect("a turn");
        }
        let after = stage.stats();
        assert!(after.accept_backoffs > before.accept_backoffs, "not counted");
        assert!(stage.seen().opened().len() < 9, "the limit does not hold");
        let turns = after.turns - before.turns;
        assert!(turns < 100, "{turns} turns in half a second: the loop spins");
        let accepts = after.syscalls[Syscall::Accept] - before.syscalls[Syscall::Accept];
        assert!(accepts < 100, "{accepts} calls of accept in half a second");
        // Those who are in are served all the while.
        assert_eq!(stuff(&mut early, b"early"), 5);
        assert_eq!(stage.read(&mut early, 5), b"early");
        allow_all();
        for peer in &mut peers {
            assert_eq!(stuff(peer, b"late"), 4);
            assert_eq!(stage.read(peer, 4), b"late");
        }
        let mut fresh = stage.rig.connect(&at);
        assert_eq!(stuff(&mut fresh, b"new"), 3);
        assert_eq!(stage.read(&mut fresh, 3), b"new");
    });
}

/// A connection that closes gives its descriptor to the next in the backlog at once, however long the rest would last.
pub fn a_closed_connection_ends_the_rest_of_the_listener<R: Machine>() {
    in_child(|| {
        let config = Config {
            accept_backoff: Duration::MAX,
            max_connections: Some(1000),
            ..Config::default()
        };
        let mut stage = Stage::<R>::with(&config, Recorder::new());
        let at = stage.at.clone();
        let _peers: Vec<_> = (0..8).map(|_| stage.rig.connect(&at)).collect();
        allow(&lowest(), 3);
        stage.until("the listener rests", |s| s.stats().accept_backoffs > 0);
        stage.idle();
        let opened = stage.seen().opened();
        assert!((1..8).contains(&opened.len()), "{opened:?}");
        stage
            .driver
            .with(|_, net| net.disconnect(opened[0], Disconnect::Now));
        stage.until("the next is open", |s| s.seen().opened().len() > opened.len());
        allow_all();
    });
}

/// A dial without descriptors fails with the kernel's error, later, and the next one works.
pub fn a_dial_without_descriptors_fails_and_the_next_works<R: Machine>() {
    in_child(|| {
        let mut stage = Stage::<R>::new(Recorder::new());
        let host = stage.rig.host();
        let to = crate::rig::Host::at(&host);
        allow(&lowest(), 0);
        stage.dial(&to, &sockman::DialOptions::key(1));
        stage.until("failed", |s| s.seen().failed_dials.len() == 1);
        let failed = Event::DialFailed {
            key: 1,
            why: "failed",
        };
        assert_eq!(stage.seen().count(|e| *e == failed), 1);
        allow_all();
        stage.dial(&to, &sockman::DialOptions::key(2));
        stage.until("open", |s| s.seen().opened().len() == 1);
    });
}
