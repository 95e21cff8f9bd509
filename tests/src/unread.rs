//! Contract 9: unread bytes are bounded, come back in front of the next, and may be waited for with `want`.

use crate::recorder::{Event, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, stuff};
use sockman::{Closed, Config, Limits, SockMan, WantError};
use std::cell::RefCell;
use std::rc::Rc;

fn bounded(unread: usize) -> Config {
    let limits = Limits {
        unread,
        ..Limits::default()
    };
    Config {
        limits,
        ..Config::default()
    }
}

/// A peer whose handler is offered the bound and consumes nothing is closed with a reason, and holds no more than it.
pub fn a_peer_above_the_unread_bound_is_closed<R: Rig>() {
    let mut stage = Stage::<R>::with(&bounded(10_000), Recorder::new().on_received(|_, _, _| 0));
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, &[1; 9_999]), 9_999);
    stage.until("unread", |s| {
        s.driver.with(|_, net| net.info(conn)).map(|i| i.unread) == Some(9_999)
    });
    stage.idle();
    assert_eq!(
        stage.seen().count(Event::is_closed),
        0,
        "the bound itself is allowed"
    );
    stuff(&mut peer, &vec![1; 200_000]);
    assert!(matches!(
        stage.closing(conn),
        Closed::UnreadLimit { limit: 10_000 }
    ));
    for event in stage.of(conn) {
        if let Event::Received(offered) = event {
            assert!(
                offered <= 10_000 + Config::default().read_buffer,
                "{offered} bytes were held"
            );
        }
    }
}

/// A handler that consumes something, however little, is not at its end.
pub fn slow_consumption_is_no_offence<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        net.resume(conn);
        data.len().min(700)
    });
    let mut stage = Stage::<R>::with(&bounded(1000), recorder);
    let (conn, mut peer) = stage.connect();
    let data = pattern(100_000, 1);
    assert_eq!(stuff(&mut peer, &data), data.len());
    stage.until("everything", |s| s.seen().bytes(conn).len() == data.len());
    assert!(stage.seen().bytes(conn) == data);
    assert_eq!(stage.seen().count(Event::is_closed), 0);
}

/// What is not consumed comes back in front of what follows, in one piece.
pub fn unconsumed_bytes_come_back_in_front<R: Rig>() {
    let offers = Rc::new(RefCell::new(Vec::new()));
    let list = offers.clone();
    let recorder = Recorder::new().on_received(move |_, _, data| {
        list.borrow_mut().push(data.to_vec());
        // Whole lines only.
        data.iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1)
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    for (index, piece) in [&b"on"[..], b"e", b"\ntw", b"o\nthree\nf"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(stuff(&mut peer, piece), piece.len());
        stage.until("the piece", |_| offers.borrow().len() == index + 1);
    }
    let offered = offers
        .borrow()
        .iter()
        .map(|offer| String::from_utf8_lossy(offer).into_owned())
        .collect::<Vec<_>>();
    assert_eq!(offered, ["on", "one", "one\ntw", "two\nthree\nf"]);
    assert_eq!(stage.seen().bytes(conn), b"one\ntwo\nthree\n");
    assert_eq!(
        stage.driver.with(|_, net| net.info(conn)).map(|info| info.unread),
        Some(1)
    );
    peer.finish();
    stage.until("eof", |s| s.seen().count(Event::is_eof) == 1);
    assert!(
        stage.of(conn).contains(&Event::Eof(1)),
        "the rest is offered for the last time"
    );
}

/// Bytes changed in place, as a layer that decrypts does, stay changed when they come back.
pub fn bytes_changed_in_place_stay_changed<R: Rig>() {
    let offers = Rc::new(RefCell::new(Vec::new()));
    let list = offers.clone();
    let recorder = Recorder::new().on_received(move |_, _, data| {
        list.borrow_mut().push(data.to_vec());
        data[0] = b'X';
        0
    });
    let mut stage = Stage::<R>::new(recorder);
    let (_, mut peer) = stage.connect();
    for (index, piece) in [b"ab", b"cd"].into_iter().enumerate() {
        assert_eq!(stuff(&mut peer, piece), 2);
        stage.until("the piece", |_| offers.borrow().len() == index + 1);
    }
    assert_eq!(*offers.borrow(), [&b"ab"[..], b"Xbcd"]);
}

/// `want` holds delivery back until so many bytes are there, once.
pub fn want_holds_delivery_back_once<R: Rig>() {
    let mut headers = 0;
    let recorder = Recorder::new().on_received(move |net, conn, data| {
        headers += 1;
        if headers == 1 {
            net.want(conn, 10).expect("within the bound");
            return 0;
        }
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"12"), 2);
    stage.until("the first", |s| s.seen().count(Event::is_received) == 1);
    for piece in [b"34", b"56", b"78"] {
        assert_eq!(stuff(&mut peer, piece), 2);
        stage.idle();
    }
    assert_eq!(stage.seen().count(Event::is_received), 1, "below what is wanted");
    assert_eq!(
        stage.driver.with(|_, net| net.info(conn)).map(|info| info.unread),
        Some(8)
    );
    assert_eq!(stuff(&mut peer, b"9"), 1);
    stage.idle();
    assert_eq!(stage.seen().count(Event::is_received), 1, "one byte is missing");
    assert_eq!(stuff(&mut peer, b"0"), 1);
    stage.until("the whole", |s| s.seen().bytes(conn) == b"1234567890");
    assert_eq!(stuff(&mut peer, b"a"), 1);
    stage.until("the next", |s| s.seen().bytes(conn).ends_with(b"a"));
    assert_eq!(
        stage.of(conn)[1..],
        [Event::Received(2), Event::Received(10), Event::Received(1)]
    );
}

/// At the end of the stream what is held back is delivered, wanted or not, before `eof`.
pub fn want_gives_way_to_the_end<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage
        .driver
        .with(|_, net| net.want(conn, 100))
        .expect("within the bound");
    assert_eq!(stuff(&mut peer, b"short"), 5);
    stage.idle();
    assert_eq!(stage.seen().count(Event::is_received), 0);
    peer.finish();
    stage.closing(conn);
    assert_eq!(
        stage.of(conn)[1..],
        [Event::Received(5), Event::Eof(0), Event::Closed("flushed")]
    );
}

/// What could never be met is an error, not a hang, and nothing is set aside for it.
pub fn want_above_the_bound_is_an_error<R: Rig>() {
    let mut stage = Stage::<R>::with(&bounded(1000), Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| {
        assert_eq!(net.want(conn, 1001), Err(WantError::AboveLimit { limit: 1000 }));
        assert_eq!(
            net.want(conn, usize::MAX),
            Err(WantError::AboveLimit { limit: 1000 })
        );
    });
    assert_eq!(stuff(&mut peer, b"x"), 1);
    stage.until("received", |s| s.seen().bytes(conn) == b"x");
    stage
        .driver
        .with(|_, net| net.want(conn, 1000))
        .expect("the bound itself");
    assert_eq!(stuff(&mut peer, &[7; 999]), 999);
    stage.idle();
    assert_eq!(stage.seen().bytes(conn).len(), 1);
    assert_eq!(stuff(&mut peer, &[7; 1]), 1);
    stage.until("the wanted", |s| s.seen().bytes(conn).len() == 1001);
}

/// A handler that claims more than it was given has consumed all of it.
pub fn consuming_more_than_all_is_all<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new().on_received(|_, _, _| usize::MAX));
    let (conn, mut peer) = stage.connect();
    for count in 1..=3 {
        assert_eq!(stuff(&mut peer, b"abc"), 3);
        stage.until("received", |s| s.seen().bytes(conn).len() == 3 * count);
    }
    assert_eq!(
        stage.driver.with(|_, net| net.info(conn)).map(|info| info.unread),
        Some(0)
    );
}
