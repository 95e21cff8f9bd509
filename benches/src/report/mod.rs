//! What comes out of a comparison.
//!
//! - [`row`]: a subject's medians and ratios, as a JSON row
//! - [`table`]: columns of text, and how numbers are written
//! - [`tables`]: the table of each work

pub mod row;
pub mod table;
pub mod tables;

pub use row::Row;
