//! nginx as Debian has it: one worker process, whose answer is in its configuration. Nothing is logged, and a connection
//! takes as many requests as come.

use crate::http::{HELLO, TEXT};
use crate::serve::{Ready, Running, reserve};
use crate::sys;
use rustix::process::Pid;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Where Debian has it, which is not in everybody's path.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// It starts within this time.
const TO_START: Duration = Duration::from_secs(10);

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    let program = PROGRAMS.into_iter().find_map(|name| Some((name, version(name)?)));
    let (program, version) = program.ok_or_else(|| io::Error::other("nginx is not installed"))?;
    // Held until it listens there as well.
    let (port, at) = reserve()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration(at))?;
    let mut nginx = sys::spawn_bound(
        Command::new(program)
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )?;
    let worker = started(&mut nginx, at)?;
    // It has read what it needs, and this process may be killed before it could tidy up.
    drop((port, folder));
    ready(Running {
        interface: version,
        process: Some(worker),
        ..Running::new(at)
    });
    let status = nginx.wait()?;
    Err(io::Error::other(format!("nginx ended: {status}")))
}

/// What it says of itself, if it is there.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("-v")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    Some(text.trim().strip_prefix("nginx version: ")?.replace('/', " "))
}

fn configuration(at: SocketAddr) -> String {
    format!(
        "daemon off;
worker_processes 1;
pid nginx.pid;
# Its folder is gone when it ends, and it would say so.
error_log stderr emerg;
events {{
    worker_connections 20000;
    multi_accept on;
}}
http {{
    access_log off;
    default_type '{TEXT}';
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {at} reuseport backlog=4096;
        location = /hello {{
            return 200 '{HELLO}';
        }}
    }}
}}
"
    )
}

/// Waits until it listens and has its worker.
fn started(nginx: &mut Child, at: SocketAddr) -> io::Result<Pid> {
    let end = Instant::now() + TO_START;
    while Instant::now() < end {
        if let Some(status) = nginx.try_wait()? {
            return Err(io::Error::other(format!("nginx ended at once: {status}")));
        }
        if TcpStream::connect(at).is_ok()
            && let [worker] = sys::children(Pid::from_child(nginx))[..]
        {
            return Ok(worker);
        }
        thread::sleep(Duration::from_millis(2));
    }
    Err(io::Error::other("nginx does not listen"))
}
