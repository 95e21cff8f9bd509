//! Bitcoin Core's REST interface (`doc/REST-interface.md`), as far as it is about blocks and headers.
//!
//! | path below `/rest/` | answer | formats |
//! |---|---|---|
//! | `chaininfo` | as `getblockchaininfo` | json |
//! | `headers/HASH?count=N`, `headers/N/HASH` | N headers of the active chain, 5 by default and 2,000 at most, from this one on | bin, hex, json |
//! | `block/HASH` | a block, with all of its transactions | bin, hex, json |
//! | `block/notxdetails/HASH` | the same; as json with their ids alone | bin, hex, json |
//! | `blockhashbyheight/HEIGHT` | the hash of a block of the active chain | bin, hex, json |
//!
//! The format is the path's ending, as in `chaininfo.json`. What is refused is refused with Core's statuses and words.
//!
//! - `path`: what is asked for; `answer`: what is answered

mod answer;
mod path;

pub(super) use answer::answer;
pub(super) use path::{Asked, Refusal};

/// What the paths begin with.
pub(super) const PREFIX: &str = "/rest/";
