//! What networks and loops are like, by chance.

use fastrand::Rng;
use sockman::{Config, Limits};
use sockman_backends::sim::{Fault, Link, Plan, Settings, When};
use std::num::NonZeroU64;
use std::time::Duration;

/// A network.
pub(crate) struct Conditions {
    pub(crate) settings: Settings,
    /// A reset may be lost, so that one end never hears of it: as with real TCP, only a time limit helps.
    pub(crate) deaf: bool,
}

fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(0..from.len())]
}

/// How often things go wrong, and which.
fn plan(random: &mut Rng, seed: u64, rough: bool, parted: bool) -> Plan {
    let mut plan = Plan::new(seed);
    // One run in eight meets no fault at all.
    if random.u8(0..8) == 0 {
        return plan;
    }
    for fault in Fault::ALL {
        if !rough && !fault.is_survived() || random.u8(0..3) == 0 {
            continue;
        }
        if fault == Fault::Partition && !parted {
            continue;
        }
        let one_in = match fault {
            // Each of these costs much time, or ends much.
            Fault::Partition | Fault::Lost | Fault::Stalled | Fault::AcceptFiles => {
                pick(random, &[20, 100, 400])
            }
            fault if !fault.is_survived() => pick(random, &[30, 100, 400]),
            _ => pick(random, &[2, 5, 20, 100]),
        };
        plan = plan.with(fault, When::OneIn(one_in));
    }
    plan
}

/// What a network is like.
pub(crate) fn conditions(random: &mut Rng, seed: u64) -> Conditions {
    let (rough, parted) = (random.u8(0..3) == 0, random.u8(0..3) == 0);
    let ms = |most: u64| [0, most / 20, most];
    let latency = pick(random, &ms(40));
    let jitter = pick(random, &ms(20));
    let link = Link {
        latency: Duration::from_millis(random.u64(0..=latency)),
        jitter: Duration::from_millis(random.u64(0..=jitter)),
        bandwidth: if random.u8(0..4) == 0 {
            NonZeroU64::new(random.u64(100_000..10_000_000))
        } else {
            None
        },
    };
    let plan = plan(random, seed, rough, parted);
    let settings = Settings {
        seed: random.u64(..),
        link,
        window: pick(random, &[300, 4_000, 64 << 10, 256 << 10]),
        descriptors: pick(random, &[12, 100, 1_000]),
        plan,
        ..Settings::default()
    };
    Conditions {
        settings,
        deaf: rough || parted,
    }
}

/// Settings of a loop: small ones, so that their bounds are met.
pub(crate) fn config(random: &mut Rng) -> Config {
    let low = pick(random, &[1, 200, 4_000]);
    let high = low + pick(random, &[0, 500, 10_000]);
    let read_buffer = pick(random, &[16, 64, 512, 4_096]);
    Config {
        limits: Limits {
            unread: pick(random, &[64, 1_000, 20_000]),
            high,
            low,
            queued: high + pick(random, &[20_000, 1 << 20]),
        },
        max_connections: Some(pick(random, &[3, 10, 1_000])),
        byte_budget: pick(random, &[16, 1_000, 8_000, 64_000]).max(read_buffer),
        accept_budget: pick(random, &[1, 2, 100]),
        read_buffer,
        direct_write: pick(random, &[0, 100, 2_000, usize::MAX]),
        events: pick(random, &[1, 2, 8, 1_024]),
        spare_buffers: pick(random, &[0, 10_000]),
        remote_queue: pick(random, &[1, 1_000]),
        ..Config::default()
    }
}
