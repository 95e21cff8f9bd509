//! Code that is `async`: `cargo run -p sockman-http --features async --example asynchronous`.

use async_trait::async_trait;
use sockman_backends::DefaultBackend;
use sockman_backends::sockman::Bytes;
use sockman_http::http::{Request, Response};
use sockman_http::{Async, AsyncService, Workers, serve};

struct Hello;

#[async_trait]
impl AsyncService for Hello {
    async fn call(&self, request: Request<Bytes>) -> Response<Bytes> {
        let name = look_up(request.uri().path()).await;
        Response::new(format!("Hello, {name}!\n").into())
    }
}

/// As a database would be asked.
async fn look_up(path: &str) -> String {
    std::future::ready(path.trim_start_matches('/').to_owned()).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A thread for each request that is under way. To run them on tokio instead: `move |task| drop(handle.spawn(task))`.
    let service = Async::new(Hello, Workers::new(8, 64)?);
    let at = "127.0.0.1:8080".parse()?;
    println!("listening on {at}");
    Ok(serve::<DefaultBackend>(service, &at)?)
}
