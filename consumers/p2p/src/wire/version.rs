//! The `version` message, of which older peers send less.

use super::reader::Reader;
use super::{DecodeError, MAX_USER_AGENT, VersionMessage, address};

/// Reads as much as there is: what is missing after the receiver is zero, and transactions are wanted (BIP 37).
///
/// The user agent may be any bytes; what is not UTF-8 in it is replaced.
pub(super) fn read(from: &mut Reader<'_>) -> Result<VersionMessage, DecodeError> {
    let version = from.u32()?;
    let services = from.u64()?.into();
    let timestamp = from.i64()?;
    let receiver = address::read(from)?;
    let mut message = VersionMessage {
        version,
        services,
        timestamp,
        receiver,
        sender: address::none(),
        nonce: 0,
        user_agent: String::new(),
        start_height: 0,
        relay: true,
    };
    if !from.is_empty() {
        message.sender = address::read(from)?;
        message.nonce = from.u64()?;
    }
    if !from.is_empty() {
        let agent = from.short(MAX_USER_AGENT, "the user agent is too long")?;
        message.user_agent = String::from_utf8_lossy(agent).into_owned();
    }
    if !from.is_empty() {
        message.start_height = from.u32()?.cast_signed();
    }
    if !from.is_empty() {
        message.relay = from.u8()? != 0;
    }
    Ok(message)
}
