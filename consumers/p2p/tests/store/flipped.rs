//! Bits that are wrong anywhere: harmless, or told; never another block than was stored.

use crate::rig::{Block, MAGIC, block_file, chain, contents, copy, directory, open, options};
use sockman_p2p::store::{Disk, Note, OpenError, Reader, Store, StoreError, verify};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A small store: the index knows the first `known` blocks.
fn store(dir: &Path, chain: &[Block], known: usize) {
    let (mut disk, _) = open(dir);
    for block in chain {
        block.announce(&mut disk);
        let place = disk.append(&block.frame).unwrap();
        if (block.height as usize) < known {
            block.index(&mut disk, place);
        }
    }
}

fn flip(file: &Path, at: usize, bit: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1 << bit;
    fs::write(file, bytes).unwrap();
}

/// Flips a bit of every byte of the block file, before the store is opened.
fn every_byte(known: usize) {
    let chain = chain(3, |_| 81);
    let dir = directory();
    store(dir.path(), &chain, known);
    let length = fs::metadata(block_file(dir.path())).unwrap().len() as usize;
    let frame = length / chain.len();
    for at in 0..length {
        let copied = directory();
        copy(dir.path(), copied.path());
        flip(&block_file(copied.path()), at, at % 8);
        let (mut disk, loaded) = open(copied.path());
        let hit = (at / frame) as u32;
        // It is told, with the block it is in.
        let (offset, long) = match loaded.notes[..] {
            [Note::Damaged { offset, length, .. } | Note::Torn { offset, length, .. }] => (offset, length),
            ref other => panic!("byte {at}: {other:?}"),
        };
        assert_eq!(
            (offset, long),
            ((frame * hit as usize) as u64, frame as u64),
            "byte {at}"
        );
        // That block is gone, and no other.
        let was = contents(loaded, &disk.reader(), &chain);
        let mut there: BTreeSet<u32> = was.found.iter().copied().collect();
        there.extend(
            was.headers
                .iter()
                .filter(|(_, stored)| *stored)
                .map(|(height, _)| height),
        );
        assert_eq!(there, (0..3).filter(|height| *height != hit).collect());
        if at % 16 != 0 {
            continue;
        }
        // It can be stored again.
        chain[hit as usize].store(&mut disk);
        drop(disk);
        let (disk, loaded) = open(copied.path());
        let was = contents(loaded, &disk.reader(), &chain);
        let stored = was.headers.iter().filter(|(_, stored)| *stored).count();
        assert_eq!(stored + was.found.len(), 3);
    }
}

#[test]
fn of_blocks_that_the_index_knows() {
    every_byte(3);
}

#[test]
fn of_blocks_that_it_does_not_know() {
    every_byte(0);
}

#[test]
fn of_blocks_on_either_side() {
    every_byte(1);
}

#[test]
fn of_blocks_that_are_being_read() {
    let chain = chain(2, |_| 400);
    let dir = directory();
    let (mut disk, _) = open(dir.path());
    let places = [chain[0].store(&mut disk), chain[1].store(&mut disk)];
    let reader = disk.reader();
    let file = block_file(dir.path());
    let frame = places[0].length as usize;
    for at in 0..frame {
        for bit in 0..8 {
            flip(&file, at, bit);
            match reader.frame(places[0]) {
                Ok(frame) => assert!(verify(&frame).is_err(), "byte {at}"),
                Err(StoreError::Damaged { path, offset, .. }) => assert_eq!((&path, offset), (&file, 0)),
                Err(other) => panic!("{other}"),
            }
            flip(&file, at, bit);
        }
        assert!(reader.frame(places[1]).unwrap() == chain[1].frame);
    }
    assert_eq!(
        verify(&reader.frame(places[0]).unwrap()),
        Ok(&chain[0].frame[24..])
    );
}

#[test]
fn of_the_index() {
    let chain = chain(4, |_| 81);
    let dir = directory();
    store(dir.path(), &chain, 4);
    let index = fs::read(dir.path().join("index.redb")).unwrap();
    // Most of it is empty.
    let used: Vec<usize> = (0..index.len()).filter(|at| index[*at] != 0).collect();
    let every = (used.len() / 250).max(1);
    let (mut rebuilt, mut refused, mut harmless) = (0, 0, 0);
    for (number, &at) in used.iter().enumerate().step_by(every) {
        let copied = directory();
        copy(dir.path(), copied.path());
        flip(&copied.path().join("index.redb"), at, number % 8);
        let (disk, loaded) = match Disk::open(copied.path(), MAGIC, options()) {
            Ok(opened) => opened,
            Err(OpenError::Version { .. } | OpenError::WrongChain { .. } | OpenError::Damaged { .. }) => {
                refused += 1;
                continue;
            }
            Err(other) => panic!("byte {at}: {other}"),
        };
        let told = match &loaded.notes[..] {
            [] => false,
            [Note::IndexDamaged { kept, .. }] => {
                assert_eq!(fs::metadata(kept).unwrap().len(), index.len() as u64);
                true
            }
            other => panic!("byte {at}: {other:?}"),
        };
        let was = contents(loaded, &disk.reader(), &chain);
        let stored = was.headers.iter().filter(|(_, stored)| *stored).count();
        // Either it is as it was, or it was set aside: then the blocks are all found.
        assert_eq!(
            (stored, was.found.len()),
            if told { (0, 4) } else { (4, 0) },
            "byte {at}"
        );
        if told { rebuilt += 1 } else { harmless += 1 }
    }
    println!(
        "{} bytes in use: {rebuilt} rebuilt, {refused} refused, {harmless} harmless",
        used.len()
    );
    assert!(rebuilt > 0);
}
