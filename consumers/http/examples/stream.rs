//! A response as fast as the client takes it: `cargo run -p sockman-http --example stream`, then `curl 127.0.0.1:8080/`.

use sockman_backends::DefaultBackend;
use sockman_http::{Answered, Body, Pull, Reply, Request, Service, Source, serve};

/// Numbers, from 1 on.
struct Numbers(std::ops::RangeInclusive<u64>);

impl Source for Numbers {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        for number in self.0.by_ref().take(1000) {
            to.extend_from_slice(format!("{number}\n").as_bytes());
        }
        if self.0.is_empty() { Pull::End } else { Pull::More }
    }
}

struct Counting;

impl Service for Counting {
    type Upload = ();
    type Source = Numbers;

    fn call(&mut self, request: &Request<'_>, _: Body<'_, ()>, reply: Reply<'_, Numbers>) -> Answered {
        let last = request.query().and_then(|query| query.parse().ok());
        reply.ok().stream(Numbers(1..=last.unwrap_or(1_000_000)), None)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let at = "127.0.0.1:8080".parse()?;
    Ok(serve::<DefaultBackend>(Counting, &at)?)
}
