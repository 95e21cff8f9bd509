//! Two at once.

use crate::rig::{MAGIC, again, all, chain, contents, directory, is_again, open, options};
use sockman_p2p::store::{Disk, OpenError, Store};
use std::path::Path;

/// Says that it cannot be opened, and where.
fn refused(dir: &Path) {
    match Disk::open(dir, MAGIC, options()) {
        Err(OpenError::Locked { path }) => assert_eq!(path, dir),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_is_opened_once() {
    if let Some(dir) = is_again() {
        return refused(&dir);
    }
    let dir = directory();
    let chain = chain(4, |_| 100);
    let (mut disk, _) = open(dir.path());
    chain[0].store(&mut disk);
    refused(dir.path());
    chain[1].store(&mut disk);
    let other = again("locked::a_store_is_opened_once", dir.path())
        .output()
        .unwrap();
    assert!(other.status.success(), "{other:?}");
    // Whoever has it open does not notice.
    chain[2].store(&mut disk);
    disk.sync().unwrap();
    drop(disk);
    let (mut disk, loaded) = open(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..3));
    chain[3].store(&mut disk);
}

#[test]
fn another_directory_is_another_store() {
    let dir = directory();
    let (one, other) = (dir.path().join("one"), dir.path().join("deeper/other"));
    let _one = open(&one);
    let _other = open(&other);
    refused(&one);
}

#[test]
fn an_index_that_is_in_use_is_left_alone() {
    let dir = directory();
    drop(open(dir.path()));
    // By somebody who does not know of the other lock.
    let index = dir.path().join("index.redb");
    let database = redb::Database::open(&index).unwrap();
    match Disk::open(dir.path(), MAGIC, options()) {
        Err(OpenError::Locked { path }) => assert_eq!(path, index),
        other => panic!("{other:?}"),
    }
    drop(database);
    open(dir.path());
}
