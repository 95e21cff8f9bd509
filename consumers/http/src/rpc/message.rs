//! What a body says: one request or a batch of them. Nothing is copied out of it but what is escaped in it.

use super::error::RpcError;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// How deep arrays and objects may lie in each other; Core's limit (`MAX_JSON_DEPTH` of its `UniValue`).
pub const MAX_DEPTH: usize = 512;

/// The version a request speaks; it decides what the reply looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// JSON-RPC 1.0 and 1.1: a reply has both `result` and `error`, and an error is an HTTP error too.
    V1,
    /// JSON-RPC 2.0: a reply has one of them, and HTTP knows nothing of errors.
    V2,
}

/// A request.
#[derive(Debug)]
pub struct Request<'a> {
    /// What it speaks.
    pub version: Version,
    /// Its id, as it was written.
    pub id: Option<&'a RawValue>,
    /// The method to call.
    pub method: Cow<'a, str>,
    /// An array or an object.
    pub params: Option<&'a RawValue>,
}

impl Request<'_> {
    /// Whether no reply is wanted (JSON-RPC 2.0 section 4.1). The older versions say this with an id of null, which Core
    /// does not take for it.
    pub fn is_notification(&self) -> bool {
        self.version == Version::V2 && self.id.is_none()
    }
}

/// Something that is no request.
#[derive(Debug)]
pub struct Invalid<'a> {
    /// What it speaks, as far as that is known.
    pub version: Version,
    /// Its id, if it has one.
    pub id: Option<&'a RawValue>,
    /// What is wrong with it.
    pub why: RpcError,
}

/// One request, or something in the place of one.
pub type Item<'a> = Result<Request<'a>, Invalid<'a>>;

/// What a body is.
#[derive(Debug)]
pub enum Message<'a> {
    /// One request.
    Single(Item<'a>),
    /// An array of them.
    Batch(Vec<Item<'a>>),
    /// Neither.
    Bad(RpcError),
}

impl<'a> Message<'a> {
    /// Reads a body. A batch may have up to `limit` elements.
    ///
    /// Of a member that is there twice the first counts, as in Core.
    pub fn read(body: &'a [u8], limit: usize) -> Message<'a> {
        // All of it is text, also where nobody looks.
        let Ok(text) = std::str::from_utf8(body) else {
            return Message::Bad(RpcError::parse());
        };
        if is_deeper_than(MAX_DEPTH, body) {
            return Message::Bad(RpcError::parse());
        }
        let read = match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => serde_json::from_str::<Members<'_>>(text)
                .and_then(Members::request)
                .map(Message::Single),
            Some(b'[') => batch(text, limit),
            _ => serde_json::from_str::<IgnoredAny>(text).map(|_| {
                Message::Bad(RpcError::new(
                    super::code::PARSE_ERROR,
                    "Top-level object parse error",
                ))
            }),
        };
        read.unwrap_or_else(|_| Message::Bad(RpcError::parse()))
    }
}

fn batch(text: &str, limit: usize) -> serde_json::Result<Message<'_>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader.deserialize_seq(Elements(limit))?;
    reader.end()?;
    let Some(elements) = elements else {
        let why = format!("A batch may have {limit} requests at most");
        return Ok(Message::Bad(RpcError::invalid(why)));
    };
    let items: serde_json::Result<_> = elements.into_iter().map(element).collect();
    items.map(Message::Batch)
}

fn element(element: &RawValue) -> serde_json::Result<Item<'_>> {
    if element.get().starts_with('{') {
        return serde_json::from_str::<Members<'_>>(element.get()).and_then(Members::request);
    }
    let why = RpcError::invalid("Invalid Request object");
    let (version, id) = (Version::V1, None);
    Ok(Err(Invalid { version, id, why }))
}

/// Whether brackets lie deeper than this in each other; what is no JSON may be said to be either. The reader itself does not
/// recurse into what it only passes over, so this is not for its stack but for that of whoever reads what we echo.
fn is_deeper_than(limit: usize, body: &[u8]) -> bool {
    // What is this short cannot be; most bodies are.
    if body.len() <= limit {
        return false;
    }
    let (mut depth, mut rest) = (0, body.iter());
    while let Some(byte) = rest.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = usize::saturating_sub(depth, 1),
            b'"' => {
                while let Some(byte) = rest.next() {
                    match byte {
                        b'\\' => drop(rest.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// The elements of a batch, or none if there are more than this.
struct Elements(usize);

impl<'de> Visitor<'de> for Elements {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.0 {
            let Some(element) = seq.next_element()? else {
                return Ok(Some(elements));
            };
            elements.push(element);
        }
        let mut more = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok((!more).then_some(elements))
    }
}

/// The members of an object that make it a request.
#[derive(Default)]
struct Members<'a> {
    jsonrpc: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    /// The errors, and their order, are Core's (`JSONRPCRequest::parse`). Fails if a text in it is none.
    fn request(self) -> serde_json::Result<Item<'a>> {
        let id = self.id;
        let invalid = |version, why: &'static str| {
            let why = RpcError::invalid(why);
            Ok(Err(Invalid { version, id, why }))
        };
        let version = match self.jsonrpc.map(RawValue::get) {
            None | Some("null" | "\"1.0\"" | "\"1.1\"") => Version::V1,
            Some("\"2.0\"") => Version::V2,
            Some(other) if other.starts_with('"') => {
                return invalid(Version::V1, "JSON-RPC version not supported");
            }
            Some(_) => return invalid(Version::V1, "jsonrpc field must be a string"),
        };
        let method = match self.method {
            Some(method) if method.get() != "null" => method,
            _ => return invalid(version, "Missing method"),
        };
        if !method.get().starts_with('"') {
            return invalid(version, "Method must be a string");
        }
        let method = unquoted(method)?;
        let params = self.params.filter(|params| params.get() != "null");
        if params.is_some_and(|params| !params.get().starts_with(['[', '{'])) {
            return invalid(version, "Params must be an array or object");
        }
        Ok(Ok(Request {
            version,
            id,
            method,
            params,
        }))
    }
}

/// The text of a string.
fn unquoted(string: &RawValue) -> serde_json::Result<Cow<'_, str>> {
    let text = string.get();
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(text).map(Cow::Owned),
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key()? {
            let place = match name {
                Name::Jsonrpc => &mut members.jsonrpc,
                Name::Id => &mut members.id,
                Name::Method => &mut members.method,
                Name::Params => &mut members.params,
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value()?;
            place.get_or_insert(value);
        }
        Ok(members)
    }
}

/// The name of a member.
enum Name {
    Jsonrpc,
    Id,
    Method,
    Params,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "jsonrpc" => Name::Jsonrpc,
            "id" => Name::Id,
            "method" => Name::Method,
            "params" => Name::Params,
            _ => Name::Other,
        })
    }
}
