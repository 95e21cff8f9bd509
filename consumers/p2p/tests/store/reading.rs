//! Places that mean nothing, and how many files are open.

use crate::rig::{MAGIC, block_file, chain, directory, open, options};
use sockman_p2p::store::{BadFrame, Disk, DiskOptions, MAX_FRAME, Memory, Place, Reader, Store, StoreError};
use std::fs;

#[test]
fn a_place_where_nothing_is_gives_an_error() {
    let chain = chain(3, |_| 200);
    let dir = directory();
    let (mut disk, _) = open(dir.path());
    let mut memory = Memory::new(MAGIC);
    let mut right = None;
    for block in &chain {
        let place = block.store(&mut disk);
        assert_eq!(place, block.store(&mut memory));
        right.get_or_insert(place);
    }
    let right = right.unwrap();
    let end = 3 * u64::from(right.length);
    let wrong = |file, offset, length| Place { file, offset, length };
    for place in [
        wrong(1, 0, right.length),
        wrong(u32::MAX, u64::MAX, u32::MAX),
        wrong(0, 1, right.length),
        wrong(0, 0, right.length - 1),
        wrong(0, 0, right.length + 1),
        wrong(0, 0, 2 * right.length),
        wrong(0, 0, 0),
        wrong(0, 0, 23),
        wrong(0, 0, MAX_FRAME as u32),
        wrong(0, 0, MAX_FRAME as u32 + 1),
        wrong(0, end, right.length),
        wrong(0, end - 1, right.length),
        wrong(0, i64::MAX as u64, right.length),
        wrong(0, u64::MAX, right.length),
    ] {
        for result in [disk.reader().frame(place), memory.reader().frame(place)] {
            match result {
                Err(StoreError::Damaged { offset, .. }) => assert_eq!(offset, place.offset),
                other => panic!("{place:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_file_that_is_gone_is_damage() {
    let dir = directory();
    let (mut disk, _) = open(dir.path());
    let place = chain(1, |_| 100)[0].store(&mut disk);
    fs::remove_file(block_file(dir.path())).unwrap();
    match disk.reader().frame(place) {
        Err(StoreError::Damaged { path, what, .. }) => {
            assert_eq!((path, what), (block_file(dir.path()), BadFrame::Short));
        }
        other => panic!("{other:?}"),
    }
}

/// Block files that this process has open to be read, in a directory.
#[cfg(target_os = "linux")]
fn open_files(dir: &std::path::Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let targets = open.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    targets
        .filter(|target| target.starts_with(dir.join("blocks")))
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn few_files_are_open_at_once() {
    let chain = chain(40, |_| 500);
    let dir = directory();
    for (limit, most) in [(3, 3), (1, 1), (0, 1), (100, 40)] {
        let one_each = DiskOptions {
            file_size: 1,
            open_files: limit,
            ..options()
        };
        let (mut disk, loaded) = Disk::open(dir.path(), MAGIC, one_each).unwrap();
        let known: Vec<Place> = loaded
            .headers
            .filter_map(|header| header.unwrap().place)
            .collect();
        let places: Vec<Place> = match known.len() {
            0 => chain.iter().map(|block| block.store(&mut disk)).collect(),
            _ => known,
        };
        // (And the one that is written to.)
        disk.sync().unwrap();
        let others = open_files(dir.path());
        let reader = disk.reader();
        for _ in 0..2 {
            for (block, place) in chain.iter().zip(&places) {
                assert!(reader.clone().frame(*place).unwrap() == block.frame);
                assert!(open_files(dir.path()) <= most + others);
            }
        }
        assert_eq!(open_files(dir.path()), most + others);
    }
}

#[test]
fn many_threads_may_read_while_blocks_are_appended() {
    let chain = chain(200, |height| 81 + height as usize);
    let dir = directory();
    let small = DiskOptions {
        file_size: 2_000,
        open_files: 2,
        ..options()
    };
    let (mut disk, _) = Disk::open(dir.path(), MAGIC, small).unwrap();
    let places: Vec<Place> = chain[..100].iter().map(|block| block.store(&mut disk)).collect();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let (reader, places, chain) = (disk.reader(), &places, &chain);
            scope.spawn(move || {
                for at in (0..places.len()).cycle().skip(first * 25).take(300) {
                    assert!(reader.frame(places[at]).unwrap() == chain[at].frame);
                }
            });
        }
        for block in &chain[100..] {
            block.store(&mut disk);
        }
    });
}
