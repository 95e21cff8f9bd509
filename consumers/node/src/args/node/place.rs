//! Addresses whose port may be left out.

use sockman_backends::sockman::Endpoint;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Where to listen: `IP:PORT`, `IP` alone, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Whole(Endpoint),
    WithoutPort(IpAddr),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(text).parse() {
            return Ok(Place::WithoutPort(ip));
        }
        text.parse()
            .map(Place::Whole)
            .map_err(|_| "write IP, IP:PORT, [IPv6]:PORT or unix:PATH".to_owned())
    }
}

impl Place {
    /// With this port, if it has none.
    pub(super) fn endpoint(&self, port: u16) -> Endpoint {
        match self {
            Place::Whole(endpoint) => endpoint.clone(),
            Place::WithoutPort(ip) => Endpoint::Tcp(SocketAddr::new(*ip, port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_be_left_out() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1:7"),
            ("127.0.0.1:8", "127.0.0.1:8"),
            ("::1", "[::1]:7"),
            ("[::1]", "[::1]:7"),
            ("[::1]:8", "[::1]:8"),
            ("unix:x", "unix:x"),
        ] {
            let place: Place = text.parse().expect(text);
            assert_eq!(place.endpoint(7).to_string(), expected);
        }
        for bad in [
            "",
            "localhost",
            "localhost:80",
            "1.2.3.4:",
            "1.2.3.4:99999",
            "[::1",
            "unix:",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
