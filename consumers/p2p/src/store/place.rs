//! Where a block lies.

/// Where a block's frame lies in the block files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// Number of the file.
    pub file: u32,
    /// Bytes before the frame in it.
    pub offset: u64,
    /// Bytes of the frame, its header included.
    pub length: u32,
}
