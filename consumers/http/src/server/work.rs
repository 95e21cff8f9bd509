//! What is done for one connection during one callback: requests in, answers out.

use super::access::{self, Entry};
use super::counters::Count;
use super::pump;
use super::queue::{Exchange, Progress};
use super::settings::Settings;
use super::state::{Broken, Connection, Receiving, State, Unsent};
use super::{Common, output::Payload};
use crate::http1::encode::{self, Terms};
use crate::http1::{Decoder, Flow, Form, Head, Header, Length, Requests, Saved, Version};
use crate::mutant::{Mutant, planted};
use crate::reject::Reject;
use crate::reply::{Reply, Scene};
use crate::service::{Body, Request, Service, Take, Upload};
use http::StatusCode;
use sockman::{Conn, Disconnect, Gone, SockMan};
use std::io::Write as _;
use std::time::Instant;

/// So much the kernel surely takes at once, or soon enough.
const SURELY_SENT: usize = 16 << 10;

/// Output above this leaves before more is made.
pub(super) const FLUSH: usize = 64 << 10;

/// A connection, and what its server has for all.
pub(super) struct Work<'a, V: Service, N> {
    pub(super) net: &'a mut N,
    pub(super) conn: Conn,
    pub(super) settings: &'a Settings,
    pub(super) common: &'a mut Common<V>,
    pub(super) state: &'a mut State<V::Upload, V::Source>,
    pub(super) now: Instant,
}

/// Does `work` for a connection, then sends what came of it, and sees to what is next: reading, waiting, hanging up.
pub(super) fn with<V: Service, N: SockMan, R>(
    net: &mut N,
    conn: Conn,
    (settings, common): (&Settings, &mut Common<V>),
    connection: &mut Connection<V::Upload, V::Source>,
    work: impl FnOnce(&mut Work<'_, V, N>, &mut Decoder) -> R,
) -> R {
    let now = net.now();
    common.date.refresh(now);
    let Connection { decoder, state, .. } = connection;
    let mut doing = Work {
        net,
        conn,
        settings,
        common,
        state,
        now,
    };
    let result = work(&mut doing, decoder);
    if doing.state.behind && decoder.is_at_end() && !doing.waits() && !planted(Mutant::UploadEndless) {
        // A body's last piece has stopped the decoder. No bytes may come that it would go on with.
        let _ = decoder.decode(&mut [], &settings.limits, &mut doing);
    }
    if !doing.state.queue.is_empty() || matches!(doing.state.receiving, Receiving::Blocked(_)) {
        pump::run(&mut doing, decoder);
    }
    doing.flush();
    let is_idle = doing.state.queue.is_empty() && !doing.state.behind && !decoder.is_inside();
    doing.state.last |= doing.common.called && is_idle;
    let is_over = doing.hang_up();
    if !is_over {
        doing.read_or_not();
        connection.observe(now);
        let due = connection.deadline(settings, now);
        // One that is set too early does no harm: it is set again when it passes. Most requests push theirs back.
        if let Some(due) = due
            && connection.armed.is_none_or(|armed| due < armed)
        {
            connection.armed = Some(due);
            net.set_deadline(conn, Some(due));
        }
    }
    result
}

impl<V: Service, N: SockMan> Work<'_, V, N> {
    /// Sends what there is.
    pub(super) fn flush(&mut self) {
        if self.common.out.len() > 0 {
            let was_high = self.state.high;
            if self.state.unsent == Unsent::No {
                self.state.unsent = Unsent::Perhaps;
                (self.state.taken, self.state.looked.0) = (self.now, self.now);
            }
            match self.common.out.send(self.net, self.conn) {
                Ok(sent) => {
                    self.state.high = sent.is_high() || was_high;
                    self.state.queued = sent.queued();
                }
                // A connection that is paused hears of no end: nobody but us would ever close it.
                Err(Gone) => self.state.broken = Some(Broken::Gone),
            }
            if self.state.high && !was_high {
                self.common.counters.add(Count::queue_pauses);
            }
        }
    }

    /// Whether so much waits for the client that no more is to be made for it.
    fn is_full(&self) -> bool {
        self.state.high || self.waits_enough()
    }

    fn waits_enough(&self) -> bool {
        let queue = &self.state.queue;
        !queue.is_empty() && (queue.len() >= self.settings.pipeline || queue.held() > self.settings.held)
    }

    /// Whether a request must wait for those before it. `is_whole`: all of it is there.
    fn must_wait(&self, head: &Head<'_>, is_whole: bool) -> bool {
        let queue = &self.state.queue;
        if queue.is_empty() {
            return self.state.high;
        }
        self.is_full() || !is_whole || head.expects_continue || !runs_beside(head) || !queue.is_safe()
    }

    /// Begins with the request that has waited, if it may.
    pub(super) fn unblock(&mut self, decoder: &mut Decoder) {
        let Receiving::Blocked(head) = std::mem::replace(&mut self.state.receiving, Receiving::Head) else {
            return;
        };
        let limits = &self.settings.limits;
        let begun = head.with(limits, |head| {
            let here = (head.length == Length::None).then_some(&[][..]);
            let waits = self.must_wait(head, here.is_some());
            if !waits {
                self.begin(head, here);
            }
            (waits, here.is_some())
        });
        match begun {
            Ok((true, _)) => self.state.receiving = Receiving::Blocked(head),
            // That there is no body only the decoder is left to hear of.
            Ok((false, true)) => drop(decoder.decode(&mut [], limits, self)),
            Ok((false, false)) => {}
            Err(why) => self.refuse(why, false),
        }
    }

    /// Takes up a request whose head is there, and perhaps its body: `here`.
    fn begin(&mut self, head: &Head<'_>, here: Option<&[u8]>) {
        let Common {
            service,
            mail: Some(mail),
            next_id,
            ..
        } = &mut *self.common
        else {
            return;
        };
        let request = Request {
            head,
            peer: &self.state.peer,
            id: *next_id,
            conn: self.conn,
            exchange: self.state.requests,
            key: self.state.key,
            mail,
        };
        self.state.id = *next_id;
        *next_id += 1;
        let take = service.begin(&request);
        // Nothing here depends on how much of the body has come, so that answers do not depend on how requests are split.
        let expects = head.expects_continue;
        if expects && !matches!(take, Take::Nothing) && !planted(Mutant::ContinueForgotten) {
            self.common.out.bytes.extend_from_slice(encode::CONTINUE);
        }
        self.state.receiving = match (take, here) {
            (Take::Whole, Some(body)) => {
                self.call(head, Body::Whole(body), true);
                Receiving::Served
            }
            (Take::Pieces(upload), Some(&[])) => {
                self.call(head, Body::Pieces(upload), true);
                Receiving::Served
            }
            (Take::Whole, None) => Receiving::Whole(head.save(), Vec::new()),
            (Take::Pieces(upload), _) => Receiving::Pieces {
                head: head.save(),
                upload,
                stopped: false,
            },
            (Take::Nothing, _) => {
                // A client that waits for 100 (Continue) may send its body or not: what follows cannot be told apart.
                let too_large = matches!(head.length, Length::Known(size) if size > self.settings.discard);
                if too_large {
                    self.common.counters.add(Count::discards_refused);
                }
                self.call(head, Body::Whole(&[]), !expects && !too_large);
                Receiving::Discard(self.settings.discard)
            }
        };
    }

    /// Has the application answer a request.
    fn call(&mut self, head: &Head<'_>, body: Body<'_, V::Upload>, may_stay: bool) {
        let common = &mut *self.common;
        let state = &mut *self.state;
        let id = state.id;
        let number = state.requests;
        state.requests += 1;
        let spent = self
            .settings
            .requests
            .is_some_and(|most| state.requests >= most + u64::from(planted(Mutant::OneMore)));
        if spent {
            common.counters.add(Count::requests_spent);
        }
        let Some(mail) = &common.mail else { return };
        let request = Request {
            head,
            peer: &state.peer,
            id,
            conn: self.conn,
            exchange: number,
            key: state.key,
            mail,
        };
        common.extra.clear();
        if self.settings.request_ids {
            let _ = write!(common.extra, "x-request-id: {id:016x}\r\n");
        }
        let mut entry = access::is_on().then(|| Box::new(Entry::new(&request)));
        let mut scene = Scene {
            start: common.out.bytes.len(),
            out: &mut common.out,
            own: &mut common.own,
            is_own: false,
            wait: None,
            queue: &mut state.queue,
            last: &mut state.last,
            terms: Terms {
                version: head.version,
                is_head: head.method == "HEAD",
                keep_alive: head.keep_alive && may_stay && !spent && !common.draining,
            },
            date: &common.date,
            counters: &common.counters,
            mail,
            conn: self.conn,
            number,
            is_safe: runs_beside(head),
            now: self.now,
            extra: &mut common.extra,
            entry: &mut entry,
        };
        let reply = Reply { scene: &mut scene };
        let _ = common.service.call(&request, body, reply);
        if self.common.out.len() > FLUSH {
            self.flush();
        }
    }

    fn call_saved(&mut self, head: &Saved, body: Body<'_, V::Upload>) {
        let called = head.with(&self.settings.limits, |head| self.call(head, body, true));
        if let Err(why) = called {
            self.refuse(why, false);
        }
    }

    /// Answers a request that is refused, as the last one; `is_head`: it was `HEAD`.
    pub(super) fn refuse(&mut self, why: Reject, is_head: bool) {
        self.common.counters.rejected(why);
        let status = StatusCode::from_u16(why.status_in(self.settings.limits.dialect));
        self.give_up(
            status.unwrap_or(StatusCode::BAD_REQUEST),
            &why.to_string(),
            is_head,
        );
    }

    /// The body that was collected is there no more.
    pub(super) fn release(&mut self) {
        self.common.collected -= std::mem::take(&mut self.state.collected);
    }

    /// Answers with an error of the server's own, as the last answer; `is_head`: the request is known to be `HEAD`.
    pub(super) fn give_up(&mut self, status: StatusCode, text: &str, is_head: bool) {
        let receiving = std::mem::replace(&mut self.state.receiving, Receiving::Head);
        self.release();
        self.state.last = !planted(Mutant::ErrorSurvived);
        let is_head = match receiving {
            // This request has its answer, or will have it: another would be taken for the next one's.
            Receiving::Discard(_) if !planted(Mutant::AnsweredTwice) => return,
            Receiving::Whole(head, _) | Receiving::Pieces { head, .. } => head.is_head(),
            _ => is_head,
        };
        let terms = Terms {
            is_head,
            ..Terms::LAST
        };
        let payload = self.error(status, text, terms, &[]);
        access::refused(&self.state.peer, status, text);
        if self.state.queue.is_empty() {
            self.common.out.append(payload);
        } else {
            let number = self.state.requests;
            self.state.requests += 1;
            self.state.queue.push(Exchange {
                number,
                terms,
                is_safe: true,
                begun: self.now,
                status: Some(status),
                extra: Vec::new(),
                entry: None,
                progress: Progress::Ready(payload),
            });
        }
    }

    /// An error of the server's own: its text is its body.
    pub(super) fn error(&self, status: StatusCode, text: &str, terms: Terms, extra: &[u8]) -> Payload {
        self.common.counters.answered(status);
        let body = format!("{}: {text}\n", status.as_str());
        let mut bytes = Vec::new();
        encode::start(&mut bytes, status, self.common.date.text());
        bytes.extend_from_slice(extra);
        bytes.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\n");
        if encode::end(&mut bytes, status, terms, Some(body.len() as u64)) != encode::Framing::Empty {
            bytes.extend_from_slice(body.as_bytes());
        }
        Payload::of(bytes)
    }

    /// Hangs up if there is nothing left to say. Tells whether that is so.
    fn hang_up(&mut self) -> bool {
        let how = match self.state.broken {
            Some(Broken::Gone) => Disconnect::Now,
            Some(Broken::Hides) => Disconnect::Reset,
            Some(Broken::Shows) => self.lingering(),
            None if self.state.last && self.state.queue.is_empty() => {
                if !self.finish() {
                    return self.state.disconnected;
                }
                self.lingering()
            }
            None if self.state.last && planted(Mutant::HangsUpEarly) => self.lingering(),
            None => return self.state.disconnected,
        };
        self.disconnect(how);
        true
    }

    /// Sees that the last answer is sent, and tells whether it is. (A slow client may need longer for that than it may linger, and
    /// is as welcome to that time as before.)
    fn finish(&mut self) -> bool {
        if !self.state.finished && self.state.queued <= SURELY_SENT {
            return true;
        }
        if self.state.finished {
            self.look();
        } else {
            self.state.finished = true;
            (self.state.looked.0, self.state.looks) = (self.now, 0);
            self.net.finish(self.conn);
        }
        self.state.unsent == Unsent::No
    }

    fn lingering(&self) -> Disconnect {
        Disconnect::Flush {
            within: self.settings.linger,
        }
    }

    pub(super) fn disconnect(&mut self, how: Disconnect) {
        self.state.disconnected = true;
        self.state.queue.abandon(self.now);
        self.net.disconnect(self.conn, how);
    }

    /// Whether the request that is being received waits: for earlier answers, or for the application.
    fn waits(&self) -> bool {
        matches!(
            self.state.receiving,
            Receiving::Blocked(_) | Receiving::Pieces { stopped: true, .. }
        )
    }

    /// Stops reading while there is no room for what would come of it, or goes on.
    fn read_or_not(&mut self) {
        let waits = self.waits_enough();
        let throws_away = self.state.last || matches!(self.state.receiving, Receiving::Discard(_));
        let blocked = self.waits() || !throws_away && (self.state.high || waits);
        if blocked && !self.state.paused {
            if waits {
                self.common.counters.add(Count::pipeline_pauses);
            }
            self.net.pause(self.conn);
        } else if !blocked && (self.state.paused || self.state.behind) {
            // (Without a pause too: what stopped the decoder may be over at once, and no more bytes may come.)
            self.net.resume(self.conn);
            self.state.behind = false;
        }
        self.state.paused = blocked;
    }
}

/// Whether a request may run beside others: if its method changes nothing (RFC 9110 section 9.2.1). Not in HTTP/1.0, where an
/// answer of unknown length ends with the connection.
fn runs_beside(head: &Head<'_>) -> bool {
    head.version == Version::V11 && matches!(head.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

impl<V: Service, N: SockMan> Requests for Work<'_, V, N> {
    fn head(&mut self, head: &Head<'_>, ahead: &[u8]) -> Flow {
        self.common.counters.add(Count::requests);
        // Each request has its own time.
        (self.state.head_begun, self.state.period) = (None, None);
        if head.form == Form::Authority {
            self.refuse(Reject::Tunnel, false);
            return Flow::Stop;
        }
        let here = match head.length {
            Length::None => Some(&[][..]),
            Length::Known(size) => usize::try_from(size).ok().and_then(|size| ahead.get(..size)),
            Length::Chunked => None,
        };
        if self.must_wait(head, here.is_some()) {
            self.state.receiving = Receiving::Blocked(head.save());
            return self.stop();
        }
        self.begin(head, here);
        Flow::On
    }

    fn body(&mut self, data: &[u8]) -> Flow {
        self.state.body_bytes += data.len() as u64;
        match &mut self.state.receiving {
            Receiving::Whole(..) if self.common.collected + data.len() > self.settings.bodies => {
                self.common.counters.add(Count::bodies_refused);
                let text = "too much is being received from all clients";
                self.give_up(StatusCode::SERVICE_UNAVAILABLE, text, false);
            }
            Receiving::Whole(_, body) => {
                body.extend_from_slice(data);
                self.state.collected += data.len();
                self.common.collected += data.len();
            }
            Receiving::Pieces { upload, stopped, .. } => {
                if upload.piece(data) == Flow::Stop {
                    *stopped = true;
                    return self.stop();
                }
            }
            Receiving::Discard(left) => match left.checked_sub(data.len() as u64) {
                Some(less) => *left = less,
                None if self.state.last || planted(Mutant::DiscardUnbounded) => {}
                None => {
                    self.common.counters.add(Count::discards_refused);
                    self.state.last = true;
                }
            },
            Receiving::Head | Receiving::Blocked(_) | Receiving::Served => {}
        }
        self.flow()
    }

    fn trailers(&mut self, _: &[Header<'_>]) {}

    fn end(&mut self) -> Flow {
        match std::mem::replace(&mut self.state.receiving, Receiving::Head) {
            Receiving::Whole(head, body) => {
                self.call_saved(&head, Body::Whole(&body));
                self.release();
            }
            Receiving::Pieces { head, upload, .. } => self.call_saved(&head, Body::Pieces(upload)),
            Receiving::Head | Receiving::Blocked(_) | Receiving::Discard(_) | Receiving::Served => {}
        }
        if self.is_full() { self.stop() } else { self.flow() }
    }
}

impl<V: Service, N> Work<'_, V, N> {
    /// Stops the decoder for now.
    fn stop(&mut self) -> Flow {
        self.state.behind = !planted(Mutant::DecoderForgotten);
        Flow::Stop
    }

    /// After the last answer nothing means anything any more.
    fn flow(&self) -> Flow {
        if self.state.last { Flow::Stop } else { Flow::On }
    }
}
