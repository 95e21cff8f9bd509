//! What `info` and `stats` tell, and the address a listener has.

use crate::recorder::Recorder;
use crate::rig::{Family, Rig};
use crate::stage::{Stage, stuff};
use sockman::{Endpoint, Limits, ListenOptions, SockMan};
use std::time::Duration;

/// Bytes each way, times of the first and last byte, queued and unread bytes, addresses.
pub fn info_tells_what_is_known_of_a_connection<R: Rig>() {
    let mut first = true;
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        let _ = net.send(conn, data);
        if std::mem::take(&mut first) { data.len() } else { 0 }
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    let fresh = stage.driver.with(|_, net| net.info(conn)).expect("open");
    assert_eq!(
        (fresh.bytes_in, fresh.bytes_out, fresh.queued, fresh.unread),
        (0, 0, 0, 0)
    );
    assert_eq!(
        (fresh.first_byte, fresh.last_byte, fresh.paused),
        (None, None, false)
    );
    assert_eq!(fresh.local, Some(stage.at.clone()));
    match R::FAMILY {
        Family::Tcp => assert!(
            fresh
                .peer
                .tcp()
                .is_some_and(|peer| peer.port() != 0 && !peer.ip().is_unspecified())
        ),
        Family::Unix => assert_eq!(fresh.peer, Endpoint::Unix("".into())),
    }
    assert_eq!(stuff(&mut peer, b"12345"), 5);
    assert_eq!(stage.read(&mut peer, 5), b"12345");
    stage.rig.pass(Duration::from_millis(5));
    assert_eq!(stuff(&mut peer, b"678"), 3);
    assert_eq!(stage.read(&mut peer, 3), b"678");
    let info = stage.driver.with(|_, net| net.info(conn)).expect("open");
    assert_eq!(
        (info.bytes_in, info.bytes_out, info.queued, info.unread),
        (8, 8, 0, 3)
    );
    assert!(info.since <= info.first_byte.expect("came"));
    assert!(info.first_byte < info.last_byte);
    let stats = stage.stats();
    assert_eq!((stats.bytes_in, stats.bytes_out, stats.accepts), (8, 8, 1));
}

/// Listening where somebody already listens is an error, and so is a listener's own contradiction.
pub fn listening_fails_with_the_kernels_error<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let at = stage.at.clone();
    stage.driver.with(|_, net| {
        let error = net.listen(&at, &ListenOptions::default()).expect_err("in use");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    });
    let (conn, _peer) = stage.connect();
    assert_eq!(stage.of(conn).len(), 1, "the first listener listens on");
}

/// A port of 0 is the kernel's choice, and told. TCP only.
pub fn the_kernels_choice_of_port_is_told<R: Rig>() {
    let stage = Stage::<R>::new(Recorder::new());
    let at = stage.at.tcp().expect("TCP");
    assert!(at.port() != 0 && !at.ip().is_unspecified());
}

/// Limits of a listener hold for its connections, and those of the configuration for the others.
pub fn a_listener_may_have_its_own_limits<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new().on_received(|_, _, _| 0));
    let at = stage.rig.address();
    let limits = Limits {
        unread: 100,
        ..Limits::default()
    };
    let strict = stage.driver.with(|_, net| {
        let how = ListenOptions {
            limits: Some(limits.clone()),
            ..ListenOptions::default()
        };
        let listener = net.listen(&at, &how).expect("free");
        net.local_addr(listener).expect("it listens")
    });
    let (lax, mut first) = stage.connect();
    let mut second = stage.rig.connect(&strict);
    stage.until("open", |s| s.seen().opened().len() == 2);
    let strict = stage.seen().opened()[1];
    let mut told = |conn| stage.driver.with(|_, net| net.info(conn)).expect("open").limits;
    assert_eq!([told(lax), told(strict)], [Limits::default(), limits]);
    stuff(&mut first, &[1; 1000]);
    stuff(&mut second, &[1; 1000]);
    assert_eq!(stage.closing(strict).name(), "unread_limit");
    assert!(stage.seen().reason(lax).is_none());
}
