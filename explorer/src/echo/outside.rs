//! What comes from outside: another thread, and crashes.

use super::Clients;
use crate::case::Run;
use fastrand::Rng;
use sockman::{Bytes, Conn, Disconnect, RemoteError, SockMan};
use sockman_backends::sim::{Fault, Host, Network, Simulated};
use std::time::Duration;

pub(super) struct Outside {
    random: Rng,
    network: Network,
    /// The server's.
    host: Host,
    /// Commands to come.
    commands: u32,
    crashes: u32,
    is_due: bool,
    restart_at: Duration,
}

/// No run has more crashes.
const MOST_CRASHES: u32 = 3;

impl Outside {
    pub(super) fn new(run: &mut Run, host: &Host) -> Outside {
        Outside {
            random: run.random.fork(),
            network: run.network.clone(),
            host: host.clone(),
            commands: run.random.u32(0..20),
            crashes: 0,
            is_due: false,
            restart_at: Duration::ZERO,
        }
    }

    /// Perhaps gives the client's loop a command.
    pub(super) fn act<B: Simulated>(&mut self, client: &Clients<B>) {
        if self.commands == 0 || self.random.u8(0..8) > 0 {
            return;
        }
        self.commands -= 1;
        let conns = client.handler().handler().conns();
        if let Some(conn) = self.random.choice(conns) {
            self.command(client, *conn);
        }
    }

    fn disconnect<B: Simulated>(client: &Clients<B>, conn: Conn, how: Disconnect) -> Result<(), RemoteError> {
        let net = client.backend().net();
        if !net.is_open(conn) && net.info(conn).is_some() {
            // That would be the end of a dial, of which the client knows nothing.
            return Ok(());
        }
        client.handler().expect_disconnect(conn);
        client.remote().disconnect(conn, how)
    }

    fn command<B: Simulated>(&mut self, client: &Clients<B>, conn: Conn) {
        let remote = client.remote();
        let done = match self.random.u8(0..8) {
            0..=3 => remote.post(conn, Bytes::from(vec![0; self.random.usize(0..3_000)])),
            4 => Self::disconnect(client, conn, Disconnect::Now),
            5 => Self::disconnect(client, conn, Disconnect::Reset),
            _ => {
                remote.wake();
                Ok(())
            }
        };
        // The queue may be full.
        self.network
            .note(format_args!("from outside to {conn}: {done:?}"));
    }

    /// Whether the server's host is to crash now, or to come back.
    pub(super) fn crash_is_due(&mut self, is_up: bool) -> bool {
        self.is_due = if is_up {
            self.crashes < MOST_CRASHES && self.network.occurs(Fault::Crash, &self.host).is_some()
        } else {
            self.network.elapsed() >= self.restart_at
        };
        self.is_due
    }

    /// Whether it crashes.
    pub(super) fn crashes(&mut self, is_up: bool) -> bool {
        let crashes = is_up && self.is_due;
        if crashes {
            self.crashes += 1;
            self.restart_at = self.network.elapsed() + Duration::from_millis(self.random.u64(0..5_000));
        }
        crashes
    }

    /// A wake that nothing else hides: everything is over, and the loop sleeps.
    pub(super) fn last_wake<B: Simulated>(&self, client: &mut Clients<B>) {
        let before = client.handler().handler().woken();
        let mut asked = false;
        let woken = self.network.run_until(client, Duration::from_secs(60), |client| {
            let is_due = client.next_deadline().is_some();
            if !asked && !is_due {
                asked = true;
                client.remote().wake();
            }
            asked && client.handler().handler().woken() > before
        });
        assert!(woken.expect("no turn fails").is_done(), "the last wake was lost");
    }
}
