//! How replies are written: straight into the body, around what the method writes (Core's `JSONRPCReplyObj`).
//!
//! 1.x has `result`, `error` and `id`, one of the first two null; 2.0 has `jsonrpc`, one of the two, and `id` (section 5).

use super::call::Out;
use super::error::RpcError;
use super::message::Version;
use serde_json::value::RawValue;

/// Writes a reply with what `run` gives.
pub(super) fn write<T>(
    to: &mut Vec<u8>,
    version: Version,
    id: Option<&RawValue>,
    run: impl FnOnce(Out<'_>) -> Result<T, RpcError>,
) -> Result<(), RpcError> {
    let start = to.len();
    to.extend_from_slice(match version {
        Version::V1 => b"{\"result\":",
        Version::V2 => b"{\"jsonrpc\":\"2.0\",\"result\":",
    });
    if let Err(why) = run(Out(to)) {
        to.truncate(start);
        error(to, version, id, &why);
        return Err(why);
    }
    if version == Version::V1 {
        to.extend_from_slice(b",\"error\":null");
    }
    end(to, id);
    Ok(())
}

/// Writes a reply that is an error.
pub(super) fn error(to: &mut Vec<u8>, version: Version, id: Option<&RawValue>, why: &RpcError) {
    let RpcError { code, message } = why;
    to.extend_from_slice(match version {
        Version::V1 => b"{\"result\":null,\"error\":{\"code\":",
        Version::V2 => b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":",
    });
    // Neither can fail: a number and a text, into memory.
    let _ = serde_json::to_writer(&mut *to, code);
    to.extend_from_slice(b",\"message\":");
    let _ = serde_json::to_writer(&mut *to, message);
    to.push(b'}');
    end(to, id);
}

/// Of a request without an id it is null: 2.0 section 5 wants it there, and clients of 1.x look for it.
fn end(to: &mut Vec<u8>, id: Option<&RawValue>) {
    to.extend_from_slice(b",\"id\":");
    to.extend_from_slice(id.map_or("null", RawValue::get).as_bytes());
    to.push(b'}');
}
