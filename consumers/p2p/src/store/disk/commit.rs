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
    /// Changes that may wait.
    limit: usize,
    /// Changes that do not wait any longer.
    many: usize,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
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
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.dirty.is_empty() && !self.is_urgent()
    }

    fn is_urgent(&self) -> bool {
        self.asked != self.answered || self.stop
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Committer {
    pub(super) fn start(index: Index, setup: Setup) -> Result<Committer, StoreError> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        });
        let (limit, many) = (setup.options.queue.max(1), many(&setup.options));
        let path = setup.index_path.clone();
        let of_thread = shared.clone();
        let thread = thread::Builder::new()
            .name("index".into())
            .spawn(move || Thread::new(of_thread, index, setup).run())
            .map_err(|error| StoreError::io(&path, "start a thread for", error))?;
        Ok(Committer {
            shared,
            limit,
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

    /// Waits only while as many changes wait already as may.
    pub(super) fn record(&self, change: Change) {
        let mut queue = self.shared.queue();
        let full = |queue: &Queue| queue.changes.len() >= self.limit;
        if full(&queue) {
            let waits = |queue: &mut Queue| full(queue) && queue.failed.is_none();
            queue = (self.shared.done.wait_while(queue, waits)).unwrap_or_else(PoisonError::into_inner);
            // There is no telling when there will be room on the disk, and memory is bounded: the index stays as it is.
            queue.broken |= full(&queue);
        }
        if queue.broken {
            queue.changes = Vec::new();
            return;
        }
        queue.changes.push(change);
        let waiting = queue.changes.len();
        if waiting == 1 || waiting == self.many {
            self.shared.work.notify_one();
        }
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
                    queue.broken |= !matches!(error, StoreError::Full { .. });
                    queue.failed = Some(error);
                }
            }
            let last = stop && (taken.is_some() || queue.failed.is_some());
            self.shared.done.notify_all();
            if last || queue.broken {
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
        self.shared.done.notify_all();
        (Some(queue.asked), queue.stop)
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
        queue.broken = true;
        if !queue.stop && queue.failed.is_none() {
            queue.failed = Some(StoreError::Index {
                path: self.setup.index_path.clone(),
                why: "its thread has ended".into(),
            });
        }
        self.shared.done.notify_all();
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
