//! The program as it is released: without optimisation a long chain takes long.

use serde_json::Value;
use sockman_node::Choice;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds it, with the backends that are compiled in here, where builds for release go: other steps of `./test` have mostly done so
/// already. Returns where it is.
pub(crate) fn program() -> PathBuf {
    let features: Vec<&str> = Choice::compiled().map(Choice::name).collect();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "sockman-node",
            "--bin",
            "sockman",
        ])
        .args(["--features", &features.join(",")])
        .args(["--message-format", "json-render-diagnostics"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "the build failed");
    let said = String::from_utf8(built.stdout).expect("text");
    let artifacts = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = artifacts.filter_map(|artifact| Some(PathBuf::from(artifact["executable"].as_str()?)));
    programs.next().expect("cargo names what it has built")
}
