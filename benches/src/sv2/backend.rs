//! The provider on a sockman backend.

use super::templates::{SECRET, transactions, work};
use crate::serve::{Ready, backend};
use sockman::Backend;
use sockman_sv2::wire::Authority;
use sockman_sv2::{Provider, Settings, Solution, Source, Work};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two tips, made beforehand: each that is told is another than the last, and what it costs to make one is in no figure.
struct Tips {
    works: [Arc<Work>; 2],
    latest: Arc<AtomicUsize>,
}

impl Source for Tips {
    fn work(&self) -> Option<Arc<Work>> {
        self.works.get(self.latest.load(Ordering::Acquire)).cloned()
    }

    fn solved(&mut self, _: Solution) {}
}

/// Runs it on a backend, with transactions of so many bytes.
pub fn serve<B: Backend>(size: usize, ready: Ready<'_>) -> io::Result<()> {
    let transactions = transactions(size);
    let latest = Arc::<AtomicUsize>::default();
    let tips = Tips {
        works: [800_000, 800_001].map(|height| work(height, &transactions)),
        latest: latest.clone(),
    };
    let authority: Authority = SECRET.parse().map_err(io::Error::other)?;
    let provider = Provider::new(Settings::new([5; 32]), authority, tips);
    backend::serve_with::<B, _>(
        provider,
        Provider::listen,
        |remote, _| {
            Box::new(move || {
                latest.fetch_xor(1, Ordering::AcqRel);
                remote.wake();
            })
        },
        ready,
    )
}
