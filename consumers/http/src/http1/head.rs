//! The head of a request.

use super::body::{self, Length};
use super::field::{is_taken_for, is_token, members};
use super::host;
use super::target::{self, Form};
use crate::limits::{Dialect, Limits};
use crate::reject::Reject;
use httparse::{Header, Status};
use std::mem::MaybeUninit;

/// The version of a request, as far as it makes a difference: HTTP/1.2 to 1.9 are served as 1.1 (RFC 9110 section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    V10,
    /// HTTP/1.1
    V11,
}

/// The head of a request that is right.
#[derive(Debug)]
pub struct Head<'a> {
    /// The method: a token.
    pub method: &'a str,
    /// The target, as it was sent.
    pub target: &'a str,
    /// Its form.
    pub form: Form,
    /// The version.
    pub version: Version,
    /// All fields, in order, as they were sent; without those that some would take for the ones that frame the body:
    /// `Content_Length` and `Transfer_Encoding`, which mean nothing here.
    pub fields: &'a [Header<'a>],
    /// How long the body is.
    pub length: Length,
    /// Whether the connection may stay open after the answer (RFC 9112 section 9.3).
    pub keep_alive: bool,
    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 section 10.1.1).
    pub expects_continue: bool,
    /// The host and port, as bytes: see [`authority`](Head::authority).
    host: &'a [u8],
    /// The bytes of all of it.
    raw: &'a [u8],
    /// The number of its fields, all counted.
    count: usize,
}

impl<'a> Head<'a> {
    /// The host and port that the request is for: of an absolute target, otherwise of `Host`; empty without either.
    pub fn authority(&self) -> &'a str {
        // It has been checked: it is ASCII.
        std::str::from_utf8(self.host).unwrap_or_default()
    }

    /// The target's path and query, as they were sent: of an absolute target without scheme and authority, `/` where that leaves
    /// nothing (RFC 9112 section 3.2.2); other forms as they are. (A path that is empty before a query stands for `/`.)
    pub fn path_and_query(&self) -> &'a str {
        match self.form {
            Form::Absolute => match self.target.split_once("://") {
                Some((_, rest)) => match rest.find(['/', '?']) {
                    Some(place) => &rest[place..],
                    None => "/",
                },
                None => self.target,
            },
            Form::Origin | Form::Authority | Form::Asterisk => self.target,
        }
    }

    /// The value of the first field of this name, whatever its case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// The values of all fields of this name, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        (self.fields.iter())
            .filter(move |field| field.name.len() == name.len() && field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }

    /// A copy that outlives the bytes it was read from.
    pub fn save(&self) -> Saved {
        Saved {
            raw: self.raw.into(),
            fields: self.count,
        }
    }
}

/// The copy of a [`Head`] whose request is dealt with later.
#[derive(Debug)]
pub struct Saved {
    raw: Box<[u8]>,
    fields: usize,
}

impl Saved {
    /// Whether it is of a `HEAD` request.
    pub(crate) fn is_head(&self) -> bool {
        self.raw.starts_with(b"HEAD ")
    }

    /// Gives the head to `then`, read again. `limits` are those of the first reading; under others it may be refused.
    pub fn with<R>(&self, limits: &Limits, then: impl FnOnce(&Head<'_>) -> R) -> Result<R, Reject> {
        read(&self.raw, self.fields, limits, then)
    }
}

/// Fields for which there is room without asking for memory.
const FIELDS: usize = 64;

/// Reads a complete head of so many fields, whose version is one of the two, and gives it to `then`.
pub(super) fn read<R>(
    data: &[u8],
    fields: usize,
    limits: &Limits,
    then: impl FnOnce(&Head<'_>) -> R,
) -> Result<R, Reject> {
    let mut few = [const { MaybeUninit::uninit() }; FIELDS];
    let mut many = Vec::new();
    let table = if fields <= FIELDS {
        &mut few[..]
    } else {
        many.resize_with(fields, MaybeUninit::uninit);
        &mut many[..]
    };
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(data, table);
    match parsed {
        Ok(status) if status.is_complete() => {}
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => return Err(Reject::Field),
        Err(httparse::Error::TooManyHeaders) => return Err(Reject::HeadTooLarge),
        _ => return Err(Reject::RequestLine),
    }
    understand(&mut request, data, limits, then)
}

/// As [`read`], of bytes that begin with a head, which has not been looked at. `None` when it is not complete, or may be wrong
/// before its fields are: which of several mistakes is told is for those to decide who look at one line after the other.
pub(super) fn read_quickly<R>(
    data: &[u8],
    limits: &Limits,
    then: impl FnOnce(&Head<'_>, &[u8]) -> R,
) -> Option<Result<(usize, R), Reject>> {
    let mut table = [const { MaybeUninit::uninit() }; FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let Ok(Status::Complete(end)) = request.parse_with_uninit_headers(data, &mut table) else {
        return None;
    };
    let (head, ahead) = data.split_at(end);
    let fits = end <= limits.request_line.min(limits.head) && request.headers.len() <= limits.fields;
    if !fits || has_bare_lf(head) {
        return None;
    }
    let read = understand(&mut request, head, limits, |head| then(head, ahead));
    Some(read.map(|result| (end, result)))
}

/// Whether a line ends by LF alone. (No branch for each byte: the compiler makes it a few instructions for sixteen of them.)
fn has_bare_lf(head: &[u8]) -> bool {
    let pairs = head.iter().zip(head.get(1..).unwrap_or_default());
    let is = |right: bool| u8::from(right);
    let bare = pairs.fold(0, |bare, (before, byte)| {
        bare | is(*byte == b'\n') & is(*before != b'\r')
    });
    bare != 0 || head.first() == Some(&b'\n')
}

/// Makes sense of what was parsed, and gives it to `then`.
fn understand<R>(
    request: &mut httparse::Request<'_, '_>,
    data: &[u8],
    limits: &Limits,
    then: impl FnOnce(&Head<'_>) -> R,
) -> Result<R, Reject> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Reject::RequestLine);
    };
    if !is_token(method.as_bytes()) {
        return Err(Reject::RequestLine);
    }
    let version = if minor == 0 { Version::V10 } else { Version::V11 };
    let fields = Fields::read(request.headers, version, limits)?;
    let (form, authority) = target::read(method, target)?;
    let head = Head {
        method,
        target,
        form,
        version,
        count: request.headers.len(),
        fields: if fields.has_lookalikes {
            without_lookalikes(request.headers)
        } else {
            request.headers
        },
        length: fields.length,
        keep_alive: fields.keep_alive,
        expects_continue: fields.expects_continue && fields.length != Length::None,
        host: (authority.map(str::as_bytes)).or(fields.host).unwrap_or_default(),
        raw: data,
    };
    Ok(then(&head))
}

/// Whether a field of this name means a body's length to those who take underscores for hyphens.
fn is_lookalike(name: &str) -> bool {
    let is = |other| is_taken_for(name, other) && !name.eq_ignore_ascii_case(other);
    is("content-length") || is("transfer-encoding")
}

/// The other fields, in their order.
fn without_lookalikes<'a, 'b>(fields: &'a mut [Header<'b>]) -> &'a [Header<'b>] {
    let mut kept = 0;
    for place in 0..fields.len() {
        if !is_lookalike(fields[place].name) {
            fields.swap(kept, place);
            kept += 1;
        }
    }
    &fields[..kept]
}

/// Checks the version, and makes those that are served as HTTP/1.1 say so.
pub(super) fn normalize_version(line: &mut [u8], dialect: Dialect) -> Result<(), Reject> {
    let Some(place) = line.iter().rposition(|byte| *byte == b' ') else {
        return Err(Reject::RequestLine);
    };
    match &mut line[place + 1..] {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            match dialect {
                _ if *major == b'1' => {}
                Dialect::Strict => return Err(Reject::MajorVersion),
                Dialect::BitcoinCore => return Err(Reject::Version),
            }
            *minor = (*minor).min(b'1');
            Ok(())
        }
        _ => Err(Reject::Version),
    }
}

/// What the fields say that the framing and the connection depend on.
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Length,
    keep_alive: bool,
    expects_continue: bool,
    /// There are fields that look as if they framed the body.
    has_lookalikes: bool,
}

impl<'a> Fields<'a> {
    fn read(fields: &[Header<'a>], version: Version, limits: &Limits) -> Result<Self, Reject> {
        let mut host = None;
        let mut framing = body::Framing::default();
        let (mut close, mut keep_alive, mut expects_continue) = (false, false, false);
        let (mut has_type, mut has_lookalikes) = (false, false);
        for field in fields {
            // By their lengths, few names need to be compared.
            match field.name.len() {
                4 if field.name.eq_ignore_ascii_case("host") => {
                    if host.is_some() {
                        return Err(Reject::HostRepeated);
                    }
                    if !host::is_host(field.value) {
                        return Err(Reject::HostMalformed);
                    }
                    host = Some(field.value);
                }
                6 if field.name.eq_ignore_ascii_case("expect") => {
                    for member in members(field.value) {
                        if !member.eq_ignore_ascii_case(b"100-continue") {
                            return Err(Reject::Expectation);
                        }
                        expects_continue = version == Version::V11;
                    }
                }
                10 if field.name.eq_ignore_ascii_case("connection") => {
                    for member in members(field.value) {
                        close |= member.eq_ignore_ascii_case(b"close");
                        keep_alive |= member.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                12 if limits.dialect == Dialect::Strict
                    && field.name.eq_ignore_ascii_case("content-type") =>
                {
                    if has_type {
                        return Err(Reject::ContentType);
                    }
                    has_type = true;
                }
                14 if field.name.eq_ignore_ascii_case("content-length") => {
                    framing.content_length(field.value)?;
                }
                17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                    framing.transfer_encoding(field.value)?;
                }
                14 | 17 => has_lookalikes |= is_lookalike(field.name),
                _ => {}
            }
        }
        if version == Version::V11 && host.is_none() && limits.dialect == Dialect::Strict {
            return Err(Reject::HostMissing);
        }
        Ok(Fields {
            host,
            length: framing.length(version, limits)?,
            // Who believes the other length sees other requests behind this one (RFC 9112 section 6.1).
            keep_alive: !close && (version == Version::V11 || keep_alive) && !framing.is_contradictory(),
            expects_continue,
            has_lookalikes,
        })
    }
}
