//! Whom we would rather not talk to, because of what they sent.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Who is discouraged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// Whoever comes from an address.
    Address(IpAddr),
    /// Who listens at this very port: several nodes may share an address.
    Port(SocketAddr),
}

/// Those who have sent what nobody sends by mistake. They are taken if there is room for them, and not dialled for a while.
///
/// Peers that we were told to connect to are discouraged by address and port, others by address; loopback addresses never
/// are.
#[derive(Debug)]
pub struct Discouraged {
    until: HashMap<Who, Instant>,
    oldest: VecDeque<Who>,
    lasts: Duration,
    most: usize,
}

impl Discouraged {
    /// Nobody, yet. Each is discouraged for so long; of more than `most` the oldest are forgotten first.
    pub fn new(lasts: Duration, most: usize) -> Self {
        let (until, oldest) = (HashMap::new(), VecDeque::new());
        Discouraged {
            until,
            oldest,
            lasts,
            most,
        }
    }

    /// How many there are, or were a while ago.
    pub fn len(&self) -> usize {
        self.until.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    /// From now on all that come from this address are.
    pub fn add_address(&mut self, ip: IpAddr, now: Instant) {
        self.add(Who::Address(ip.to_canonical()), now);
    }

    /// From now on who listens there is.
    pub fn add_port(&mut self, at: SocketAddr, now: Instant) {
        self.add(Who::Port(canonical(at)), now);
    }

    fn add(&mut self, who: Who, now: Instant) {
        let loopback = match who {
            Who::Address(ip) => ip.is_loopback(),
            Who::Port(at) => at.ip().is_loopback(),
        };
        if loopback {
            return;
        }
        if self.until.insert(who, now + self.lasts).is_none() {
            self.oldest.push_back(who);
        }
        while self.until.len() > self.most {
            if let Some(oldest) = self.oldest.pop_front() {
                self.until.remove(&oldest);
            }
        }
    }

    /// Whether who comes from this address is.
    pub fn has_address(&self, ip: IpAddr, now: Instant) -> bool {
        self.has(Who::Address(ip.to_canonical()), now)
    }

    /// Whether who listens there is: others at its address are others.
    pub fn has_port(&self, at: SocketAddr, now: Instant) -> bool {
        self.has(Who::Port(canonical(at)), now)
    }

    fn has(&self, who: Who, now: Instant) -> bool {
        self.until.get(&who).is_some_and(|&until| until > now)
    }

    /// Nobody is any more.
    pub fn clear(&mut self) {
        self.until.clear();
        self.oldest.clear();
    }
}

fn canonical(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn by_address_by_port_and_for_a_time() {
        let now = Instant::now();
        let mut all = Discouraged::new(Duration::from_secs(10), 100);
        all.add_port("192.0.2.1:8333".parse().unwrap(), now);
        assert!(all.has_port("192.0.2.1:8333".parse().unwrap(), now));
        assert!(!all.has_port("192.0.2.1:8334".parse().unwrap(), now));
        assert!(!all.has_address(ip("192.0.2.1"), now));
        all.add_address(ip("::ffff:192.0.2.2"), now);
        assert!(all.has_address(ip("192.0.2.2"), now));
        assert!(!all.has_port("192.0.2.2:1".parse().unwrap(), now));
        assert!(!all.has_address(ip("192.0.2.2"), now + Duration::from_secs(10)));
    }

    #[test]
    fn loopback_never_is() {
        let now = Instant::now();
        let mut all = Discouraged::new(Duration::from_secs(10), 100);
        all.add_address(ip("127.0.0.1"), now);
        all.add_port("[::1]:8333".parse().unwrap(), now);
        assert!(all.is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let now = Instant::now();
        let mut all = Discouraged::new(Duration::from_secs(10), 100);
        for n in 0..=100_u32 {
            all.add_address(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), now);
        }
        assert_eq!(all.len(), 100);
        assert!(!all.has_address(ip("10.0.0.0"), now));
        assert!(all.has_address(ip("10.0.0.1"), now));
    }
}
