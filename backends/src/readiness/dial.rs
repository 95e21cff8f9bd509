//! Connecting to others.

use super::kernel::{Interest, Kernel};
use super::net::Net;
use sockman::shared::Phase;
use sockman::{Conn, DialError, DialOptions, Endpoint, Origin, OriginKind};
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

impl<K: Kernel> Net<K> {
    pub(super) fn start_dial(&mut self, to: &Endpoint, how: &DialOptions) -> io::Result<Conn> {
        let limits = self.core.limits_of(how.limits.as_ref())?;
        let room = self.core.has_room();
        let origin = Origin {
            key: how.key,
            how: OriginKind::Dialed,
            peer: to.clone(),
        };
        let conn = self.enter(None, Phase::Dialing, origin, limits)?;
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
        match self.kernel.dial(to, how, &mut self.core.stats.syscalls) {
            Ok((socket, connected)) => {
                if let Some(c) = self.core.conns.get_mut(conn) {
                    c.io.socket = Some(socket);
                    if connected {
                        c.phase = Phase::Opening;
                    }
                }
                match self.register(conn, Interest::WRITE) {
                    Ok(()) if connected => self.core.make_ready(conn),
                    Ok(()) => {}
                    Err(error) => self.core.fail_dial(conn, DialError::Failed(error)),
                }
            }
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
        for redial in std::mem::take(&mut self.redials) {
            if self
                .core
                .conns
                .get(redial.conn)
                .is_none_or(|c| c.phase != Phase::Dialing)
            {
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

    /// An event on a socket that is connecting.
    pub(super) fn check_dial(&mut self, conn: Conn) {
        let Some(c) = self.core.conns.get_mut(conn) else {
            return;
        };
        let Some(socket) = &c.io.socket else { return };
        match self.kernel.dialed(socket, &mut self.core.stats.syscalls) {
            Ok(true) => c.phase = Phase::Opening,
            Ok(false) => {}
            Err(error) => self.core.fail_dial(conn, DialError::from_error(error)),
        }
    }
}
