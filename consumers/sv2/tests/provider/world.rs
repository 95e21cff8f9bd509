//! A provider on a host of a simulated network.

use crate::source::Mine;
use sockman::{Clock, Config, Driver, Endpoint, SockMan};
use sockman_backends::sim::{self, Host, Network, Sim, Simulated};
use sockman_sv2::wire::{Authority, AuthorityKey, Chance};
use sockman_sv2::{ClientInfo, Count, Handle, Provider, Settings, Work};
use std::time::Duration;

/// When the simulation begins, in Unix seconds.
pub(crate) const BEGIN: u64 = 1_700_000_000;

pub(crate) const PORT: u16 = 8_442;

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) host: Host,
    pub(crate) provider: Driver<Sim, Provider<Mine>>,
    pub(crate) mine: Mine,
    pub(crate) key: AuthorityKey,
    /// Clients so far: each has its own random numbers.
    pub(crate) clients: u8,
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn settings() -> Settings {
    Settings::new([1; 32])
}

impl World {
    /// A provider that has no work yet.
    pub(crate) fn new(settings: Settings) -> World {
        World::with(settings, &Config::default(), &sim::Settings::default())
    }

    /// A provider with work.
    pub(crate) fn at(settings: Settings, work: Work) -> World {
        let mut world = World::new(settings);
        world.set(work);
        world
    }

    #[allow(clippy::needless_pass_by_value, reason = "as a provider takes them")]
    pub(crate) fn with(settings: Settings, config: &Config, network: &sim::Settings) -> World {
        let network = Network::new(sim::Settings {
            descriptors: 100_000,
            ..network.clone()
        });
        let host = network.host();
        let authority = Authority::generate(&mut Chance::new([2; 32]));
        let mine = Mine::default();
        let clock = Clock::Virtual {
            unix: BEGIN,
            at: network.now(),
        };
        let provider = Provider::new(Settings { clock, ..settings }, authority, mine.clone());
        let backend = host.backend::<Sim>(config).unwrap();
        let mut provider = Driver::with_backend(backend, provider);
        provider
            .with(|provider, net| provider.listen(net, &host.at(PORT)))
            .unwrap();
        World {
            network,
            host,
            provider,
            mine,
            key: authority.key(),
            clients: 0,
        }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        self.host.at(PORT)
    }

    /// There is something else to be mined on, and the loop is woken: not more.
    pub(crate) fn set(&mut self, work: Work) {
        self.mine.set(work);
        self.provider.remote().wake();
    }

    pub(crate) fn handle(&self) -> Handle {
        self.provider.handler().handle()
    }

    pub(crate) fn count(&self, what: Count) -> u64 {
        self.handle().counters().get(what)
    }

    pub(crate) fn clients(&self) -> Vec<ClientInfo> {
        self.handle().clients()
    }

    /// Turns that the loop has taken.
    pub(crate) fn turns(&self) -> u64 {
        self.provider.backend().net().stats().turns
    }

    /// Calls by which the loop has sent.
    pub(crate) fn writes(&self) -> u64 {
        self.provider.backend().net().stats().syscalls[sockman::Syscall::Write]
    }

    /// Unix seconds.
    pub(crate) fn unix(&self) -> u64 {
        BEGIN + self.network.elapsed().as_secs()
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.network.elapsed() + time;
        self.network
            .run_until(&mut self.provider, time, |_| false)
            .unwrap();
        // It ends early when nothing is left to happen.
        self.network.pass(end.saturating_sub(self.network.elapsed()));
    }

    /// So many turns at most, or as many as there are in a millisecond.
    pub(crate) fn turn(&mut self, count: u64) {
        let until = self.turns() + count;
        let ran = self.network.run_until(&mut self.provider, ms(1), |provider| {
            provider.backend().net().stats().turns >= until
        });
        ran.unwrap();
    }
}
