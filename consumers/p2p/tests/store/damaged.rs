//! Everything else that is not as it was left.

use crate::rig::{Block, MAGIC, all, block_file, chain, contents, directory, open, options};
use redb::{Database, TableDefinition};
use sockman_p2p::store::{BadFrame, Change, Disk, DiskOptions, Loaded, Note, OpenError, Store, StoreError};
use sockman_p2p::wire::{self, Command, HEADER};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Ten blocks in files of three.
fn store(dir: &Path) -> Vec<Block> {
    let chain = chain(10, |_| 300);
    let (mut disk, _) = Disk::open(dir, MAGIC, small()).unwrap();
    for block in &chain {
        block.store(&mut disk);
    }
    chain
}

fn small() -> DiskOptions {
    DiskOptions {
        file_size: 1_000,
        ..options()
    }
}

fn reopen(dir: &Path) -> (Disk, Loaded) {
    Disk::open(dir, MAGIC, small()).unwrap()
}

fn file(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("blocks/blk{number:05}.dat"))
}

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

fn index(dir: &Path) -> PathBuf {
    dir.join("index.redb")
}

#[test]
fn an_index_that_is_missing_is_made_anew() {
    let dir = directory();
    let chain = store(dir.path());
    fs::remove_file(index(dir.path())).unwrap();
    let (disk, loaded) = reopen(dir.path());
    let path = index(dir.path());
    assert_eq!(loaded.notes, [Note::IndexMissing { path }]);
    let was = contents(loaded, &disk.reader(), &chain);
    assert_eq!((was.headers, was.found), (vec![], (0..10).collect()));
}

#[test]
fn an_index_that_is_rubbish_is_kept_and_made_anew() {
    let dir = directory();
    let chain = store(dir.path());
    let path = index(dir.path());
    let whole = fs::read(&path).unwrap();
    let mut kept = Vec::new();
    for rubbish in [
        b"rubbish".to_vec(),
        vec![0; 5_000],
        whole[..whole.len() / 2].to_vec(),
        whole[..100].to_vec(),
    ] {
        fs::write(&path, &rubbish).unwrap();
        let (disk, mut loaded) = reopen(dir.path());
        let note = loaded.notes.pop();
        let Some(Note::IndexDamaged {
            path: of, kept: to, ..
        }) = note
        else {
            panic!("{note:?}");
        };
        assert_eq!(of, path);
        assert_eq!(fs::read(&to).unwrap().len(), rubbish.len());
        assert!(!kept.contains(&to), "an older one was overwritten");
        kept.push(to);
        assert_eq!(
            contents(loaded, &disk.reader(), &chain).found,
            (0..10).collect::<Vec<_>>()
        );
    }
    assert_eq!(kept[0], dir.path().join("index.redb.damaged"));
    assert!(kept.iter().all(|kept| kept.exists()));
    // An empty one is as good as none.
    fs::write(&path, "").unwrap();
    let (disk, loaded) = reopen(dir.path());
    assert!(loaded.notes.is_empty());
    assert_eq!(contents(loaded, &disk.reader(), &chain).found.len(), 10);
}

#[test]
fn a_later_version_is_told_and_left_alone() {
    let about: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
    let dir = directory();
    let chain = store(dir.path());
    let set = |format: u64| {
        let database = Database::open(index(dir.path())).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(about)
            .unwrap()
            .insert("format", format)
            .unwrap();
        transaction.commit().unwrap();
    };
    set(2);
    let error = Disk::open(dir.path(), MAGIC, small()).unwrap_err();
    let text = error.to_string();
    let OpenError::Version { path, found, known } = error else {
        panic!("{text}");
    };
    assert_eq!((path, found, known), (index(dir.path()), 2, 1));
    assert!(text.contains("format 2") && text.contains("up to 1"), "{text}");
    set(1);
    let (disk, loaded) = reopen(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..10));
}

#[test]
fn another_chain_is_told_and_left_alone() {
    let main = [0xf9, 0xbe, 0xb4, 0xd9];
    let dir = directory();
    let chain = store(dir.path());
    let wrong = |at: &Path| match Disk::open(dir.path(), main, small()) {
        Err(OpenError::WrongChain {
            path,
            found,
            expected,
        }) => {
            assert_eq!((path.as_path(), found, expected), (at, MAGIC, main));
        }
        other => panic!("{other:?}"),
    };
    wrong(&file(dir.path(), 0));
    // By the index alone too, and by the files alone.
    let (blocks, aside) = (dir.path().join("blocks"), dir.path().join("aside"));
    fs::rename(&blocks, &aside).unwrap();
    wrong(&index(dir.path()));
    fs::remove_dir(&blocks).unwrap();
    fs::rename(&aside, &blocks).unwrap();
    let kept = fs::read(index(dir.path())).unwrap();
    fs::remove_file(index(dir.path())).unwrap();
    wrong(&file(dir.path(), 0));
    // (And it has not been made theirs.)
    assert!(!index(dir.path()).exists());
    fs::write(index(dir.path()), kept).unwrap();
    let (disk, loaded) = reopen(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..10));
    drop(disk);

    // One of its files among ours.
    let frames = [1, 2].map(|byte| wire::frame(main, Command::BLOCK, &[byte; 200]));
    fs::write(file(dir.path(), 7), frames.concat()).unwrap();
    match Disk::open(dir.path(), MAGIC, small()) {
        Err(OpenError::WrongChain { path, found, .. }) => {
            assert_eq!((path, found), (file(dir.path(), 7), main));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_missing_is_asked_for() {
    let dir = directory();
    let chain = store(dir.path());
    for number in [0, 1, 3] {
        let (path, aside) = (file(dir.path(), number), dir.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        let blocks = if number == 3 { "1 blocks" } else { "3 blocks" };
        let error = Disk::open(dir.path(), MAGIC, small()).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(&error, OpenError::Damaged { path: at, .. } if *at == path),
            "{text}"
        );
        assert!(text.contains(blocks) && text.contains("index.redb"), "{text}");
        fs::rename(&aside, &path).unwrap();
    }
    // All of them: the disk they are on is not there.
    let (blocks, aside) = (dir.path().join("blocks"), dir.path().join("aside"));
    fs::rename(&blocks, &aside).unwrap();
    let error = Disk::open(dir.path(), MAGIC, small()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }));
    fs::remove_dir_all(&blocks).unwrap();
    fs::rename(&aside, &blocks).unwrap();
    let (disk, loaded) = reopen(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..10));
    drop(disk);

    // And what it says helps.
    fs::remove_file(file(dir.path(), 1)).unwrap();
    fs::remove_file(index(dir.path())).unwrap();
    let (disk, loaded) = reopen(dir.path());
    assert_eq!(
        contents(loaded, &disk.reader(), &chain).found,
        [0, 1, 2, 6, 7, 8, 9]
    );
}

#[test]
fn damage_in_the_middle_costs_what_it_hit() {
    // Two of the index's, and what lies between them is not known to it.
    let dir = directory();
    let chain = chain(9, |_| 300);
    let (mut disk, _) = open(dir.path());
    for block in &chain {
        block.announce(&mut disk);
        let place = disk.append(&block.frame).unwrap();
        if !(3..6).contains(&block.height) {
            block.index(&mut disk, place);
        }
    }
    drop(disk);
    let path = block_file(dir.path());
    let frame = chain[0].frame.len() as u64;
    // From the middle of 2 to the middle of 4, the header of 4 with it.
    overwrite(&path, 2 * frame + 100, &vec![0xee; 2 * frame as usize]);
    let (mut disk, loaded) = open(dir.path());
    let damaged = |offset, length, what| Note::Damaged {
        path: path.clone(),
        offset,
        length,
        what,
    };
    // Of what lies side by side one note is made.
    let expected = [damaged(2 * frame, 3 * frame, BadFrame::Checksum)];
    assert_eq!(loaded.notes, expected);
    let was = contents(loaded, &disk.reader(), &chain);
    let stored = |(height, _): &(u32, bool)| (*height, ![2, 3, 4, 5].contains(height));
    assert_eq!(was.headers, all(0..9).iter().map(stored).collect::<Vec<_>>());
    assert_eq!(was.found, [5]);
    // It says so as long as it is so, and goes on all the same.
    for block in &chain[2..6] {
        block.store(&mut disk);
    }
    drop(disk);
    let (disk, loaded) = open(dir.path());
    assert_eq!(loaded.notes, expected);
    let was = contents(loaded, &disk.reader(), &chain);
    // 5 is there twice.
    assert_eq!((was.headers, was.found), (all(0..9), vec![5]));
}

#[test]
fn what_is_not_looked_at_is_found_when_it_is_read() {
    let dir = directory();
    let chain = store(dir.path());
    overwrite(&file(dir.path(), 1), 100, &[0xee; 5]);
    let newest_only = DiskOptions { verify: 1, ..small() };
    let (disk, loaded) = Disk::open(dir.path(), MAGIC, newest_only).unwrap();
    assert!(loaded.notes.is_empty());
    let places: Vec<_> = loaded
        .headers
        .map(|header| header.unwrap().place.unwrap())
        .collect();
    let reader = disk.reader();
    for (block, place) in chain.iter().zip(places) {
        let frame = sockman_p2p::store::Reader::frame(&reader, place).unwrap();
        let whole = sockman_p2p::store::verify(&frame);
        assert_eq!(whole.is_ok(), block.height != 3);
    }
    drop(disk);
    // Where there is some, all of the file is looked at.
    overwrite(&file(dir.path(), 1), 0, &[0xee; 5]);
    overwrite(
        &file(dir.path(), 1),
        2 * chain[0].frame.len() as u64 + 50,
        &[0xee; 5],
    );
    let newest_only = DiskOptions { verify: 1, ..small() };
    let (disk, loaded) = Disk::open(dir.path(), MAGIC, newest_only).unwrap();
    let offsets: Vec<u64> = (loaded.notes.iter())
        .map(|note| match note {
            Note::Damaged { offset, .. } => *offset / chain[0].frame.len() as u64,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(offsets, [0, 2]);
    let was = contents(loaded, &disk.reader(), &chain);
    let missing: Vec<u32> = was
        .headers
        .iter()
        .filter(|(_, stored)| !stored)
        .map(|(height, _)| *height)
        .collect();
    assert_eq!(missing, [3, 5]);
}

#[test]
fn a_block_within_a_block_is_not_taken_for_one() {
    // A transaction may contain anything, the frames of blocks too.
    let inner = Block::new(90, bitcoin::hashes::Hash::all_zeros(), 150);
    let mut outer = Block::after(None, 81);
    let mut payload = outer.frame[HEADER..].to_vec();
    payload.extend_from_slice(&inner.frame);
    outer.frame = wire::frame(MAGIC, Command::BLOCK, &payload).to_vec();
    let dir = directory();
    let (mut disk, _) = open(dir.path());
    disk.append(&outer.frame).unwrap();
    drop(disk);
    let known = [outer.clone(), inner];
    let (disk, loaded) = open(dir.path());
    assert_eq!(contents(loaded, &disk.reader(), &known).found, [0]);
    drop(disk);
    // Only of a damaged one what looks whole is found: whether it is wanted is for the chain to say.
    overwrite(&block_file(dir.path()), 40, &[0xee; 3]);
    let (disk, loaded) = open(dir.path());
    assert_eq!(loaded.notes.len(), 1);
    assert_eq!(contents(loaded, &disk.reader(), &known).found, [90]);
}

#[test]
fn what_only_looks_like_blocks_is_given_up_some_time() {
    // A damaged block, made of the beginnings of blocks of large blocks: each would have to be hashed to see that it is none.
    let mut payload = Vec::new();
    while payload.len() < 400_000 {
        payload.extend_from_slice(&MAGIC);
        payload.extend_from_slice(&Command::BLOCK.to_bytes());
        payload.extend_from_slice(&300_000_u32.to_le_bytes());
        payload.extend_from_slice(&[0; 4]);
    }
    let outer = wire::frame(MAGIC, Command::BLOCK, &payload);
    let chain = chain(3, |_| 100);
    let dir = directory();
    let (mut disk, _) = open(dir.path());
    chain[0].store(&mut disk);
    let place = disk.append(&outer).unwrap();
    disk.append(&chain[1].frame).unwrap();
    chain[2].store(&mut disk);
    drop(disk);
    overwrite(&block_file(dir.path()), place.offset + 20, &[0xee; 3]);
    let impatient = DiskOptions {
        search: 1_000_000,
        ..options()
    };
    let (disk, loaded) = Disk::open(dir.path(), MAGIC, impatient).unwrap();
    // That costs the rest of what the index does not know, and nothing else.
    let note = Note::Damaged {
        path: block_file(dir.path()),
        offset: place.offset,
        length: u64::from(place.length) + chain[1].frame.len() as u64,
        what: BadFrame::Checksum,
    };
    assert_eq!(loaded.notes, [note]);
    let was = contents(loaded, &disk.reader(), &chain);
    assert_eq!((was.headers, was.found), (vec![(0, true), (2, true)], vec![]));
}

#[test]
fn what_is_somebody_elses_is_left_alone() {
    let dir = directory();
    let chain = store(dir.path());
    let names = [
        "blk1.dat",
        "blk000001.dat",
        "blk-0001.dat",
        "blk00001.dat.bak",
        "rev00000.dat",
        "blk99999999999.dat",
    ];
    for name in names {
        fs::write(dir.path().join("blocks").join(name), "something").unwrap();
    }
    let (disk, loaded) = reopen(dir.path());
    assert!(loaded.notes.is_empty());
    assert_eq!(contents(loaded, &disk.reader(), &chain).headers, all(0..10));
    for name in names {
        assert_eq!(
            fs::read(dir.path().join("blocks").join(name)).unwrap(),
            b"something"
        );
    }
}

#[test]
fn a_file_of_something_else_is_told_and_kept() {
    let dir = directory();
    let chain = store(dir.path());
    let rubbish = vec![0x5a; 3_000];
    fs::write(file(dir.path(), 4), &rubbish).unwrap();
    let (mut disk, loaded) = reopen(dir.path());
    let note = Note::Damaged {
        path: file(dir.path(), 4),
        offset: 0,
        length: 3_000,
        what: BadFrame::Magic,
    };
    assert_eq!(loaded.notes, [note]);
    let next = Block::after(chain.last(), 300);
    let place = next.store(&mut disk);
    assert_eq!((place.file, place.offset), (5, 0));
    assert_eq!(fs::read(file(dir.path(), 4)).unwrap(), rubbish);
}

#[test]
fn the_last_number_of_a_file_is_the_last() {
    let dir = directory();
    let chain = store(dir.path());
    let mut last = fs::File::create(file(dir.path(), u32::MAX)).unwrap();
    last.write_all(&Block::after(chain.last(), 900).frame).unwrap();
    let (mut disk, _) = reopen(dir.path());
    let error = disk.append(&chain[0].frame).unwrap_err();
    assert!(error.to_string().contains("no more"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_told() {
    let dir = directory();
    let path = dir.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Disk::open(&path, MAGIC, small()).unwrap_err();
    assert!(error.to_string().contains("file/blocks"), "{error}");
    fs::create_dir(dir.path().join("index.redb")).unwrap();
    let error = Disk::open(dir.path(), MAGIC, small()).unwrap_err();
    assert!(error.to_string().contains("index.redb"), "{error}");
}

#[test]
fn every_note_says_where_and_what() {
    let path = PathBuf::from("some/blk00003.dat");
    let notes = [
        Note::IndexMissing { path: path.clone() },
        Note::IndexDamaged {
            path: path.clone(),
            kept: PathBuf::from("kept"),
            why: "because".into(),
        },
        Note::Torn {
            path: path.clone(),
            offset: 77,
            length: 5,
        },
        Note::Truncated {
            path: path.clone(),
            length: 77,
            blocks: 5,
        },
        Note::Damaged {
            path,
            offset: 77,
            length: 5,
            what: BadFrame::Checksum,
        },
    ];
    for note in notes {
        let text = note.to_string();
        assert!(text.contains("some/blk00003.dat"), "{text}");
        if !matches!(note, Note::IndexMissing { .. } | Note::IndexDamaged { .. }) {
            assert!(text.contains("77") && text.contains('5'), "{text}");
        }
    }
}

#[test]
fn a_place_that_the_index_gives_twice_is_damage() {
    let dir = directory();
    let chain = chain(3, |_| 300);
    let (mut disk, _) = open(dir.path());
    let place = chain[0].store(&mut disk);
    chain[1].announce(&mut disk);
    disk.record(Change::Block {
        height: 1,
        hash: chain[1].hash,
        place,
        txs: 1,
    });
    drop(disk);
    let (_disk, loaded) = open(dir.path());
    assert!(matches!(loaded.notes[..], [Note::IndexDamaged { .. }]));
    assert_eq!(loaded.found.len(), 1);
}

#[test]
fn an_index_that_is_damaged_while_it_is_used_is_given_up() {
    let dir = directory();
    let chain = chain(30, |_| 300);
    let uncached = DiskOptions {
        cache: 0,
        ..options()
    };
    let (mut disk, _) = Disk::open(dir.path(), MAGIC, uncached).unwrap();
    for block in &chain[..10] {
        block.store(&mut disk);
    }
    disk.sync().unwrap();
    let length = fs::metadata(index(dir.path())).unwrap().len();
    overwrite(&index(dir.path()), 0, &vec![0xee; length as usize]);
    for block in &chain[10..20] {
        block.store(&mut disk);
    }
    assert!(matches!(disk.sync(), Err(StoreError::Index { .. })));
    // Nobody waits for it, and it stays so.
    for block in &chain[20..] {
        block.store(&mut disk);
    }
    assert!(disk.sync().is_err());
    assert!(matches!(disk.failed(), Some(StoreError::Index { .. })));
    drop(disk);
    let (disk, loaded) = open(dir.path());
    assert!(
        matches!(loaded.notes[..], [Note::IndexDamaged { .. }]),
        "{:?}",
        loaded.notes
    );
    assert_eq!(
        contents(loaded, &disk.reader(), &chain).found,
        (0..30).collect::<Vec<_>>()
    );
}
