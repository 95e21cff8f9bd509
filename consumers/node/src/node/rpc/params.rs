//! Parameters that several methods have.

use serde::Deserialize;
use sockman_http::rpc::{Call, RpcError, code};
use std::str::FromStr;

/// The error for a parameter that is invalid.
pub(super) fn invalid(message: String) -> RpcError {
    RpcError::new(code::INVALID_PARAMETER, message)
}

/// A hash: that of a block, or the id of a transaction (Core's `ParseHashV`).
pub(super) fn hash<H: FromStr>(call: &Call<'_>, index: usize, name: &str) -> Result<H, RpcError> {
    let text: String = call.get(index)?;
    if text.len() != 64 {
        let length = text.len();
        return Err(invalid(format!(
            "{name} must be of length 64 (not {length}, for '{text}')"
        )));
    }
    text.parse()
        .map_err(|_| invalid(format!("{name} must be hexadecimal string (not '{text}')")))
}

/// A number that may be a truth value for the sake of those who knew it as one.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number")]
enum NumberOrBool {
    Number(i64),
    Bool(bool),
}

/// How much is to be told, `default` if nothing is said of it (Core's `ParseVerbosity`).
pub(super) fn verbosity(call: &Call<'_>, index: usize, default: i64) -> Result<i64, RpcError> {
    Ok(match call.get::<Option<NumberOrBool>>(index)? {
        None => default,
        Some(NumberOrBool::Number(number)) => number,
        Some(NumberOrBool::Bool(is_verbose)) => i64::from(is_verbose),
    })
}
