//! Scripts in a process of their own: those that count descriptors, or lower the limit on them, would disturb the
//! others that plain `cargo test` runs as threads of the same process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::RefCell;
use std::env;
use std::fs;
use std::process::Command;

/// Set in the child.
const CHILD: &str = "SOCKMAN_TESTS_CHILD";

thread_local! {
    static NAME: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a script as the test with this full name, so that [`in_child`] can start it again.
pub fn named(path: &str, script: impl FnOnce()) {
    // The harness knows tests by their path without the crate.
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    NAME.with_borrow_mut(|slot| name.clone_into(slot));
    script();
}

/// The full name of the test that runs on this thread, if it is a script's.
pub fn script() -> String {
    NAME.with_borrow(Clone::clone)
}

/// Runs `script` in a process that runs nothing else: the test binary, told to run this very test.
pub fn in_child(script: impl FnOnce()) {
    if env::var_os(CHILD).is_some() {
        script();
        return;
    }
    let name = NAME.with_borrow(Clone::clone);
    let output = Command::new(env::current_exe().expect("the path of the test binary"))
        .args([&name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("the test binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{name} in a child: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How many descriptors this process has open.
pub fn open_descriptors() -> usize {
    // One of them is that of the folder being read.
    fs::read_dir("/proc/self/fd").expect("/proc is there").count() - 1
}

/// Raises the limit on descriptors as far as it goes, and says how many there may be.
pub fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a limit may be raised to the hard one");
    limit.maximum.unwrap_or(u64::MAX)
}
