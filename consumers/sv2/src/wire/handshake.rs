//! The handshake: Noise NX over secp256k1 with `ElligatorSwift`, ChaCha20-Poly1305 and SHA-256 (specification, chapter 4).

use super::{Authority, AuthorityKey, Chance, Transport};
use codec_sv2::{Handshake, InitiatorSent};
use noise_sv2::{ELLSWIFT_ENCODING_SIZE, INITIATOR_EXPECTED_HANDSHAKE_MESSAGE_SIZE, Responder};
use std::fmt;
use std::time::Duration;

/// Bytes that a client sends first: its ephemeral key.
pub const HELLO: usize = ELLSWIFT_ENCODING_SIZE;

/// Bytes that a server answers with: its ephemeral key, its static key and its certificate, the last two encrypted.
pub const REPLY: usize = INITIATOR_EXPECTED_HANDSHAKE_MESSAGE_SIZE;

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(String);

impl Rejected {
    fn because(why: &codec_sv2::Error) -> Rejected {
        Rejected(why.to_string())
    }
}

/// The server's part: what is to be sent, and what comes after it. The certificate is valid from `now`, in Unix seconds, for
/// `valid`.
///
/// Takes about half a millisecond, most of it for the keys, which are new each time.
pub fn respond(
    authority: &Authority,
    hello: [u8; HELLO],
    valid: Duration,
    now: u64,
    chance: &mut Chance,
) -> Result<([u8; REPLY], Transport), Rejected> {
    let valid = seconds(valid.as_secs());
    let responder = Responder::new_with_rng(authority.0, valid, chance);
    let (reply, transport) = Handshake::responder(responder)
        .step_1_with_now_rng(hello, seconds(now), chance)
        .map_err(|why| Rejected::because(&why))?;
    let reply = reply.payload().try_into();
    let reply = reply.map_err(|_| Rejected("the reply is not as long as replies are".into()))?;
    Ok((reply, Transport::new(transport)))
}

/// The client's part.
pub struct Initiator(Handshake<InitiatorSent>);

impl Initiator {
    /// Begins: what is to be sent, and who waits for the answer. With a key, only a server is accepted for which this authority
    /// vouches; without one, any, and who listens on the way can be in the middle.
    pub fn new(key: Option<AuthorityKey>, chance: &mut Chance) -> Result<([u8; HELLO], Initiator), Rejected> {
        let role = noise_sv2::Initiator::new_with_rng(key.map(|key| key.0.0), chance);
        let (hello, waiting) = Handshake::initiator(role)
            .step_0()
            .map_err(|why| Rejected::because(&why))?;
        let hello = hello.payload().try_into();
        let hello = hello.map_err(|_| Rejected("the key is not as long as keys are".into()))?;
        Ok((hello, Initiator(waiting)))
    }

    /// Takes the server's answer. `now`, in Unix seconds, is to lie within what the certificate says, give or take ten seconds.
    pub fn finish(self, reply: [u8; REPLY], now: u64) -> Result<Transport, Rejected> {
        let done = self.0.step_2_with_now(reply, seconds(now));
        done.map(Transport::new).map_err(|why| Rejected::because(&why))
    }
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Initiator").finish_non_exhaustive()
    }
}

/// Certificates have 32 bits for the time.
fn seconds(unix: u64) -> u32 {
    u32::try_from(unix).unwrap_or(u32::MAX)
}
