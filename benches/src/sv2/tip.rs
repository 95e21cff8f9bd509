//! The client that is told of tips.

use super::client::Client;
use crate::Failure;
use crate::wake::Peer;
use sockman_sv2::wire::Chance;
use std::net::SocketAddr;

impl Peer for Client {
    /// It waits until it has a template, so that it is told of every tip from then on.
    fn connect(at: SocketAddr, awake: bool, _: &mut dyn FnMut()) -> Result<Client, Failure> {
        let mut client = Client::ready(at, awake, &mut Chance::new([3; 32]))?;
        client.begin()?;
        Ok(client)
    }

    fn receive(&mut self) -> Result<(), Failure> {
        self.told().map(drop)
    }
}
