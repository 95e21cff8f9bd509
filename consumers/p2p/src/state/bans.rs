//! Whom we do not talk to because we were told so: kept on disk, in the form of Core's `banlist.json`.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// The version of the file's form.
const VERSION: u32 = 1;

/// A network, or one address, that is banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who.
    pub net: IpNet,
    /// Since when, in Unix seconds.
    pub created: u64,
    /// Until when, in Unix seconds.
    pub until: u64,
}

/// Why a ban could not be set or lifted.
#[derive(Debug, thiserror::Error)]
pub enum BanError {
    /// That is neither an address nor a network.
    #[error("Error: Invalid IP/Subnet")]
    NoNetwork,
    /// It is banned already.
    #[error("Error: IP/Subnet already banned")]
    Already,
    /// It was not banned.
    #[error("Error: Unban failed. Requested address/subnet was not previously manually banned.")]
    NotBanned,
    /// There are so many, which is the [most](crate::Settings::bans).
    #[error("Error: {0} networks are banned, which is the most")]
    Full(usize),
    /// The file cannot be written.
    #[error("cannot write {}: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {why}; mend it, or move it away to start without bans", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
}

/// All bans.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    list: Vec<Ban>,
    path: Option<PathBuf>,
    /// How many there may be, if that is bounded.
    most: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct File {
    banned_nets: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    ban_created: u64,
    banned_until: u64,
    address: String,
}

/// Reads an address or a network: `10.0.0.1`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `::1`. An IPv4 address that is written as an IPv6
/// one is the IPv4 address, as to Core; the bits of its network may be counted either way.
pub fn parse_net(text: &str) -> Option<IpNet> {
    /// Bits that an IPv4 address has before it when it is written as an IPv6 one.
    const MAPPED: u8 = 96;

    let Some((address, mask)) = text.split_once('/') else {
        return Some(IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()));
    };
    let address: IpAddr = address.parse().ok()?;
    let ip = address.to_canonical();
    let net = if mask.bytes().all(|byte| byte.is_ascii_digit()) {
        let bits: u8 = mask.parse().ok()?;
        let is_mapped = ip != address;
        IpNet::new(ip, bits.checked_sub(MAPPED).filter(|_| is_mapped).unwrap_or(bits))
    } else {
        let mask: IpAddr = mask.parse().ok()?;
        if mask.is_ipv4() != ip.is_ipv4() {
            return None;
        }
        IpNet::with_netmask(ip, mask)
    };
    net.ok().map(|net| net.trunc())
}

impl Bans {
    /// Reads them from a file, which need not be there, and keeps them there from now on.
    pub fn open(path: &Path, now: u64) -> Result<Bans, BanError> {
        let read = |why| BanError::Read {
            path: path.to_owned(),
            why,
        };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(read(why)),
        };
        let mut list = Vec::new();
        if !text.is_empty() {
            let file: File = serde_json::from_slice(&text).map_err(|why| read(why.into()))?;
            for line in file.banned_nets {
                let bad = |what: fmt::Arguments<'_>| {
                    read(io::Error::new(io::ErrorKind::InvalidData, what.to_string()))
                };
                if line.version != VERSION {
                    return Err(bad(format_args!("a ban of version {} is unknown", line.version)));
                }
                let net = parse_net(&line.address).ok_or_else(|| {
                    bad(format_args!(
                        "{:?} is neither an address nor a network",
                        line.address
                    ))
                })?;
                list.push(Ban {
                    net,
                    created: line.ban_created,
                    until: line.banned_until,
                });
            }
        }
        let path = Some(path.to_owned());
        let mut bans = Bans {
            list,
            path,
            most: None,
        };
        bans.sweep(now);
        Ok(bans)
    }

    /// From now on there may be so many. Those that there are already stay.
    pub(crate) fn set_limit(&mut self, most: usize) {
        self.most = Some(most);
    }

    /// Those that hold, by network.
    pub fn iter(&self, now: u64) -> impl Iterator<Item = &Ban> {
        self.list.iter().filter(move |ban| ban.until > now)
    }

    /// Whether an address is banned.
    pub fn contains(&self, ip: IpAddr, now: u64) -> bool {
        let ip = ip.to_canonical();
        self.iter(now).any(|ban| ban.net.contains(&ip))
    }

    /// Bans a network until then.
    pub fn add(&mut self, net: IpNet, now: u64, until: u64) -> Result<(), BanError> {
        self.sweep(now);
        if self.list.iter().any(|ban| ban.net == net) {
            return Err(BanError::Already);
        }
        if let Some(most) = self.most.filter(|&most| self.list.len() >= most) {
            return Err(BanError::Full(most));
        }
        self.list.push(Ban {
            net,
            created: now,
            until,
        });
        self.list.sort_by_key(|ban| ban.net);
        Ok(())
    }

    /// Lifts the ban of a network.
    pub fn remove(&mut self, net: IpNet, now: u64) -> Result<(), BanError> {
        self.sweep(now);
        let before = self.list.len();
        self.list.retain(|ban| ban.net != net);
        if self.list.len() == before {
            return Err(BanError::NotBanned);
        }
        Ok(())
    }

    /// Lifts all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    fn sweep(&mut self, now: u64) {
        self.list.retain(|ban| ban.until > now);
    }

    /// Writes the file anew beside the old one, and puts it in its place.
    pub(crate) fn save(&self) -> Result<(), BanError> {
        let Some(path) = &self.path else { return Ok(()) };
        let line = |ban: &Ban| Line {
            version: VERSION,
            ban_created: ban.created,
            banned_until: ban.until,
            address: ban.net.to_string(),
        };
        let file = File {
            banned_nets: self.list.iter().map(line).collect(),
        };
        let write = || -> io::Result<()> {
            let new = path.with_extension("json.new");
            let mut to = fs::File::create(&new)?;
            to.write_all(&serde_json::to_vec_pretty(&file)?)?;
            to.sync_all()?;
            fs::rename(&new, path)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|why| BanError::Write {
            path: path.clone(),
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        parse_net(text).unwrap()
    }

    #[test]
    fn networks_and_addresses_for_a_time() {
        let mut bans = Bans::default();
        bans.add(net("192.0.2.77/24"), 100, 200).unwrap();
        bans.add(net("2001:db8::1"), 100, 150).unwrap();
        let ip = |text: &str| text.parse().unwrap();
        assert!(bans.contains(ip("192.0.2.1"), 199));
        assert!(bans.contains(ip("::ffff:192.0.2.1"), 199));
        assert!(!bans.contains(ip("192.0.3.1"), 199));
        assert!(!bans.contains(ip("192.0.2.1"), 200));
        assert!(bans.contains(ip("2001:db8::1"), 149));
        assert!(!bans.contains(ip("2001:db8::1"), 150));
        assert!(matches!(
            bans.add(net("192.0.2.0/24"), 120, 300),
            Err(BanError::Already)
        ));
        assert!(matches!(
            bans.remove(net("2001:db8::1"), 150),
            Err(BanError::NotBanned)
        ));
        bans.remove(net("192.0.2.0/24"), 150).unwrap();
        assert_eq!(bans.iter(150).count(), 0);
        assert!(parse_net("192.0.2.0/33").is_none() && parse_net("example").is_none());
    }

    #[test]
    fn networks_may_be_written_in_several_ways() {
        for (text, expected) in [
            ("192.168.0.0/255.255.0.0", "192.168.0.0/16"),
            ("192.168.7.7/255.255.0.0", "192.168.0.0/16"),
            ("10.1.2.3/0.0.0.0", "0.0.0.0/0"),
            ("2001:db8::1/ffff:ffff::", "2001:db8::/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.7/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.7/255.255.255.0", "192.0.2.0/24"),
        ] {
            assert_eq!(net(text).to_string(), expected, "{text}");
        }
        for bad in [
            "192.168.0.0/255.0.255.0",
            "192.168.0.0/ffff::",
            "2001:db8::/255.255.0.0",
            "::ffff:192.0.2.7/64",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/8/8",
            "2001:db8::/129",
            "/8",
            "",
        ] {
            assert!(parse_net(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn they_are_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("banlist.json");
        let mut bans = Bans::open(&path, 100).unwrap();
        bans.add(net("192.0.2.0/24"), 100, 200).unwrap();
        bans.add(net("198.51.100.7"), 100, 150).unwrap();
        bans.save().unwrap();
        let again = Bans::open(&path, 150).unwrap();
        let all: Vec<_> = again.iter(150).cloned().collect();
        let kept = Ban {
            net: net("192.0.2.0/24"),
            created: 100,
            until: 200,
        };
        assert_eq!(all, [kept]);
        bans.clear();
        bans.save().unwrap();
        assert_eq!(Bans::open(&path, 100).unwrap().iter(100).count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("banlist.json");
        let other =
            r#"{"banned_nets":[{"version":2,"ban_created":1,"banned_until":2,"address":"192.0.2.1"}]}"#;
        let nobody = r#"{"banned_nets":[{"version":1,"ban_created":1,"banned_until":2,"address":"nobody"}]}"#;
        for text in ["{", "[]", other, nobody] {
            fs::write(&path, text).unwrap();
            assert!(
                matches!(Bans::open(&path, 0), Err(BanError::Read { .. })),
                "{text}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn there_may_be_so_many() {
        let mut bans = Bans::default();
        bans.set_limit(3);
        for n in 0..3 {
            bans.add(net(&format!("10.0.0.{n}")), 0, 100).unwrap();
        }
        assert!(matches!(
            bans.add(net("192.0.2.1"), 50, 100),
            Err(BanError::Full(3))
        ));
        bans.add(net("192.0.2.1"), 100, 200).unwrap();
    }
}
