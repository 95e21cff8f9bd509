//! What a path asks for.

use bitcoin::BlockHash;
use sockman_http::http::StatusCode;

/// Headers that can be asked for at once (Core's `MAX_REST_HEADERS_RESULTS`).
const MAX_HEADERS: usize = 2_000;

/// Headers that are answered if nothing is said of it.
const DEFAULT_HEADERS: &str = "5";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node) struct Asked {
    pub(super) what: What,
    /// None if the path names none that there is.
    pub(super) format: Option<Format>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    ChainInfo,
    Headers { from: BlockHash, count: usize },
    Block { hash: BlockHash, has_details: bool },
    HashByHeight(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Binary,
    Hex,
    Json,
}

/// Why there is nothing to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::node) struct Refusal {
    pub(in crate::node) status: StatusCode,
    /// For people; empty if there is nothing to be said.
    pub(in crate::node) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Refusal { status, message }
    }

    fn bad(message: String) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, message)
    }
}

impl Asked {
    /// Reads what comes after `/rest/`, and the query.
    pub(in crate::node) fn read(path: &str, query: Option<&str>) -> Result<Asked, Refusal> {
        let (path, format) = split_format(path);
        let what = if path == "chaininfo" {
            What::ChainInfo
        } else if let Some(rest) = path.strip_prefix("headers/") {
            headers(rest, query)?
        } else if let Some(rest) = path.strip_prefix("block/notxdetails/") {
            block(rest, false)?
        } else if let Some(rest) = path.strip_prefix("block/") {
            block(rest, true)?
        } else if let Some(rest) = path.strip_prefix("blockhashbyheight/") {
            let height = integer(rest).and_then(|height| u32::try_from(height).ok());
            What::HashByHeight(height.ok_or_else(|| Refusal::bad(format!("Invalid height: {rest}")))?)
        } else {
            return Err(Refusal::new(StatusCode::NOT_FOUND, ""));
        };
        Ok(Asked { what, format })
    }
}

/// The path without its format. An ending that is none stays.
fn split_format(path: &str) -> (&str, Option<Format>) {
    let Some((rest, ending)) = path.rsplit_once('.') else {
        return (path, None);
    };
    match ending {
        "bin" => (rest, Some(Format::Binary)),
        "hex" => (rest, Some(Format::Hex)),
        "json" => (rest, Some(Format::Json)),
        _ => (path, None),
    }
}

fn headers(rest: &str, query: Option<&str>) -> Result<What, Refusal> {
    let (count, hash) = match rest.split_once('/') {
        None => (parameter(query, "count").unwrap_or(DEFAULT_HEADERS), rest),
        // As it was before version 24.
        Some((count, hash)) if !hash.contains('/') => (count, hash),
        Some(_) => {
            let expected = "/rest/headers/<hash>.<ext>?count=<count>";
            return Err(Refusal::bad(format!("Invalid URI format. Expected {expected}")));
        }
    };
    let wrong = || {
        Refusal::bad(format!(
            "Header count is invalid or out of acceptable range (1-{MAX_HEADERS}): {count}"
        ))
    };
    let number = integer(count).and_then(|count| usize::try_from(count).ok());
    let count = number
        .filter(|count| (1..=MAX_HEADERS).contains(count))
        .ok_or_else(wrong)?;
    let from = self::hash(hash)?;
    Ok(What::Headers { from, count })
}

fn block(rest: &str, has_details: bool) -> Result<What, Refusal> {
    let hash = hash(rest)?;
    Ok(What::Block { hash, has_details })
}

fn hash(text: &str) -> Result<BlockHash, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad(format!("Invalid hash: {text}")))
}

/// Digits, with a sign or without.
fn integer(text: &str) -> Option<i32> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}

/// The first value of a parameter of the query.
fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    let pairs = query?.split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

    fn read(path: &str) -> Result<Asked, Refusal> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        Asked::read(&path.replace("HASH", HASH), query)
    }

    #[test]
    fn what_can_be_asked_for() {
        let hash: BlockHash = HASH.parse().expect("a hash");
        let headers = |count| What::Headers { from: hash, count };
        let block = |has_details| What::Block { hash, has_details };
        for (path, what, format) in [
            ("chaininfo.json", What::ChainInfo, Some(Format::Json)),
            ("chaininfo", What::ChainInfo, None),
            ("chaininfo.bin", What::ChainInfo, Some(Format::Binary)),
            ("headers/HASH.hex", headers(5), Some(Format::Hex)),
            ("headers/HASH.hex?count=2000", headers(2000), Some(Format::Hex)),
            (
                "headers/HASH.hex?x=1&count=7&count=8",
                headers(7),
                Some(Format::Hex),
            ),
            ("headers/1/HASH.json", headers(1), Some(Format::Json)),
            ("block/HASH.bin", block(true), Some(Format::Binary)),
            ("block/HASH", block(true), None),
            ("block/notxdetails/HASH.json", block(false), Some(Format::Json)),
            (
                "blockhashbyheight/0.hex",
                What::HashByHeight(0),
                Some(Format::Hex),
            ),
            (
                "blockhashbyheight/2147483647.json",
                What::HashByHeight(2_147_483_647),
                Some(Format::Json),
            ),
        ] {
            assert_eq!(read(path), Ok(Asked { what, format }), "{path}");
        }
    }

    /// The words are Core's, printed by one.
    #[test]
    fn what_is_refused() {
        let count = "Header count is invalid or out of acceptable range (1-2000):";
        for (path, status, message) in [
            ("nosuch", 404, String::new()),
            ("block", 404, String::new()),
            ("block/xx.json", 400, "Invalid hash: xx".into()),
            ("block/HASH.xyz", 400, format!("Invalid hash: {HASH}.xyz")),
            ("block/notxdetails/xx.json", 400, "Invalid hash: xx".into()),
            ("headers/0/HASH.json", 400, format!("{count} 0")),
            ("headers/HASH.json?count=x", 400, format!("{count} x")),
            ("headers/HASH.json?count=2001", 400, format!("{count} 2001")),
            ("headers/HASH.json?count=-1", 400, format!("{count} -1")),
            ("headers/HASH.json?count=+1", 400, format!("{count} +1")),
            ("headers/HASH.json?count=", 400, format!("{count} ")),
            (
                "headers/a/b/c.json",
                400,
                "Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>".into(),
            ),
            ("headers/5/xx.json", 400, "Invalid hash: xx".into()),
            ("blockhashbyheight/x.json", 400, "Invalid height: x".into()),
            ("blockhashbyheight/-1.json", 400, "Invalid height: -1".into()),
            (
                "blockhashbyheight/2147483648.json",
                400,
                "Invalid height: 2147483648".into(),
            ),
            ("blockhashbyheight/1.xyz", 400, "Invalid height: 1.xyz".into()),
        ] {
            let refusal = read(path).expect_err(path);
            assert_eq!(
                (refusal.status.as_u16(), refusal.message),
                (status, message),
                "{path}"
            );
        }
    }
}
