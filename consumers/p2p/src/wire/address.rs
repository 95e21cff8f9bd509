//! Addresses of nodes, as in `addr` and `version`, and as in `addrv2` (BIP 155).

use super::reader::Reader;
use super::{AddrV2, AddrV2Message, Address, DecodeError, MAX_ADDRESS, ServiceFlags};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of an [`Address`]: services, an IPv6 address, and a port.
pub(super) const SIZE: usize = 8 + 16 + 2;

/// The fewest bytes of an [`AddrV2Message`]: time, services, network, the length of an address that is empty, and a port.
pub(super) const LEAST: usize = 4 + 1 + 1 + 1 + 2;

/// The address of nobody.
pub(super) fn none() -> Address {
    Address {
        services: ServiceFlags::NONE,
        address: [0; 8],
        port: 0,
    }
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Address, DecodeError> {
    Ok(Address {
        services: from.u64()?.into(),
        address: Ipv6Addr::from(from.array::<16>()?).segments(),
        port: from.array().map(u16::from_be_bytes)?,
    })
}

pub(super) fn read_v2(from: &mut Reader<'_>) -> Result<AddrV2Message, DecodeError> {
    Ok(AddrV2Message {
        time: from.u32()?,
        services: from.compact()?.into(),
        addr: network(from)?,
        port: from.array().map(u16::from_be_bytes)?,
    })
}

/// A network's number and an address in it.
///
/// One of a network that has addresses of another length makes the message wrong. Those that BIP 155 wants ignored, though their
/// length is right (IPv6 that stands for IPv4 or for Tor, CJDNS outside of its prefix), are unknown, as those of networks
/// that nobody knows yet: the rest of the message counts.
fn network(from: &mut Reader<'_>) -> Result<AddrV2, DecodeError> {
    let network = from.u8()?;
    let bytes = from.short(MAX_ADDRESS, "an address is too long")?;
    let address = match network {
        1 => AddrV2::Ipv4(Ipv4Addr::from(sized::<4>(bytes)?)),
        2 => AddrV2::Ipv6(Ipv6Addr::from(sized::<16>(bytes)?)),
        3 => AddrV2::TorV2(sized(bytes)?),
        4 => AddrV2::TorV3(sized(bytes)?),
        5 => AddrV2::I2p(sized(bytes)?),
        6 => AddrV2::Cjdns(Ipv6Addr::from(sized::<16>(bytes)?)),
        _ => AddrV2::Unknown(network, bytes.into()),
    };
    let foreign = match &address {
        AddrV2::Ipv6(ip) => matches!(
            ip.segments(),
            [0, 0, 0, 0, 0, 0xffff, ..] | [0xfd87, 0xd87e, 0xeb43, ..]
        ),
        AddrV2::Cjdns(ip) => ip.octets().first() != Some(&0xfc),
        _ => false,
    };
    Ok(if foreign {
        AddrV2::Unknown(network, bytes.into())
    } else {
        address
    })
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    let wrong = |_| DecodeError::Malformed("an address has not its network's length");
    bytes.try_into().map_err(wrong)
}
