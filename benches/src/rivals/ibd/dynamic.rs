//! Our handlers behind trait objects: their callbacks are dispatched dynamically, and so are the operations they call.

use crate::Failure;
use crate::ibd::backend::{Server, download_with};
use crate::ibd::chain::Chain;
use crate::ibd::download::Download;
use crate::ibd::talk::Report;
use crate::rivals::dynamic::Boxed;
use crate::serve::{Ready, backend};
use sockman::Backend;
use std::io;

/// Downloads.
pub fn download<B: Backend>(work: Download) -> Result<Report, Failure> {
    download_with::<B, _>(work, |downloader| Boxed(Box::new(downloader)))
}

/// Serves.
pub fn serve<B: Backend>(chain: Chain, ready: Ready<'_>) -> io::Result<()> {
    backend::serve::<B, _>(Boxed(Box::new(Server::new(chain))), ready)
}
