//! What comes back: the same in memory and on a disk.

use crate::rig::{self, Block, MAGIC, all, chain, contents, directory, open, options};
use sockman_p2p::chain::Forgotten;
use sockman_p2p::store;
use sockman_p2p::store::{
    BadFrame, Change, Disk, DiskOptions, Loaded, LoadedHeader, MAX_FRAME, Memory, Reader, Store, StoreError,
};
use sockman_p2p::wire::{self, Command, HEADER};
use std::path::Path;
use std::time::Duration;

/// A store that can be opened again.
trait Host {
    type Store: Store;
    fn store(&mut self) -> &mut Self::Store;
    /// What the next process finds.
    fn restart(&mut self) -> Loaded;
}

impl Host for Memory {
    type Store = Memory;

    fn store(&mut self) -> &mut Memory {
        self
    }

    fn restart(&mut self) -> Loaded {
        let (next, loaded) = self.crash(self.pending());
        *self = next;
        loaded
    }
}

struct OnDisk<'a> {
    dir: &'a Path,
    disk: Option<Disk>,
}

impl Host for OnDisk<'_> {
    type Store = Disk;

    fn store(&mut self) -> &mut Disk {
        self.disk.get_or_insert_with(|| open(self.dir).0)
    }

    fn restart(&mut self) -> Loaded {
        self.disk = None;
        let (disk, loaded) = open(self.dir);
        self.disk = Some(disk);
        loaded
    }
}

/// Writes a test twice, once for each store.
macro_rules! both {
    ($($name:ident)*) => {
        mod memory {
            $(#[test] fn $name() { super::$name(super::Memory::new(super::MAGIC)); })*
        }
        mod disk {
            $(#[test] fn $name() {
                let dir = super::directory();
                super::$name(super::OnDisk { dir: dir.path(), disk: None });
            })*
        }
    };
}

both! {
    all_that_is_recorded_comes_back
    a_change_of_mind_comes_back_too
    what_was_only_appended_is_found
    parents_are_found_before_their_children
    nothing_comes_of_a_header_that_was_never_recorded
    only_the_frames_of_blocks_are_taken
    a_reader_sees_what_is_appended_after_it
}

fn loaded_headers(loaded: Loaded) -> Vec<LoadedHeader> {
    loaded.headers.map(|header| header.unwrap()).collect()
}

fn all_that_is_recorded_comes_back(mut host: impl Host) {
    let chain = chain(40, |height| 81 + 37 * height as usize);
    let mut expected = Vec::new();
    for block in &chain {
        // Of some only the header is known.
        let place = if block.height % 3 == 2 {
            block.announce(host.store());
            None
        } else {
            Some(block.store(host.store()))
        };
        expected.push(LoadedHeader {
            header: block.header,
            hash: block.hash,
            height: block.height,
            place,
            txs: u32::from(place.is_some()),
            invalid: false,
        });
    }
    // In the order of their heights, whatever order they were recorded in.
    let loaded = host.restart();
    assert!(loaded.notes.is_empty() && loaded.found.is_empty());
    assert_eq!(loaded_headers(loaded), expected);
    for (block, header) in chain.iter().zip(expected) {
        if let Some(place) = header.place {
            assert!(host.store().reader().frame(place).unwrap() == block.frame);
        }
    }
    assert!(host.store().failed().is_none());
}

fn a_change_of_mind_comes_back_too(mut host: impl Host) {
    let chain = chain(6, |_| 200);
    for block in &chain {
        block.store(host.store());
    }
    let at = |height: usize| (chain[height].height, chain[height].hash);
    let (height, hash) = at(2);
    host.store().record(Change::Lost { height, hash });
    let (height, hash) = at(3);
    host.store().record(Change::Invalid { height, hash });
    let (height, hash) = at(5);
    host.store()
        .record(Change::Forget(vec![Forgotten { height, hash }]));
    // To know a header twice changes nothing.
    chain[3].announce(host.store());
    let loaded = host.restart();
    let found: Vec<u32> = (loaded.found.iter())
        .map(|found| chain.iter().position(|block| block.hash == found.hash).unwrap() as u32)
        .collect();
    assert_eq!(found, [2, 5]);
    let again = loaded.found[0];
    let headers = loaded_headers(loaded);
    let of = |height: usize| {
        (
            headers[height].place.is_some(),
            headers[height].txs,
            headers[height].invalid,
        )
    };
    assert_eq!(headers.len(), 5);
    assert_eq!(of(1), (true, 1, false));
    assert_eq!(of(2), (false, 0, false));
    assert_eq!(of(3), (true, 1, true));
    assert_eq!(of(4), (true, 1, false));

    // What was lost comes again, and what was forgotten begins anew.
    chain[2].index(host.store(), again.place);
    chain[5].announce(host.store());
    let (height, hash) = at(5);
    host.store()
        .record(Change::Forget(vec![Forgotten { height, hash }]));
    chain[5].announce(host.store());
    let loaded = host.restart();
    let contents = contents(loaded, &host.store().reader(), &chain);
    let mut expected = all(0..6);
    expected[5].1 = false;
    assert_eq!(contents.headers, expected);
    assert_eq!(contents.found, [5]);
}

fn what_was_only_appended_is_found(mut host: impl Host) {
    let chain = chain(9, |height| 100 + height as usize);
    // Before, between and behind what the index knows.
    for block in &chain {
        if block.height % 4 == 0 {
            host.store().append(&block.frame).unwrap();
        } else {
            block.store(host.store());
        }
    }
    let loaded = host.restart();
    assert!(loaded.notes.is_empty());
    let first = contents(loaded, &host.store().reader(), &chain);
    assert_eq!(first.found, [0, 4, 8]);
    assert_eq!(first.headers.len(), 6);
    // As long as nobody records them.
    let loaded = host.restart();
    assert_eq!(contents(loaded, &host.store().reader(), &chain), first);
    let found = host.restart().found;
    for found in found {
        let block = chain.iter().find(|block| block.hash == found.hash).unwrap();
        block.announce(host.store());
        block.index(host.store(), found.place);
    }
    let loaded = host.restart();
    let last = contents(loaded, &host.store().reader(), &chain);
    assert_eq!((last.headers, last.found), (all(0..9), vec![]));
}

fn parents_are_found_before_their_children(mut host: impl Host) {
    let chain = chain(12, |_| 90);
    let other = Block::after(Some(&chain[3]), 90);
    for height in [5, 4, 11, 2, 7, 3, 6, 10, 1, 8, 0] {
        host.store().append(&chain[height].frame).unwrap();
    }
    host.store().append(&other.frame).unwrap();
    let found = host.restart().found;
    assert_eq!(found.len(), 12);
    for (number, one) in found.iter().enumerate() {
        let parent = found
            .iter()
            .position(|other| other.hash == one.header.prev_blockhash);
        assert!(parent.is_none_or(|parent| parent < number));
    }
    // The parent of one is missing, and it has its place in the order they came in.
    let after_gap = found.iter().position(|one| one.hash == chain[10].hash);
    assert!(after_gap < found.iter().position(|one| one.hash == chain[11].hash));
}

fn nothing_comes_of_a_header_that_was_never_recorded(mut host: impl Host) {
    let chain = chain(3, |_| 90);
    chain[0].store(host.store());
    let place = host.store().append(&chain[1].frame).unwrap();
    chain[1].index(host.store(), place);
    let Block { height, hash, .. } = chain[2];
    host.store().record(Change::Invalid { height, hash });
    host.store().record(Change::Lost { height, hash });
    host.store()
        .record(Change::Forget(vec![Forgotten { height, hash }]));
    let loaded = host.restart();
    let contents = contents(loaded, &host.store().reader(), &chain);
    assert_eq!((contents.headers, contents.found), (all(0..1), vec![1]));
}

fn only_the_frames_of_blocks_are_taken(mut host: impl Host) {
    let block = Block::after(None, 500);
    let not = |host: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>, frame: &[u8]| match host(frame) {
        Err(StoreError::NotAFrame(why)) => why,
        other => panic!("{other:?}"),
    };
    let mut append = |frame: &[u8]| host.store().append(frame).map(drop);
    let frame = &block.frame;
    assert_eq!(not(&mut append, &[]), BadFrame::Short);
    assert_eq!(not(&mut append, &frame[..HEADER - 1]), BadFrame::Short);
    assert_eq!(not(&mut append, &frame[..HEADER]), BadFrame::Length);
    assert_eq!(not(&mut append, &frame[..frame.len() - 1]), BadFrame::Length);
    assert_eq!(not(&mut append, &[&frame[..], &[0]].concat()), BadFrame::Length);
    let mut other = frame.clone();
    other[2] ^= 1;
    assert_eq!(not(&mut append, &other), BadFrame::Magic);
    let tx = wire::frame(MAGIC, Command::TX, &[0; 200]);
    assert_eq!(not(&mut append, &tx), BadFrame::Command);
    // Nothing that is shorter is a block, and nothing that is longer comes from a peer.
    let short = wire::frame(MAGIC, Command::BLOCK, &[0; 80]);
    assert_eq!(not(&mut append, &short), BadFrame::Length);
    let mut long = wire::frame(MAGIC, Command::BLOCK, &vec![7; MAX_FRAME - HEADER]).to_vec();
    long.push(0);
    assert_eq!(not(&mut append, &long), BadFrame::Length);
    let length = (long.len() - HEADER) as u32;
    long[16..20].copy_from_slice(&length.to_le_bytes());
    assert_eq!(not(&mut append, &long), BadFrame::Length);
    let largest = wire::frame(MAGIC, Command::BLOCK, &vec![7; MAX_FRAME - HEADER]);
    let place = host.store().append(&largest).unwrap();
    assert_eq!((place.offset, place.length as usize), (0, MAX_FRAME));
    assert!(host.store().reader().frame(place).unwrap() == largest);
}

fn a_reader_sees_what_is_appended_after_it(mut host: impl Host) {
    let reader = host.store().reader();
    for block in chain(5, |_| 300) {
        let place = block.store(host.store());
        assert!(reader.clone().frame(place).unwrap() == block.frame);
    }
}

#[test]
fn a_crash_loses_what_is_pending_and_nothing_else() {
    let chain = chain(4, |_| 100);
    let mut memory = Memory::new(MAGIC);
    for block in &chain {
        block.store(&mut memory);
    }
    assert_eq!(memory.pending(), 8);
    for committed in 0..=8 {
        let (next, loaded) = memory.crash(committed);
        let contents = contents(loaded, &next.reader(), &chain);
        let headers = committed.div_ceil(2);
        let blocks = (committed / 2) as u32;
        assert_eq!(contents.headers.len(), headers);
        assert_eq!(
            contents.headers.iter().filter(|(_, stored)| *stored).count(),
            blocks as usize
        );
        assert_eq!(contents.found, (blocks..4).collect::<Vec<_>>());
        assert_eq!(next.pending(), 0);
    }
    memory.sync().unwrap();
    assert_eq!(memory.pending(), 0);
    let (_, loaded) = memory.crash(0);
    assert_eq!(contents(loaded, &memory.reader(), &chain).headers, all(0..4));
}

#[test]
fn what_is_pending_in_memory_is_bounded() {
    let mut memory = Memory::new(MAGIC);
    let mut most = 0;
    for block in chain(3_000, |_| 81) {
        block.announce(&mut memory);
        most = most.max(memory.pending());
    }
    assert!((1..=1024).contains(&most), "{most}");
    assert_eq!(loaded_headers(memory.crash(0).1).len() + memory.pending(), 3_000);
}

#[test]
fn memory_can_be_full() {
    let chain = chain(3, |_| 100);
    let mut memory = Memory::new(MAGIC);
    let handle = memory.clone();
    chain[0].store(&mut memory);
    handle.set_room(Some(chain[0].frame.len() as u64 * 2 - 1));
    assert!(matches!(
        memory.append(&chain[1].frame),
        Err(StoreError::Full { .. })
    ));
    handle.set_room(Some(chain[0].frame.len() as u64 * 2));
    chain[1].store(&mut memory);
    assert!(matches!(
        memory.append(&chain[2].frame),
        Err(StoreError::Full { .. })
    ));
    handle.set_room(None);
    chain[2].store(&mut memory);
    let (next, loaded) = handle.crash(handle.pending());
    assert_eq!(contents(loaded, &next.reader(), &chain).headers, all(0..3));
}

#[test]
fn a_file_has_at_most_its_size_or_one_block() {
    let dir = directory();
    let small = DiskOptions {
        file_size: 1_000,
        ..options()
    };
    let chain = chain(8, |height| if height == 4 { 5_000 } else { 300 });
    let mut places = Vec::new();
    for blocks in [0..2, 2..5, 5..8] {
        // It goes on where it was.
        let (mut disk, _) = Disk::open(dir.path(), MAGIC, small.clone()).unwrap();
        places.extend(chain[blocks].iter().map(|block| block.store(&mut disk)));
    }
    let files: Vec<u32> = places.iter().map(|place| place.file).collect();
    assert_eq!(files, [0, 0, 0, 1, 2, 3, 3, 3]);
    let (disk, loaded) = Disk::open(dir.path(), MAGIC, small).unwrap();
    let contents = contents(loaded, &disk.reader(), &chain);
    assert_eq!((contents.headers, contents.found), (all(0..8), vec![]));
}

/// What another process would find now, as soon as it finds what is wanted.
fn eventually(dir: &Path, headers: usize) {
    for _ in 0..1_000 {
        let copy = directory();
        rig::copy(dir, copy.path());
        // (A copy that was made during a commit may be of no use.)
        if let Ok((_disk, loaded)) = Disk::open(copy.path(), MAGIC, options())
            && loaded.headers.flatten().count() == headers
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it is never committed");
}

#[test]
fn what_is_recorded_is_committed_without_being_asked() {
    let chain = chain(20, |_| 81);
    let hour = Duration::from_secs(3600);
    let soon = options();
    let many = DiskOptions {
        commit_every: hour,
        commit_at: 20,
        ..options()
    };
    for options in [soon, many] {
        let dir = directory();
        let (mut disk, _) = Disk::open(dir.path(), MAGIC, options).unwrap();
        for block in &chain {
            block.announce(&mut disk);
        }
        eventually(dir.path(), 20);
        drop(disk);
    }
}

#[test]
fn a_queue_that_is_full_is_committed_too() {
    let chain = chain(50, |_| 81);
    let dir = directory();
    for queue in [0, 1, 7] {
        let few = DiskOptions {
            commit_every: Duration::from_secs(3600),
            commit_at: 1_000,
            queue,
            ..options()
        };
        let (mut disk, _) = Disk::open(dir.path(), MAGIC, few).unwrap();
        for block in &chain {
            block.announce(&mut disk);
        }
        drop(disk);
        let (_disk, loaded) = open(dir.path());
        assert_eq!(loaded_headers(loaded).len(), 50);
    }
}

#[test]
fn the_directories_are_those_of_bitcoin_core() {
    use bitcoin::Network;
    let data = Path::new("data");
    assert_eq!(store::directory(data, Network::Bitcoin), data);
    let names = [
        Network::Testnet,
        Network::Testnet4,
        Network::Signet,
        Network::Regtest,
    ];
    let names = names.map(|network| store::directory(data, network));
    assert_eq!(
        names,
        ["testnet3", "testnet4", "signet", "regtest"].map(|name| data.join(name))
    );
}
