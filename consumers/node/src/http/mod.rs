//! What `sockman http` serves, on any backend.
//!
//! - `site`: [`Site`], the usual one; `page`: its paths and methods
//! - `source`: answers that come piece by piece
//! - `probe`: [`Probe`], for suites of other projects
//! - `page.html`: a page that tries the site from a browser

mod page;
mod probe;
mod site;
mod source;

pub use probe::Probe;
pub use site::{Shared, Site};
pub use source::{Letters, Pieces, Ticks};
