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
fn the_readme_has_every_flag_of_the_http_server_with_its_default() {
    let readme = include_str!("../../../README.md");
    let output = Command::new(env!("CARGO_BIN_EXE_sockman"))
        .args(["http", "--help"])
        .output()
        .expect("the program starts");
    let help = String::from_utf8(output.stdout).expect("text");
    let mut count = 0;
    for line in help.lines().map(str::trim_start) {
        let is_general = ["--help", "--verbose"].iter().any(|flag| line.contains(flag));
        if !line.starts_with('-') || is_general {
            continue;
        }
        let (flag, text) = line.split_once("  ").expect("what it does");
        let flag = flag.replace(['<', '>'], "");
        let default = text
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split(']').next())
            .unwrap_or_default();
        let row = format!("| `{flag}` | {default}");
        assert!(readme.contains(&row), "no row begins with {row}");
        count += 1;
    }
    assert!(count > 40, "{help}");
}
