//! The HTTP server, fed any bytes in any pieces, under any faults: it answers with what is HTTP, and what it answers, and to what,
//! does not depend on how the bytes were split. The first four bytes of an input say how it is fed, the others are what.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockman_explorer::feed::{End, Input, Likely, Piece, feed_masked};
use sockman_http::http::{Response, StatusCode};
use sockman_http::{
    Answered, Body, Clock, Flow, Limits, Pull, Reply, Request, Resumer, Server, Service, Settings, Source,
    Take, Upload,
};
use std::time::{Duration, UNIX_EPOCH};

/// Answers in a way that the first letter of the path tells.
#[derive(Default)]
struct App {
    /// What it was asked.
    calls: Vec<String>,
}

impl Service for App {
    type Upload = Stopping;
    type Source = Letters;

    fn begin(&mut self, request: &Request<'_>) -> Take<Stopping> {
        match request.path().as_bytes().get(1) {
            Some(b'u') => Take::Pieces(Stopping {
                resumer: request.resumer(),
                bytes: Vec::new(),
            }),
            Some(b'n') => Take::Nothing,
            _ => Take::Whole,
        }
    }

    fn call(
        &mut self,
        request: &Request<'_>,
        body: Body<'_, Stopping>,
        reply: Reply<'_, Letters>,
    ) -> Answered {
        let body = match body {
            Body::Whole(bytes) => bytes.to_vec(),
            Body::Pieces(upload) => upload.bytes,
        };
        let target = request.head().target;
        self.calls
            .push(format!("{} {target} {}", request.method(), body.escape_ascii()));
        match request.path().as_bytes().get(1) {
            Some(b'd') => {
                let (deferred, answered) = reply.defer();
                deferred.respond(Response::new(body.into()));
                answered
            }
            Some(b'x') => reply.defer().1,
            Some(b'w') => {
                let (deferred, answered) = reply.defer();
                let mut writer = deferred.stream(Response::new(()), 100);
                let _ = writer.send(body.into());
                writer.finish();
                answered
            }
            Some(b's') => reply.ok().stream(Letters(3), None),
            Some(b'k') => reply.ok().stream(Letters(3), Some(30)),
            Some(b'a') => reply.ok().after(Duration::from_millis(3)).text("later"),
            Some(b'4') => reply.status(StatusCode::NO_CONTENT).empty(),
            Some(b'l') => reply.ok().send_bytes(vec![b'l'; 20_000].into()),
            Some(b'c') => reply.close().text("closing"),
            _ => reply.ok().send(&body),
        }
    }
}

/// Takes a body in pieces, and stops at each that ends with an `s`, until it is told at once to go on.
struct Stopping {
    resumer: Resumer,
    bytes: Vec<u8>,
}

impl Upload for Stopping {
    fn piece(&mut self, data: &[u8]) -> Flow {
        self.bytes.extend_from_slice(data);
        if data.ends_with(b"s") {
            self.resumer.resume();
            return Flow::Stop;
        }
        Flow::On
    }
}

/// Gives ten letters so often.
struct Letters(u8);

impl Source for Letters {
    fn pull(&mut self, to: &mut Vec<u8>) -> Pull {
        to.extend_from_slice(&[b'a' + self.0; 10]);
        self.0 -= 1;
        match self.0 {
            0 => Pull::End,
            1 => Pull::After(Duration::from_millis(2)),
            _ => Pull::More,
        }
    }
}

fn server() -> Server<App> {
    // No time is over before the connection must have ended.
    let long = Duration::from_secs(100_000);
    // Bounds are small, so that they are met.
    let settings = Settings {
        limits: Limits {
            request_line: 100,
            head: 300,
            fields: 10,
            body: 200,
            chunk_line: 20,
            extensions: 30,
            trailers: 50,
            ..Limits::default()
        },
        head_within: long,
        body_stall: long,
        response_stall: long,
        idle: long,
        pipeline: 3,
        held: 1_000,
        discard: 20,
        requests: Some(20),
        clock: Clock::Since(UNIX_EPOCH + Duration::from_secs(784_111_777)),
        ..Settings::default()
    };
    Server::new(App::default(), settings)
}

/// Where the value of a `date` is, other digits or letters may be.
fn mask(heard: &mut [u8]) {
    const DATE: &[u8] = b"\r\ndate: ";
    for place in 0..heard.len() {
        if heard[place..].starts_with(DATE) {
            let value = place + DATE.len();
            let end = heard.len().min(value + "Sun, 06 Nov 1994 08:49:37 GMT".len());
            heard[value..end].fill(b'*');
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([size, end, fault, one_in], bytes)) = data.split_first_chunk::<4>() else {
        return;
    };
    let pieces = bytes.chunks(usize::from(*size).max(1)).map(|bytes| Piece {
        bytes: bytes.to_vec(),
        pause: size % 3,
    });
    let faults = (*one_in > 0).then_some(Likely {
        fault: *fault,
        one_in: *one_in,
    });
    let input = Input {
        pieces: pieces.collect(),
        end: match end % 8 {
            0 => End::Close,
            1 => End::Reset,
            _ => End::Finish,
        },
        seed: u64::from(*end),
        faults: faults.into_iter().collect(),
    };
    let answer = feed_masked(server, |server| server.service().calls.clone(), mask, &input);
    if input.end == End::Finish {
        assert!(answer.heard.is_empty() || answer.heard.starts_with(b"HTTP/1.1 "));
        let heads = answer
            .heard
            .windows(b"\r\ndate: ".len())
            .filter(|bytes| *bytes == b"\r\ndate: ");
        assert!(heads.count() >= answer.known.len(), "a request has no answer");
    }
});
