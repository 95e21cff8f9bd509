//! The server: a [`Handler`](sockman::Handler) that answers HTTP requests by a [`Service`].
//!
//! - this file: [`Server`], and what its connections share
//! - `handler`: what happens to a connection, and what is done then; `messages`: what other threads say
//! - `work`: requests in, answers out; `pump`: answers that are not complete at once; `queue`: their order
//! - `state`: a connection, and its deadlines; `expired`: what is done when they pass
//! - `settings`: limits and deadlines; [`counters`]: what is counted; `access`: the access log
//! - `output`: bytes to send; `date`: the value of `Date`

pub(crate) mod access;
pub(crate) mod counters;
pub(crate) mod date;
mod expired;
mod handler;
mod messages;
pub(crate) mod output;
mod pump;
pub(crate) mod queue;
mod settings;
mod state;
mod work;

pub use date::Clock;
pub use settings::Settings;

use crate::deferred::{Mail, Message};
use crate::service::Service;
use counters::Counters;
use date::Date;
use output::Payload;
use sockman::{ConnMap, Endpoint, ListenOptions, Listener, SockMan};
use state::Connection;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Instant;

/// Memory for output that is kept between two callbacks.
const SPARE_OUTPUT: usize = 256 << 10;

/// An HTTP server: give it to a [`sockman::Driver`], and have it [listen](Server::listen).
///
/// Every connection that its loop accepts, dials or adopts is a client's.
///
/// ```no_run
/// # fn run<B: sockman::Backend>() -> std::io::Result<()> {
/// use sockman::{Config, Driver};
/// use sockman_http::{Server, Settings, service_fn};
///
/// let hello = service_fn(|_, _, reply| reply.text("Hello, world!"));
/// let mut driver = Driver::<B, _>::new(&Config::default(), Server::new(hello, Settings::default()))?;
/// driver.with(|server, net| server.listen(net, &"127.0.0.1:8080".parse().unwrap(), &Default::default()))?;
/// driver.run()
/// # }
/// ```
pub struct Server<V: Service> {
    settings: Settings,
    common: Common<V>,
    connections: ConnMap<Connection<V::Upload, V::Source>>,
    /// Connections of each address, where that is limited.
    addresses: HashMap<IpAddr, usize>,
    listeners: Vec<Listener>,
    /// Messages that are being carried out.
    messages: Vec<Message>,
    /// After the server was stopped: until when connections may begin a request.
    last_call: Option<Instant>,
}

/// What all connections share.
struct Common<V> {
    service: V,
    counters: Counters,
    date: Date,
    out: Payload,
    /// Where answers are written to that must wait.
    own: Payload,
    /// Where fields that layers add are written to.
    extra: Vec<u8>,
    /// Where sources write to.
    scratch: Vec<u8>,
    /// Where other threads' answers come in; made with the first connection.
    mail: Option<Mail>,
    next_id: u64,
    /// Bytes of bodies that are being collected.
    collected: usize,
    /// The server was stopped.
    draining: bool,
    /// And the last call is over.
    called: bool,
}

/// Whoever writes a response on another thread hears that nobody will send it any more.
impl<V: Service> Drop for Server<V> {
    fn drop(&mut self) {
        if let Some(mail) = &self.common.mail {
            mail.close();
        }
        for (_, connection) in self.connections.iter() {
            connection.state.queue.tell_writers();
        }
    }
}

impl<V: Service> Server<V> {
    /// A server that answers by `service`.
    pub fn new(service: V, settings: Settings) -> Self {
        Server {
            common: Common {
                service,
                counters: Counters::new(),
                date: Date::new(settings.clock),
                out: Payload::default(),
                own: Payload::default(),
                extra: Vec::new(),
                scratch: Vec::new(),
                mail: None,
                next_id: settings.first_id,
                collected: 0,
                draining: false,
                called: false,
            },
            settings,
            connections: ConnMap::new(),
            addresses: HashMap::new(),
            listeners: Vec::new(),
            messages: Vec::new(),
            last_call: None,
        }
    }

    /// Listens. Fails as [`SockMan::listen`] does, and with [`io::ErrorKind::InvalidInput`] when the settings contradict each
    /// other. When the loop is stopped, the server stops listening there by itself.
    pub fn listen<N: SockMan>(
        &mut self,
        net: &mut N,
        at: &Endpoint,
        how: &ListenOptions,
    ) -> io::Result<Listener> {
        self.settings
            .check(how.limits.as_ref().unwrap_or_else(|| net.limits()))?;
        let listener = net.listen(at, how)?;
        self.listeners.push(listener);
        Ok(listener)
    }

    /// The application.
    pub fn service(&self) -> &V {
        &self.common.service
    }

    /// The application.
    pub fn service_mut(&mut self) -> &mut V {
        &mut self.common.service
    }

    /// What it counts: a handle for any thread.
    pub fn counters(&self) -> Counters {
        self.common.counters.clone()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connections at present.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }
}
