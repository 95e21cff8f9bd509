//! Python's `http.client`, and `requests`.

use crate::tool::{run, succeed};
use crate::{over_both, over_tcp};
use std::process::Command;

#[test]
fn http_client() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/http_client.py");
    over_both(|at| {
        let said = succeed(Command::new("python3").arg(script).arg(at.endpoint()), "python3");
        assert_eq!(said.text(), "good\n");
    });
}

#[test]
fn requests() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/with_requests.py");
    // Debian's package is of Debian's Python, which need not be the first that is found.
    let has_it =
        |python: &&str| run(Command::new(python).args(["-c", "import requests"]), "python3").code == Some(0);
    let python = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    let python = python.expect("requests is installed: on Debian, sudo apt-get install python3-requests");
    over_tcp(|at| {
        let said = succeed(
            Command::new(python).arg(script).arg(at.base()),
            "python3-requests",
        );
        assert_eq!(said.text(), "good\n");
    });
}
