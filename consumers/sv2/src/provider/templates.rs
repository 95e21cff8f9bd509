//! What clients are told.

use super::client::{Stage, Told};
use super::handler::TEMPLATES;
use super::{Count, Doing};
use crate::body::Body;
use crate::mutant::{Mutant, planted};
use crate::source::Source;
use crate::wire::{Message, PrevHash};
use crate::work::Work;
use bitcoin::Target;
use bitcoin::hashes::Hash;
use sockman::{Conn, SockMan};
use std::sync::Arc;
use std::time::Instant;

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    /// Asks the source, and tells all clients if there is something new.
    pub(super) fn look(&mut self) {
        let Some(work) = self.own.source.work() else {
            return;
        };
        if self
            .own
            .latest
            .as_ref()
            .is_some_and(|latest| Arc::ptr_eq(latest, &work))
        {
            return;
        }
        self.own.latest = Some(work);
        self.tell_all();
    }

    fn tell_all(&mut self) {
        let told = self.state.clients.iter().filter(|(_, client)| {
            let quiet = planted(Mutant::OnlyTheBusy) && client.kept() > 0;
            client.room.is_some() && !quiet
        });
        let told: Vec<Conn> = told.map(|(conn, _)| conn).collect();
        for conn in told {
            if planted(Mutant::OneDelaysAll) && self.client(conn).is_some_and(|client| client.high) {
                return;
            }
            self.tell(conn);
        }
    }

    /// Tells a client what there is to mine, if it does not know or it is worth it: at once if it is to build on another block, and
    /// otherwise at most every [`Settings::interval`](crate::Settings::interval), if it pays
    /// [`Settings::fee_delta`](crate::Settings::fee_delta) more. Gives what that took of the client's share.
    pub(super) fn tell(&mut self, conn: Conn) -> usize {
        let Some(work) = self.own.latest.clone() else {
            return 0;
        };
        let (delta, interval) = (self.own.settings.fee_delta, self.own.settings.interval);
        // Whether it takes what it is sent or not: it is forgotten.
        self.outdate(conn, &work);
        let now = self.now;
        let Some(client) = self.state.clients.get_mut(conn) else {
            return 0;
        };
        let Some(room) = client.room.filter(|_| client.stage == Stage::Ready) else {
            return 0;
        };
        if client.high {
            client.behind = true;
            self.count(Count::behind);
            return 0;
        }
        let Some(count) = work.count(room) else {
            self.fail(conn, Count::no_room, "its outputs leave no room for anything");
            return 0;
        };
        let is_known = match &client.told {
            Some(told) if told.work.follows(&work) => {
                if Arc::ptr_eq(&told.work, &work) || work.value(count) < told.value.saturating_add(delta) {
                    return 0;
                }
                let next = told.at + interval;
                if now < next && !planted(Mutant::Impatient) {
                    self.arm(next);
                    return 0;
                }
                true
            }
            _ => false,
        };
        // Numbers rise by one.
        let early = client
            .last()
            .filter(|_| !is_known && planted(Mutant::PrevHashFirst));
        if let Some(last) = early {
            self.send_prev_hash(conn, &work, last + 1);
        }
        let (body, is_new) = work.body(count);
        let hashed = if is_new { self.own.settings.share } else { 0 };
        let (template, mut sent) = self.send_template(conn, &work, &body, !is_known);
        if !is_known {
            sent += self.send_prev_hash(conn, &work, template);
        }
        hashed + sent
    }

    /// What a client has of other tips is forgotten, in a while.
    fn outdate(&mut self, conn: Conn, work: &Work) {
        let until = self.now + self.own.settings.stale_for;
        let until = if planted(Mutant::StaleAtOnce) {
            self.now
        } else {
            until
        };
        if self
            .client(conn)
            .is_some_and(|client| client.outdate(until, work))
        {
            self.arm(until);
        }
    }

    /// Sends a template, and gives its number and the bytes of its frame. It is kept first: the client may ask for it as soon as it has
    /// it.
    fn send_template(
        &mut self,
        conn: Conn,
        work: &Arc<Work>,
        body: &Arc<Body>,
        future: bool,
    ) -> (u64, usize) {
        let (most, at) = (self.own.settings.templates, self.now);
        let Some(client) = self.client(conn) else {
            return (0, 0);
        };
        let template = client.keep(work, body, future, most);
        client.told = Some(Told {
            work: work.clone(),
            value: body.value(),
            at,
        });
        self.own.number = self.own.number.max(template);
        self.count(Count::templates);
        let sent = self.send(conn, &Message::NewTemplate(body.template(template, future)));
        (template, sent)
    }

    fn send_prev_hash(&mut self, conn: Conn, work: &Work, template: u64) -> usize {
        let basis = work.basis();
        let now = self.own.settings.clock.unix(self.now);
        let message = Message::SetNewPrevHash(PrevHash {
            template,
            hash: basis.prev_hash.to_byte_array(),
            time: u32::try_from(now).unwrap_or(u32::MAX).max(basis.least_time),
            bits: basis.bits.to_consensus(),
            target: Target::from_compact(basis.bits).to_le_bytes(),
        });
        self.count(Count::prev_hashes);
        self.send(conn, &message)
    }

    /// The timer: there may be better templates for some, and old ones to forget.
    pub(super) fn review(&mut self) {
        self.own.armed = None;
        if !planted(Mutant::LaterNever) {
            self.tell_all();
        }
        let now = self.now;
        let clients = self.state.clients.iter_mut();
        let next = clients.filter_map(|(_, client)| client.prune(now)).min();
        if let Some(next) = next {
            self.arm(next);
        }
    }

    fn arm(&mut self, at: Instant) {
        if self.own.stopping {
            return;
        }
        match self.own.armed {
            // It is looked at again then; that is early enough.
            Some((armed, _)) if armed <= at => return,
            Some((_, timer)) => self.net.cancel(timer),
            None => {}
        }
        self.own.armed = Some((at, self.net.set_timer(at, TEMPLATES)));
    }
}
