//! `Host`, and the authority of an absolute target: `uri-host [ ":" port ]` (RFC 9110 section 7.2, RFC 3986 section 3.2).

use super::field::set;
use std::net::Ipv6Addr;

/// [`is_authority`], of bytes, quickly for names without escapes.
#[inline]
pub(super) fn is_host(value: &[u8]) -> bool {
    let (name, rest) = value.split_at(value.iter().take_while(|byte| is_plain(**byte)).count());
    match rest {
        [] => !name.is_empty(),
        [b':', port @ ..] if port.len() <= 4 => !name.is_empty() && port.iter().all(u8::is_ascii_digit),
        _ => std::str::from_utf8(value).is_ok_and(is_authority),
    }
}

/// Whether this is a host with or without a port. The host may not be empty: an `http` URI without one is invalid (RFC 9110
/// section 4.2.1).
pub(super) fn is_authority(text: &str) -> bool {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((address, rest)) => return is_literal(address) && is_port(rest),
            None => return false,
        },
        None => text.find(':').map_or((text, ""), |place| text.split_at(place)),
    };
    is_name(host) && is_port(rest)
}

/// An address in brackets: IPv6, or of a later version (`IPvFuture`).
fn is_literal(address: &str) -> bool {
    let future = |text: &str| {
        let (version, rest) = text.split_once('.')?;
        let hex = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(hex && !rest.is_empty() && rest.bytes().all(|byte| byte == b':' || is_plain(byte)))
    };
    match address.strip_prefix(['v', 'V']) {
        Some(text) => future(text).unwrap_or(false),
        None => address.parse::<Ipv6Addr>().is_ok(),
    }
}

/// `reg-name`, which has IPv4 addresses among it.
fn is_name(host: &str) -> bool {
    let mut bytes = host.bytes();
    while let Some(byte) = bytes.next() {
        let right = match byte {
            b'%' => {
                matches!((bytes.next(), bytes.next()), (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            byte => is_plain(byte),
        };
        if !right {
            return false;
        }
    }
    !host.is_empty()
}

/// `unreserved` or `sub-delims` (RFC 3986 section 2).
#[inline]
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = set(b"-._~!$&'()*+,;=");
    PLAIN[usize::from(byte)]
}

/// Nothing, or a colon and a number that is a port. (`port` may be empty.)
fn is_port(rest: &str) -> bool {
    match rest.strip_prefix(':') {
        None => rest.is_empty(),
        Some("") => true,
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
    }
}
