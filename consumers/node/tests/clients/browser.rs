//! A page in Chromium.

use crate::over_tcp;
use crate::tool::succeed;
use std::process::Command;
use tempfile::TempDir;

/// The page asks the server by `fetch` and `EventSource`, and writes down how it went.
#[test]
fn chromium() {
    over_tcp(|at| {
        let folder = TempDir::new().expect("a temporary folder");
        let profile = format!("--user-data-dir={}", folder.path().display());
        let mut command = Command::new("chromium");
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
        ]);
        // When the page has loaded, which it says it has when it is through.
        command.args([&profile, "--dump-dom"]);
        let text = succeed(command.arg(at.base() + "/browser"), "chromium").text();
        for one in ["echo", "hello", "worker", "stream", "missing", "events"] {
            assert!(text.contains(&format!("<li>{one}: good</li>")), "{one}: {text}");
        }
        assert!(text.contains("<p id=\"state\">all good</p>"), "{text}");
    });
}
