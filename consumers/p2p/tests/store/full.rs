//! No room. A limit of the sizes of files stands for the disk: what it refuses it refuses in the middle of a write, as a full disk
//! does. It is of a process, so each test has one of its own.

use crate::rig::{Block, MAGIC, again, all, chain, contents, directory, is_again, options};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use rustix::process::{Resource, Rlimit, setrlimit};
use sockman_p2p::chain::Forgotten;
use sockman_p2p::store::{Change, Disk, DiskOptions, OpenError, Reader, Store, StoreError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No file of this process may have more bytes from now on.
fn room(bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

/// Runs a test in a process that is not killed by what it is refused, and then here what is left to look at.
fn run(test: &str, there: impl FnOnce(&Path), here: impl FnOnce(&Path)) {
    if let Some(dir) = is_again() {
        return there(&dir);
    }
    let dir = directory();
    let child = again(test, dir.path());
    // What a shell ignores, the programs it runs ignore too.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    here(dir.path());
}

fn is_full(result: Result<impl std::fmt::Debug, StoreError>, of: &Path) {
    match result {
        Err(StoreError::Full { path, .. }) => assert_eq!(path, of),
        other => panic!("{other:?}"),
    }
}

fn small() -> Block {
    Block::new(77, BlockHash::all_zeros(), 200)
}

fn large() -> Vec<Block> {
    chain(12, |_| 100_000)
}

#[test]
fn a_block_that_does_not_fit_is_not_there() {
    run(
        "full::a_block_that_does_not_fit_is_not_there",
        |dir| {
            let chain = large();
            let file = dir.join("blocks/blk00000.dat");
            let (mut disk, _) = Disk::open(dir, MAGIC, options()).unwrap();
            for block in &chain[..5] {
                block.store(&mut disk);
            }
            let end = 5 * chain[0].frame.len() as u64;
            // In the middle of a block, just before its end, just behind its beginning.
            for room_for in [1_000, chain[5].frame.len() as u64 - 1, 1, 0] {
                room(Some(end + room_for));
                is_full(disk.append(&chain[5].frame), &file);
                is_full(disk.append(&chain[6].frame), &file);
                // Nothing of it stays, and what is there is readable.
                assert_eq!(std::fs::metadata(&file).unwrap().len(), end);
                assert!(disk.failed().is_none());
            }
            // A smaller one may still fit.
            room(Some(end + 1_000));
            let small = small();
            let place = disk.append(&small.frame).unwrap();
            assert!(disk.reader().frame(place).unwrap() == small.frame);
            room(None);
            for block in &chain[5..8] {
                block.store(&mut disk);
            }
        },
        |dir| {
            let chain = large();
            let (disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
            let known: Vec<Block> = chain.into_iter().chain([small()]).collect();
            let contents = contents(loaded, &disk.reader(), &known);
            assert_eq!((contents.headers, contents.found), (all(0..8), vec![77]));
        },
    );
}

#[test]
fn a_process_may_end_when_there_is_no_room() {
    run(
        "full::a_process_may_end_when_there_is_no_room",
        |dir| {
            let chain = large();
            let (mut disk, _) = Disk::open(dir, MAGIC, options()).unwrap();
            room(Some(450_000));
            for block in &chain[..4] {
                block.store(&mut disk);
            }
            assert!(disk.append(&chain[4].frame).is_err());
            // Here it ends, and nothing has been put in order.
            std::mem::forget(disk);
        },
        |dir| {
            let chain = large();
            let (mut disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            let was = contents(loaded, &disk.reader(), &chain);
            let stored = was.headers.iter().filter(|(_, stored)| *stored).count();
            assert_eq!(stored + was.found.len(), 4);
            chain[4].store(&mut disk);
        },
    );
}

/// Options with which nothing is committed unless it is asked for.
fn patient() -> DiskOptions {
    DiskOptions {
        commit_every: Duration::from_secs(3600),
        queue: 1_000_000,
        ..DiskOptions::default()
    }
}

/// Headers, more than the index has room for without growing.
fn headers(disk: &mut Disk, heights: std::ops::Range<u32>) {
    for height in heights {
        Block::new(height, BlockHash::all_zeros(), 81).announce(disk);
    }
}

fn index(dir: &Path) -> PathBuf {
    dir.join("index.redb")
}

#[test]
fn an_index_that_cannot_grow_is_behind_until_it_can() {
    run(
        "full::an_index_that_cannot_grow_is_behind_until_it_can",
        |dir| {
            let (mut disk, _) = Disk::open(dir, MAGIC, patient()).unwrap();
            headers(&mut disk, 0..10);
            disk.sync().unwrap();
            let size = std::fs::metadata(index(dir)).unwrap().len();
            room(Some(size));
            headers(&mut disk, 10..10_000);
            for _ in 0..3 {
                is_full(disk.sync(), &index(dir));
                is_full(Err::<(), _>(disk.failed().unwrap()), &index(dir));
            }
            // Blocks are stored all the same, where there is room.
            let block = Block::new(5, BlockHash::all_zeros(), 81);
            let place = disk.append(&block.frame).unwrap();
            block.index(&mut disk, place);
            room(None);
            disk.sync().unwrap();
            assert!(disk.failed().is_none());
            headers(&mut disk, 10_000..10_010);
        },
        |dir| {
            let (_disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            assert!(
                loaded.notes.is_empty() && loaded.found.is_empty(),
                "{:?}",
                loaded.notes
            );
            let heights: Vec<_> = loaded.headers.map(|header| header.unwrap()).collect();
            assert_eq!(heights.len(), 10_010);
            assert!(
                heights
                    .iter()
                    .all(|header| header.place.is_some() == (header.height == 5))
            );
        },
    );
}

#[test]
fn what_waits_for_room_is_bounded() {
    run(
        "full::what_waits_for_room_is_bounded",
        |dir| {
            let block = Block::new(1, BlockHash::all_zeros(), 81);
            let eager = DiskOptions {
                commit_every: Duration::from_millis(1),
                queue: 15_000,
                ..options()
            };
            let (mut disk, _) = Disk::open(dir, MAGIC, eager).unwrap();
            headers(&mut disk, 0..10);
            disk.sync().unwrap();
            let size = std::fs::metadata(index(dir)).unwrap().len();
            room(Some(size));
            headers(&mut disk, 10..10_000);
            assert!(disk.sync().is_err());
            // So many are too many: from here on the index stays as it is, and says so for ever.
            headers(&mut disk, 10_000..40_000);
            let place = disk.append(&block.frame).unwrap();
            block.index(&mut disk, place);
            room(None);
            is_full(disk.sync(), &index(dir));
            is_full(Err::<(), _>(disk.failed().unwrap()), &index(dir));
            disk.record(Change::Forget(vec![Forgotten {
                height: block.height,
                hash: block.hash,
            }]));
            is_full(disk.sync(), &index(dir));
        },
        |dir| {
            // What was stored is found.
            let (_disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            assert_eq!(loaded.found.len(), 1);
            // A part of the headers would be of no use without the rest.
            let heights: Vec<_> = loaded.headers.map(|header| header.unwrap().height).collect();
            assert_eq!(heights, (0..heights.len() as u32).collect::<Vec<_>>());
        },
    );
}

#[test]
fn a_store_that_has_no_room_to_begin_says_so() {
    run(
        "full::a_store_that_has_no_room_to_begin_says_so",
        |dir| {
            room(Some(10_000));
            match Disk::open(dir, MAGIC, options()) {
                Err(OpenError::Store(StoreError::Full { path, .. })) => {
                    assert_eq!(path, index(dir));
                }
                other => panic!("{other:?}"),
            }
            room(None);
            let (mut disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
            large()[0].store(&mut disk);
        },
        |dir| {
            let (disk, loaded) = Disk::open(dir, MAGIC, options()).unwrap();
            assert_eq!(contents(loaded, &disk.reader(), &large()).headers, all(0..1));
        },
    );
}
