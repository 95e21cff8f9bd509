//! The crate `may_minihttp`: stackful coroutines on one worker thread. It looks at no more of a request than it must, and knows
//! nothing of `Connection: close`.

use crate::http::HELLO;
use crate::serve::{Ready, Running, reserve};
use ::may_minihttp::{HttpServer, HttpService, Request, Response};
use std::io::{self, Read};

/// Runs it.
pub fn run(ready: Ready<'_>) -> io::Result<()> {
    // The cores are ours to choose.
    may::config().set_workers(1).set_worker_pin(false);
    // It binds by itself; held until it has.
    let (port, at) = reserve()?;
    let server = HttpServer(Answers).start(at)?;
    drop(port);
    ready(Running::new(at));
    server
        .join()
        .map_err(|_| io::Error::other("its listener has panicked"))
}

#[derive(Clone)]
struct Answers;

impl HttpService for Answers {
    fn call(&mut self, request: Request<'_, '_, '_>, answer: &mut Response<'_>) -> io::Result<()> {
        match (request.method(), request.path()) {
            ("GET", "/hello") => answer
                .header("Content-Type: text/plain; charset=utf-8")
                .body(HELLO),
            ("POST", "/echo") => {
                let mut body = Vec::new();
                request.body().read_to_end(&mut body)?;
                answer
                    .header("Content-Type: application/octet-stream")
                    .body_vec(body);
            }
            _ => drop(answer.status_code(404, "Not Found")),
        }
        Ok(())
    }
}
