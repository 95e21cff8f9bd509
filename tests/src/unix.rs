//! Unix listeners: their socket files, stale ones and their own.

use crate::recorder::Recorder;
use crate::rig::{Machine, Rig};
use crate::stage::{Stage, stuff};
use sockman::{Endpoint, ListenOptions, SockMan};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

fn fresh<R: Rig>(stage: &mut Stage<R>) -> PathBuf {
    match stage.rig.address() {
        Endpoint::Unix(path) => path,
        Endpoint::Tcp(_) => unreachable!("a rig of Unix sockets"),
    }
}

/// A socket file that nobody listens on any more is removed before binding; our own when we stop.
pub fn a_stale_socket_file_is_removed_and_our_own_too<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::echo());
    let path = fresh(&mut stage);
    drop(UnixListener::bind(&path).expect("bind"));
    assert!(path.exists(), "it is stale");
    let at = Endpoint::Unix(path.clone());
    let listener = stage
        .driver
        .with(|_, net| net.listen(&at, &ListenOptions::default()))
        .expect("stale files go");
    let mut peer = stage.rig.connect(&at);
    assert_eq!(stuff(&mut peer, b"hi"), 2);
    assert_eq!(stage.read(&mut peer, 2), b"hi");
    stage.driver.with(|_, net| net.unlisten(listener));
    assert!(!path.exists(), "our own file is left");
}

/// Dropping the driver removes the file as well.
pub fn dropping_the_driver_removes_its_socket_files<R: Machine>() {
    let stage = Stage::<R>::new(Recorder::new());
    let Endpoint::Unix(path) = stage.at.clone() else {
        unreachable!("a rig of Unix sockets");
    };
    assert!(path.exists());
    let Stage { driver, rig, .. } = stage;
    drop(driver);
    assert!(!path.exists(), "our own file is left");
    drop(rig);
}

/// A socket that is listened on, a file that is no socket, and a stale one when told to keep it, are left alone.
pub fn what_is_not_stale_is_left_alone<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let used = fresh(&mut stage);
    let _other = UnixListener::bind(&used).expect("bind");
    let file = fresh(&mut stage);
    fs::write(&file, "precious").expect("a file");
    let left = fresh(&mut stage);
    drop(UnixListener::bind(&left).expect("bind"));
    let keep = ListenOptions {
        unlink: false,
        ..ListenOptions::default()
    };
    stage.driver.with(|_, net| {
        for (path, how) in [
            (&used, &ListenOptions::default()),
            (&file, &ListenOptions::default()),
            (&left, &keep),
        ] {
            let error = net
                .listen(&Endpoint::Unix(path.clone()), how)
                .expect_err("in use");
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(path.exists(), "{} was removed", path.display());
        }
    });
    assert_eq!(fs::read(&file).expect("it is there"), b"precious");
}

/// A file that another has put in the place of ours is not ours to remove.
pub fn a_file_in_the_place_of_ours_is_left_alone<R: Machine>() {
    let mut stage = Stage::<R>::new(Recorder::new());
    let path = fresh(&mut stage);
    let at = Endpoint::Unix(path.clone());
    let listener = stage
        .driver
        .with(|_, net| net.listen(&at, &ListenOptions::default()))
        .expect("free");
    fs::remove_file(&path).expect("it is there");
    let _other = UnixListener::bind(&path).expect("free again");
    stage.driver.with(|_, net| net.unlisten(listener));
    assert!(path.exists(), "another's file was removed");
}
