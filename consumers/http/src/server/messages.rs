//! What other threads say.

use super::Server;
use super::counters::Count;
use super::output::Payload;
use super::queue::{Exchange, Progress};
use super::state::Receiving;
use super::work::Work;
use crate::deferred::{Flight, Message, What};
use crate::http1::encode::{self, Framing, final_status};
use crate::mutant::{Mutant, planted};
use crate::service::Service;
use bytes::Bytes;
use http::{Response, StatusCode};
use sockman::SockMan;
use std::sync::Arc;

impl<V: Service> Server<V> {
    /// Carries out what another thread has said.
    pub(super) fn message<N: SockMan>(&mut self, net: &mut N, message: Message) {
        let Message { conn, exchange, what } = message;
        match self.connections.get(conn) {
            Some(connection) if !connection.state.disconnected => {}
            _ => {
                if let What::Start(_, flight) = what {
                    flight.gone();
                }
                return;
            }
        }
        self.with(net, conn, |work| work.obey(exchange, what));
    }
}

impl<V: Service, N: SockMan> Work<'_, V, N> {
    fn obey(&mut self, mut exchange: u64, what: What) {
        if planted(Mutant::AnswersSwapped) && matches!(what, What::Respond(_)) {
            exchange = self.state.queue.front().map_or(exchange, |front| front.number);
        }
        self.state.moved = self.now;
        match what {
            What::Resume => {
                if let Receiving::Pieces { stopped, .. } = &mut self.state.receiving {
                    *stopped &= self.state.requests != exchange;
                }
            }
            What::Respond(response) => self.respond(exchange, response),
            What::Start(head, flight) => self.start(exchange, &head, flight),
            What::Piece(piece) => self.piece(exchange, piece),
            What::End { whole } => self.end_stream(exchange, whole),
            What::Dropped => {
                self.common.counters.add(Count::dropped);
                self.fail(exchange, StatusCode::INTERNAL_SERVER_ERROR, "no answer");
            }
        }
    }

    /// The head of a deferred answer, for which the exchange waits; with `length`, or one that is not known.
    fn head(
        &mut self,
        exchange: u64,
        response: &Response<()>,
        length: Option<u64>,
    ) -> Option<(Payload, Framing)> {
        let status = final_status(response.status());
        let is_final = self.is_final(exchange);
        let (common, state) = (&mut *self.common, &mut *self.state);
        let (bytes, framing, stays) = state.queue.change(exchange, |waiting| {
            if !matches!(waiting.progress, Progress::Waiting) {
                // It has been answered in the application's place.
                return None;
            }
            waiting.status = Some(status);
            waiting.terms.keep_alive &= !is_final;
            let mut bytes = Vec::with_capacity(256);
            encode::start(&mut bytes, status, common.date.text());
            bytes.extend_from_slice(&waiting.extra);
            encode::fields(&mut bytes, response.headers());
            let framing = encode::end(&mut bytes, status, waiting.terms, length);
            Some((
                bytes,
                framing,
                waiting.terms.keep_alive && framing != Framing::Close,
            ))
        })??;
        state.last |= !stays;
        if framing == Framing::Close && !planted(Mutant::CloseFollowed) {
            // Whatever followed would be taken for more of this body.
            state.queue.end_with(exchange);
        }
        common.counters.answered(status);
        Some((Payload::of(bytes), framing))
    }

    /// Whether the answer to this request is to be the last, since the server was stopped. (One that is the last for another
    /// reason has said so, or cannot: what it says must not depend on when it is made.)
    fn is_final(&self, exchange: u64) -> bool {
        self.common.draining
            && !matches!(self.state.receiving, Receiving::Blocked(_))
            && self.state.queue.is_back(exchange)
    }

    fn set(&mut self, exchange: u64, progress: Progress<V::Source>) {
        let set = |waiting: &mut Exchange<V::Source>| waiting.progress = progress;
        self.state.queue.change(exchange, set);
    }

    fn respond(&mut self, exchange: u64, response: Response<Bytes>) {
        let (parts, body) = response.into_parts();
        let head = Response::from_parts(parts, ());
        let Some((mut payload, framing)) = self.head(exchange, &head, Some(body.len() as u64)) else {
            return;
        };
        if framing != Framing::Empty || planted(Mutant::HeadHasBody) {
            payload.push(body);
        }
        self.set(exchange, Progress::Ready(payload));
    }

    /// Answers in the application's place.
    pub(super) fn fail(&mut self, exchange: u64, status: StatusCode, text: &str) {
        let is_final = self.is_final(exchange);
        let terms = self.state.queue.change(exchange, |waiting| {
            let waits = matches!(waiting.progress, Progress::Waiting);
            if waits {
                waiting.status = Some(status);
            }
            waits.then(|| (waiting.terms, std::mem::take(&mut waiting.extra)))
        });
        if let Some(Some((mut terms, extra))) = terms {
            terms.keep_alive &= !is_final;
            self.state.last |= !terms.keep_alive;
            let payload = self.error(status, text, terms, &extra);
            self.set(exchange, Progress::Ready(payload));
        }
    }

    fn start(&mut self, exchange: u64, head: &Response<()>, flight: Arc<Flight>) {
        let Some((pieces, framing)) = self.head(exchange, head, None) else {
            flight.gone();
            return;
        };
        let progress = if framing == Framing::Empty {
            // Nobody wants the body.
            flight.gone();
            Progress::Ready(pieces)
        } else {
            Progress::Written {
                pieces,
                body: 0,
                flight,
                framing,
                ended: None,
            }
        };
        self.set(exchange, progress);
    }

    fn piece(&mut self, exchange: u64, piece: Bytes) {
        self.state.queue.change(exchange, |writing| {
            let Progress::Written {
                pieces,
                body,
                framing,
                ..
            } = &mut writing.progress
            else {
                return;
            };
            *body += piece.len();
            if *framing == Framing::Chunked {
                encode::chunk_size(&mut pieces.bytes, piece.len());
                pieces.push(piece);
                pieces.bytes.extend_from_slice(b"\r\n");
            } else {
                pieces.push(piece);
            }
        });
    }

    fn end_stream(&mut self, exchange: u64, whole: bool) {
        self.state.queue.change(exchange, |writing| {
            if let Progress::Written {
                pieces,
                framing,
                ended,
                ..
            } = &mut writing.progress
            {
                *ended = Some(whole);
                if whole && *framing == Framing::Chunked {
                    pieces.bytes.extend_from_slice(encode::LAST_CHUNK);
                }
            }
        });
    }
}
