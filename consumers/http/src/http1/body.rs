//! How a body's end is found (RFC 9112 section 6.3).

use super::chunked::Chunked;
use super::field::members;
use super::head::Version;
use super::{Flow, Requests, Step};
use crate::limits::{Dialect, Limits};
use crate::reject::Reject;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// There is none, or an empty one.
    None,
    /// So many bytes.
    Known(u64),
    /// Chunk by chunk.
    Chunked,
}

/// What the fields say of the length.
#[derive(Default)]
pub(super) struct Framing {
    content_length: Option<u64>,
    has_codings: bool,
    /// The last coding is `chunked`.
    is_chunked: bool,
    /// There are codings that are not.
    has_others: bool,
}

impl Framing {
    /// A number, once. (A list of equal numbers may be taken for one; none is safer.)
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), Reject> {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(value)
            .ok()
            .filter(|_| digits)
            .and_then(|text| text.parse().ok());
        match (self.content_length, number) {
            (None, Some(number)) => {
                self.content_length = Some(number);
                Ok(())
            }
            _ => Err(Reject::ContentLength),
        }
    }

    pub(super) fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Reject> {
        self.has_codings = true;
        for coding in members(value) {
            // After `chunked` nothing may come, not even itself.
            if self.is_chunked {
                return Err(Reject::TransferEncoding);
            }
            self.is_chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.has_others |= !self.is_chunked;
        }
        Ok(())
    }

    /// Whether there are two lengths. A strict reader refuses them.
    pub(super) fn is_contradictory(&self) -> bool {
        self.content_length.is_some() && self.has_codings
    }

    pub(super) fn length(&self, version: Version, limits: &Limits) -> Result<Length, Reject> {
        match (self.content_length, self.has_codings) {
            (Some(_), true) if limits.dialect == Dialect::Strict => Err(Reject::BothLengths),
            (_, true) if version == Version::V10 || !self.is_chunked => Err(Reject::TransferEncoding),
            (_, true) if self.has_others => Err(Reject::Coding),
            (_, true) => Ok(Length::Chunked),
            (None | Some(0), false) => Ok(Length::None),
            (Some(count), false) if count > limits.body => Err(Reject::BodyTooLarge),
            (Some(count), false) => Ok(Length::Known(count)),
        }
    }
}

/// A body that is under way.
pub(super) enum Body {
    /// So many bytes are still to come.
    Known(u64),
    Chunked(Chunked),
}

impl Body {
    pub(super) fn new(length: Length) -> Body {
        match length {
            Length::None => Body::Known(0),
            Length::Known(count) => Body::Known(count),
            Length::Chunked => Body::Chunked(Chunked::new()),
        }
    }

    pub(super) fn take(
        &mut self,
        data: &[u8],
        limits: &Limits,
        to: &mut impl Requests,
    ) -> Result<Step, Reject> {
        match self {
            Body::Known(0) => Ok(Step::End),
            Body::Known(_) if data.is_empty() => Ok(Step::Wait),
            Body::Known(left) => {
                let (count, flow) = take_piece(left, data, to);
                Ok(Step::Took(count, flow))
            }
            Body::Chunked(chunked) => chunked.take(data, limits, to),
        }
    }
}

/// Gives away what is there of so many bytes, which must be some; how many that were.
pub(super) fn take_piece(left: &mut u64, data: &[u8], to: &mut impl Requests) -> (usize, Flow) {
    let count = data.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= count as u64;
    (count, to.body(&data[..count]))
}
