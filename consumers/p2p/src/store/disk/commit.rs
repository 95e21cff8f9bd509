//! The thread that commits to the index what was recorded, and puts the block files on the disk before it.

use super::index::{Index, Unusable};
use super::options::DiskOptions;
use crate::store::{Change, OpenError, StoreError};
use crate::wire::Magic;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// What the thread needs besides the index.
pub(super) struct Setup {
    pub(super) index_path: PathBuf,
    pub(super) blocks: PathBuf,
    pub(super) magic: Magic,
    pub(super) options: DiskOptions,
}

/// The loop's end of the thread.
pub(super) struct Committer {
    shared: Arc<Shared>,
    /// Changes that do not wait any longer.
    many: usize,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Changes that may wait.
    limit: usize,
    queue: Mutex<Queue>,
    /// The thread waits for something to do.
    work: Condvar,
    /// Others wait for the thread.
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    changes: Vec<Change>,
    /// Files that were written to, in the order they were begun.
    dirty: Vec<(u32, Arc<File>)>,
    /// There are files whose names are not on the disk.
    named: bool,
    /// Calls of `sync`, and how many of them are answered.
    asked: u64,
    answered: u64,
    failed: Option<StoreError>,
    /// Nothing will ever be committed again.
    broken: bool,
    stop: bool,
    /// Somebody has found it full, and wants to know when it is so no longer.
    swamped: bool,
    tell: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.dirty.is_empty() && !self.is_urgent()
    }

    fn is_urgent(&self) -> bool {
        self.asked != self.answered || self.stop
    }

    /// Nothing is committed any more, so nothing waits for it.
    fn give_up(&mut self) {
        self.broken = true;
        self.changes = Vec::new();
    }
}

impl Shared {
    fn new(options: &DiskOptions) -> Shared {
        Shared {
            limit: options.queue.max(1),
            queue: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self, queue: &Queue) -> bool {
        !queue.broken && queue.changes.len() >= self.limit
    }

    /// Tells those who wait for the thread that something is done.
    fn tell(&self, mut queue: MutexGuard<'_, Queue>) {
        self.done.notify_all();
        if queue.swamped && !self.is_full(&queue) {
            queue.swamped = false;
            let tell = queue.tell.clone();
            drop(queue);
            if let Some(tell) = tell {
                tell();
            }
        }
    }
}

impl Committer {
    pub(super) fn start(index: Index, setup: Setup) -> Result<Committer, StoreError> {
        let shared = Arc::new(Shared::new(&setup.options));
        let many = many(&setup.options);
        let path = setup.index_path.clone();
        let of_thread = shared.clone();
        let thread = thread::Builder::new()
            .name("index".into())
            .spawn(move || Thread::new(of_thread, index, setup).run())
            .map_err(|error| StoreError::io(&path, "start a thread for", error))?;
        Ok(Committer {
            shared,
            many,
            thread: Some(thread),
        })
    }

    /// A file was written to.
    pub(super) fn written(&self, number: u32, file: Arc<File>, new: bool) {
        let mut queue = self.shared.queue();
        if queue.broken {
            return;
        }
        queue.named |= new;
        if queue.dirty.last().is_none_or(|(last, _)| *last != number) {
            queue.dirty.push((number, file));
            self.shared.work.notify_one();
        }
    }

    /// Never waits: whoever has much to record is to ask first whether it can.
    pub(super) fn record(&self, change: Change) {
        let mut queue = self.shared.queue();
        if queue.failed.is_some() && self.shared.is_full(&queue) {
            // There is no telling when there will be room on the disk, and memory is bounded: the index stays as it is.
            queue.give_up();
        }
        if queue.broken {
            return;
        }
        queue.changes.push(change);
        let waiting = queue.changes.len();
        if waiting == 1 || waiting == self.many {
            self.shared.work.notify_one();
        }
    }

    pub(super) fn is_swamped(&self) -> bool {
        let mut queue = self.shared.queue();
        let full = self.shared.is_full(&queue);
        queue.swamped |= full;
        full
    }

    pub(super) fn when_ready(&self, tell: Arc<dyn Fn() + Send + Sync>) {
        self.shared.queue().tell = Some(tell);
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let mut queue = self.shared.queue();
        if !queue.broken {
            queue.asked += 1;
            let mine = queue.asked;
            self.shared.work.notify_one();
            let waits = |queue: &mut Queue| queue.answered < mine && !queue.broken;
            queue = (self.shared.done.wait_while(queue, waits)).unwrap_or_else(PoisonError::into_inner);
        }
        queue.failed.clone().map_or(Ok(()), Err)
    }

    pub(super) fn failed(&self) -> Option<StoreError> {
        self.shared.queue().failed.clone()
    }
}

impl Drop for Committer {
    /// Commits what is left.
    fn drop(&mut self) {
        self.shared.queue().stop = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
        if let Some(error) = self.failed() {
            tracing::error!(%error, "the last changes are not in the index; they are made up for when it is opened again");
        }
    }
}

struct Thread {
    shared: Arc<Shared>,
    setup: Setup,
    /// None after an error: it has to be opened anew.
    index: Option<Index>,
    /// Taken from the queue, and not committed.
    batch: Vec<Change>,
    dirty: Vec<(u32, Arc<File>)>,
    named: bool,
}

impl Thread {
    fn new(shared: Arc<Shared>, index: Index, setup: Setup) -> Thread {
        Thread {
            shared,
            setup,
            index: Some(index),
            batch: Vec::new(),
            dirty: Vec::new(),
            named: false,
        }
    }

    fn run(mut self) {
        loop {
            let (taken, stop) = self.take();
            let done = catch_unwind(AssertUnwindSafe(|| self.commit())).unwrap_or_else(|_| {
                Err(StoreError::Index {
                    path: self.setup.index_path.clone(),
                    why: "its code panicked".into(),
                })
            });
            let mut queue = self.shared.queue();
            match done {
                Ok(()) => {
                    queue.answered = taken.unwrap_or(queue.answered);
                    if !queue.broken && queue.failed.take().is_some() {
                        tracing::info!("the index has caught up");
                    }
                }
                Err(error) => {
                    if queue.failed.is_none() {
                        tracing::error!(%error, "the index is behind");
                    }
                    queue.answered = queue.asked;
                    // Where there is no room now there may be some later. After any other error it is not known what is on the disk.
                    if !matches!(error, StoreError::Full { .. }) {
                        queue.give_up();
                    }
                    queue.failed = Some(error);
                }
            }
            let last = queue.broken || stop && (taken.is_some() || queue.failed.is_some());
            self.shared.tell(queue);
            if last {
                return;
            }
        }
    }

    /// Waits for something to do and takes it. Returns which calls of `sync` it answers, and whether nothing comes after it. If
    /// there is something left from an attempt that failed, that comes first and answers none: what is queued stays there, where it
    /// is counted.
    fn take(&mut self) -> (Option<u64>, bool) {
        let options = &self.setup.options;
        let mut queue = self.shared.queue();
        let behind = queue.failed.is_some();
        if !behind && self.batch.is_empty() {
            queue = (self.shared.work.wait_while(queue, |queue| queue.is_idle()))
                .unwrap_or_else(PoisonError::into_inner);
        }
        let many = many(options);
        let waits = |queue: &mut Queue| {
            let few = behind || queue.changes.len() < many;
            few && !queue.is_urgent() && !queue.broken
        };
        let waited = (self.shared.work).wait_timeout_while(queue, options.commit_every, waits);
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        self.dirty.append(&mut queue.dirty);
        self.named |= std::mem::take(&mut queue.named);
        if !self.batch.is_empty() {
            return (None, queue.stop);
        }
        self.batch = std::mem::take(&mut queue.changes);
        let taken = (Some(queue.asked), queue.stop);
        self.shared.tell(queue);
        taken
    }

    /// Blocks first, so that the index never knows of one that the disk has not.
    fn commit(&mut self) -> Result<(), StoreError> {
        for (_, file) in &self.dirty {
            file.sync_data()
                .map_err(|error| StoreError::io(&self.setup.blocks, "sync a file of", error))?;
        }
        if self.named {
            sync_directory(&self.setup.blocks)?;
        }
        self.dirty.clear();
        self.named = false;
        if self.batch.is_empty() {
            return Ok(());
        }
        let index = match self.index.take() {
            Some(index) => index,
            None => self.reopen()?,
        };
        index.apply(&self.batch)?;
        self.index = Some(index);
        self.batch.clear();
        Ok(())
    }

    fn reopen(&self) -> Result<Index, StoreError> {
        let Setup {
            index_path: path,
            magic,
            options,
            ..
        } = &self.setup;
        Index::open(path, *magic, options.cache).map_err(|unusable| match unusable {
            Unusable::Error(OpenError::Store(error)) => error,
            Unusable::Error(error) => StoreError::Index {
                path: path.clone(),
                why: error.to_string(),
            },
            Unusable::Damaged(why) => StoreError::Index {
                path: path.clone(),
                why,
            },
        })
    }
}

impl Drop for Thread {
    /// However it comes about: nobody waits for it any longer.
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        queue.give_up();
        if !queue.stop && queue.failed.is_none() {
            queue.failed = Some(StoreError::Index {
                path: self.setup.index_path.clone(),
                why: "its thread has ended".into(),
            });
        }
        self.shared.tell(queue);
    }
}

/// So many changes are committed without waiting for more.
fn many(options: &DiskOptions) -> usize {
    options.commit_at.min(options.queue).max(1)
}

/// Puts the names of new files on the disk.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let sync = || -> io::Result<()> { File::open(path)?.sync_all() };
    sync().map_err(|error| StoreError::io(path, "sync", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Forgotten;
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;
    use std::sync::atomic::{AtomicU32, Ordering};

    const MAGIC: Magic = [1, 2, 3, 4];

    /// A header more that is known by its height.
    fn lost(height: u32) -> Change {
        let hash = BlockHash::all_zeros();
        Change::Lost { height, hash }
    }

    #[test]
    fn nobody_waits_for_the_thread_who_does_not_want_to() {
        let dir = tempfile::tempdir().unwrap();
        let options = DiskOptions {
            queue: 16,
            ..DiskOptions::default()
        };
        let shared = Arc::new(Shared::new(&options));
        // Nothing is committed before the test wants it.
        let committer = Committer {
            shared: shared.clone(),
            many: many(&options),
            thread: None,
        };
        let told = Arc::new(AtomicU32::new(0));
        let times = told.clone();
        committer.when_ready(Arc::new(move || {
            times.fetch_add(1, Ordering::Relaxed);
        }));
        let hash = BlockHash::all_zeros();
        let forgotten = (0..1_000).map(|height| Forgotten { height, hash });
        committer.record(Change::Forget(forgotten.collect()));
        for height in 0..15 {
            assert!(
                !committer.is_swamped(),
                "however many are forgotten, it is one change"
            );
            committer.record(lost(height));
        }
        assert!(committer.is_swamped());
        for height in 15..1_000 {
            committer.record(lost(height));
        }
        assert_eq!(told.load(Ordering::Relaxed), 0);

        let index_path = dir.path().join("index.redb");
        let Ok(index) = Index::open(&index_path, MAGIC, options.cache) else {
            panic!("it is new");
        };
        let setup = Setup {
            index_path,
            blocks: dir.path().to_path_buf(),
            magic: MAGIC,
            options,
        };
        let mut thread = Thread::new(shared, index, setup);
        assert_eq!(thread.take(), (Some(0), false));
        assert_eq!((told.load(Ordering::Relaxed), thread.batch.len()), (1, 1_001));
        assert!(!committer.is_swamped());
        thread.commit().unwrap();
        committer.record(lost(0));
        drop(thread);
        assert_eq!(told.load(Ordering::Relaxed), 1, "it was not swamped in between");
        assert!(committer.failed().is_some());
    }
}
