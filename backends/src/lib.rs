//! Backends for [`sockman`]: one cargo feature each.
pub use sockman;
