//! Contract 2: an id is never used again, and a dead one touches nothing.

use crate::recorder::{Event, Recorder};
use crate::rig::{Host, Peer, Rig};
use crate::stage::Stage;
use sockman::{
    Bytes, Closed, Config, Conn, DialOptions, Disconnect, Gone, Id, ListenOptions, SockMan, WantError,
};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// Every operation on a dead id says so or does nothing, and the slot's new owner does not notice.
pub fn operations_on_a_dead_id_do_nothing<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let (dead, peer) = stage.connect();
    drop(peer);
    stage.closing(dead);
    let (heir, mut peer) = stage.connect();
    assert_eq!(heir.raw().slot(), dead.raw().slot(), "the slot is used again");
    let before = stage.driver.with(|_, net| net.info(heir));
    stage.driver.with(|_, net| {
        assert!(!net.is_open(dead));
        assert_eq!(net.send(dead, b"stray"), Err(Gone));
        assert_eq!(net.send_bytes(dead, Bytes::from_static(b"stray")), Err(Gone));
        net.post(dead, Bytes::from_static(b"stray"));
        assert_eq!(net.want(dead, 10), Err(WantError::Gone));
        net.pause(dead);
        net.finish(dead);
        net.set_deadline(dead, Some(net.now()));
        assert!(net.detach(dead).is_err());
        assert_eq!(net.info(dead), None);
        for how in [Disconnect::flush(), Disconnect::Now, Disconnect::Reset] {
            net.disconnect(dead, how);
        }
        net.resume(dead);
    });
    let remote = stage.driver.remote();
    remote.post(dead, "stray").expect("the loop is there");
    remote.pause(dead).expect("the loop is there");
    remote
        .disconnect(dead, Disconnect::Now)
        .expect("the loop is there");
    stage.idle();
    assert_eq!(stage.driver.with(|_, net| net.info(heir)), before);
    stage.write_all(&mut peer, b"mine");
    assert_eq!(stage.read(&mut peer, 4), b"mine");
    assert_eq!(stage.of(heir).len(), 2, "{:?}", stage.of(heir));
    assert_eq!(stage.of(dead).len(), 3, "{:?}", stage.of(dead));
}

/// A dead listener or timer is as dead as a dead connection.
pub fn dead_listeners_and_timers_do_nothing<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let other = stage.rig.address();
    let (dead, listener, at) = stage.driver.with(|_, net| {
        let dead = net
            .listen(&other, &ListenOptions::key(1))
            .expect("the address is free");
        net.unlisten(dead);
        let listener = net
            .listen(&other, &ListenOptions::key(2))
            .expect("the address is free again");
        net.unlisten(dead);
        assert_eq!(net.local_addr(dead), None);
        (dead, listener, net.local_addr(listener))
    });
    assert_ne!(dead, listener);
    let at = at.expect("the new listener listens on");
    let _peer = stage.rig.connect(&at);
    stage.until("open", |s| s.seen().opened().len() == 1);
    stage.driver.with(|_, net| {
        let gone = net.set_timer(net.now(), 1);
        net.cancel(gone);
        let heir = net.set_timer(net.now(), 2);
        assert_ne!(gone, heir);
        net.cancel(gone);
    });
    stage.until("the timer", |s| s.seen().count(|e| *e == Event::Timer(2)) == 1);
    assert_eq!(stage.seen().count(|e| *e == Event::Timer(1)), 0);
}

/// Ids of connections that come and go are all different, though they share slots.
pub fn ids_are_never_reused<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let mut ids = BTreeSet::new();
    let mut slots = BTreeSet::new();
    for round in 0..100 {
        let (conn, peer) = stage.connect();
        assert!(ids.insert(conn), "{conn} came twice");
        slots.insert(conn.raw().slot());
        if round % 2 == 0 {
            drop(peer);
        } else {
            stage.driver.with(|_, net| net.disconnect(conn, Disconnect::Now));
        }
        stage.closing(conn);
    }
    assert!(slots.len() < 10, "slots are used again");
}

/// Events that the kernel reported for a connection which another's callback then closed do not reach the connection
/// that was accepted into its slot and descriptor within the same turn.
pub fn stale_events_do_not_reach_the_next_owner<R: Rig>() {
    const MANY: usize = 8;
    for order in 0..3 {
        let victims = Rc::new(RefCell::new(Vec::<Conn>::new()));
        let list = victims.clone();
        let recorder = Recorder::new().on_received(move |net, conn, data| {
            // Whoever is first closes all others, whose events wait behind.
            for other in list.take() {
                if other != conn {
                    net.disconnect(other, Disconnect::Now);
                }
            }
            data.len()
        });
        // The young are accepted only into the places of the old.
        let config = Config {
            max_connections: Some(MANY),
            ..Config::default()
        };
        let mut stage = Stage::<R>::with(&config, recorder);
        let mut old: Vec<_> = (0..MANY).map(|_| stage.connect()).collect();
        *victims.borrow_mut() = old.iter().map(|(conn, _)| *conn).collect();
        let connect = |stage: &mut Stage<R>| {
            let at = stage.at.clone();
            (0..MANY).map(|_| stage.rig.connect(&at)).collect::<Vec<_>>()
        };
        // The listener's event before, amid and behind those of the connections.
        let mut young = Vec::new();
        if order == 0 {
            young = connect(&mut stage);
        }
        for (index, (_, peer)) in old.iter_mut().enumerate() {
            stage_write::<R>(peer, b"stale");
            if order == 1 && index == 0 {
                young = connect(&mut stage);
            }
        }
        let old: Vec<_> = old.into_iter().map(|(conn, peer)| (conn, drop(peer)).0).collect();
        if order == 2 {
            young = connect(&mut stage);
        }
        stage.poll();
        stage.until("all are opened", |s| s.seen().opened().len() == 2 * MANY);
        stage.idle();
        let opened = stage.seen().opened();
        let (_, new) = opened.split_at(MANY);
        let slots: BTreeSet<_> = old.iter().map(|conn| conn.raw().slot()).collect();
        assert!(
            new.iter().any(|conn| slots.contains(&conn.raw().slot())),
            "slots are used again"
        );
        for conn in new {
            assert_eq!(
                stage.of(*conn).len(),
                1,
                "{conn} got what was another's: {:?}",
                stage.of(*conn)
            );
            assert_eq!(
                stage.driver.with(|_, net| net.info(*conn)).map(|i| i.bytes_in),
                Some(0)
            );
        }
        let mut disconnected = 0;
        for conn in &old {
            disconnected += usize::from(matches!(stage.closing(*conn), Closed::Disconnected));
        }
        assert_eq!(disconnected, MANY - 1);
        drop(young);
    }
}

fn stage_write<R: Rig>(peer: &mut R::Peer, data: &[u8]) {
    assert_eq!(
        crate::stage::stuff(peer, data),
        data.len(),
        "a few bytes always fit"
    );
}

/// The same for a connection that is dialled from `closed`, when the slot and the descriptor have just become free.
pub fn stale_events_do_not_reach_a_connection_dialled_from_closed<R: Rig>() {
    const MANY: usize = 8;
    let mut rig = R::new();
    let host = rig.host();
    let victims = Rc::new(RefCell::new(Vec::<Conn>::new()));
    let (list, to) = (victims.clone(), host.at());
    let heirs = Rc::new(RefCell::new(Vec::new()));
    let born = heirs.clone();
    let recorder = Recorder::new()
        .on_received(move |net, conn, data| {
            for other in list.take() {
                if other != conn {
                    net.disconnect(other, Disconnect::Now);
                }
            }
            data.len()
        })
        .on_closed(move |net, _| {
            if born.borrow().len() < MANY - 1 {
                let heir = net.dial(&to, &DialOptions::default());
                born.borrow_mut().push(heir.expect("the options are right"));
            }
        });
    let mut stage = Stage::on(rig, &Config::default(), recorder);
    let mut old: Vec<_> = (0..MANY).map(|_| stage.connect()).collect();
    *victims.borrow_mut() = old.iter().map(|(conn, _)| *conn).collect();
    for (_, peer) in &mut old {
        stage_write::<R>(peer, b"stale");
        peer.finish();
    }
    stage.until("the heirs are open", |s| s.seen().opened().len() == 2 * MANY - 1);
    stage.idle();
    let slots: BTreeSet<_> = old.iter().map(|(conn, _)| conn.raw().slot()).collect();
    let heirs = heirs.borrow();
    assert!(
        heirs.iter().all(|conn| slots.contains(&conn.raw().slot())),
        "slots are used again"
    );
    for conn in heirs.iter() {
        assert_eq!(
            stage.of(*conn).len(),
            1,
            "{conn} got what was another's: {:?}",
            stage.of(*conn)
        );
    }
}

/// A deadline set for a connection that closed is not its heir's.
pub fn a_dead_connections_deadline_is_not_its_heirs<R: Rig>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let (dead, peer) = stage.connect();
    stage.driver.with(|_, net| {
        net.set_deadline(dead, Some(net.now() + Duration::from_millis(50)));
        net.disconnect(dead, Disconnect::Now);
    });
    stage.closing(dead);
    drop(peer);
    let (heir, _peer) = stage.connect();
    assert_eq!(heir.raw().slot(), dead.raw().slot());
    stage.rig.pass(Duration::from_millis(60));
    stage.idle();
    assert_eq!(stage.of(heir).len(), 1, "{:?}", stage.of(heir));
}
