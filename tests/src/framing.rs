//! Contract 18: `TCP_NODELAY` is on by default, and header and payload of a frame leave together.

use crate::recorder::Recorder;
use crate::rig::{Host, Machine, Rig};
use crate::stage::{Stage, pattern, stuff};
use rustix::net::sockopt;
use sockman::{Bytes, Config, DialOptions, ListenOptions, SockMan, Syscall};
use std::cell::RefCell;
use std::rc::Rc;

/// A header and a payload sent in one callback are one write, and the peer has both at its first look.
pub fn header_and_payload_leave_in_one_write<R: Rig>() {
    for payload in [10, 1000, 12_000, 60_000] {
        for shared in [false, true] {
            let recorder = Recorder::new().on_received(move |net, conn, data| {
                let body = vec![2; payload];
                net.send(conn, &[1; 24]).expect("open");
                if shared {
                    net.send_bytes(conn, body.into()).expect("open");
                } else {
                    net.send(conn, &body).expect("open");
                }
                data.len()
            });
            let mut stage = Stage::<R>::new(recorder);
            let (_, mut peer) = stage.connect();
            let before = stage.stats().syscalls[Syscall::Write];
            stage.write_all(&mut peer, b"request");
            let heard = stage.read(&mut peer, 24 + payload);
            assert_eq!((&heard[..24], heard[24]), (&[1; 24][..], 2));
            let writes = stage.stats().syscalls[Syscall::Write] - before;
            assert_eq!(writes, 1, "{payload} bytes, shared: {shared}");
        }
    }
}

/// A hundred small pieces of one callback are one write; and of `Driver::with` too.
pub fn many_pieces_leave_in_one_write<R: Rig>() {
    let recorder = Recorder::new().on_received(|net, conn, data| {
        for piece in 0..100 {
            net.send(conn, &[piece; 10]).expect("open");
        }
        data.len()
    });
    let mut stage = Stage::<R>::new(recorder);
    let (conn, mut peer) = stage.connect();
    let before = stage.stats().syscalls[Syscall::Write];
    stage.write_all(&mut peer, b"request");
    assert_eq!(stage.read(&mut peer, 1000).len(), 1000);
    assert_eq!(stage.stats().syscalls[Syscall::Write] - before, 1);
    stage.driver.with(|_, net| {
        for _ in 0..100 {
            net.send_bytes(conn, Bytes::from_static(b"0123456789"))
                .expect("open");
        }
    });
    assert_eq!(stage.hear(&mut peer, 1000).len(), 1000);
    assert_eq!(stage.stats().syscalls[Syscall::Write] - before, 2);
}

/// A loop whose `open` takes the sockets out, and the sockets.
fn catcher<R: Rig>() -> (Stage<R>, Rc<RefCell<Vec<std::os::fd::OwnedFd>>>) {
    let caught = Rc::new(RefCell::new(Vec::new()));
    let list = caught.clone();
    let recorder = Recorder::new().on_open(move |net, conn, _| {
        list.borrow_mut().push(net.detach(conn).expect("inside open"));
        false
    });
    (Stage::with(&Config::default(), recorder), caught)
}

/// Accepted and dialled sockets have `TCP_NODELAY` set, unless their options say otherwise. TCP only.
pub fn nodelay_is_on_unless_turned_off<R: Machine>() {
    for (wanted, expected) in [(None, true), (Some(false), false), (Some(true), true)] {
        let (mut stage, caught) = catcher::<R>();
        let host = stage.rig.host();
        let at = stage.rig.address();
        let at = stage.driver.with(|_, net| {
            let mut listen = ListenOptions::default();
            let mut dial = DialOptions::default();
            if let Some(wanted) = wanted {
                (listen.nodelay, dial.nodelay) = (wanted, wanted);
            }
            let listener = net.listen(&at, &listen).expect("the address is free");
            net.dial(&host.at(), &dial).expect("the options are right");
            net.local_addr(listener).expect("it listens")
        });
        let _peer = stage.rig.connect(&at);
        stage.until("both", |_| caught.borrow().len() == 2);
        for socket in caught.borrow().iter() {
            assert_eq!(
                sockopt::tcp_nodelay(socket).expect("a TCP socket"),
                expected,
                "{wanted:?}"
            );
        }
    }
}

/// Keep-alive is set where it is asked for, with the time asked for. TCP only.
pub fn keepalive_is_set_where_asked_for<R: Machine>() {
    let (mut stage, caught) = catcher::<R>();
    let host = stage.rig.host();
    let after = std::time::Duration::from_secs(77);
    stage.driver.with(|_, net| {
        let asked = DialOptions {
            keepalive: Some(after),
            ..DialOptions::default()
        };
        net.dial(&host.at(), &asked).expect("the options are right");
    });
    stage.until("open", |_| caught.borrow().len() == 1);
    let at = stage.at.clone();
    let mut peer = stage.rig.connect(&at);
    stage.until("open", |_| caught.borrow().len() == 2);
    let sockets = caught.borrow();
    assert!(sockopt::socket_keepalive(&sockets[0]).expect("a socket"));
    assert_eq!(sockopt::tcp_keepidle(&sockets[0]).expect("a TCP socket"), after);
    assert!(!sockopt::socket_keepalive(&sockets[1]).expect("a socket"));
    stuff(&mut peer, &pattern(1, 1));
}
