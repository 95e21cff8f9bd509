//! HTTP/1.0 and 1.1, without sockets or time.
//!
//! - this file: [`Decoder`], and [`Requests`], where requests go to
//! - `lines`: finding the end of a head, in time linear in its length however it comes
//! - `head`: what a [`Head`] is, and reading one; `field`: names, lists and tokens
//! - `target`: forms of targets; `host`: `Host`
//! - `body`: how a body's end is found; `chunked`: the chunked coding
//! - [`encode`]: heads of responses, and the framing of what follows them

mod body;
mod chunked;
pub mod encode;
mod field;
mod head;
mod host;
mod lines;
mod target;

pub use body::Length;
pub use head::{Head, Saved, Version};
pub use httparse::Header;
pub use target::Form;

use crate::limits::Limits;
use crate::reject::Reject;
use body::Body;
use lines::Lines;

/// Whether the decoder is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It is.
    On,
    /// Not before [`Decoder::decode`] is called again.
    Stop,
}

/// Where requests go to, piece by piece: for each `head`, then `body` any number of times, `trailers` if there are any, and
/// `end`.
pub trait Requests {
    /// A head is complete and right. `ahead` is what is there behind it: all or some of the body, if there is one, which comes
    /// to `body` all the same.
    fn head(&mut self, head: &Head<'_>, ahead: &[u8]) -> Flow;
    /// A piece of the body, decoded; never empty.
    fn body(&mut self, data: &[u8]) -> Flow;
    /// The trailer fields of a chunked body (RFC 9112 section 7.1.2).
    fn trailers(&mut self, fields: &[Header<'_>]);
    /// The request is complete.
    fn end(&mut self) -> Flow;
}

/// Empty lines that are ignored before a request: as many as RFC 9112 section 2.2 asks for.
const BLANK_LINES: u32 = 1;

enum State {
    /// Between two requests, or in a head.
    Head(Lines),
    Body(Body),
    /// A request was refused: nothing after it means anything.
    Refused(Reject),
}

/// Takes bytes and gives requests.
///
/// ```
/// use sockman_http::http1::{Decoder, Flow, Head, Header, Requests};
/// use sockman_http::Limits;
///
/// #[derive(Default)]
/// struct Targets(Vec<String>);
///
/// impl Requests for Targets {
///     fn head(&mut self, head: &Head<'_>, _: &[u8]) -> Flow {
///         self.0.push(head.target.to_owned());
///         Flow::On
///     }
///     fn body(&mut self, _: &[u8]) -> Flow {
///         Flow::On
///     }
///     fn trailers(&mut self, _: &[Header<'_>]) {}
///     fn end(&mut self) -> Flow {
///         Flow::On
///     }
/// }
///
/// let mut decoder = Decoder::new();
/// let mut targets = Targets::default();
/// let mut data = *b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c";
/// let consumed = decoder.decode(&mut data, &Limits::default(), &mut targets).unwrap();
/// assert_eq!(targets.0, ["/a", "/b"]);
/// assert_eq!(data.len() - consumed, "GET /c".len());
/// ```
#[derive(Default)]
pub struct Decoder {
    state: State,
    blank_lines: u32,
    refuses_head: bool,
}

impl Decoder {
    /// Before the first request.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Whether this much of a body is still to come, or less; of one that comes in chunks nobody knows.
    pub fn has_at_most(&self, bytes: u64) -> bool {
        match &self.state {
            State::Body(Body::Known(left)) => *left <= bytes,
            State::Body(Body::Chunked(_)) => false,
            State::Head(_) | State::Refused(_) => true,
        }
    }

    /// Whether the request that was refused was `HEAD`, so that its answer has no body (RFC 9110 section 9.3.2).
    pub fn refuses_head(&self) -> bool {
        self.refuses_head
    }

    /// Whether all bytes of a request were consumed, and it was stopped before it said so: then [`decode`](Decoder::decode) goes
    /// on without any more of them.
    pub fn is_at_end(&self) -> bool {
        matches!(self.state, State::Body(Body::Known(0)))
    }

    /// Whether a request has begun and is not complete.
    pub fn is_inside(&self) -> bool {
        match &self.state {
            State::Head(lines) => lines.has_begun(),
            State::Body(_) => true,
            State::Refused(_) => false,
        }
    }

    /// Takes `data`, which begins with what was not consumed the last time, and gives what is complete to `to`. Returns how
    /// many bytes were consumed. Fails when a request is refused, and again whenever it is called after that.
    ///
    /// It may change `data`. A head that is not complete is not consumed; it is not looked at twice either.
    pub fn decode(
        &mut self,
        data: &mut [u8],
        limits: &Limits,
        to: &mut impl Requests,
    ) -> Result<usize, Reject> {
        let mut consumed = 0;
        loop {
            let rest = &mut data[consumed..];
            let step = match &mut self.state {
                State::Head(_) => self.head(rest, limits, to),
                State::Body(body) => body.take(rest, limits, to),
                State::Refused(why) => return Err(*why),
            };
            match step {
                Ok(Step::Wait) => return Ok(consumed),
                Ok(Step::Took(count, flow)) => {
                    consumed += count;
                    if flow == Flow::Stop {
                        return Ok(consumed);
                    }
                }
                Ok(Step::End) => {
                    self.state = State::Head(Lines::new());
                    if to.end() == Flow::Stop {
                        return Ok(consumed);
                    }
                }
                Err(why) => {
                    let is_head = matches!(self.state, State::Head(_));
                    self.refuses_head = is_head && data[consumed..].starts_with(b"HEAD ");
                    self.state = State::Refused(why);
                    return Err(why);
                }
            }
        }
    }

    fn head(&mut self, data: &mut [u8], limits: &Limits, to: &mut impl Requests) -> Result<Step, Reject> {
        let State::Head(lines) = &mut self.state else {
            return Ok(Step::Wait);
        };
        if !lines.has_begun() {
            if data.starts_with(b"\r\n") {
                self.blank_lines += 1;
                let over = self.blank_lines > BLANK_LINES;
                return if over {
                    Err(Reject::BlankLines)
                } else {
                    Ok(Step::Took(2, Flow::On))
                };
            }
            // A CR alone may be the first half of an empty line.
            if data.is_empty() || *data == *b"\r" {
                return Ok(Step::Wait);
            }
        }
        // Most heads come whole and are right: for them the lines need not be found first.
        let quick = if lines.has_begun() {
            None
        } else {
            head::read_quickly(data, limits, |head, ahead| (head.length, to.head(head, ahead)))
        };
        let (end, (length, flow)) = match quick {
            Some(read) => read?,
            None => {
                let found = lines.find_end(data, limits);
                let Some(end) = found.map_err(|why| too_long(why, data, limits))? else {
                    return Ok(Step::Wait);
                };
                let (head, ahead) = data.split_at_mut(end);
                head::normalize_version(&mut head[..lines.first()], limits.dialect)?;
                let give = |head: &Head<'_>| (head.length, to.head(head, ahead));
                (end, head::read(head, lines.fields(), limits, give)?)
            }
        };
        self.blank_lines = 0;
        self.state = State::Body(Body::new(length));
        Ok(Step::Took(end, flow))
    }
}

/// What is wrong with a line that is too long: where not even a method has ended, there is no target to be too long.
fn too_long(why: Reject, data: &[u8], limits: &Limits) -> Reject {
    let begun = data.get(..limits.request_line).unwrap_or(data);
    if why == Reject::LineTooLong && !begun.contains(&b' ') {
        Reject::RequestLine
    } else {
        why
    }
}

impl Default for State {
    fn default() -> Self {
        State::Head(Lines::new())
    }
}

/// What became of some bytes.
enum Step {
    /// So many were consumed.
    Took(usize, Flow),
    /// More are needed.
    Wait,
    /// The request is complete.
    End,
}
