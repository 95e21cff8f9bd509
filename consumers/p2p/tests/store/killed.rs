//! SIGKILL at any moment: what a process acknowledged through a pipe is there for the next one.

use crate::rig::{self, Block, MAGIC, again, directory, is_again};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sockman_p2p::store::{Disk, DiskOptions, Loaded, Note, Reader, Store};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Times that a process is killed.
const KILLED: u32 = 30;

/// The most blocks that are heard of before that.
const BLOCKS: u32 = 60;

fn options() -> DiskOptions {
    DiskOptions {
        file_size: 48 << 10,
        commit_every: Duration::from_millis(1),
        commit_at: 12,
        ..DiskOptions::default()
    }
}

/// The block of a height: from tiny ones to such as take several writes of pages.
fn block(height: u32) -> Block {
    let size = match height % 20 {
        0 => 20_000,
        10 => 5_000,
        _ => 81 + height as usize % 100,
    };
    Block::new(height, BlockHash::all_zeros(), size)
}

/// Stores blocks from a height on, not quite in their order, as they are downloaded; says which, each when it is stored.
fn store_until_killed(dir: &Path, from: u32) {
    let (mut disk, _) = Disk::open(dir, MAGIC, options()).unwrap();
    let mut out = std::io::stdout();
    for start in (from..).step_by(8) {
        let window: Vec<Block> = (start..start + 8).map(block).collect();
        for block in &window {
            block.announce(&mut disk);
        }
        for at in [3, 0, 1, 6, 2, 5, 7, 4] {
            let place = disk.append(&window[at].frame).unwrap();
            window[at].index(&mut disk, place);
            writeln!(out, "stored {}", window[at].height).unwrap();
        }
        if from.is_multiple_of(3) {
            disk.sync().unwrap();
        }
    }
}

/// The heights that are stored, and of how many of them the index does not know. Takes those in.
fn take_stock(disk: &mut Disk, loaded: Loaded) -> (BTreeSet<u32>, usize) {
    let mut there = BTreeSet::new();
    for header in loaded.headers {
        let header = header.unwrap();
        if header.place.is_some() {
            there.insert(header.height);
        }
    }
    let behind = loaded.found.len();
    for found in loaded.found {
        let block = block(found.header.nonce);
        assert!(disk.reader().frame(found.place).unwrap() == block.frame);
        assert!(there.insert(block.height), "it is there twice");
        block.announce(disk);
        block.index(disk, found.place);
    }
    (there, behind)
}

fn acknowledged(line: &str) -> Option<u32> {
    line.strip_prefix("stored ")?.parse().ok()
}

#[test]
fn what_was_acknowledged_is_there() {
    if let Some(dir) = is_again() {
        let from = std::env::var("SOCKMAN_FROM").unwrap();
        return store_until_killed(&dir, from.parse().unwrap());
    }
    let dir = directory();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut promised = BTreeSet::new();
    let (mut torn, mut behind) = (0, 0);
    for _ in 0..KILLED {
        let from = promised.last().map_or(0, |last| last + 1);
        let mut child = again("killed::what_was_acknowledged_is_there", dir.path())
            .env("SOCKMAN_FROM", from.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // In between too: while it writes, while the index is committed, while it opens the store.
        let (wanted, spins) = (rng.next_u32() % BLOCKS, rng.next_u32() % 100_000);
        let mut heard = 0;
        while heard < wanted {
            let height = acknowledged(&lines.next().expect("it goes on until it is killed").unwrap());
            heard += u32::from(height.is_some());
            promised.extend(height);
        }
        for _ in 0..spins {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        promised.extend(lines.filter_map(|line| acknowledged(&line.unwrap())));

        let (mut disk, loaded) = Disk::open(dir.path(), MAGIC, options()).unwrap();
        for note in &loaded.notes {
            assert!(matches!(note, Note::Torn { .. }), "{note}");
            torn += 1;
        }
        let (there, found) = take_stock(&mut disk, loaded);
        behind += found;
        let lost: Vec<_> = promised.difference(&there).collect();
        assert!(lost.is_empty(), "lost {lost:?}");
        // What was stored and not acknowledged is there as well.
        promised = there;
    }
    let (disk, loaded) = Disk::open(dir.path(), MAGIC, options()).unwrap();
    assert!(loaded.notes.is_empty() && loaded.found.is_empty());
    let highest = promised.last().copied().unwrap_or_default();
    let chain: Vec<Block> = (0..=highest + 8).map(block).collect();
    let last = rig::contents(loaded, &disk.reader(), &chain);
    let stored = last.headers.iter().filter(|(_, stored)| *stored).count();
    assert_eq!(stored, promised.len());
    assert!(
        stored > behind && behind > 0,
        "{stored} blocks, of which the index was behind by {behind}"
    );
    println!("{stored} blocks, {behind} of them found, {torn} torn");
}
