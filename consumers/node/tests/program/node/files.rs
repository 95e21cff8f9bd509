//! `sockman chain-gen` and `sockman chain-import`: files of blocks.

use super::preferred;
use super::rig::Node;
use crate::server::{run, sockman};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new() -> Folder {
        let dir = TempDir::new().expect("a temporary folder");
        Folder { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a chain, and gives its bytes and what was said.
    fn generate(&self, name: &str, flags: &[&str]) -> (Vec<u8>, String) {
        let path = self.path(name);
        let out = path.display().to_string();
        let output = run(&[&["chain-gen", "--out", &out][..], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("text");
        (fs::read(path).expect("it was written"), said)
    }

    /// Imports files into the data directory `data`.
    fn import(&self, files: &[&str]) -> Output {
        let data = self.path("data").display().to_string();
        let files: Vec<String> = files
            .iter()
            .map(|name| self.path(name).display().to_string())
            .collect();
        let mut args = vec!["chain-import", "--chain", "regtest", "--datadir", &data];
        args.extend(files.iter().map(String::as_str));
        run(&args)
    }

    /// The hash of the last block of the data directory, and its height.
    fn tip(&self) -> (String, u64) {
        let node = Node::start(preferred(), &self.path("data"), &[]);
        let (tip, height) = (node.tip(), node.height());
        node.stop();
        (tip.as_str().expect("a hash").to_owned(), height)
    }
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The records of a file: magic, length, block.
fn records(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some((head, rest)) = file.split_at_checked(8) {
        assert_eq!(head[..4], [0xfa, 0xbf, 0xb5, 0xda]);
        let length = u32::from_le_bytes(head[4..].try_into().expect("4 bytes")) as usize;
        records.push([head, &rest[..length]].concat());
        file = &rest[length..];
    }
    records
}

const SMALL: [&str; 8] = [
    "--blocks",
    "115",
    "--txs",
    "3",
    "--full",
    "2",
    "--max-weight",
    "100000",
];

#[test]
fn the_same_seed_makes_the_same_chain() {
    let folder = Folder::new();
    let (one, said) = folder.generate("one", &SMALL);
    assert!(said.starts_with("115 blocks and genesis, "), "{said}");
    assert_eq!(records(&one).len(), 116);
    assert_eq!(folder.generate("again", &SMALL).0, one);
    let with = |more: &[&str]| folder.generate("other", &[&SMALL[..], more].concat()).0;
    assert_ne!(with(&["--seed", "1"]), one);
    let without = with(&["--no-witness"]);
    assert_ne!(without, one);
    // A transaction with a witness has a zero where others have the number of their inputs (BIP 144).
    let coinbase = |file: &[u8]| records(file)[115][8 + 80 + 1 + 4];
    assert_eq!((coinbase(&one), coinbase(&without)), (0, 1));
}

#[test]
fn a_chain_is_read_and_read_again() {
    let folder = Folder::new();
    let (_, made) = folder.generate("chain", &SMALL);
    let output = folder.import(&["chain"]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        out.starts_with("115 blocks were taken, 1 were there, 0 were refused; height 115"),
        "{out}"
    );
    let output = folder.import(&["chain"]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        out.starts_with("0 blocks were taken, 116 were there, 0 were refused; height 115"),
        "{out}"
    );
    let (tip, height) = folder.tip();
    assert_eq!(height, 115);
    assert!(made.contains(&tip), "{made}");
}

/// In any order, in several files, without genesis, with zeros behind, and scrambled as Core scrambles them.
#[test]
fn whatever_way_they_lie() {
    let folder = Folder::new();
    let (chain, made) = folder.generate("chain", &SMALL);
    let mut records = records(&chain);
    records.remove(0);
    records.reverse();
    let (late, early) = records.split_at(40);
    let files = [late.concat(), early.concat()];
    let key = [3, 1, 4, 1, 5, 9, 2, 6];
    let dir = folder.path("blocks");
    fs::create_dir(&dir).expect("a folder");
    fs::write(dir.join("xor.dat"), key).expect("it can be written");
    for (number, file) in files.iter().enumerate() {
        let mut scrambled: Vec<u8> = file
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        // What room is made in advance is not scrambled.
        scrambled.extend([0; 1000]);
        fs::write(dir.join(format!("blk0000{number}.dat")), scrambled).expect("it can be written");
    }
    let output = folder.import(&["blocks"]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        out.starts_with("115 blocks were taken, 0 were there, 0 were refused; height 115"),
        "{out}"
    );
    assert!(made.contains(&folder.tip().0));
}

#[test]
fn what_is_damaged_is_told_with_its_place() {
    let folder = Folder::new();
    let (chain, _) = folder.generate("chain", &SMALL);
    let records = records(&chain);
    // The 60th is not what its header says, and the last is cut off.
    let at = records[..60].concat().len();
    let mut file = chain.clone();
    file[at + records[60].len() - 1] ^= 1;
    file.truncate(file.len() - 10);
    fs::write(folder.path("damaged"), &file).expect("it can be written");
    let output = folder.import(&["damaged"]);
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(err.contains(&format!("at {at}: bad-txnmrklroot")), "{err}");
    let cut = chain.len() - records[115].len();
    assert!(err.contains(&cut.to_string()), "{err}");
    assert!(
        out.starts_with("113 blocks were taken, 1 were there, 1 were refused; height 59"),
        "{out}"
    );
    assert_eq!(folder.tip().1, 59);
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let folder = Folder::new();
    let output = folder.import(&["nothing"]);
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("nothing: No such file or directory"), "{err}");

    let path = folder.path("no/such/folder").display().to_string();
    let output = run(&["chain-gen", "--blocks", "1", "--out", &path]);
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.starts_with(&format!("sockman: cannot make {path}: ")),
        "{err}"
    );

    // A device that is always full.
    let output = run(&["chain-gen", "--blocks", "1", "--out", "/dev/full"]);
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.contains("cannot write /dev/full: No space left on device"),
        "{err}"
    );
    assert!(Path::new("/dev/full").exists());

    let output = run(&["chain-gen", "--out", &path]);
    assert_eq!(output.status.code(), Some(2), "how many blocks?");
}

/// What is under the name is there until there is a whole chain to take its place.
#[test]
fn a_chain_that_does_not_get_done_replaces_none() {
    let folder = Folder::new();
    let (chain, _) = folder.generate("chain", &SMALL);
    let path = folder.path("chain");
    let script = "trap '' XFSZ; ulimit -f 2 && exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_sockman"), "chain-gen"])
        .args(SMALL)
        .arg("--out")
        .arg(&path)
        .output()
        .expect("it starts");
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    let expected = format!("sockman: cannot write {}: ", path.display());
    assert!(err.starts_with(&expected), "{err}");
    assert_eq!(fs::read(&path).expect("it is there"), chain);
    assert!(!folder.path("chain.part").exists());

    // A sudden end leaves it too; what there is so far has another name.
    let mut child = sockman()
        .args(["chain-gen", "--blocks", "4000000000", "--out"])
        .arg(&path)
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let part = folder.path("chain.part");
    while fs::metadata(&part).map_or(0, |about| about.len()) == 0 {
        assert!(child.try_wait().expect("it is our child").is_none());
        thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    assert!(!child.wait().expect("it is our child").success());
    assert_eq!(fs::read(&path).expect("it is there"), chain);
    assert_ne!(
        folder
            .generate("chain", &[&SMALL[..], &["--seed", "9"]].concat())
            .0,
        chain
    );
    assert!(!part.exists(), "the next one took its name");
}

/// A node has the directory open: nothing is read into it.
#[test]
fn a_directory_in_use_is_left_alone() {
    let folder = Folder::new();
    folder.generate("chain", &SMALL);
    let node = Node::start(preferred(), &folder.path("data"), &[]);
    let output = folder.import(&["chain"]);
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("is in use"), "{err}");
    assert_eq!(node.call("getblockcount", &json!([])), 0);
    node.stop();
}
