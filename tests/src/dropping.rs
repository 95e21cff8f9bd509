//! Contract 17: dropping a driver, whatever is in flight, frees every descriptor and buffer; so do closed connections.

use crate::recorder::Recorder;
use crate::rig::{Host, Machine, Peer, Rig, in_child, open_descriptors};
use crate::stage::{Stage, pattern, stuff};
use sockman::{Bytes, DialOptions, Disconnect, ListenOptions, SockMan};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that tell whether anybody still holds them.
fn tracked(data: &[u8]) -> (Bytes, Arc<Vec<u8>>) {
    struct Shared(Arc<Vec<u8>>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let owner = Arc::new(data.to_vec());
    (Bytes::from_owner(Shared(owner.clone())), owner)
}

/// Puts a loop into the middle of everything: idle, half-read, paused, flooded, flushing, half-closed and doomed
/// connections, dials, timers, a listener with a backlog, posts. Gives what must outlive it.
fn in_the_middle<R: Rig>(data: &Bytes) -> (Stage<R>, Vec<R::Peer>, R::Host) {
    let recorder = Recorder::new().on_received(|_, _, data| data.len() / 2);
    let mut stage = Stage::<R>::new(recorder);
    let mut conns = Vec::new();
    let mut peers = Vec::new();
    for _ in 0..8 {
        let (conn, mut peer) = stage.connect();
        stuff(&mut peer, &pattern(1000, 1));
        conns.push(conn);
        peers.push(peer);
    }
    stage.idle();
    let deaf = stage.rig.deaf_host();
    let at = stage.at.clone();
    let remote = stage.driver.remote();
    stage.driver.with(|_, net| {
        net.pause(conns[0]);
        for _ in 0..200 {
            // More than the kernel takes.
            net.send_bytes(conns[1], data.clone()).expect("open");
        }
        for _ in 0..200 {
            net.send_bytes(conns[2], data.clone()).expect("open");
        }
        net.disconnect(conns[2], Disconnect::flush());
        net.finish(conns[3]);
        net.set_deadline(conns[4], Some(net.now() + Duration::from_secs(3600)));
        net.set_timer(net.now() + Duration::from_secs(3600), 1);
        net.dial(&deaf.at(), &DialOptions::default())
            .expect("the options are right");
    });
    stage.idle();
    stuff(&mut peers[0], &pattern(1000, 2));
    peers.extend((0..3).map(|_| stage.rig.connect(&at)));
    stage.driver.with(|_, net| {
        net.post(conns[5], data.clone());
        net.disconnect(conns[6], Disconnect::Now);
    });
    remote.post(conns[7], data.clone()).expect("the loop is there");
    (stage, peers, deaf)
}

/// Every connection's peer sees its end, and every shared buffer is let go.
pub fn dropping_a_busy_driver_ends_its_connections_and_frees_its_buffers<R: Rig>() {
    let (data, owner) = tracked(&pattern(100_000, 3));
    let (stage, peers, deaf) = in_the_middle::<R>(&data);
    drop(data);
    assert!(Arc::strong_count(&owner) > 1, "something is in flight");
    let Stage { driver, mut rig, .. } = stage;
    drop(driver);
    assert_eq!(
        Arc::strong_count(&owner),
        1,
        "buffers are held after the loop has gone"
    );
    for mut peer in peers {
        let by = rig.now() + crate::stage::LIMIT;
        let mut heard = Vec::new();
        // The end, or the reset that closing on unread input causes.
        while let Ok(false) = crate::stage::take(&mut peer, &mut heard, usize::MAX) {
            assert!(rig.now() < by, "a connection outlived its loop");
            rig.pass(Duration::from_millis(1));
        }
    }
    drop(deaf);
}

/// Descriptors that are open before a script begins. What a backend opens once for the whole process (libuv's pipe for
/// signals) is no leak, so a first loop has come and gone.
fn open_before<R: Machine>() -> usize {
    drop(Stage::<R>::new(Recorder::new()));
    open_descriptors()
}

/// Not a descriptor is left, also when the driver goes without ever having had a turn.
pub fn dropping_a_busy_driver_frees_every_descriptor<R: Machine>() {
    in_child(|| {
        let count = open_before::<R>();
        let (data, _owner) = tracked(&pattern(100_000, 3));
        for _ in 0..3 {
            drop(in_the_middle::<R>(&data));
            assert_eq!(open_descriptors(), count, "descriptors are left");
        }
        let mut stage = Stage::<R>::new(Recorder::new());
        let at = stage.at.clone();
        let peer = stage.rig.connect(&at);
        let host = stage.rig.host();
        stage.dial(&host.at(), &DialOptions::default());
        drop((stage, peer, host));
        assert_eq!(open_descriptors(), count, "descriptors are left");
    });
}

/// A panic of a handler comes out of `turn`, and the driver can still be dropped, with everything freed.
pub fn a_handlers_panic_comes_out_of_turn_and_leaks_nothing<R: Machine>() {
    in_child(|| {
        let count = open_before::<R>();
        let recorder = Recorder::new().on_received(|_, _, _| panic!("the handler's own"));
        let mut stage = Stage::<R>::new(recorder);
        let (_, mut peer) = stage.connect();
        stuff(&mut peer, b"x");
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            stage.until("the panic", |_| false);
        }));
        let text = caught
            .expect_err("it panics")
            .downcast::<&str>()
            .expect("with a text");
        assert_eq!(*text, "the handler's own");
        drop((stage, peer));
        assert_eq!(open_descriptors(), count, "descriptors are left");
    });
}

/// 10⁴ connections that come and go, ended in every way by either side, leave no descriptor behind.
pub fn ten_thousand_connections_leave_no_descriptor<R: Machine>() {
    in_child(|| {
        let closed = Rc::new(Cell::new(0_usize));
        let counter = closed.clone();
        let recorder = Recorder::new().on_closed(move |_, _| counter.set(counter.get() + 1));
        let mut stage = Stage::<R>::new(recorder);
        stage.idle();
        let count = open_descriptors();
        for round in 0..10_000 {
            let at = stage.at.clone();
            let mut peer = stage.rig.connect(&at);
            while stage.driver.with(|_, net| net.connections()) == 0 {
                stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
            }
            let conn = stage
                .driver
                .handler()
                .log
                .last()
                .and_then(|(conn, _)| *conn)
                .expect("just opened");
            match round % 8 {
                0 => drop(peer),
                1 => stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now)),
                2 => {
                    stage
                        .driver
                        .with(|_, net| net.disconnect(conn, Disconnect::flush()));
                    drop(peer);
                }
                3 => {
                    peer.finish();
                    stuff(&mut peer, b"");
                    drop(peer);
                }
                4 | 5 => stage
                    .driver
                    .with(|_, net| net.disconnect(conn, Disconnect::Reset)),
                _ => peer.reset(),
            }
            while closed.get() <= round {
                stage.driver.turn(Some(crate::stage::LIMIT)).expect("a turn");
            }
            // The log would grow with every round.
            stage.driver.with(|handler, _| handler.forget());
        }
        assert_eq!(open_descriptors(), count, "descriptors are left");
        assert_eq!(stage.driver.with(|_, net| net.connections()), 0);
    });
}

/// Listeners that come and go leave none either.
pub fn listeners_leave_no_descriptor<R: Machine>() {
    in_child(|| {
        let mut stage = Stage::<R>::new(Recorder::new());
        stage.idle();
        let count = open_descriptors();
        for _ in 0..200 {
            let at = stage.rig.address();
            stage.driver.with(|_, net| {
                let listener = net
                    .listen(&at, &ListenOptions::default())
                    .expect("the address is free");
                net.unlisten(listener);
            });
            stage.poll();
        }
        assert_eq!(open_descriptors(), count, "descriptors are left");
    });
}
