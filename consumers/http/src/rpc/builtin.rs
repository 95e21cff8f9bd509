//! The methods every server has.

use super::call::{Call, Done, Out};
use super::code;
use super::error::RpcError;
use super::methods::{Method, Methods, Place, overview};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest `sleep`, in milliseconds: a worker is not to be had for ever.
const LONGEST_SLEEP: u64 = 3_600_000;

pub(super) fn methods<C>() -> Methods<C> {
    const ECHO: [&str; 10] = [
        "arg0", "arg1", "arg2", "arg3", "arg4", "arg5", "arg6", "arg7", "arg8", "arg9",
    ];
    let echo = ECHO
        .into_iter()
        .fold(Method::new("echo", echo), Method::optional)
        .any()
        .help("Util", "Returns its parameters.");
    let sleep = Method::new("sleep", sleep)
        .required("milliseconds")
        .on_worker()
        .help("Util", "Returns null after this time, an hour at most.");
    let getrpcinfo = Method::new("getrpcinfo", getrpcinfo).help(
        "Control",
        "Returns an object:\n\
         active_commands  the calls that are being carried out: the method of each, and its duration in microseconds\n\
         logpath          the file that the log is written to",
    );
    let help = Method::new("help", help).optional("command").help(
        "Control",
        "Returns a list of all methods, or what there is to know of this one.",
    );
    let stop = Method::new("stop", stop).help("Control", "Asks the server to stop.");
    let uptime = Method::new("uptime", uptime).help(
        "Control",
        "Returns for how many seconds the server has been running.",
    );
    Methods::empty().with_all([echo, sleep, getrpcinfo, help, stop, uptime])
}

fn echo<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    call.write_all(out)
}

fn help<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let command: Option<String> = call.get(0)?;
    let text = match command.as_deref() {
        None | Some("") => overview(call.all),
        Some(name) => match call.all.iter().find(|about| about.name() == name) {
            Some(about) => about.help(),
            None => format!("help: unknown command: {name}"),
        },
    };
    out.json(&text)
}

fn uptime<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json(&call.instance().uptime().as_secs())
}

fn stop<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    if !call.instance().stop() {
        return Err(RpcError::new(code::MISC_ERROR, "Nothing to stop"));
    }
    out.json(&format!("{} stopping", call.instance().name()))
}

/// `bitcoin-cli` sends as text what it does not know to be a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number of milliseconds")]
enum Milliseconds {
    Number(u64),
    Text(String),
}

fn sleep<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let time = match call.get(0)? {
        Milliseconds::Number(time) => Some(time),
        Milliseconds::Text(text) => text.parse().ok(),
    };
    let time = time
        .filter(|time| *time <= LONGEST_SLEEP)
        .ok_or_else(|| RpcError::new(code::INVALID_PARAMETER, "milliseconds out of range"))?;
    if !call.instance().wait(Duration::from_millis(time)) {
        return Err(RpcError::new(code::CLIENT_NOT_CONNECTED, "Shutting down"));
    }
    out.null()
}

#[derive(Serialize)]
struct Info<'a> {
    active_commands: Vec<Active>,
    logpath: &'a str,
}

#[derive(Serialize)]
struct Active {
    method: &'static str,
    /// In microseconds.
    duration: u64,
}

fn getrpcinfo<C>(_: &C, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let mut active_commands: Vec<Active> = call
        .instance()
        .running()
        .iter()
        .map(|running| Active {
            method: running.method,
            duration: running.since.elapsed().as_micros() as u64,
        })
        .collect();
    if call.place == Place::Loop {
        // Calls on the loop are entered nowhere, but this one is running for sure.
        let (method, duration) = ("getrpcinfo", 0);
        active_commands.push(Active { method, duration });
    }
    let logpath = call.instance().log_path();
    out.json(&Info {
        active_commands,
        logpath,
    })
}
