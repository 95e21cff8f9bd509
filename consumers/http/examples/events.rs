//! Server-sent events from another thread: `cargo run -p sockman-http --example events`, then `curl -N 127.0.0.1:8080/`.

use sockman_backends::DefaultBackend;
use sockman_http::http::{Response, header::CONTENT_TYPE};
use sockman_http::{SendError, serve, service_fn, sse};
use std::{thread, time::Duration};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = service_fn(|_, _, reply| {
        let (deferred, answered) = reply.defer();
        thread::spawn(move || {
            let head = Response::builder().header(CONTENT_TYPE, sse::MEDIA_TYPE);
            let head = head.body(()).expect("the fields are right");
            // Up to 64 KiB may wait for a slow client; what comes then it misses.
            let mut writer = deferred.stream(head, 64 << 10);
            for number in 0.. {
                let mut text = Vec::new();
                sse::Event::new(&format!("tick {number}"))
                    .name("tick")
                    .write(&mut text);
                match writer.send(text.into()) {
                    Err(SendError::Gone) => return,
                    Ok(()) | Err(SendError::Full) => thread::sleep(Duration::from_secs(1)),
                }
            }
        });
        answered
    });
    let at = "127.0.0.1:8080".parse()?;
    Ok(serve::<DefaultBackend>(service, &at)?)
}
