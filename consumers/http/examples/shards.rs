//! As many loops as there are cores: `cargo run -p sockman-http --example shards`.

use sockman_backends::DefaultBackend;
use sockman_backends::sockman::{Config, Driver, Endpoint, ListenOptions, Shards};
use sockman_http::{Server, Settings, service_fn};
use std::thread;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let at: Endpoint = "127.0.0.1:8080".parse()?;
    let count = thread::available_parallelism()?.get();
    println!("listening on {at} with {count} loops");
    // Each loop has a server of its own; the kernel chooses whose a connection is. (`Spread` would have one accept for all.)
    let shards = Shards::start(count, move |shard| {
        let hello = service_fn(move |_, _, reply| reply.text(&format!("loop {shard}\n")));
        let server = Server::new(hello, Settings::default());
        let mut driver = Driver::<DefaultBackend, _>::new(&Config::default(), server)?;
        let how = ListenOptions {
            reuse_port: true,
            ..ListenOptions::default()
        };
        driver.with(|server, net| server.listen(net, &at, &how))?;
        Ok(driver)
    })?;
    shards.join()?;
    Ok(())
}
