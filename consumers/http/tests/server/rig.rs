//! A server on a simulated host, and clients on another.

use crate::answers::{Answer, answers};
use crate::app::{App, Seen};
use sockman::{Config, Driver, Limits, ListenOptions, SockMan, Syscall};
use sockman_backends::sim::{self, Host, Network, Plain, Sim, Simulated};
use sockman_http::{Clock, Count, Counters, Server, Settings};
use std::io;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

/// A server and the network around it.
pub(crate) struct Rig {
    pub(crate) network: Network,
    pub(crate) near: Host,
    pub(crate) far: Host,
    pub(crate) driver: Driver<Sim, Server<App>>,
    pub(crate) seen: Rc<Seen>,
    pub(crate) counters: Counters,
}

/// A client.
pub(crate) struct Client {
    plain: Plain,
    pub(crate) heard: Vec<u8>,
    pub(crate) end: End,
    /// It does not read while this is set.
    pub(crate) deaf: bool,
}

/// What a client has heard of the connection's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Finished,
    Reset,
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A `GET` of a target.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// A `POST` to a target, with a body of known length.
pub(crate) fn post(target: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}")
}

impl Rig {
    pub(crate) fn new(settings: Settings) -> Rig {
        Rig::with(settings, &Config::default(), sim::Settings::default())
    }

    /// With these marks of the send queue, and so much room in the socket.
    pub(crate) fn narrow(settings: Settings, high: usize, low: usize, window: usize) -> Rig {
        let config = Config {
            limits: Limits {
                high,
                low,
                ..Limits::default()
            },
            ..Config::default()
        };
        let network = sim::Settings {
            window,
            ..sim::Settings::default()
        };
        Rig::with(settings, &config, network)
    }

    pub(crate) fn with(settings: Settings, config: &Config, network: sim::Settings) -> Rig {
        let network = Network::new(network);
        let (near, far) = (network.host(), network.host());
        let backend = near.backend::<Sim>(config).expect("the settings are right");
        let settings = Settings {
            clock: Clock::Since(UNIX_EPOCH + Duration::from_secs(784_111_777)),
            ..settings
        };
        let app = App::default();
        let seen = app.0.clone();
        let server = Server::new(app, settings);
        let counters = server.counters();
        let mut driver = Driver::with_backend(backend, server);
        driver
            .with(|server, net| server.listen(net, &near.at(80), &ListenOptions::default()))
            .expect("the port is free");
        Rig {
            network,
            near,
            far,
            driver,
            seen,
            counters,
        }
    }

    pub(crate) fn count(&self, what: Count) -> u64 {
        self.counters.get(what)
    }

    pub(crate) fn connect(&mut self) -> Client {
        let far = self.far.clone();
        self.connect_from(&far)
    }

    pub(crate) fn connect_from(&mut self, host: &Host) -> Client {
        let plain = host.connect(&self.near.at(80)).expect("somebody listens");
        let mut client = Client {
            plain,
            heard: Vec::new(),
            end: End::Open,
            deaf: false,
        };
        self.pass(ms(1), &mut [&mut client]);
        client
    }

    /// Lets time pass, with these clients reading.
    pub(crate) fn pass(&mut self, time: Duration, clients: &mut [&mut Client]) {
        self.network
            .run_until(&mut self.driver, time, |_| {
                for client in &mut *clients {
                    client.hear();
                }
                false
            })
            .expect("no turn fails");
        // Sockets that are read without a loop hear of what has come meanwhile.
        for client in clients {
            client.hear();
        }
    }

    /// Lets time pass without anybody reading.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.pass(time, &mut []);
    }

    /// Writes, with time passing (a millisecond at least) until all has been taken.
    pub(crate) fn send(&mut self, client: &mut Client, data: impl AsRef<[u8]>) {
        let mut data = data.as_ref();
        for _ in 0..100_000 {
            match client.plain.write(data) {
                Ok(count) => data = &data[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
            self.pass(ms(1), &mut [client]);
            if data.is_empty() {
                return;
            }
        }
        panic!("{} bytes are not taken", data.len());
    }

    /// One turn of the loop, a millisecond later.
    pub(crate) fn turn(&mut self) {
        self.network.pass(ms(1));
        self.driver.turn(Some(Duration::ZERO)).expect("no turn fails");
        self.network.pass(ms(1));
    }

    /// Sends a piece at a time.
    pub(crate) fn drip(&mut self, client: &mut Client, data: impl AsRef<[u8]>, size: usize) {
        for piece in data.as_ref().chunks(size) {
            self.send(client, piece);
        }
    }

    /// Sends requests, and gives the answers that come within a second.
    pub(crate) fn ask(&mut self, client: &mut Client, data: impl AsRef<[u8]>) -> Vec<Answer> {
        client.heard.clear();
        self.send(client, data);
        self.pass(secs(1), &mut [client]);
        answers(&client.heard, &[])
    }

    /// Answers a deferred request.
    pub(crate) fn complete(&mut self, query: &str, text: &str) {
        let deferred = self.seen.deferred(query);
        deferred.respond(http::Response::new(text.as_bytes().to_vec().into()));
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.seen.calls.borrow().clone()
    }

    pub(crate) fn syscalls(&self, kind: Syscall) -> u64 {
        self.driver.backend().net().stats().syscalls[kind]
    }

    pub(crate) fn turns(&self) -> u64 {
        self.driver.backend().net().stats().turns
    }

    pub(crate) fn connections(&self) -> usize {
        self.driver.backend().net().connections()
    }
}

impl Client {
    /// Reads what is there.
    pub(crate) fn hear(&mut self) {
        let mut buffer = [0; 16 << 10];
        while self.end == End::Open && !self.deaf {
            match self.plain.read(&mut buffer) {
                Ok(0) => self.end = End::Finished,
                Ok(count) => self.heard.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.end = End::Reset,
            }
        }
    }

    /// Writes what must be taken at once.
    pub(crate) fn write(&self, data: &str) {
        assert_eq!(self.plain.write(data.as_bytes()).ok(), Some(data.len()));
    }

    /// Reads so many bytes at most.
    pub(crate) fn sip(&mut self, most: usize) {
        let mut buffer = vec![0; most];
        if let Ok(count) = self.plain.read(&mut buffer) {
            self.heard.extend_from_slice(&buffer[..count]);
        }
    }

    pub(crate) fn finish(&mut self) {
        self.plain.finish().expect("it is connected");
    }

    pub(crate) fn reset(self) {
        self.plain.reset();
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        answers(&self.heard, &[])
    }

    /// The statuses of what it has heard.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        self.answers().iter().map(|answer| answer.status).collect()
    }

    /// The bodies of what it has heard, as text.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let answers = self.answers();
        answers.iter().map(|answer| answer.text().to_owned()).collect()
    }
}
