//! Child processes that are spoken to line by line.

use crate::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that is asked for what it can say at once hangs after this time, also under a slow tool.
const ANSWER: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// A child process. It is ended with this value, at the latest.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// This program again, with other arguments, behind `tool` (such as strace with its options) if there is one.
    pub fn this<A: AsRef<OsStr>>(
        tool: &[&OsStr],
        args: impl IntoIterator<Item = A>,
    ) -> Result<Process, Failure> {
        // The link, not the path: it stays valid when the file is replaced by a new build meanwhile.
        let program = std::env::current_exe()?;
        let mut command = match tool {
            [] => Command::new(&program),
            [tool, options @ ..] => {
                let mut command = Command::new(tool);
                command.args(options).arg(&program);
                command
            }
        };
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child process without its pipes".into());
        };
        Ok(Process {
            child,
            input: Some(input),
            output: BufReader::new(output),
        })
    }

    /// The next line it writes, which must not take longer than some seconds to begin.
    pub fn answer(&mut self) -> Result<String, Failure> {
        if self.output.buffer().is_empty() {
            let mut pipe = [PollFd::new(self.output.get_ref(), PollFlags::IN)];
            let seconds = ANSWER.tv_sec;
            if rustix::io::retry_on_intr(|| poll(&mut pipe, Some(&ANSWER)))? == 0 {
                return Err(format!("it has not answered for {seconds} seconds").into());
            }
        }
        self.line()
    }

    /// The next line it writes.
    pub fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("it ended early: {}", self.child.wait()?).into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// Writes a line.
    pub fn tell(&mut self, word: &str) -> Result<(), Failure> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{word}")?;
            input.flush()?;
        }
        Ok(())
    }

    /// Closes its input, which is how servers are told to end, and waits until it has.
    pub fn finish(mut self, limit: Duration) -> Result<(), Failure> {
        self.input = None;
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err("it did not end when its input was closed".into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        // Both fail only when it has ended and been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a tool of that name can be run.
pub fn has(tool: &str) -> bool {
    Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
