//! Nothing on the path from the kernel to a protocol is called through a trait object.
//!
//! The debug information of a program names every vtable in it; that of `sockman` must name none for the traits of this
//! project. The same search must find the vtables of `echo_dyn`, where the handler is behind a trait object.

mod vtables;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The traits that must have no vtable. Any trait whose name ends so counts, whatever crate it is from but one.
const TRAITS: [&str; 6] = ["Handler", "SockMan", "Backend", "Sink", "Service", "Store"];

/// What the index of blocks writes its file by, on a thread of its own.
const NOT_OURS: &str = "StorageBackend";

/// The vtables of a program: of `TRAITS`, and the number of all.
fn vtables_of(program: &Path) -> (Vec<String>, usize) {
    let all = vtables::names(program).expect("the program's debug information can be read");
    let count = all.len();
    let ours = |name: &String| {
        vtables::trait_of(name)
            .is_some_and(|of| of != NOT_OURS && TRAITS.iter().any(|word| of.ends_with(word)))
    };
    (all.into_iter().filter(ours).collect(), count)
}

/// Builds the program and its counterpart with full debug information, in a folder of their own: other builds may have
/// less of it. Returns the folder that cargo put them in. Only this workspace's crates matter, so the others are built
/// once, the quickest way.
fn build(level: &str) -> PathBuf {
    let features: Vec<&str> = [
        #[cfg(feature = "mio")]
        "mio",
        #[cfg(feature = "polling")]
        "polling",
        #[cfg(feature = "uv")]
        "uv",
        #[cfg(feature = "uring")]
        "uring",
    ]
    .into();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vtables");
    let done = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "sockman-node"])
        .args(["--bin", "sockman", "--example", "echo_dyn"])
        .args(["--no-default-features", "--features", &features.join(",")])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .arg("--target-dir")
        .arg(&target)
        .args(["--config", "profile.dev.debug=2"])
        .args(["--config", "profile.dev.strip='none'"])
        .args(["--config", "profile.dev.split-debuginfo='off'"])
        .args(["--config", &format!("profile.dev.opt-level={level}")])
        .args(["--config", "profile.dev.package.'*'.debug=0"])
        .args(["--config", "profile.dev.package.'*'.opt-level=0"])
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .expect("cargo starts");
    assert!(done.success(), "the build failed");
    target.join("debug")
}

/// One test, not two: the second build takes the place of the first.
#[test]
fn the_program_has_no_vtable_of_our_traits_optimised_or_not() {
    for level in ["0", "2"] {
        let built = build(level);

        let (control, _) = vtables_of(&built.join("examples/echo_dyn"));
        for word in ["DynHandler", "DynSockMan"] {
            assert!(
                control.iter().any(|name| vtables::trait_of(name) == Some(word)),
                "opt-level {level}: the search is blind: it found no vtable of {word} in echo_dyn, only {control:#?}"
            );
        }

        let (ours, all) = vtables_of(&built.join("sockman"));
        assert!(all > 0, "opt-level {level}: sockman has no debug information");
        assert!(ours.is_empty(), "opt-level {level}: {ours:#?}");
    }
}
