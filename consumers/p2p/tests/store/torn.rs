//! Files that end anywhere.

use crate::rig::{Block, all, block_file, chain, contents, copy, directory, open};
use sockman_p2p::store::{BadFrame, Note, Store};
use std::fs::{self, OpenOptions};
use std::path::Path;

/// A store of these blocks, of which the index knows as many as `known`.
fn store(dir: &Path, chain: &[Block], known: usize) {
    let (mut disk, _) = open(dir);
    for block in &chain[..known] {
        block.store(&mut disk);
    }
    for block in &chain[known..] {
        disk.append(&block.frame).unwrap();
    }
}

fn cut(file: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(length).unwrap();
}

/// Cuts the last of four blocks at every byte; the index knows `known` of them.
fn cut_at_every_byte(known: usize) {
    let chain = chain(5, |_| 81);
    let dir = directory();
    store(dir.path(), &chain[..4], known);
    let whole = fs::metadata(block_file(dir.path())).unwrap().len();
    let start = whole - chain[3].frame.len() as u64;
    for length in start..=whole {
        let copied = directory();
        copy(dir.path(), copied.path());
        let file = block_file(copied.path());
        cut(&file, length);
        let (mut disk, loaded) = open(copied.path());

        let mut notes = Vec::new();
        let left = if length == whole { 4 } else { 3 };
        if known == 4 && left == 3 {
            notes.push(Note::Truncated {
                path: file.clone(),
                length,
                blocks: 1,
            });
        }
        if left == 3 && length > start {
            notes.push(Note::Torn {
                path: file.clone(),
                offset: start,
                length: length - start,
            });
        }
        assert_eq!(loaded.notes, notes, "cut at {length}");
        let mut headers = all(0..known as u32);
        if known == 4 {
            headers[3].1 = left == 4;
        }
        let was = contents(loaded, &disk.reader(), &chain);
        assert_eq!(was.headers, headers);
        assert_eq!(was.found, (known as u32..left).collect::<Vec<_>>());

        // It goes on where the last whole block ends, and what was lost is stored again.
        let place = disk.append(&chain[4].frame).unwrap();
        assert_eq!(place.offset, if left == 4 { whole } else { start });
        chain[3].announce(&mut disk);
        if left == 3 {
            chain[3].store(&mut disk);
        }
        drop(disk);
        let (disk, loaded) = open(copied.path());
        assert!(loaded.notes.is_empty());
        let now = contents(loaded, &disk.reader(), &chain);
        let stored = now.headers.iter().filter(|(_, stored)| *stored).count();
        assert_eq!(stored + now.found.len(), 5);
    }
}

#[test]
fn a_block_that_the_index_does_not_know_may_end_anywhere() {
    cut_at_every_byte(3);
}

#[test]
fn a_block_that_the_index_knows_may_end_anywhere() {
    cut_at_every_byte(4);
}

#[test]
fn an_index_may_be_ahead_of_the_files() {
    let chain = chain(20, |_| 200);
    let dir = directory();
    store(dir.path(), &chain, 20);
    let file = block_file(dir.path());
    let frame = chain[0].frame.len() as u64;
    cut(&file, 7 * frame + 3);
    let (mut disk, loaded) = open(dir.path());
    let truncated = Note::Truncated {
        path: file.clone(),
        length: 7 * frame + 3,
        blocks: 13,
    };
    assert_eq!(loaded.notes[0], truncated);
    let was = contents(loaded, &disk.reader(), &chain);
    let mut expected = all(0..20);
    expected[7..].iter_mut().for_each(|(_, stored)| *stored = false);
    assert_eq!((was.headers, was.found), (expected, vec![]));
    // It is told once.
    for block in &chain[7..] {
        block.store(&mut disk);
    }
    drop(disk);
    let (disk, loaded) = open(dir.path());
    assert!(loaded.notes.is_empty());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..20));

    // To nothing.
    drop(disk);
    cut(&file, 0);
    let (disk, loaded) = open(dir.path());
    assert!(matches!(
        loaded.notes[..],
        [Note::Truncated {
            length: 0,
            blocks: 20,
            ..
        }]
    ));
    let was = contents(loaded, &disk.reader(), &chain);
    assert!(was.headers.iter().all(|(_, stored)| !stored) && was.found.is_empty());
}

#[test]
fn zeros_at_the_end_are_cut_off() {
    // As a file system leaves them that has lost the power between the length and the data.
    let chain = chain(3, |_| 150);
    for zeros in [1, 23, 24, 25, 5_000_000] {
        let dir = directory();
        store(dir.path(), &chain, 2);
        let file = block_file(dir.path());
        let end = fs::metadata(&file).unwrap().len();
        cut(&file, end + zeros);
        let (disk, loaded) = open(dir.path());
        let torn = Note::Torn {
            path: file.clone(),
            offset: end,
            length: zeros,
        };
        assert_eq!(loaded.notes, [torn]);
        assert_eq!(contents(loaded, &disk.reader(), &chain).found, [2]);
        assert_eq!(fs::metadata(&file).unwrap().len(), end);
    }
}

#[test]
fn a_block_of_zeros_at_the_end_is_damaged() {
    // The same, in the middle of a block; the index knows of it or not.
    let chain = chain(4, |_| 150);
    for known in [2, 3] {
        let dir = directory();
        store(dir.path(), &chain[..3], known);
        let file = block_file(dir.path());
        let end = fs::metadata(&file).unwrap().len();
        cut(&file, end - 60);
        cut(&file, end);
        let (mut disk, loaded) = open(dir.path());
        let length = chain[2].frame.len() as u64;
        let damaged = Note::Damaged {
            path: file.clone(),
            offset: end - length,
            length,
            what: BadFrame::Checksum,
        };
        assert_eq!(loaded.notes, [damaged]);
        let was = contents(loaded, &disk.reader(), &chain);
        assert!(was.headers.iter().all(|&(height, stored)| stored == (height < 2)) && was.found.is_empty());
        // What comes later is behind it, and is found.
        chain[2].store(&mut disk);
        disk.append(&chain[3].frame).unwrap();
        drop(disk);
        let (disk, loaded) = open(dir.path());
        assert_eq!(loaded.notes.len(), 1);
        let was = contents(loaded, &disk.reader(), &chain);
        assert_eq!((was.headers, was.found), (all(0..3), vec![3]));
    }
}

#[test]
fn an_empty_file_is_nothing_to_speak_of() {
    let dir = directory();
    let chain = chain(2, |_| 100);
    store(dir.path(), &chain[..1], 1);
    fs::write(dir.path().join("blocks/blk00001.dat"), "").unwrap();
    let (mut disk, loaded) = open(dir.path());
    assert!(loaded.notes.is_empty());
    let place = chain[1].store(&mut disk);
    assert_eq!((place.file, place.offset), (1, 0));
    drop(disk);
    let (disk, loaded) = open(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..2));
}
