//! A body piece by piece, never whole in memory: `cargo run -p sockman-http --example upload`, then `curl -T FILE
//! 127.0.0.1:8080/`.

use sockman_backends::DefaultBackend;
use sockman_http::{Answered, Body, Flow, Reply, Request, Service, Take, Upload, serve};

#[derive(Default)]
struct Lines(usize);

impl Upload for Lines {
    fn piece(&mut self, data: &[u8]) -> Flow {
        self.0 += data.split(|byte| *byte == b'\n').count() - 1;
        // `Flow::Stop` would stop reading, until the token of `Request::resumer` is used.
        Flow::On
    }
}

struct Counting;

impl Service for Counting {
    type Upload = Lines;
    type Source = ();

    fn begin(&mut self, _: &Request<'_>) -> Take<Lines> {
        Take::Pieces(Lines::default())
    }

    fn call(&mut self, _: &Request<'_>, body: Body<'_, Lines>, reply: Reply<'_, ()>) -> Answered {
        let Body::Pieces(Lines(lines)) = body else {
            return reply.ok().empty();
        };
        reply.text(&format!("{lines} lines\n"))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let at = "127.0.0.1:8080".parse()?;
    Ok(serve::<DefaultBackend>(Counting, &at)?)
}
