//! Blocks from the files of Bitcoin Core: in any order, with a key, damaged.

use crate::rig::{Block, MAGIC, chain, directory};
use sockman_p2p::store::import::{Damage, Damaged, Import, ImportError};
use sockman_p2p::store::{Memory, Store, StoreError, verify};
use sockman_p2p::wire::HEADER;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Blocks as Core writes them.
fn records(blocks: &[Block]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for block in blocks {
        let payload = &block.frame[HEADER..];
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// Bytes of a block's record.
fn record(block: &Block) -> usize {
    block.frame.len() - HEADER + 8
}

fn combined(bytes: &[u8], key: [u8; 8]) -> Vec<u8> {
    bytes
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}

fn import(path: &Path) -> Import {
    Import::open(&[path.to_path_buf()], MAGIC).unwrap()
}

/// The heights that are imported, in their order. Each block is as it was, and can be stored as it is.
fn heights(import: Import, chain: &[Block]) -> Vec<u32> {
    let mut store = Memory::new(MAGIC);
    let left = import.len();
    let heights: Vec<u32> = import
        .map(|block| {
            let block = block.unwrap();
            verify(&block.frame).unwrap();
            store.append(&block.frame).unwrap();
            let is = chain.iter().find(|known| known.frame == block.frame);
            is.expect("it is one of them").height
        })
        .collect();
    assert_eq!(heights.len(), left);
    heights
}

fn all(heights: Range<u32>) -> Vec<u32> {
    heights.collect()
}

#[test]
fn a_directory_is_read_in_the_order_of_its_numbers() {
    let dir = directory();
    let chain = chain(12, |height| 90 + 1_000 * height as usize);
    for (number, blocks) in [(2, 8..12), (0, 0..5), (1, 5..8)] {
        fs::write(
            dir.path().join(format!("blk{number:05}.dat")),
            records(&chain[blocks]),
        )
        .unwrap();
    }
    for other in ["rev00000.dat", "blk0.dat", "index"] {
        fs::write(dir.path().join(other), "something else").unwrap();
    }
    let found = import(dir.path());
    assert!(found.damaged().is_empty());
    assert_eq!(heights(found, &chain), all(0..12));
    // Each block says where it is from.
    let places: Vec<_> = import(dir.path())
        .map(|block| block.unwrap())
        .map(|block| (block.path, block.offset))
        .collect();
    assert_eq!(&*places[0].0, dir.path().join("blk00000.dat"));
    assert_eq!(places[1].1, record(&chain[0]) as u64);
    assert_eq!(&*places[11].0, dir.path().join("blk00002.dat"));
}

#[test]
fn the_order_does_not_matter_nor_does_genesis() {
    let dir = directory();
    let chain = chain(30, |height| 81 + height as usize);
    // Neither within a file nor among files; some are there twice, and the first two are not there.
    let (one, other) = (dir.path().join("one.dat"), dir.path().join("other.dat"));
    let some = |heights: &[usize]| {
        let blocks: Vec<Block> = heights.iter().map(|height| chain[*height].clone()).collect();
        records(&blocks)
    };
    let mut later: Vec<usize> = (12..30).rev().collect();
    later.push(7);
    fs::write(&one, some(&later)).unwrap();
    fs::write(&other, some(&[5, 4, 7, 9, 2, 3, 8, 6, 11, 10])).unwrap();
    for paths in [[one.clone(), other.clone()], [other, one]] {
        let mut heights = heights(Import::open(&paths, MAGIC).unwrap(), &chain);
        let twice = heights.iter().position(|height| *height == 7).unwrap();
        assert_eq!(heights.len(), 29);
        assert_eq!(heights.iter().filter(|height| **height == 7).count(), 2);
        // Parents come first: of those that are there twice, one does.
        for (number, height) in heights.iter().enumerate() {
            let parent = heights.iter().position(|other| other + 1 == *height);
            assert!(
                parent.is_none_or(|parent| parent < number),
                "{height} comes before its parent"
            );
        }
        heights.remove(twice);
        heights.sort_unstable();
        assert_eq!(heights, all(2..30));
    }
}

#[test]
fn a_key_is_honoured() {
    let chain = chain(6, |height| 81 + height as usize);
    let key = [0x9e, 0, 0x37, 0xff, 1, 2, 3, 0x80];
    let dir = directory();
    // Room that was made in advance is zeros: with a key that is not what it looks like.
    let mut first = combined(&records(&chain[..4]), key);
    first.resize(first.len() + 1_000, 0);
    fs::write(dir.path().join("blk00000.dat"), first).unwrap();
    fs::write(
        dir.path().join("blk00001.dat"),
        combined(&records(&chain[4..]), key),
    )
    .unwrap();
    fs::write(dir.path().join("xor.dat"), key).unwrap();
    let found = import(dir.path());
    assert!(found.damaged().is_empty(), "{:?}", found.damaged());
    assert_eq!(heights(found, &chain), all(0..6));
    // It belongs to each file of the directory, however that is named.
    let found = import(&dir.path().join("blk00001.dat"));
    assert_eq!(heights(found, &chain), all(4..6));

    // One of zeros is none, and without it nothing is to be found.
    fs::write(dir.path().join("xor.dat"), [0; 8]).unwrap();
    let error = Import::open(&[dir.path().to_path_buf()], MAGIC).unwrap_err();
    assert!(matches!(&error, ImportError::NoBlocks { path } if path.ends_with("blk00000.dat")));
    assert!(error.to_string().contains("xor.dat"), "{error}");
    fs::write(dir.path().join("blk00000.dat"), records(&chain)).unwrap();
    fs::remove_file(dir.path().join("blk00001.dat")).unwrap();
    assert_eq!(heights(import(dir.path()), &chain), all(0..6));
    for wrong in [&key[..7], &[0; 9], &[]] {
        fs::write(dir.path().join("xor.dat"), wrong).unwrap();
        let error = Import::open(&[dir.path().to_path_buf()], MAGIC).unwrap_err();
        assert!(matches!(&error, ImportError::Key { path } if path.ends_with("xor.dat")));
    }
}

#[test]
fn room_is_not_damage() {
    let chain = chain(4, |_| 200);
    let dir = directory();
    let path = dir.path().join("blk00000.dat");
    for (before, between, behind) in [(0, 0, 5_000_000), (64, 8, 1), (0, 100_000, 7), (16, 16, 0)] {
        let mut bytes = vec![0; before];
        bytes.extend(records(&chain[..2]));
        bytes.resize(bytes.len() + between, 0);
        bytes.extend(records(&chain[2..]));
        bytes.resize(bytes.len() + behind, 0);
        fs::write(&path, bytes).unwrap();
        let found = import(&path);
        assert!(found.damaged().is_empty(), "{:?}", found.damaged());
        assert_eq!(heights(found, &chain), all(0..4));
    }
    // A file that is nothing else has no blocks.
    for bytes in [vec![], vec![0; 1_000]] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(import(&path).len(), 0);
    }
}

#[test]
fn a_file_may_end_anywhere() {
    let chain = chain(3, |_| 100);
    let dir = directory();
    let path = dir.path().join("blk00000.dat");
    let whole = records(&chain);
    let last = whole.len() - record(&chain[2]);
    for length in last..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let found = import(&path);
        let left = if length == whole.len() { 3 } else { 2 };
        match found.damaged() {
            [] => assert!(length == last || left == 3),
            [
                Damaged {
                    path: at,
                    offset,
                    length: long,
                    ..
                },
            ] => {
                assert_eq!((at, *offset, *long), (&path, last as u64, (length - last) as u64));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(heights(found, &chain), all(0..left));
    }
    let cut = whole.len() - 1;
    fs::write(&path, &whole[..cut]).unwrap();
    let found = import(&path);
    assert_eq!(found.damaged()[0].what, Damage::CutShort);
    let text = found.damaged()[0].to_string();
    assert!(
        text.contains("blk00000.dat") && text.contains(&last.to_string()),
        "{text}"
    );
}

#[test]
fn a_byte_may_be_wrong_anywhere() {
    let chain = chain(4, |_| 81);
    let dir = directory();
    let path = dir.path().join("blk00000.dat");
    let whole = records(&chain);
    let one = record(&chain[0]);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        let hit = at / one;
        let found = import(&path);
        // What is wrong with the record is told, what is wrong with the block is for the chain to see.
        assert_eq!(found.damaged().is_empty(), at % one >= 8, "byte {at}");
        let frames: Vec<Vec<u8>> = found.map(|block| block.unwrap().frame).collect();
        for (number, block) in chain.iter().enumerate() {
            assert_eq!(
                frames.contains(&block.frame),
                number != hit,
                "byte {at}, block {number}"
            );
        }
    }
}

#[test]
fn damage_costs_what_it_hit() {
    let chain = chain(5, |_| 300);
    let dir = directory();
    let path = dir.path().join("blk00000.dat");
    let whole = records(&chain);
    let one = record(&chain[0]);
    let damaged = |bytes: Vec<u8>| {
        fs::write(&path, bytes).unwrap();
        let found = import(&path);
        let damaged: Vec<_> = found
            .damaged()
            .iter()
            .map(|part| (part.offset as usize, part.length as usize, part.what))
            .collect();
        let frames: Vec<Vec<u8>> = found.map(|block| block.unwrap().frame).collect();
        let there =
            (0..5_u32).filter(|height| frames.iter().any(|frame| *frame == chain[*height as usize].frame));
        (damaged, there.collect::<Vec<_>>())
    };
    // Something between two blocks, before the first and behind the last.
    let mut bytes = whole.clone();
    bytes.splice(2 * one..2 * one, [7; 100]);
    assert_eq!(damaged(bytes), (vec![(2 * one, 100, Damage::Rubbish)], all(0..5)));
    let mut bytes = whole.clone();
    bytes.splice(0..0, [7; 3]);
    bytes.extend([7; 50]);
    let parts = vec![(0, 3, Damage::Rubbish), (3 + 5 * one, 50, Damage::Rubbish)];
    assert_eq!(damaged(bytes), (parts, all(0..5)));
    // A few zeros are not room.
    let mut bytes = whole.clone();
    bytes.splice(one..one, [0; 5]);
    assert_eq!(damaged(bytes), (vec![(one, 5, Damage::Rubbish)], all(0..5)));
    // A length that is too large, and one that is too small.
    for length in [310_u32, 290] {
        let mut bytes = whole.clone();
        bytes[one + 4..one + 8].copy_from_slice(&length.to_le_bytes());
        let what = if length == 310 {
            (one, one, Damage::Length)
        } else {
            (2 * one - 10, 10, Damage::Rubbish)
        };
        assert_eq!(damaged(bytes), (vec![what], vec![0, 2, 3, 4]));
    }
    // And ones that no block has.
    for length in [0_u32, 80, 4_000_001, u32::MAX] {
        let mut bytes = whole.clone();
        bytes[one + 4..one + 8].copy_from_slice(&length.to_le_bytes());
        assert_eq!(
            damaged(bytes),
            (vec![(one, one, Damage::Rubbish)], vec![0, 2, 3, 4])
        );
    }
    // A block that goes on behind the end hides none of those that it would have in it.
    let mut bytes = whole.clone();
    bytes[one + 4..one + 8].copy_from_slice(&5_000_u32.to_le_bytes());
    assert_eq!(
        damaged(bytes),
        (vec![(one, one, Damage::CutShort)], vec![0, 2, 3, 4])
    );
}

#[test]
fn a_file_without_a_block_does_not_keep_the_others_out() {
    let dir = directory();
    let chain = chain(3, |_| 100);
    let whole = records(&chain);
    fs::write(dir.path().join("blk00000.dat"), &whole).unwrap();
    fs::write(dir.path().join("blk00001.dat"), &whole[..50]).unwrap();
    fs::write(dir.path().join("blk00002.dat"), [7; 1_000]).unwrap();
    let found = import(dir.path());
    let parts: Vec<_> = found
        .damaged()
        .iter()
        .map(|part| (part.length, part.what))
        .collect();
    assert_eq!(parts, [(50, Damage::CutShort), (1_000, Damage::Rubbish)]);
    assert_eq!(heights(found, &chain), all(0..3));
}

#[test]
fn the_magic_within_a_block_does_not_end_it() {
    let mut block = Block::after(None, 81);
    let mut payload = block.frame[HEADER..].to_vec();
    payload.extend(records(&chain(2, |_| 90)));
    block.frame = sockman_p2p::wire::frame(MAGIC, sockman_p2p::wire::Command::BLOCK, &payload).to_vec();
    let dir = directory();
    let path = dir.path().join("blk00000.dat");
    fs::write(&path, records(&[block.clone()])).unwrap();
    let found = import(&path);
    assert!(found.damaged().is_empty());
    assert_eq!(heights(found, &[block]), [0]);
}

#[test]
fn what_cannot_be_imported_says_so() {
    let dir = directory();
    let open = |path: &Path| Import::open(&[path.to_path_buf()], MAGIC).unwrap_err();
    let error = open(dir.path());
    assert!(
        matches!(&error, ImportError::NoFiles { path } if path == dir.path()),
        "{error}"
    );
    let missing = dir.path().join("missing.dat");
    match open(&missing) {
        ImportError::Store(StoreError::Io { path, .. }) => assert_eq!(path, missing),
        other => panic!("{other}"),
    }
    // Another chain, and something else altogether.
    let other = dir.path().join("other.dat");
    let mut bytes = records(&chain(3, |_| 100));
    for block in 0..3 {
        bytes[block * 108] ^= 1;
    }
    for bytes in [bytes, b"hello".to_vec(), vec![0xff; 100_000]] {
        fs::write(&other, bytes).unwrap();
        assert!(matches!(open(&other), ImportError::NoBlocks { path } if path == other));
    }
}

#[test]
fn a_file_that_is_gone_meanwhile_costs_its_blocks() {
    let dir = directory();
    let chain = chain(4, |_| 100);
    let paths: Vec<PathBuf> = ["a.dat", "b.dat"]
        .iter()
        .map(|name| dir.path().join(name))
        .collect();
    fs::write(&paths[0], records(&chain[..2])).unwrap();
    fs::write(&paths[1], records(&chain[2..])).unwrap();
    let found = Import::open(&paths, MAGIC).unwrap();
    fs::remove_file(&paths[0]).unwrap();
    let results: Vec<bool> = found.map(|block| block.is_ok()).collect();
    assert_eq!(results, [false, false, true, true]);
}

#[test]
fn many_files_are_read_with_few_of_them_open() {
    let dir = directory();
    let chain = chain(60, |_| 100);
    // Every block in a file of its own, and all in the wrong order.
    for block in &chain {
        fs::write(
            dir.path().join(format!("blk{:05}.dat", 59 - block.height)),
            records(std::slice::from_ref(block)),
        )
        .unwrap();
    }
    assert_eq!(heights(import(dir.path()), &chain), all(0..60));
}
