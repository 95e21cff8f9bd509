//! Node's `http`, and its `fetch`.

use crate::over_both;
use crate::tool::succeed;
use std::process::Command;

#[test]
fn http_and_fetch() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/node.mjs");
    over_both(|at| {
        let said = succeed(Command::new("node").arg(script).arg(at.endpoint()), "nodejs");
        assert_eq!(said.text(), "good\n");
    });
}
