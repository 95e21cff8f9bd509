//! Connections that send requests and check what they are answered.
//!
//! - [`Kept`]: one that stays, with one request outstanding or several
//! - [`Once`]: one that is made anew for each request
//! - `answers`: where an answer begins and ends

mod answers;
mod kept;
mod once;

pub use kept::Kept;
pub use once::Once;
