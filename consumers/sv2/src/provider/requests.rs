//! What clients send.
//!
//! A client that has not taken its answers is not read from; one that sends a lot is answered in shares, between which others have
//! their turn; and so are all together, where answers are large.

use super::client::Stage;
use super::{Count, Doing};
use crate::body::RESERVED;
use crate::mutant::{Mutant, planted};
use crate::solution::Solution;
use crate::source::Source;
use crate::wire::{Broken, Frame, HELLO, Message, Submission};
use bytes::Bytes;
use sockman::{Conn, SockMan};
use tracing::{debug, info};

/// What any message takes of a client's share, in bytes, however short it is.
const LEAST: usize = 512;

impl<T: Source, N: SockMan> Doing<'_, T, N> {
    pub(super) fn received(&mut self, conn: Conn, data: &[u8]) -> usize {
        let mut taken = 0;
        let mut share = self.own.settings.share.max(1);
        loop {
            let unread = &data[taken..];
            let Some(client) = self.state.clients.get_mut(conn) else {
                return data.len();
            };
            let may_ask = client.may_ask();
            match (client.stage, &mut client.transport) {
                (Stage::Hello, _) => match unread.first_chunk::<HELLO>() {
                    Some(&hello) => {
                        self.hello(conn, hello);
                        return taken + HELLO;
                    }
                    None => return self.want(conn, HELLO, taken),
                },
                (Stage::Setup | Stage::Ready, Some(transport)) => {
                    if !may_ask || share == 0 {
                        if may_ask {
                            client.yielded = true;
                            self.net.post(conn, Bytes::new());
                        }
                        self.net.pause(conn);
                        return taken;
                    }
                    let opened = match transport.open(unread, self.own.settings.frame) {
                        Ok(opened) => opened,
                        Err(why) => {
                            self.broken(conn, why);
                            return data.len();
                        }
                    };
                    taken += opened.taken;
                    match opened.frame {
                        Some(frame) => share = share.saturating_sub(self.frame(conn, frame).max(LEAST)),
                        None => {
                            let wants = transport.wants();
                            return self.want(conn, wants, taken);
                        }
                    }
                }
                (Stage::Queued, _) => return taken,
                (Stage::Ending, _) | (_, None) => return data.len(),
            }
        }
    }

    /// Nothing less than so many bytes is of use. What was taken already is given back.
    fn want(&mut self, conn: Conn, bytes: usize, taken: usize) -> usize {
        // It is below what may be unread.
        let _ = self.net.want(conn, bytes);
        taken
    }

    /// Looks at what a client has sent that was not looked at before.
    pub(super) fn go_on(&mut self, conn: Conn) {
        let held = |stage| matches!(stage, Stage::Hello | Stage::Queued | Stage::Ending);
        let Some(client) = self.client(conn) else { return };
        if client.may_ask() && !held(client.stage) && !planted(Mutant::RequestForgotten) {
            self.net.resume(conn);
        }
    }

    fn broken(&mut self, conn: Conn, why: Broken) {
        let what = match why {
            Broken::Undecryptable => Count::undecryptable,
            Broken::TooLong { .. } => Count::too_long,
        };
        self.fail(conn, what, &why.to_string());
    }

    /// Does what a frame says. Gives what that took of the client's share.
    fn frame(&mut self, conn: Conn, frame: Frame) -> usize {
        self.count(Count::frames);
        let length = frame.length();
        let stage = self.client(conn).map(|client| client.stage);
        let sent = match (stage, frame.message()) {
            (_, Err(why)) => {
                self.fail(conn, Count::malformed, &why.to_string());
                0
            }
            (_, Ok(None)) => {
                self.count(Count::frames_ignored);
                0
            }
            (Some(Stage::Setup), Ok(Some(Message::SetupConnection(setup)))) => {
                self.setup(conn, setup);
                0
            }
            (Some(Stage::Ready), Ok(Some(Message::CoinbaseOutputConstraints(room)))) => {
                if let Some(client) = self.client(conn) {
                    client.room = Some(room);
                    if !planted(Mutant::ToldOnce) {
                        client.told = None;
                    }
                }
                self.look();
                self.tell(conn)
            }
            (Some(Stage::Ready), Ok(Some(Message::RequestTransactionData { template }))) => {
                self.data(conn, template)
            }
            (Some(Stage::Ready), Ok(Some(Message::SubmitSolution(found)))) => {
                self.solution(conn, &found);
                0
            }
            (_, Ok(Some(_))) => {
                self.fail(conn, Count::unexpected, "nobody may send that now");
                0
            }
        };
        length + sent
    }

    /// A client wants the transactions of a template: at once, or when it is its turn, if they are many.
    fn data(&mut self, conn: Conn, template: u64) -> usize {
        let (now, share) = (self.now, self.own.settings.share);
        let held = self
            .state
            .clients
            .get(conn)
            .and_then(|client| client.find(template, now));
        if held.is_some_and(|held| held.body.bytes() > share) {
            self.ask_large(conn, template)
        } else {
            self.answer_data(conn, template)
        }
    }

    pub(super) fn answer_data(&mut self, conn: Conn, template: u64) -> usize {
        let now = self.now;
        let Some(client) = self.state.clients.get(conn) else {
            return 0;
        };
        let Some(held) = client.find(template, now) else {
            if planted(Mutant::StaleUnanswered) && client.has_had(template) {
                return 0;
            }
            let (what, code) = if client.has_had(template) {
                (Count::data_stale, "stale-template-id")
            } else {
                (Count::data_unknown, "template-id-not-found")
            };
            self.count(what);
            let code = code.to_owned();
            return self.send(conn, &Message::RequestTransactionDataError { template, code });
        };
        let work = held.work.clone();
        let count = if planted(Mutant::AllTransactions) {
            work.transactions().len()
        } else {
            held.body.count()
        };
        let excess = if work.basis().segwit { &RESERVED[..] } else { &[] };
        let transactions = work.transactions()[..count].iter().map(|tx| &tx.bytes[..]);
        self.count(Count::data);
        self.send_sealed(conn, |transport, encoder| {
            transport.seal_data(encoder, template, excess, transactions)
        })
    }

    /// Looks whether a client has found a block, and hands it on if it has. It gets no answer: there is none in this protocol.
    fn solution(&mut self, conn: Conn, found: &Submission) {
        let now = self.now;
        let Some(client) = self.state.clients.get(conn) else {
            return;
        };
        let peer = &client.peer;
        let Some(held) = client.find(found.template, now) else {
            debug!(%peer, template = found.template, "a solution of a template that is not known");
            return self.count(Count::solutions_unknown);
        };
        match Solution::check(&held.work, &held.body, found) {
            Ok(solution) => {
                info!(%peer, hash = %solution.hash(), height = solution.height(), "a block was found");
                self.own.source.solved(solution);
                self.count(Count::solutions);
            }
            Err(why) => {
                debug!(%peer, template = found.template, %why, "a solution that is none");
                self.count(Count::solutions_refused);
            }
        }
    }
}
