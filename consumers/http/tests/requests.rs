//! What the decoder makes of requests, right and wrong: each case whole, split at every byte, and byte by byte.

/// Makes a test of each case.
macro_rules! cases {
    ($($section:literal { $($name:ident: $bytes:expr => $expected:expr;)* })*) => {
        $($(
            #[test]
            fn $name() {
                crate::check(stringify!($name), $bytes, $expected);
            }
        )*)*
    };
}

#[path = "requests/cases.rs"]
mod cases;
#[path = "requests/limits.rs"]
mod limits;

use sockman_http::Limits;
use sockman_http::http1::{Decoder, Flow, Form, Head, Header, Length, Requests, Version};
use std::fmt::Write as _;

/// Writes down what comes.
#[derive(Default)]
struct Log {
    text: String,
    body: Vec<u8>,
}

impl Requests for Log {
    fn head(&mut self, head: &Head<'_>, _: &[u8]) -> Flow {
        let version = if head.version == Version::V10 {
            "1.0"
        } else {
            "1.1"
        };
        let keep = if head.keep_alive { "keep" } else { "close" };
        let _ = write!(self.text, "{} {} {version} {keep}", head.method, head.target);
        if head.form != Form::Origin {
            let _ = write!(self.text, " {:?} for {}", head.form, head.authority());
        }
        match head.length {
            Length::None => {}
            Length::Known(count) => drop(write!(self.text, " {count}")),
            Length::Chunked => self.text.push_str(" chunked"),
        }
        if head.expects_continue {
            self.text.push_str(" continue");
        }
        Flow::On
    }

    fn body(&mut self, data: &[u8]) -> Flow {
        assert!(!data.is_empty());
        self.body.extend_from_slice(data);
        Flow::On
    }

    fn trailers(&mut self, fields: &[Header<'_>]) {
        for field in fields {
            let value = String::from_utf8_lossy(field.value);
            let _ = write!(self.text, " +{}={value}", field.name);
        }
    }

    fn end(&mut self) -> Flow {
        if !self.body.is_empty() {
            let _ = write!(self.text, " '{}'", String::from_utf8_lossy(&self.body));
        }
        self.body.clear();
        self.text.push_str("; ");
        Flow::On
    }
}

/// What comes of these bytes when they arrive in pieces that end at these places: the requests, and then the status of a
/// refusal or `…` where one is not complete.
fn decode(bytes: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> String {
    let mut decoder = Decoder::new();
    let mut log = Log::default();
    let (mut unread, mut arrived) = (Vec::new(), 0);
    for end in ends.into_iter().chain([bytes.len()]) {
        unread.extend_from_slice(&bytes[arrived..end]);
        arrived = end;
        match decoder.decode(&mut unread, limits, &mut log) {
            Ok(consumed) => drop(unread.drain(..consumed)),
            Err(why) => {
                assert_eq!(
                    decoder.decode(&mut unread, limits, &mut log),
                    Err(why),
                    "a refusal is final"
                );
                let _ = write!(log.text, "{}", why.status());
                // What of a body came before the refusal depends on how it came.
                return log.text;
            }
        }
    }
    if decoder.is_inside() {
        log.text.push('…');
    } else {
        assert!(
            unread.is_empty() || unread == b"\r",
            "{} bytes are left",
            unread.len()
        );
    }
    log.text.trim_end().to_owned()
}

/// Checks one case in all the ways it can come.
fn check(name: &str, bytes: &[u8], expected: &str) {
    check_with(name, bytes, expected, &Limits::default());
}

fn check_with(name: &str, bytes: &[u8], expected: &str, limits: &Limits) {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    assert_eq!(decode(bytes, [], limits), expected, "{name}: {:?}", shown());
    if bytes.len() <= 4096 {
        for cut in 1..bytes.len() {
            assert_eq!(
                decode(bytes, [cut], limits),
                expected,
                "{name}, split at {cut}: {:?}",
                shown()
            );
        }
        assert_eq!(
            decode(bytes, 1..bytes.len(), limits),
            expected,
            "{name}, byte by byte"
        );
    } else {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..64 {
            let cut = random.usize(1..bytes.len());
            assert_eq!(decode(bytes, [cut], limits), expected, "{name}, split at {cut}");
        }
    }
}
