//! A server with its idle connections, and an active one.

use indicatif::ProgressBar;
use sockman_backends::sim::{Host, Network, Plain, Settings, Sim, Simulated};
use sockman_backends::sockman::{Config, Driver, Endpoint, ListenOptions, SockMan};
use sockman_bench::echo::Echo;
use sockman_bench::{Failure, heap};
use std::time::{Duration, Instant};

/// Connections of one client host: it has no more ports than that.
const OF_ONE_HOST: u32 = 20_000;

/// Connections that wait to be accepted at a time.
const AT_A_TIME: u32 = 1_000;

const MESSAGE: &[u8; 64] = &[7; 64];

pub(crate) struct Crowd {
    pub(crate) idle: u32,
    /// Heap of the loop, per idle connection.
    pub(crate) loop_bytes: f64,
    /// Heap of the simulated network, per idle connection.
    pub(crate) network_bytes: f64,
    pub(crate) messages: u64,
    pub(crate) turns: u64,
    pub(crate) calls: u64,
    driver: Driver<Sim, Echo>,
    active: Plain,
    _others: Vec<Plain>,
}

/// Bytes on the heap.
fn live() -> usize {
    heap::live().unwrap_or_default()
}

impl Crowd {
    /// Connects everybody.
    pub(crate) fn gather(idle: u32, progress: &ProgressBar) -> Result<Crowd, Failure> {
        let network = Network::new(Settings {
            descriptors: usize::MAX,
            ..Settings::default()
        });
        let server = network.host();
        let config = Config {
            max_connections: Some(idle as usize + 1),
            ..Config::default()
        };
        let mut driver = Driver::with_backend(server.backend::<Sim>(&config)?, Echo);
        let at = server.at(7);
        driver.with(|_, net| net.listen(&at, &ListenOptions::default()))?;
        let mut others = Vec::with_capacity(idle as usize);
        let mut client = network.host();
        let (mut of_loop, mut of_network) = (0_usize, 0_usize);
        while (others.len() as u32) < idle {
            let more = AT_A_TIME.min(idle - others.len() as u32);
            let before = live();
            for _ in 0..more {
                if (others.len() as u32).is_multiple_of(OF_ONE_HOST) {
                    client = network.host();
                }
                others.push(client.connect(&at)?);
            }
            let between = live();
            while driver.turn(Some(Duration::ZERO))?.more {}
            of_network += between.saturating_sub(before);
            of_loop += live().saturating_sub(between);
            progress.inc(more.into());
        }
        let active = join(&mut driver, &network.host(), &at)?;
        Ok(Crowd {
            idle,
            loop_bytes: of_loop as f64 / f64::from(idle),
            network_bytes: of_network as f64 / f64::from(idle),
            messages: 0,
            turns: 0,
            calls: 0,
            driver,
            active,
            _others: others,
        })
    }

    /// Has so many messages echoed; nanoseconds of a turn.
    pub(crate) fn talk(&mut self, messages: u32) -> Result<f64, Failure> {
        let before = self.driver.backend().net().stats().clone();
        let mut spent = Duration::ZERO;
        let mut heard = [0; MESSAGE.len()];
        for _ in 0..messages {
            self.active.write(MESSAGE)?;
            let since = Instant::now();
            self.driver.turn(Some(Duration::ZERO))?;
            spent += since.elapsed();
            if self.active.read(&mut heard)? != MESSAGE.len() || heard != *MESSAGE {
                return Err("a message did not come back".into());
            }
        }
        let stats = self.driver.backend().net().stats();
        let turns = stats.turns - before.turns;
        self.messages += u64::from(messages);
        self.turns += turns;
        self.calls += stats.syscalls.total() - before.syscalls.total();
        Ok(spent.as_secs_f64() * 1e9 / turns as f64)
    }
}

/// One more connection, opened.
fn join(driver: &mut Driver<Sim, Echo>, host: &Host, at: &Endpoint) -> Result<Plain, Failure> {
    let active = host.connect(at)?;
    driver.turn(Some(Duration::ZERO))?;
    Ok(active)
}
