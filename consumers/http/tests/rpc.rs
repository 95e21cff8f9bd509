//! JSON-RPC without sockets: bodies in, statuses and bodies out; and who may call.

#[path = "rpc/auth.rs"]
mod auth;
#[path = "rpc/batches.rs"]
mod batches;
#[path = "rpc/builtin.rs"]
mod builtin;
#[path = "rpc/hostile.rs"]
mod hostile;
#[path = "rpc/parameters.rs"]
mod parameters;
#[path = "rpc/statuses.rs"]
mod statuses;

use sockman_http::rpc::{
    Access, Answer, Call, Dispatcher, Done, Instance, Method, Methods, On, Out, Place, RpcError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the methods of these tests work on.
#[derive(Default)]
struct State {
    counted: AtomicUsize,
}

fn count(state: &State, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json(&(state.counted.fetch_add(1, Ordering::Relaxed) + 1))
}

fn repeat(_: &State, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let (text, times): (String, Option<usize>) = (call.get(0)?, call.get(1)?);
    out.json(&text.repeat(times.unwrap_or(2)))
}

fn fail(_: &State, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    out.json("half a result")?;
    Err(RpcError::new(-5, "No \"such\" block"))
}

fn panics(_: &State, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    assert!(call.user().is_empty(), "a bug");
    out.null()
}

/// A server with some methods of its own, and how often it was told to stop.
fn server() -> (Dispatcher<State>, Arc<AtomicUsize>) {
    let stops = Arc::new(AtomicUsize::new(0));
    let told = stops.clone();
    let stop = move || {
        told.fetch_add(1, Ordering::Relaxed);
    };
    let methods = Methods::new().with_all([
        Method::new("count", count),
        Method::new("repeat", repeat)
            .required("text")
            .optional("times|n")
            .optional("more")
            .help("Test", "Says it again."),
        Method::new("fail", fail),
        Method::new("panics", panics),
    ]);
    let instance = Instance::new("tester").log("/var/log/tester.log");
    instance.on_stop(stop);
    (Dispatcher::new(methods, instance, State::default()), stops)
}

fn on(access: &Access) -> On<'_> {
    On {
        access,
        wallet: false,
        place: Place::Loop,
    }
}

fn answer_of(server: &Dispatcher<State>, body: impl AsRef<[u8]>) -> Answer {
    let access = Access::everything("alice");
    let message = server.read(body.as_ref());
    server.run(&message, on(&access))
}

/// Checks status and body; the body without the line feed behind it.
#[track_caller]
fn check(body: impl AsRef<[u8]>, status: u16, expected: &str) {
    let answer = answer_of(&server().0, &body);
    let text = String::from_utf8(answer.body).expect("UTF-8");
    let sent = String::from_utf8_lossy(body.as_ref());
    assert_eq!(
        (answer.status.as_u16(), text.trim_end_matches('\n')),
        (status, expected),
        "{sent}"
    );
    assert_eq!(text.ends_with('\n'), !expected.is_empty());
}
