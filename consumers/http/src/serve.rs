//! A server in one call.

use crate::server::{Server, Settings};
use crate::service::Service;
use sockman::{Backend, Config, Driver, Endpoint, ListenOptions};
use std::io;

/// Serves at `at` on a loop of this thread, with the default settings, for ever: for examples and small programs. What else a
/// program may want (several listeners, limits, an end) is [`Server`]'s and [`Driver`]'s to give.
///
/// ```no_run
/// # fn run<B: sockman::Backend>() -> std::io::Result<()> {
/// let at = "127.0.0.1:8080".parse().expect("an address");
/// sockman_http::serve::<B>(sockman_http::service_fn(|_, _, reply| reply.text("Hello, world!")), &at)
/// # }
/// ```
pub fn serve<B: Backend>(service: impl Service, at: &Endpoint) -> io::Result<()> {
    let server = Server::new(service, Settings::default());
    let mut driver = Driver::<B, _>::new(&Config::default(), server)?;
    driver.with(|server, net| server.listen(net, at, &ListenOptions::default()))?;
    driver.run()
}
