//! The README shows the example as it is.

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
