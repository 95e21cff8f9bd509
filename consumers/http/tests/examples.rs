//! Examples are short enough to be read at a glance.

use std::fs;
use std::path::Path;

#[test]
fn no_example_has_more_than_forty_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("there are examples") {
        let path = entry.expect("a file").path();
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines <= 40, "{} has {lines} lines", path.display());
        count += 1;
    }
    assert!(count >= 8, "only {count} examples");
}
