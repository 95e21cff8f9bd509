//! Contract 19, with 1 and 2: nothing a peer or a handler does panics the loop. Random operations against a model.

use crate::model::{World, step};
use crate::recorder::{self, Recorder};
use crate::rig::{Peer, Rig};
use crate::stage::{Stage, pattern, stuff};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sockman::{Bytes, Conn, Disconnect, SockMan};
use std::time::Duration;

/// Everything that can be done to a connection, alive or dead.
fn everything(net: &mut dyn recorder::Ops, conn: Conn) {
    let now = net.now();
    let _ = net.want(conn, 7);
    let _ = net.want(conn, usize::MAX);
    net.pause(conn);
    net.resume(conn);
    net.set_deadline(conn, Some(now));
    net.set_deadline(conn, None);
    net.post(conn, Bytes::from_static(b"p"));
    let _ = net.send(conn, b"s");
    let _ = net.send(conn, b"");
    let _ = net.send_bytes(conn, Bytes::from_static(b"b"));
    let _ = net.send_bytes(conn, Bytes::new());
    let _ = net.detach(conn);
    let _ = net.info(conn);
    let timer = net.set_timer(now, 1);
    net.cancel(timer);
    net.cancel(timer);
    net.finish(conn);
    net.disconnect(
        conn,
        Disconnect::Flush {
            within: Duration::ZERO,
        },
    );
    net.disconnect(conn, Disconnect::Reset);
    net.disconnect(conn, Disconnect::Now);
}

/// Every callback does everything to its own connection and to one that is dead.
pub fn every_callback_may_do_everything<R: Rig>() {
    let told = || {
        Recorder::new()
            .on_closed(|net, conn| everything(net, conn))
            .on_timer(|_, key| assert_ne!(key, 1, "cancelled"))
    };
    let recorders = [
        told().on_open(|net, conn, _| {
            let _ = net.send(conn, b"x");
            everything(net, conn);
            true
        }),
        told().on_open(|net, conn, _| {
            let _ = net.send(conn, b"x");
            everything(net, conn);
            false
        }),
        told().on_received(|net, conn, _| {
            everything(net, conn);
            0
        }),
        told().on_eof(|net, conn| everything(net, conn)),
        told().on_deadline(|net, conn| everything(net, conn)),
        told().on_posted(|net, conn, _| everything(net, conn)),
    ];
    for recorder in recorders {
        let mut stage = Stage::<R>::new(recorder);
        let (conn, mut peer) = stage.connect();
        stage.driver.with(|_, net| {
            net.set_deadline(conn, Some(net.now() + Duration::from_millis(20)));
            net.post(conn, Bytes::from_static(b"posted"));
        });
        // May fail: the handler may have closed it.
        let _ = peer.write(b"some bytes");
        stage.idle();
        peer.finish();
        stage.until("it is over", |s| s.driver.with(|_, net| net.connections()) == 0);
        // The loop goes on.
        let (_, _peer) = stage.connect();
    }
}

/// Random operations on random connections, alive and dead, from the loop, from remotes and from peers: each connection
/// has its callbacks in order and its closing once, no byte comes that was not sent on that connection, none is missing
/// before `eof`, and nothing panics. The recorder checks the rest.
pub fn random_operations_keep_the_contract<R: Rig>() {
    // The same scripts each time, so that a failure is one everybody can repeat; PROPTEST_RNG_SEED in the environment
    // makes others.
    let seed = std::env::var("PROPTEST_RNG_SEED")
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or(1);
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&vec(step(), 1..120), |steps| {
        let mut world = World::on(R::new());
        for step in steps {
            world.carry_out(step);
        }
        world.end();
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Whatever arrives, in whatever pieces, an echo returns it and lives on.
pub fn nothing_a_peer_sends_stops_the_loop<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    for round in 0..50 {
        let at = stage.at.clone();
        let mut peer = stage.rig.connect(&at);
        stuff(&mut peer, &pattern(round * 100, round as u64));
        match round % 4 {
            0 => peer.reset(),
            1 => peer.finish(),
            2 => drop(peer),
            _ => {
                stage.poll();
                peer.reset();
            }
        }
        stage.poll();
    }
    let (_, mut peer) = stage.connect();
    assert_eq!(stuff(&mut peer, b"alive?"), 6);
    assert_eq!(stage.read(&mut peer, 6), b"alive?");
}
