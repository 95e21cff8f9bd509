//! The provider's place: its settings, and how it is started.

use super::model::{Mine, Model};
use crate::case::Run;
use crate::checked::{Checked, Fates};
use crate::surroundings;
use fastrand::Rng;
use sockman::{Clock, Config, Driver, Limits};
use sockman_backends::sim::{Host, Simulated};
use sockman_sv2::wire::{Authority, AuthorityKey, Chance};
use sockman_sv2::{Provider, Settings};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// When a run begins, in Unix seconds.
pub(super) const BEGIN: u64 = 1_700_000_000;

pub(super) const PORT: u16 = 8_442;

/// What passes only when something is wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// The provider's process.
pub(super) type Providers<B> = Driver<B, Checked<Provider<Mine>>>;

/// Settings of a provider: small ones, so that their bounds are met.
pub(super) fn settings(random: &mut Rng, host: &Host) -> Settings {
    let mut seed = [0; 32];
    random.fill(&mut seed);
    let mut pick = |from: &[usize]| from[random.usize(0..from.len())];
    let mut within = || match pick(&[0, 0, 1]) {
        0 => PATIENCE,
        _ => Duration::from_millis(pick(&[500, 3_000, 20_000]) as u64),
    };
    let (handshake_within, setup_within, taken_within) = (within(), within(), within());
    let send_high = pick(&[200, 2_000, 256 << 10]);
    Settings {
        max_clients: pick(&[2, 1_000, 1_000, 1_000]),
        handshake_within,
        setup_within,
        taken_within,
        turn: pick(&[1, 1, 2_000, 1 << 20]),
        handshakes: pick(&[1, 2, 5]),
        share: pick(&[1, 1, 200, 3_000, 64 << 10]),
        frame: pick(&[1_000, 3_000, 256 << 10]),
        send_high,
        send_most: send_high + (1 << 20),
        interval: Duration::from_millis(pick(&[0, 200, 5_000]) as u64),
        fee_delta: pick(&[0, 1_000, 3_000]) as u64,
        stale_for: Duration::from_millis(pick(&[0, 300, 10_000]) as u64),
        templates: pick(&[2, 5, 1_000]),
        clock: Clock::Virtual {
            unix: BEGIN,
            at: host.now(),
        },
        ..Settings::new(seed)
    }
}

/// Settings of the provider's loop.
pub(super) fn config(random: &mut Rng, settings: &Settings) -> Config {
    Config {
        limits: settings.limits(),
        ..surroundings::config(random)
    }
}

/// Settings of the clients' loop: they have to send and to keep what the provider may.
pub(super) fn clients_config(config: &Config) -> Config {
    Config {
        limits: Limits {
            unread: config.limits.unread.max(4_000),
            queued: 4 << 20,
            ..config.limits.clone()
        },
        ..config.clone()
    }
}

pub(super) fn start<B: Simulated>(
    run: &mut Run,
    host: &Host,
    config: &Config,
    settings: &Settings,
    model: &Rc<RefCell<Model>>,
    fates: (&Fates, &Fates),
) -> (Providers<B>, AuthorityKey) {
    let authority = Authority::generate(&mut Chance::new([run.random.u8(..); 32]));
    let provider = Provider::new(settings.clone(), authority, Mine(model.clone()));
    let backend = host.backend(config).expect("the settings are right");
    let handler = Checked::new(provider, "provider", config, &run.network).between(fates.0, fates.1);
    let mut driver: Providers<B> = Driver::with_backend(backend, handler);
    let at = host.at(PORT);
    driver
        .with(|checked, net| checked.with(net, |provider, net| provider.listen(net, &at)))
        .expect("the port is free");
    (driver, authority.key())
}
