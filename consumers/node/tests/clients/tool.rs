//! Running the programs of others.

use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than any of them takes: it only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a program wrote.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Runs a program to its end; expects that it is there.
pub(crate) fn run(command: &mut Command, package: &str) -> Said {
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Err(why) if why.kind() == ErrorKind::NotFound => {
            panic!("{command:?} is not installed: on Debian, sudo apt-get install {package}")
        }
        spawned => spawned.expect("it starts"),
    };
    let stdout = collect(child.stdout.take().expect("a pipe"));
    let stderr = collect(child.stderr.take().expect("a pipe"));
    let by = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if Instant::now() > by {
            let _ = child.kill();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    Said {
        code: status.code(),
        stdout: stdout.join().expect("no panic"),
        stderr: String::from_utf8_lossy(&stderr.join().expect("no panic")).into_owned(),
    }
}

/// Runs it and expects that all went well.
pub(crate) fn succeed(command: &mut Command, package: &str) -> Said {
    let said = run(command, package);
    assert_eq!(
        said.code,
        Some(0),
        "{command:?}\n{}\n{}",
        said.text(),
        said.stderr
    );
    said
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = pipe.read_to_end(&mut all);
        all
    })
}
