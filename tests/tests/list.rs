//! The suite's own books: every script is a test, and stands in the table of the documentation.

use std::fs;
use std::path::Path;

/// The public scripts in the chapters, as `chapter::name`.
fn scripts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut scripts = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("readable").path();
        let (Some(chapter), true) = (path.file_stem(), path.extension().is_some_and(|ext| ext == "rs"))
        else {
            continue;
        };
        let text = fs::read_to_string(&path).expect("readable");
        for line in text.lines() {
            let Some((name, bound)) = line.strip_prefix("pub fn ").and_then(|rest| rest.split_once('<'))
            else {
                continue;
            };
            if bound.starts_with("R: Rig>()") || bound.starts_with("R: Machine>()") {
                scripts.push((chapter.to_string_lossy().into_owned(), name.to_owned()));
            }
        }
    }
    scripts
}

#[test]
fn every_script_is_a_test() {
    let list = include_str!("../src/list.rs");
    let words: Vec<_> = list.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let scripts = scripts();
    assert!(scripts.len() > 100);
    for (chapter, name) in scripts {
        assert!(words.contains(&name.as_str()), "{chapter}::{name} is in no list");
    }
}

#[test]
fn every_script_stands_in_the_table() {
    let docs = include_str!("../src/lib.rs");
    for (chapter, name) in scripts() {
        assert!(
            docs.contains(&format!("]({chapter}::{name})")),
            "{chapter}::{name} is not in the table"
        );
    }
}
