//! The names of block files, which are those of Bitcoin Core.

use super::StoreError;
use std::fs;
use std::path::{Path, PathBuf};

/// The path of a file.
pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("blk{number:05}.dat"))
}

/// The numbers of the files that are there, in order. What has another name is somebody else's.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>, StoreError> {
    let failed = |error| StoreError::io(dir, "list", error);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let number = name.to_str().and_then(|name| {
            let digits = name.strip_prefix("blk")?.strip_suffix(".dat")?;
            digits.parse::<u32>().ok()
        });
        if let Some(number) = number
            && path(dir, number).file_name() == Some(&name)
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}
