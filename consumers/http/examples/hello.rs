//! The smallest server: `cargo run -p sockman-http --example hello`, then `curl http://127.0.0.1:8080/`.

use sockman_backends::DefaultBackend;
use sockman_backends::sockman::{Config, Driver, ListenOptions};
use sockman_http::{Server, Settings, service_fn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hello = service_fn(|_, _, reply| reply.text("Hello, world!"));
    let server = Server::new(hello, Settings::default());
    let mut driver = Driver::<DefaultBackend, _>::new(&Config::default(), server)?;
    let at = "127.0.0.1:8080".parse()?;
    driver.with(|server, net| server.listen(net, &at, &ListenOptions::default()))?;
    println!("listening on {at}");
    Ok(driver.run()?)
}
