//! What chains consist of, as JSON in the shape that Bitcoin Core gives it. Nothing here knows of a node.
//!
//! - [`Headline`]: a header and where it stands, as `getblockheader` has it; [`Block`]: a block on top of that; [`Tx`]: a
//!   transaction
//! - [`ScriptPubKey`]: an output's script; [`Asm`]: any script as text; [`Kind`]: what kind an output's script is;
//!   `ops` and `names`: operations, and what they are called
//! - [`descriptor`]: output descriptors and their checksums
//! - `golden`: tests by what Core printed
//! - `number`: numbers with a point; `text`: whatever is written as a string

mod asm;
mod block;
pub mod descriptor;
#[cfg(test)]
mod golden;
mod headline;
mod kind;
mod names;
mod number;
mod ops;
mod script;
mod text;
mod tx;

pub use asm::Asm;
pub use block::{Block, Detail};
pub use headline::Headline;
pub use kind::Kind;
pub use number::{Real, difficulty};
pub use script::ScriptPubKey;
pub use text::{Hex, Text};
pub use tx::Tx;
