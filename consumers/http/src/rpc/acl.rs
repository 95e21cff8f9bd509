//! Who may connect: addresses and subnets.

use sockman::Endpoint;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A set of addresses: one address, or all that begin alike.
///
/// Written as Core's `rpcallowip` takes it: `192.168.1.7`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `fd00::/8`. Bits behind the
/// prefix are ignored.
///
/// ```
/// use sockman_http::rpc::Subnet;
/// let subnet: Subnet = "10.1.0.0/16".parse().unwrap();
/// assert!(subnet.contains("10.1.2.3".parse().unwrap()));
/// assert!(!subnet.contains("10.2.0.1".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// As IPv6; IPv4 addresses are the mapped ones (RFC 4291 section 2.5.5.2), so that a peer is the same by both names.
    address: u128,
    mask: u128,
}

/// How many bits of a mapped address come before those of the IPv4 address.
const MAPPED: u32 = 96;

impl Subnet {
    /// The addresses that have their first `prefix` bits in common with `address`. None if it has not that many.
    pub fn new(address: IpAddr, prefix: u32) -> Option<Self> {
        let (size, before) = match address {
            IpAddr::V4(_) => (32, MAPPED),
            IpAddr::V6(_) => (128, 0),
        };
        if prefix > size {
            return None;
        }
        let mask = leading_ones(prefix + before);
        let address = bits(address) & mask;
        Some(Subnet { address, mask })
    }

    /// Whether the address is one of them. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.address
    }
}

fn leading_ones(count: u32) -> u128 {
    u128::MAX.checked_shl(128 - count).unwrap_or(0)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A text that is no [`Subnet`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no subnet: write ADDRESS, ADDRESS/BITS or ADDRESS/MASK")]
pub struct BadSubnet(String);

impl FromStr for Subnet {
    type Err = BadSubnet;

    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        parse(text).ok_or_else(|| BadSubnet(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Subnet> {
    let Some((address, prefix)) = text.split_once('/') else {
        let address: IpAddr = text.parse().ok()?;
        return Subnet::new(address, if address.is_ipv4() { 32 } else { 128 });
    };
    let address: IpAddr = address.parse().ok()?;
    if let Ok(mask) = prefix.parse::<IpAddr>() {
        let (mask, size) = match (address, mask) {
            (IpAddr::V4(_), IpAddr::V4(mask)) => (u128::from(mask.to_bits()) << 96, 32),
            (IpAddr::V6(_), IpAddr::V6(mask)) => (mask.to_bits(), 128),
            _ => return None,
        };
        // A mask with holes, as 255.0.255.0, is a slip.
        let prefix = mask.leading_ones();
        return (mask == leading_ones(prefix) && prefix <= size)
            .then(|| Subnet::new(address, prefix))
            .flatten();
    }
    // `parse` alone would take a sign.
    let digits = !prefix.is_empty() && prefix.bytes().all(|digit| digit.is_ascii_digit());
    Subnet::new(address, prefix.parse().ok().filter(|_| digits)?)
}

/// Who may use the server, by address.
///
/// The machine itself always may, and so may whoever reaches it by a Unix socket, since for those the permissions of the
/// file decide.
///
/// ```
/// use sockman_http::rpc::Acl;
/// let acl = Acl::default().allow("192.168.0.0/16".parse().unwrap());
/// assert!(acl.admits(&"192.168.3.4:5000".parse().unwrap()));
/// assert!(!acl.admits(&"8.8.8.8:5000".parse().unwrap()));
/// ```
#[derive(Clone, Debug)]
pub struct Acl {
    subnets: Vec<Subnet>,
}

impl Default for Acl {
    /// The machine itself and nobody else.
    fn default() -> Self {
        let own = [
            (IpAddr::from([127, 0, 0, 0]), 8),
            (Ipv6Addr::LOCALHOST.into(), 128),
        ];
        let subnets = own
            .into_iter()
            .filter_map(|(address, prefix)| Subnet::new(address, prefix))
            .collect();
        Acl { subnets }
    }
}

impl Acl {
    /// These addresses too.
    #[must_use]
    pub fn allow(mut self, subnet: Subnet) -> Self {
        self.subnets.push(subnet);
        self
    }

    /// Whether this peer may use the server.
    pub fn admits(&self, peer: &Endpoint) -> bool {
        match peer {
            Endpoint::Tcp(peer) => self.subnets.iter().any(|subnet| subnet.contains(peer.ip())),
            Endpoint::Unix(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(subnet: &str, address: &str) -> bool {
        let subnet: Subnet = subnet.parse().expect(subnet);
        subnet.contains(address.parse().expect(address))
    }

    #[test]
    fn an_address_is_the_same_by_both_names() {
        assert!(contains("10.0.0.0/8", "::ffff:10.9.9.9"));
        assert!(contains("::ffff:10.0.0.0/104", "10.9.9.9"));
        assert!(
            !contains("0.0.0.0/0", "2001:db8::1"),
            "all of IPv4 is not all of IPv6"
        );
        assert!(contains("::/0", "1.2.3.4"), "all is all");
    }

    #[test]
    fn edges_of_prefixes() {
        assert!(contains("192.168.1.129/25", "192.168.1.255"));
        assert!(!contains("192.168.1.129/25", "192.168.1.127"));
        assert!(contains("1.2.3.4", "1.2.3.4") && !contains("1.2.3.4", "1.2.3.5"));
        assert!(contains("1.2.3.4/32", "1.2.3.4") && !contains("1.2.3.4/32", "1.2.3.5"));
        assert!(contains("1.2.3.4/255.255.0.0", "1.2.255.1"));
        assert!(contains("fe80::/10", "febf::1") && !contains("fe80::/10", "fec0::1"));
        assert!(contains("fd00::/ff00::", "fdff::1") && contains("::1", "::1"));
    }

    #[test]
    fn what_is_no_subnet() {
        for text in [
            "",
            "/",
            "1.2.3",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "1.2.3.4/-1",
            "1.2.3.4/255.0.255.0",
            "1.2.3.4/ffff::",
            "::/129",
            "::1/255.0.0.0",
            "name/8",
            "1.2.3.4/8/8",
            " 1.2.3.4",
        ] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_machine_itself_always_may() {
        let acl = Acl::default();
        for peer in [
            "127.0.0.1:1",
            "127.255.0.1:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
            "unix:/x",
        ] {
            assert!(acl.admits(&peer.parse().expect(peer)), "{peer}");
        }
        for peer in ["128.0.0.1:1", "[::2]:1", "[::ffff:10.0.0.1]:1", "[2001:db8::1]:1"] {
            assert!(!acl.admits(&peer.parse().expect(peer)), "{peer}");
        }
    }
}
