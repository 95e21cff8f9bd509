//! The download of a long chain that is killed and goes on.

use crate::rig::{Node, Rpc, USER, arguments};
use crate::{on_each_backend, released};
use bitcoin::{BlockHash, Network};
use rustix::process::Signal;
use serde_json::json;
use sockman_p2p::chain::peek_header;
use sockman_p2p::store::{Disk, DiskOptions, MAX_FRAME, Place, Reader as _, Store as _};
use sockman_p2p::wire::HEADER;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

/// A chain of some 309 MB.
pub(crate) const BLOCKS: u32 = 1200;
const TRANSACTIONS: u32 = 880;
/// What it has at the least.
const LEAST: u64 = 300_000_000;

/// A chain of more than 300 MB is downloaded from one node by another, which is killed when it has a third. Started again it has
/// all that it had stored, and fetches the rest and nothing else; then both have the same blocks, byte for byte; and started
/// without a peer it still has them.
#[test]
fn a_download_is_killed_and_goes_on() {
    let program = released::program();
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let from = folder.path().join("source");
    let tip = make_chain(&program, folder.path(), &from);
    on_each_backend("killed", |backend| {
        let to = folder.path().join(backend);
        let start = |data: &Path| {
            let mut command = Command::new(&program);
            command.env_remove("SOCKMAN_LOG");
            arguments(&mut command, backend, data, &USER);
            Node::spawn(&mut command, backend, data)
        };
        let source = start(&from);
        let whole = metric(&source, "stored_bytes");
        assert!(whole >= LEAST, "{whole} bytes");

        let sink = start(&to);
        connect(&sink, &source);
        let stored = Cell::new(0);
        sink.until("a third", |sink| {
            stored.set(metric(sink, "stored_bytes"));
            stored.get() >= whole / 3
        });
        let before = stored.get();
        sink.server.signal(Signal::KILL);
        let ended = sink.server.wait();
        assert_eq!(ended.status.signal(), Some(Signal::KILL.as_raw()), "{ended:?}");
        let written = size_of_files(&sink.dir);
        assert!(written < whole, "it had all of it before it could be killed");

        // It dials nobody before it is told to.
        let sink = start(&to);
        let (kept, height) = (metric(&sink, "stored_bytes"), sink.height());
        assert!(before <= kept && kept <= written, "{before} {kept} {written}");
        assert!(
            written - kept < MAX_FRAME as u64,
            "more than the block that was being written is lost"
        );
        assert_eq!(metric(&sink, "blocks_total"), 0);
        let since = Instant::now();
        connect(&sink, &source);
        let reached = sink.call("waitforblockheight", &json!([BLOCKS, 50_000]));
        let took = since.elapsed();
        assert_eq!(reached["height"], BLOCKS, "after {took:?}");
        assert_eq!(sink.tip(), tip);
        let received = metric(&sink, "block_bytes_total");
        // There is one peer, so that not even what is slow is asked for twice.
        assert_eq!(kept + received, whole, "what is stored is not downloaded again");
        assert_eq!(metric(&sink, "blocks_duplicate_total"), 0);
        let dirs = [source.dir.clone(), sink.dir.clone()];
        sink.stop();
        source.stop();

        compare(&dirs);
        let alone = start(&to);
        assert_eq!(
            (alone.height(), alone.tip()),
            (u64::from(BLOCKS), tip.clone().into())
        );
        assert_eq!(metric(&alone, "stored_bytes"), whole);
        assert_eq!(alone.call("getconnectioncount", &json!([])), 0);
        alone.stop();
        fs::remove_dir_all(&to).expect("nobody uses it");
        format!(
            "{} of {} MB were there when it was killed, {} afterwards (height {height}); {} MB came then, in {:.2} s; {} blocks are \
             the same",
            before / 1_000_000,
            whole / 1_000_000,
            kept / 1_000_000,
            received / 1_000_000,
            took.as_secs_f64(),
            BLOCKS + 1,
        )
    });
}

/// Makes the chain, and the data directory of a node that has it. Returns the hash of its last block.
pub(crate) fn make_chain(program: &Path, folder: &Path, data: &Path) -> String {
    let file = folder.join("chain");
    let run = |command: &mut Command| {
        let output = command
            .env_remove("SOCKMAN_LOG")
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let made = run(Command::new(program)
        .arg("chain-gen")
        .args([
            "--blocks",
            &BLOCKS.to_string(),
            "--txs",
            &TRANSACTIONS.to_string(),
            "--out",
        ])
        .arg(&file));
    run(Command::new(program)
        .args(["chain-import", "--chain", "regtest", "--datadir"])
        .args([data, &file]));
    fs::remove_file(&file).expect("it is there");
    let tip = made.split(' ').find(|word| word.parse::<BlockHash>().is_ok());
    tip.expect("it is told").to_owned()
}

/// Makes a node dial another, once.
pub(crate) fn connect(from: &Rpc, to: &Node) {
    from.call("addnode", &json!([to.p2p(), "onetry"]));
}

/// What `/metrics` says.
fn metric(node: &Rpc, name: &str) -> u64 {
    let answer = node.client().get("/metrics");
    let value = answer.text().lines().find_map(|line| {
        let rest = line.strip_prefix("sockman_p2p_")?.strip_prefix(name)?;
        rest.strip_prefix(' ')?.parse().ok()
    });
    value.unwrap_or_else(|| panic!("no {name} in {answer:?}"))
}

/// Bytes of a node's block files.
fn size_of_files(dir: &Path) -> u64 {
    let files = fs::read_dir(dir.join("blocks")).expect("it is there");
    files
        .map(|file| file.and_then(|file| file.metadata()).expect("it is there").len())
        .sum()
}

/// Compares all blocks of two nodes that do not run.
fn compare(dirs: &[PathBuf; 2]) {
    let [one, other] = dirs.each_ref().map(|dir| Stored::open(dir));
    assert_eq!(one.blocks.len(), BLOCKS as usize + 1);
    assert_eq!(other.blocks.len(), one.blocks.len());
    for (hash, (height, _)) in &one.blocks {
        assert!(one.block(hash) == other.block(hash), "block {height}");
    }
}

/// The blocks that a node has stored.
struct Stored {
    disk: Disk,
    /// With their heights.
    blocks: BTreeMap<BlockHash, (u32, Place)>,
}

impl Stored {
    fn open(dir: &Path) -> Stored {
        let magic = Network::Regtest.magic().to_bytes();
        let (disk, loaded) = Disk::open(dir, magic, DiskOptions::default()).expect("nobody uses it");
        let headers = loaded.headers.map(|header| header.expect("the index is whole"));
        let blocks = headers.filter_map(|header| Some((header.hash, (header.height, header.place?))));
        Stored {
            blocks: blocks.collect(),
            disk,
        }
    }

    /// The block with this hash, as the message that brings it, whose checksum is right.
    fn block(&self, hash: &BlockHash) -> bytes::Bytes {
        let (_, place) = self.blocks.get(hash).expect("it is stored");
        let frame = self.disk.reader().verified(*place).expect("it is whole");
        let (_, found) = peek_header(&frame[HEADER..]).expect("it is a block");
        assert_eq!(found, *hash);
        frame
    }
}
