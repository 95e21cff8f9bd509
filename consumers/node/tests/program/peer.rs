//! The other end of a connection, TCP or Unix.

use crate::server::PATIENCE;
use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

/// The client's end of a connection.
pub(crate) trait Peer: Read + Write + Send + Debug {
    /// Half-closes it.
    fn finish(&self);
    /// Another handle on the same socket.
    fn another(&self) -> Box<dyn Peer>;
}

/// Connects to an address as the server prints it.
pub(crate) fn connect(at: &str) -> Box<dyn Peer> {
    if let Some(path) = at.strip_prefix("unix:") {
        let peer = UnixStream::connect(path).expect("the server listens");
        peer.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Box::new(peer)
    } else {
        let peer = TcpStream::connect(at).expect("the server listens");
        peer.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Box::new(peer)
    }
}

macro_rules! peer {
    ($stream:ty) => {
        impl Peer for $stream {
            fn finish(&self) {
                self.shutdown(Shutdown::Write).expect("it is connected");
            }
            fn another(&self) -> Box<dyn Peer> {
                Box::new(self.try_clone().expect("a descriptor"))
            }
        }
    };
}

peer!(TcpStream);
peer!(UnixStream);

/// Sends `text` and expects it back.
pub(crate) fn ping(peer: &mut dyn Peer, text: &[u8]) {
    peer.write_all(text).expect("the server reads");
    let mut back = vec![0; text.len()];
    peer.read_exact(&mut back).expect("the server answers");
    assert_eq!(back, text);
}

/// Expects that the server closes the connection without sending anything more.
pub(crate) fn expect_end(peer: &mut dyn Peer) {
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("an orderly end");
    assert!(rest.is_empty(), "{} bytes more than expected", rest.len());
}
