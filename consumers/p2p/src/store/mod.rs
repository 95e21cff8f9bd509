//! Being written.

mod place;

pub use place::Place;
