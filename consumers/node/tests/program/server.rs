//! The program under test, running.

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything here takes: it only turns a hang into a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program, with no logging whatever the environment says.
pub(crate) fn sockman() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockman"));
    command.env_remove("SOCKMAN_LOG").stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    sockman().args(args).output().expect("the program starts")
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<ChildStderr>,
    /// Where it listens, in the order of the arguments.
    pub(crate) at: Vec<String>,
}

/// How a server ended, and what it wrote after it had begun to listen.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
}

impl Server {
    /// Starts `sockman echo` on `backend`, listening at each of `at`, and waits until it listens.
    pub(crate) fn start(backend: &str, at: &[&str], more: &[&str]) -> Server {
        Server::start_as("echo", backend, at, more)
    }

    /// The same with `sockman http`.
    pub(crate) fn http(backend: &str, at: &[&str], more: &[&str]) -> Server {
        Server::start_as("http", backend, at, more)
    }

    fn start_as(what: &str, backend: &str, at: &[&str], more: &[&str]) -> Server {
        let mut command = sockman();
        command.args([what, "--backend", backend]).args(more);
        for at in at {
            command.args(["--listen", at]);
        }
        Server::spawn(&mut command, backend, at.len())
    }

    /// The same, with so many descriptors at most.
    pub(crate) fn http_with_descriptors(descriptors: u32, backend: &str, at: &str, more: &[&str]) -> Server {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &descriptors.to_string()])
            .args([
                env!("CARGO_BIN_EXE_sockman"),
                "http",
                "--backend",
                backend,
                "--listen",
                at,
            ])
            .args(more)
            .env_remove("SOCKMAN_LOG")
            .stdin(Stdio::null());
        Server::spawn(&mut command, backend, 1)
    }

    /// Starts `command` and waits until it listens at `listeners` places.
    pub(crate) fn spawn(command: &mut Command, backend: &str, listeners: usize) -> Server {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take();
        let mut server = Server {
            child,
            lines: lines(stdout),
            stderr,
            at: Vec::new(),
        };
        for _ in 0..listeners {
            let line = server
                .lines
                .recv_timeout(PATIENCE)
                .expect("a line for each listener");
            // For what it listens may be said too.
            let at = line
                .strip_prefix("listening ")
                .and_then(|rest| rest.strip_suffix(&format!(" (backend {backend})")))
                .and_then(|rest| rest.rsplit_once("on "))
                .unwrap_or_else(|| panic!("unexpected line: {line}"))
                .1;
            server.at.push(at.to_owned());
        }
        server
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The kernel's table of its descriptors is as large as it may have to be.
    #[track_caller]
    pub(crate) fn assert_has_room_for_descriptors(&self) {
        let limit = sockman_node::descriptor_limit();
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let room = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
        let room: u64 = room.and_then(|size| size.trim().parse().ok()).expect("a number");
        assert!(room >= limit.min(16 << 10), "{room} of {limit}");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Halts it, until it is sent `CONT`.
    pub(crate) fn halt(&self) {
        self.signal(Signal::STOP);
        let status = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED);
        let (_, status) = status.expect("it is our child").expect("it was waited for");
        assert!(status.stopped(), "it has ended: {status:?}");
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let by = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            assert!(Instant::now() < by, "the server does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let mut stderr = String::new();
        if let Some(mut pipe) = self.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("text");
        }
        Ended {
            status,
            stdout: self.lines.iter().collect(),
            stderr,
        }
    }

    /// Stops it with SIGTERM and expects a clean end.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        let ended = self.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        ended
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or the test has failed: either way there is nothing to report here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}
