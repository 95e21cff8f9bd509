//! Slow work on other threads, while the loop goes on: `cargo run -p sockman-http --example defer`.

use sockman_backends::DefaultBackend;
use sockman_http::{Workers, http::Response, serve, service_fn};
use std::{thread, time::Duration};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Four threads, and at most 64 requests before them; beyond that the answer is 503.
    let workers = Workers::new(4, 64)?;
    let service = service_fn(move |request, _, reply| match request.path() {
        "/slow" => workers.run(reply, || {
            thread::sleep(Duration::from_secs(1));
            Response::new("done\n".into())
        }),
        "/later" => {
            // The token goes anywhere. Dropped, it answers 500.
            let (deferred, answered) = reply.defer();
            thread::spawn(move || deferred.respond(Response::new("from a thread of its own\n".into())));
            answered
        }
        _ => reply.text("at once\n"),
    });
    let at = "127.0.0.1:8080".parse()?;
    println!("listening on {at}: /slow, /later");
    Ok(serve::<DefaultBackend>(service, &at)?)
}
