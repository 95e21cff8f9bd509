//! Bad flags, the cookie, what it says.

use super::preferred;
use super::rig::{Node, USER, command, json_of};
use crate::server::{run, sockman};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;
use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::Stdio;
use tempfile::TempDir;

#[test]
fn flags_that_make_no_sense_are_refused() {
    let data = TempDir::new().expect("a temporary folder");
    let long = "x".repeat(257);
    for (flags, expected) in [
        (&["--rpc-user", "u"][..], "--rpc-password"),
        (&["--rpc-password", "p"], "--rpc-user"),
        (
            &["--chain", "testnet3"],
            "possible values: main, testnet4, signet, regtest",
        ),
        (&["--p2p-bind", "localhost:1"], "write IP, IP:PORT"),
        (&["--no-listen"], "cannot be used with"),
        (
            &["--noban", "nobody"],
            "write ADDRESS, ADDRESS/BITS or ADDRESS/NETMASK",
        ),
        (&["--connect", ""], "write HOST or HOST:PORT"),
        (&["--addnode", "one two"], "write HOST or HOST:PORT"),
        (
            &["--retry-after", "60", "--retry-most", "5"],
            "sockman: --retry-after (60) must be at most --retry-most (5)",
        ),
        (&["--block-file", "0"], "below 4000024, which a block may have"),
        (&["--peer-timeout", "0"], "must be above 0"),
        (&["--user-agent", &long], "longer than 256 bytes"),
        (
            &["--peer-send-high", "1"],
            "sockman: --peer-receive, --peer-send-high: ",
        ),
        (&["--blocks-per-peer", "0"], "--blocks-per-peer"),
        (
            &["--rpc-auth", "nonsense"],
            "sockman: --rpc-auth: write USER:SALT$HASH",
        ),
        (
            &["--rpc-waiting", "16"],
            "sockman: --rpc-waiting (16) must be below --rpc-threads (16)",
        ),
        (
            &["--rpc-max-head", "1MiB"],
            "sockman: --rpc-max-head (1MiB) must be below --rpc-max-unread (1MiB)",
        ),
        (
            &["--rpc-send-low", "1GiB"],
            "sockman: --rpc-send-low (1GiB) must be above 0",
        ),
    ] {
        let output = command(preferred(), data.path(), flags)
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains(expected), "{flags:?}: {said}");
        assert!(output.stdout.is_empty(), "it must not have listened");
    }
    for (flags, expected) in [
        (
            &["--no-rpc", "--rpc-user", "u", "--rpc-password", "p"][..],
            "cannot be used with",
        ),
        (
            &["--no-listen", "--exit-when-synced"],
            "sockman: --exit-when-synced needs a peer",
        ),
    ] {
        let output = sockman()
            .args(["node", "--chain", "regtest", "--datadir"])
            .arg(data.path())
            .args(flags)
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains(expected), "{flags:?}: {said}");
    }
    let output = command("pigeon", data.path(), &[])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let nothing = data.path().read_dir().expect("a folder").next();
    assert!(nothing.is_none(), "nothing was made: {nothing:?}");
}

#[test]
fn an_address_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("its address").to_string();
    for flag in ["--p2p-bind", "--rpc-bind"] {
        let data = TempDir::new().expect("a temporary folder");
        let output = command(preferred(), data.path(), &[flag, &at])
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("cannot listen on {at}: Address already in use")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            !data.path().join("regtest/.cookie").exists(),
            "it goes with the node"
        );
    }
}

#[test]
fn a_data_directory_that_cannot_be_is_told() {
    let data = TempDir::new().expect("a temporary folder");
    let file = data.path().join("file");
    std::fs::write(&file, b"").expect("it can be written");
    let output = command(preferred(), &file, &[])
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("sockman: cannot make "), "{said}");
}

#[test]
fn the_cookie_opens_the_door() {
    let data = TempDir::new().expect("a temporary folder");
    let backend = preferred();
    let node = Node::spawn(&mut command(backend, data.path(), &[]), backend, data.path());
    let basic = format!("Authorization: Basic {}\r\n", base64(node.cookie().as_bytes()));
    let answer = node.post(&basic, "getblockcount", &json!([]));
    assert_eq!(json_of(&answer)["result"], 0);
    assert_eq!(node.post("", "getblockcount", &json!([])).status, 401);
    node.stop();
    // With a password there is no need of one.
    let node = Node::start(backend, data.path(), &[]);
    assert!(!node.dir.join(".cookie").exists());
    node.stop();
}

#[test]
fn it_need_not_serve_anybody() {
    let data = TempDir::new().expect("a temporary folder");
    let nobody = nobody();
    let flags = [
        "node",
        "--chain",
        "regtest",
        "--no-rpc",
        "--no-listen",
        "--connect",
        &nobody,
        "--exit-when-synced",
        "--datadir",
    ];
    let path = data.path().display().to_string();
    let mut child = sockman()
        .args(flags)
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Nobody is there to catch up with, so it waits.
    let index = data.path().join("regtest/index.redb");
    while !index.exists() {
        assert!(child.try_wait().expect("it is our child").is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    )
    .expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(!data.path().join("regtest/.cookie").exists());
}

/// An address at which nobody listens.
fn nobody() -> String {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    gone.local_addr().expect("its address").to_string()
}

/// Once, and not each time that it is tried.
#[test]
fn who_cannot_be_reached_is_told() {
    let data = TempDir::new().expect("a temporary folder");
    let (one, other) = (nobody(), nobody());
    let flags = ["--connect", &one, "--addnode", &other, "--retry-after", "0.01"];
    let node = Node::start(preferred(), data.path(), &flags);
    node.until("it has been tried several times", |node| {
        let answer = node.client().get("/metrics");
        let text = answer.text();
        let count = text
            .lines()
            .find_map(|line| line.strip_prefix("sockman_p2p_dials_failed_total "))
            .expect("it is counted");
        count.parse::<u32>().expect("a number") >= 8
    });
    // The thread that tells looks every tenth of a second.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let said = node.stop().stderr;
    for name in [&one, &other] {
        let told = format!("sockman: cannot connect to {name}: ");
        assert_eq!(said.matches(&told).count(), 1, "{said}");
    }
}

#[test]
fn help_names_its_units() {
    let output = run(&["node", "--help"]);
    let help = String::from_utf8(output.stdout).expect("text");
    for part in [
        "Peers (times are in seconds)",
        "[default: 125]",
        "Bytes of a block file",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
}

/// On a terminal there is a bar, which is drawn over and over; elsewhere there are lines.
#[test]
fn how_far_it_is_is_shown() {
    let (from, data) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let backend = preferred();
    let source = Node::start(backend, from.path(), &[]);
    source.mine(20);
    let flags = ["--connect", source.p2p()];

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal)
        .and_then(|()| unlockpt(&terminal))
        .expect("it can be opened");
    let size = Winsize {
        ws_row: 24,
        ws_col: 120,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).expect("it has a size");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name");
    let end =
        rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("it can be opened");
    let with_exit = [&USER[..], &flags, &["--exit-when-synced"]].concat();
    let mut child = command(backend, data.path(), &with_exit)
        .stdout(Stdio::null())
        .stderr(end)
        .spawn()
        .expect("the program starts");
    let mut drawn = Vec::new();
    let mut buffer = [0; 4096];
    let mut terminal = File::from(terminal);
    // It fails once nobody has the other end open any more.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        drawn.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(child.wait().expect("it is our child").code(), Some(0));
    let drawn = String::from_utf8_lossy(&drawn);
    assert!(
        drawn.contains("height 20 of 20") && drawn.contains('█'),
        "{drawn}"
    );
    assert!(drawn.contains("synced at height 20\r\n"), "{drawn}");

    // The line says how far it is and with how many peers; of how fast there is nothing to be said any more.
    let data = TempDir::new().expect("a folder");
    let flags = [&flags[..], &["--progress-every", "0.2"]].concat();
    let node = Node::start(backend, data.path(), &flags);
    node.until("it has caught up", |node| node.height() == 20);
    std::thread::sleep(std::time::Duration::from_millis(600));
    let said = node.stop().stderr;
    assert!(
        said.contains("height 20 of 20, ") && said.contains("1 peer"),
        "{said}"
    );
    assert!(!said.contains('█'), "{said}");
    source.stop();
}

/// Base64 (RFC 4648 section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| {
            group << 8 | usize::from(*three.get(i).unwrap_or(&0))
        });
        for digit in 0..4 {
            let value = group >> (18 - 6 * digit) & 63;
            let is_there = digit <= three.len();
            text.push(if is_there { DIGITS[value].into() } else { '=' });
        }
    }
    text
}

#[test]
fn there_is_room_for_descriptors_from_the_beginning() {
    let data = TempDir::new().expect("a temporary folder");
    let node = Node::start(preferred(), data.path(), &[]);
    node.server.assert_has_room_for_descriptors();
}
