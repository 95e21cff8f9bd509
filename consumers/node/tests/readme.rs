//! The README shows the example as it is, and all flags of the HTTP server.

use std::process::Command;

#[test]
fn the_echo_server_in_the_readme_is_the_example() {
    let readme = include_str!("../../../README.md");
    let example = include_str!("../examples/echo.rs");
    let program = example
        .split_once("\n\n")
        .map(|(_, program)| program)
        .expect("a comment stands in front");
    assert!(readme.contains(program), "examples/echo.rs has changed");
}

#[test]
fn the_readme_has_every_flag_of_every_command_with_its_default() {
    for (command, section, least) in [
        ("http", "## An HTTP server", 40),
        ("node", "## A Bitcoin node", 60),
        ("sv2-client", "### Templates for pools", 5),
        ("chain-gen", "### Files of blocks", 8),
        ("chain-import", "## A Bitcoin node", 8),
    ] {
        compare(command, section, least);
    }
}

/// The rows of a section have the command's flags, and nothing has been left out of either.
fn compare(command: &str, section: &str, least: usize) {
    let readme = include_str!("../../../README.md");
    let start = readme.find(section).expect("it is there");
    let level = section.split(' ').next().expect("a heading");
    let text = &readme[start + section.len()..];
    let text = text.split(&format!("\n{level} ")).next().expect("its text");
    let output = Command::new(env!("CARGO_BIN_EXE_sockman"))
        .args([command, "--help"])
        .output()
        .expect("the program starts");
    let help = String::from_utf8(output.stdout).expect("text");
    let mut count = 0;
    for line in help.lines().map(str::trim_start) {
        let is_general = ["--help", "--verbose"].iter().any(|flag| line.contains(flag));
        if !line.starts_with('-') || is_general {
            continue;
        }
        let (flag, what) = line.split_once("  ").expect("what it does");
        let flag = flag.replace(['<', '>'], "");
        let default = what
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split(']').next())
            .unwrap_or_default();
        let row = format!("| `{flag}` | {default}");
        assert!(text.contains(&row), "{command}: no row begins with {row}");
        count += 1;
    }
    assert!(count >= least, "{command}: {help}");
}
