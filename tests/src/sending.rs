//! Contract 5: `send` never blocks, keeps order, leaves at once, tells what is queued, and is bounded.

use crate::recorder::{Event, Recorder};
use crate::rig::{Family, Peer, Rig};
use crate::stage::{Stage, pattern, stuff};
use sockman::{Bytes, Closed, Config, Disconnect, Gone, Limits, Sent, SockMan};
use std::cell::RefCell;
use std::rc::Rc;

/// What a callback sends has left when the callback has returned: the peer has it without another turn.
pub fn what_a_callback_sends_leaves_in_the_same_turn<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let (conn, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"ping"), 4);
    while stage.seen().bytes(conn).is_empty() {
        stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
    }
    assert_eq!(stage.hear(&mut peer, 4), b"ping");
}

/// What is sent outside callbacks has left when `Driver::with` returns.
pub fn with_flushes_on_return<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (one, mut first) = stage.connect();
    let (two, mut second) = stage.connect();
    stage.driver.with(|_, net| {
        net.send(one, b"to one").expect("open");
        net.send_bytes(two, Bytes::from_static(b"to two")).expect("open");
    });
    assert_eq!(stage.hear(&mut first, 6), b"to one");
    assert_eq!(stage.hear(&mut second, 6), b"to two");
}

/// What a callback sends to other connections leaves in the same turn too.
pub fn a_broadcast_leaves_in_the_same_turn<R: Rig>() {
    let all = Rc::new(RefCell::new(Vec::new()));
    let list = all.clone();
    let recorder = Recorder::new().on_received(move |net, _, data| {
        let block = Bytes::copy_from_slice(data);
        for conn in list.borrow().iter() {
            net.send_bytes(*conn, block.clone()).expect("open");
        }
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (_, mut speaker) = stage.connect();
    let mut hearers: Vec<_> = (0..10).map(|_| stage.connect()).collect();
    *all.borrow_mut() = hearers.iter().map(|(conn, _)| *conn).collect();
    assert_eq!(stuff(&mut speaker, b"block"), 5);
    while stage.seen().count(Event::is_received) == 0 {
        stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
    }
    for (_, peer) in &mut hearers {
        assert_eq!(stage.hear(peer, 5), b"block");
    }
}

/// Copied and shared pieces, small and large, inside and outside callbacks, arrive in the order they were sent.
pub fn order_is_kept_across_all_ways_of_sending<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(4 << 20, 3);
    let mut rest = &data[..];
    let sizes = [1, 100, 20_000, 3, 70_000, 16 << 10, 1000, 300_000];
    for step in 0.. {
        let size = sizes[step % sizes.len()].min(rest.len());
        let (piece, behind) = rest.split_at(size);
        let shared = step % 3 == 0;
        stage.driver.with(|_, net| {
            if shared {
                net.send_bytes(conn, Bytes::copy_from_slice(piece)).expect("open");
            } else {
                net.send(conn, piece).expect("open");
            }
        });
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    assert!(
        stage.read(&mut peer, data.len()) == data,
        "bytes were lost or changed places"
    );
}

/// While the peer does not read, `Sent` counts what waits, above the mark says so, and above the hard limit the
/// connection is closed with a reason of its own.
pub fn a_peer_that_never_reads_hits_the_mark_and_then_the_limit<R: Rig>() {
    let limits = Limits {
        high: 100_000,
        low: 50_000,
        queued: 300_000,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, peer) = stage.connect();
    let mut last = 0;
    let mut marked = false;
    // Loopback holds a few megabytes before our queue grows at all.
    for _ in 0..10_000 {
        let answer = stage.send(conn, &[1; 10_000]);
        let waits = stage.driver.with(|_, net| net.info(conn)).map(|info| info.queued);
        match answer {
            Ok(sent) => {
                // The kernel may have taken more when the flush at the end tried again.
                assert!(
                    waits.is_some_and(|waits| waits <= sent.queued()),
                    "{sent:?}, {waits:?} wait"
                );
                assert_eq!(sent.is_high(), sent.queued() > 100_000, "{sent:?}");
                assert!(sent.queued() <= 300_000);
                marked |= sent.is_high();
                last = sent.queued();
            }
            Err(Gone) => break,
        }
    }
    assert!(marked && last > 250_000, "closed at {last} bytes");
    assert!(matches!(
        stage.closing(conn),
        Closed::SendLimit { limit: 300_000 }
    ));
    assert_eq!(stage.seen().count(|e| *e == Event::Drained), 0);
    drop(peer);
}

/// Mark and limit judge what the kernel did not take: one large response that it takes is no offence.
pub fn one_large_response_is_not_an_offence<R: Rig>() {
    let limits = Limits {
        high: 1000,
        low: 1000,
        queued: 2000,
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    for piece in [500, 10_000, 60_000] {
        let recorder = Recorder::new().on_received(move |net, conn, data| {
            for _ in 0..60_000 / piece {
                let sent = net.send(conn, &vec![7; piece]).expect("no offence");
                assert!(matches!(sent, Sent::Queued(_)), "{sent:?}");
            }
            data.len()
        });
        let mut stage = Stage::<R>::with(&config, recorder);
        let (conn, mut peer) = stage.connect();
        stage.write_all(&mut peer, b"request");
        assert_eq!(stage.read(&mut peer, 60_000), vec![7; 60_000]);
        assert_eq!(stage.seen().count(Event::is_closed), 0);
        let sent = stage.send_bytes(conn, vec![8; 60_000].into());
        assert_eq!(sent, Ok(Sent::Queued(0)));
    }
}

/// A write that fails ends writing only: what the peer had sent is delivered to the end, and `closed` carries the error.
pub fn a_write_error_stops_writing_and_reading_goes_on<R: Rig>() {
    let config = Config {
        read_buffer: 1 << 10,
        ..Config::default()
    };
    let mut stage = Stage::<R>::with(&config, Recorder::new());
    let (conn, mut peer) = stage.connect();
    let data = pattern(50_000, 4);
    assert_eq!(stuff(&mut peer, &data), data.len());
    match R::FAMILY {
        Family::Tcp => peer.reset(),
        Family::Unix => drop(peer),
    }
    let by = stage.rig.now() + crate::stage::LIMIT;
    while stage.send(conn, b"into the void").is_ok() {
        assert!(stage.rig.now() < by, "writing goes on");
        stage.rig.pass(std::time::Duration::from_millis(1));
    }
    let Closed::Reset(error) = stage.closing(conn) else {
        panic!("closed without the write's error: {:?}", stage.of(conn));
    };
    assert!(
        error.raw_os_error().is_some(),
        "it is the kernel's own: {error:?}"
    );
    assert!(
        stage.seen().bytes(conn) == data,
        "{} of {}",
        stage.seen().bytes(conn).len(),
        data.len()
    );
}

/// Nothing can be sent once our side is finished or disconnected; what was queued still leaves.
pub fn a_disconnected_side_takes_no_bytes<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (conn, mut peer) = stage.connect();
    stage.driver.with(|_, net| {
        net.send(conn, b"before").expect("open");
        net.disconnect(conn, Disconnect::flush());
        assert_eq!(net.send(conn, b"after"), Err(Gone));
        assert_eq!(net.send_bytes(conn, Bytes::from_static(b"after")), Err(Gone));
    });
    let (heard, end) = stage.read_end(&mut peer);
    assert_eq!((&heard[..], end.is_ok()), (&b"before"[..], true));
}

/// Within one callback `Sent` and `info` count all that was queued so far, however it was sent.
pub fn what_one_callback_queues_is_counted<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        for total in [10, 20, 30] {
            assert_eq!(net.send(conn, &[1; 10]), Ok(Sent::Queued(total)));
            assert_eq!(net.info(conn).map(|info| info.queued), Some(total));
        }
        assert_eq!(
            net.send_bytes(conn, Bytes::from_static(b"12345")),
            Ok(Sent::Queued(35))
        );
        assert_eq!(net.info(conn).map(|info| info.queued), Some(35));
        assert_eq!(net.send(conn, &[1; 10]), Ok(Sent::Queued(45)));
        assert_eq!(
            net.info(conn).map(|info| (info.queued, info.bytes_out)),
            Some((45, 0))
        );
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    stage.write_all(&mut peer, b"x");
    assert_eq!(stage.read(&mut peer, 45).len(), 45);
    let info = stage.driver.with(|_, net| net.info(conn)).expect("open");
    assert_eq!((info.queued, info.bytes_out), (0, 45));
}

/// One callback that sends to several connections by turns keeps the order of each.
pub fn sends_to_several_connections_by_turns_keep_their_order<R: Rig>() {
    let all = Rc::new(RefCell::new(Vec::new()));
    let list = all.clone();
    let recorder = Recorder::new().on_received(move |net, _, data| {
        for number in 0..1000_u32 {
            for conn in list.borrow().iter() {
                let text = number.to_be_bytes();
                if number % 3 == 0 {
                    net.send_bytes(*conn, Bytes::copy_from_slice(&text))
                        .expect("open");
                } else {
                    net.send(*conn, &text).expect("open");
                }
            }
        }
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let mut peers: Vec<_> = (0..3).map(|_| stage.connect()).collect();
    *all.borrow_mut() = peers.iter().map(|(conn, _)| *conn).collect();
    assert_eq!(stuff(&mut peers[0].1, b"x"), 1);
    let expected: Vec<u8> = (0..1000_u32).flat_map(u32::to_be_bytes).collect();
    for (_, peer) in &mut peers {
        assert!(
            stage.read(peer, 4000) == expected,
            "bytes were lost or changed places"
        );
    }
}
