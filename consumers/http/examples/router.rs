//! Routes, and state that they share: `cargo run -p sockman-http --example router`.

use sockman_backends::DefaultBackend;
use sockman_http::{Answered, Call, Reply, Router, http::StatusCode, serve};
use std::collections::BTreeMap;

type Notes = BTreeMap<String, Vec<u8>>;

fn name(call: &Call<'_>) -> String {
    call.param("name").unwrap_or_default().into_owned()
}

fn read(notes: &mut Notes, call: &Call<'_>, reply: Reply<'_, ()>) -> Answered {
    match notes.get(&name(call)) {
        Some(note) => reply.ok().send(note),
        None => reply.status(StatusCode::NOT_FOUND).text("no such note\n"),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let router = Router::new(Notes::new())
        .get("/", |notes, _, reply| {
            reply.text(&format!("{} notes\n", notes.len()))
        })?
        .get("/notes/{name}", read)?
        .put("/notes/{name}", |notes, call, reply| {
            notes.insert(name(call), call.body.to_vec());
            reply.status(StatusCode::CREATED).empty()
        })?;
    let at = "127.0.0.1:8080".parse()?;
    println!("listening on {at}: try curl -T README.md http://{at}/notes/readme");
    Ok(serve::<DefaultBackend>(router, &at)?)
}
