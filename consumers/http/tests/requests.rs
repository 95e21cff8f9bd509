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
#[path = "requests/dialect.rs"]
mod dialect;
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
                let _ = write!(log.text, "{}", why.status_in(limits.dialect));
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

/// Keeps the names of fields: when they come, and from a copy.
#[derive(Default)]
struct Names(Vec<String>);

impl Requests for Names {
    fn head(&mut self, head: &Head<'_>, _: &[u8]) -> Flow {
        let names = |head: &Head<'_>| {
            head.fields
                .iter()
                .map(|field| field.name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.0.push(names(head));
        let saved = head
            .save()
            .with(&Limits::default(), |head| self.0.push(names(head)));
        saved.expect("right the second time");
        Flow::On
    }
    fn body(&mut self, _: &[u8]) -> Flow {
        Flow::On
    }
    fn trailers(&mut self, _: &[Header<'_>]) {}
    fn end(&mut self) -> Flow {
        Flow::On
    }
}

/// RFC 3875 section 4.1.18: `CONTENT_LENGTH` is what gateways make of a length. Nobody is to see another one that looks like it.
#[test]
fn fields_that_look_as_if_they_framed_the_body_are_left_out() {
    let many = "A: b\r\n".repeat(70);
    for (fields, expected) in [
        (
            "A: b\r\nContent_Length: 9\r\nC: d\r\nContent-Length: 0\r\n",
            "Host A C Content-Length".to_owned(),
        ),
        (
            "Transfer_Encoding: x\r\ntransfer_encoding: y\r\nX_Y: z\r\n",
            "Host X_Y".to_owned(),
        ),
        ("Content_Length: 9\r\nCONTENT_LENGTH: 9\r\n", "Host".to_owned()),
        (
            "Content-Lengths: 9\r\nAccept-Charset: a\r\n",
            "Host Content-Lengths Accept-Charset".to_owned(),
        ),
        (
            &format!("{many}content_Length: 9\r\nC: d\r\n"),
            format!("Host{} C", " A".repeat(70)),
        ),
    ] {
        let mut names = Names::default();
        let mut request = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes();
        let consumed = Decoder::new().decode(&mut request, &Limits::default(), &mut names);
        assert_eq!(consumed, Ok(request.len()));
        assert_eq!(names.0, [expected.clone(), expected]);
    }
}
