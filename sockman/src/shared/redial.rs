//! Connecting to others.

use crate::endpoint::Endpoint;
use crate::handler::{Origin, OriginKind};
use crate::id::Conn;
use crate::mutant::{Mutant, planted};
use crate::options::DialOptions;
use crate::reason::DialError;
use crate::shared::conn::Phase;
use crate::shared::interface::Interface;
use crate::shared::net::Net;
use std::io;
use std::time::{Duration, Instant};

/// A dial that could not even start (a Unix listener's backlog was full) and is to be tried again.
pub(super) struct Redial {
    conn: Conn,
    to: Endpoint,
    how: DialOptions,
    pub(super) at: Instant,
    pause: Duration,
}

/// The first pause before a dial is started again; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(50);

impl<I: Interface> Net<I> {
    pub(super) fn start_dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn> {
        let limits = self.core.limits_of(how.limits.as_ref())?;
        let room = self.core.has_room();
        let origin = Origin {
            key: how.key,
            how: OriginKind::Dialed,
            peer: to.clone(),
        };
        let conn = self.enter(I::absent(), Phase::Dialing, origin, limits)?;
        tracing::debug!(%conn, %to, "dialling");
        if room {
            let by = self.core.now.checked_add(how.timeout);
            self.core.timers.set_deadline(conn, by);
            self.connect(conn, to, how, FIRST_PAUSE);
        } else {
            let full = io::Error::new(io::ErrorKind::QuotaExceeded, "Config::max_connections are open");
            self.core.fail_dial(conn, DialError::Failed(full));
        }
        Ok(conn)
    }

    fn connect(&mut self, conn: Conn, to: &Endpoint, how: &DialOptions, pause: Duration) {
        match I::dial(self, conn, to, how) {
            Ok(true) => {
                if let Some(c) = self.core.conns.get_mut(conn) {
                    c.phase = Phase::Opening;
                }
                self.core.make_ready(conn);
            }
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let at = self.core.now + pause;
                self.redials.push(Redial {
                    conn,
                    to: to.clone(),
                    how: how.clone(),
                    at,
                    pause,
                });
            }
            Err(error) => self.core.fail_dial(conn, DialError::from_error(error)),
        }
    }

    /// Starts again the dials whose pause is over.
    pub(super) fn redial(&mut self) {
        if self.redials.is_empty() {
            return;
        }
        for redial in std::mem::take(&mut self.redials) {
            let over = self
                .core
                .conns
                .get(redial.conn)
                .is_none_or(|c| c.phase != Phase::Dialing);
            if over {
                continue;
            }
            if redial.at <= self.core.now {
                self.connect(
                    redial.conn,
                    &redial.to,
                    &redial.how,
                    (redial.pause * 2).min(LAST_PAUSE),
                );
            } else {
                self.redials.push(redial);
            }
        }
    }

    /// A dial has been answered, or not yet (`Ok(false)`).
    pub fn dialed(&mut self, conn: Conn, answer: io::Result<bool>) {
        let Some(c) = self.core.conns.get_mut(conn) else {
            return;
        };
        if c.phase != Phase::Dialing {
            return;
        }
        match answer {
            Ok(true) if planted(Mutant::DialsFail) && c.key % 3 == 0 => {
                let refused = io::ErrorKind::ConnectionRefused.into();
                self.core.fail_dial(conn, DialError::from_error(refused));
            }
            Ok(true) => c.phase = Phase::Opening,
            Ok(false) => {}
            Err(error) => self.core.fail_dial(conn, DialError::from_error(error)),
        }
    }
}
