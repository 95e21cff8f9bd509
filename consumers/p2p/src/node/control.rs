//! What other threads want.

use super::Work;
use crate::state::Command;
use crate::store::Store;
use sockman::{Conn, Disconnect, SockMan};

impl<D: Store, N: SockMan> Work<'_, D, N> {
    pub(super) fn command(&mut self, command: Command) {
        match command {
            Command::Disconnect(conn) => self.part(conn, Disconnect::Now),
            Command::DropBanned => self.drop_banned(),
            Command::Ping => {
                let all: Vec<Conn> = self.state.peers.iter().map(|(conn, _)| conn).collect();
                for conn in all {
                    self.send_ping(conn);
                }
            }
            Command::Resolved { target, addresses } => self.resolved(target, addresses),
        }
    }
}
