//! A layer is a service around a service: `cargo run -p sockman-http --example layer`.

use sockman_backends::DefaultBackend;
use sockman_http::http::StatusCode;
use sockman_http::{Answered, Body, Reply, Request, Service, Take, serve, service_fn};

/// Lets requests through that carry a token.
struct Guarded<V>(V, &'static [u8]);

impl<V: Service> Service for Guarded<V> {
    type Upload = V::Upload;
    type Source = V::Source;

    fn begin(&mut self, request: &Request<'_>) -> Take<V::Upload> {
        // The body of a request that is refused need not be read.
        let may = request.field("authorization") == Some(self.1);
        if may { self.0.begin(request) } else { Take::Nothing }
    }

    fn call(
        &mut self,
        request: &Request<'_>,
        body: Body<'_, V::Upload>,
        reply: Reply<'_, V::Source>,
    ) -> Answered {
        match request.field("authorization") {
            Some(token) if token == self.1 => self.0.call(request, body, reply),
            _ => reply.status(StatusCode::UNAUTHORIZED).empty(),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guarded = Guarded(
        service_fn(|_, body, reply| reply.ok().send(body)),
        b"Bearer secret",
    );
    let at = "127.0.0.1:8080".parse()?;
    Ok(serve::<DefaultBackend>(guarded, &at)?)
}
