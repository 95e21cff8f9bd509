//! The ways between hosts.

use super::world::{HostId, Nanos, nanos};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

/// What the way between two hosts is like, in each direction. By default everything arrives at once. Within a host it
/// always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// How long a packet is on its way.
    pub latency: Duration,
    /// How much longer at most, by chance. Bytes of one connection do not overtake each other.
    pub jitter: Duration,
    /// Bytes per second of each connection. `None`: as many as there are.
    pub bandwidth: Option<NonZeroU64>,
}

impl Link {
    /// With this latency, and nothing else.
    pub fn latency(latency: Duration) -> Link {
        Link {
            latency,
            ..Link::default()
        }
    }
}

/// The ways between hosts, and where there is none.
pub(super) struct Routes {
    usual: Link,
    links: BTreeMap<(HostId, HostId), Link>,
    /// Pairs that see nothing of each other, and how often that was asked for.
    cuts: BTreeMap<(HostId, HostId), u32>,
    /// Addresses at which packets vanish.
    pub(super) holes: Vec<IpAddr>,
}

/// A pair, whichever way round.
fn pair(a: HostId, b: HostId) -> (HostId, HostId) {
    (a.min(b), a.max(b))
}

impl Routes {
    pub(super) fn new(usual: Link) -> Routes {
        Routes {
            usual,
            links: BTreeMap::new(),
            cuts: BTreeMap::new(),
            holes: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, a: HostId, b: HostId, link: Link) {
        self.links.insert(pair(a, b), link);
    }

    pub(super) fn cut(&mut self, a: HostId, b: HostId) {
        *self.cuts.entry(pair(a, b)).or_default() += 1;
    }

    pub(super) fn mend(&mut self, a: HostId, b: HostId) {
        if let Some(count) = self.cuts.get_mut(&pair(a, b)) {
            *count -= 1;
            if *count == 0 {
                self.cuts.remove(&pair(a, b));
            }
        }
    }

    #[inline]
    pub(super) fn is_cut(&self, a: HostId, b: HostId) -> bool {
        !self.cuts.is_empty() && self.cuts.contains_key(&pair(a, b))
    }

    /// How long a packet of this size takes, and how long it keeps its connection's way busy.
    #[inline]
    pub(super) fn delay(
        &self,
        from: HostId,
        to: HostId,
        size: usize,
        random: &mut fastrand::Rng,
    ) -> (Nanos, Nanos) {
        if from == to {
            return (0, 0);
        }
        let link = if self.links.is_empty() {
            &self.usual
        } else {
            self.links.get(&pair(from, to)).unwrap_or(&self.usual)
        };
        let jitter = nanos(link.jitter);
        let jitter = if jitter > 0 { random.u64(0..=jitter) } else { 0 };
        let busy = link.bandwidth.map_or(0, |rate| {
            let busy = u128::from(size as u64) * 1_000_000_000 / u128::from(rate.get());
            u64::try_from(busy).unwrap_or(Nanos::MAX)
        });
        (nanos(link.latency).saturating_add(jitter), busy)
    }
}
