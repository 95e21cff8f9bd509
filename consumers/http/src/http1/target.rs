//! Forms of targets (RFC 9112 section 3.2).

use super::host::is_authority;
use crate::reject::Reject;
use memchr::memchr;

/// The form of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A path, and perhaps a query.
    Origin,
    /// A whole URI, as sent to proxies, which servers must take too.
    Absolute,
    /// A host and a port, for `CONNECT`.
    Authority,
    /// `*`, for `OPTIONS`.
    Asterisk,
}

/// The form of a target, and the authority that it has itself.
pub(super) fn read<'a>(method: &str, target: &'a str) -> Result<(Form, Option<&'a str>), Reject> {
    // A fragment is never sent (RFC 9110 section 4.2.5). What else no URI has is let through where it cannot be taken for
    // something else: browsers send some of it.
    if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err(Reject::Target);
    }
    // A backslash is a slash to some, who would see another path; a query may have it, as browsers send it.
    if memchr(b'\\', target.as_bytes()).is_some_and(|place| !target[..place].contains('?')) {
        return Err(Reject::Target);
    }
    if method == "CONNECT" {
        let has_port = target.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty());
        let right = has_port && is_authority(target);
        return if right {
            Ok((Form::Authority, Some(target)))
        } else {
            Err(Reject::Target)
        };
    }
    if target.starts_with('/') {
        return Ok((Form::Origin, None));
    }
    if target == "*" {
        return if method == "OPTIONS" {
            Ok((Form::Asterisk, None))
        } else {
            Err(Reject::Target)
        };
    }
    let (scheme, rest) = target.split_once("://").ok_or(Reject::Target)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(Reject::Target);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = &rest[..end];
    // `user@host` is an error (RFC 9110 section 4.2.4).
    if is_authority(authority) {
        Ok((Form::Absolute, Some(authority)))
    } else {
        Err(Reject::Target)
    }
}
