//! What is made of what the last process left: the index may be behind the files, or missing, and either may be damaged.

use super::commit::sync_directory;
use super::files::Files;
use super::index::{Index, Unusable};
use super::options::DiskOptions;
use super::scan::{Findings, Scan};
use crate::store::order::parents_first;
use crate::store::{Headers, Loaded, MAX_FRAME, MIN_FRAME, Note, OpenError, Place, StoreError};
use crate::wire::Magic;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A store as it is ready to be used.
pub(super) struct Recovered {
    pub(super) index: Index,
    pub(super) loaded: Loaded,
    /// The last block file, and where it ends.
    pub(super) last: u32,
    pub(super) end: u64,
}

pub(super) fn recover(
    files: &Files,
    index_path: &Path,
    options: &DiskOptions,
) -> Result<Recovered, OpenError> {
    let numbers = files.list()?;
    // Before anything is written: an index would say that this is our chain.
    for &number in &numbers {
        if let Some(found) = Scan::open(files, number, options.search)?.other_chain()? {
            return Err(OpenError::WrongChain {
                path: files.path(number),
                found,
                expected: files.magic,
            });
        }
    }
    let mut findings = Findings::default();
    let (index, places) = open_index(
        index_path,
        files,
        !numbers.is_empty(),
        options.cache,
        &mut findings.notes,
    )?;

    let mut by_file: BTreeMap<u32, &[Place]> = numbers.iter().map(|number| (*number, &[][..])).collect();
    for of_file in places.chunk_by(|one, next| one.file == next.file) {
        if let Some(first) = of_file.first()
            && by_file.insert(first.file, of_file).is_none()
        {
            return Err(missing(&files.path(first.file), of_file.len()));
        }
    }
    let mut gone = HashSet::new();
    let (mut last, mut length) = (0, 0);
    let verify_from = newest(&places, options.verify);
    for (number, known) in by_file {
        if places.is_empty() {
            tracing::info!(file = %files.path(number).display(), "looks for blocks");
        }
        let mut scan = Scan::open(files, number, options.search)?;
        look(
            &mut scan,
            &files.path(number),
            known,
            verify_from,
            &mut gone,
            &mut findings,
        )?;
        (last, length) = (number, scan.length);
    }
    if !gone.is_empty() {
        index.lose(&gone)?;
    }
    let loaded = Loaded {
        headers: Headers::of_disk(index.rows()?),
        found: parents_first(findings.found, |found| (found.hash, found.header.prev_blockhash)),
        notes: findings.notes,
    };
    Ok(Recovered {
        index,
        loaded,
        last,
        end: length,
    })
}

/// Compares a block file with what the index knows of it.
fn look(
    scan: &mut Scan<'_>,
    path: &Path,
    known: &[Place],
    verify_from: Option<Place>,
    gone: &mut HashSet<Place>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    // Places are in order and do not overlap.
    let there = known.partition_point(|place| end(place) <= scan.length);
    let (known, behind) = known.split_at(there);
    if !behind.is_empty() {
        gone.extend(behind);
        findings.notes.push(Note::Truncated {
            path: path.to_path_buf(),
            length: scan.length,
            blocks: behind.len(),
        });
    }
    let begins = known.first().map_or(Ok(Ok(())), |first| scan.begins(*first))?;
    let newest = known.partition_point(|place| verify_from.is_none_or(|from| *place < from));
    let mut damaged = scan.damaged(&known[newest..])?;
    if begins.is_err() || !damaged.is_empty() {
        // Where there is one, there may be more.
        damaged = scan.damaged(known)?;
    }
    for (place, what) in damaged {
        gone.insert(place);
        findings.damaged(path, place.offset..end(&place), what);
    }
    let mut at = 0;
    for place in known {
        scan.gap(at..place.offset, findings)?;
        at = end(place);
    }
    if let Some(torn) = scan.gap(at..scan.length, findings)? {
        scan.cut(torn, findings)?;
    }
    Ok(())
}

fn end(place: &Place) -> u64 {
    place.offset.saturating_add(u64::from(place.length))
}

/// The first of the last places, which have so many bytes together.
fn newest(places: &[Place], mut bytes: u64) -> Option<Place> {
    let mut first = None;
    for place in places.iter().rev() {
        first = Some(*place);
        bytes = bytes.saturating_sub(u64::from(place.length));
        if bytes == 0 {
            break;
        }
    }
    first
}

/// Opens the index, or makes a new one in the place of one that cannot be used. Returns the places it knows, in order.
fn open_index(
    path: &Path,
    files: &Files,
    blocks: bool,
    cache: usize,
    notes: &mut Vec<Note>,
) -> Result<(Index, Vec<Place>), OpenError> {
    let there = path
        .try_exists()
        .map_err(|error| StoreError::io(path, "look for", error))?;
    if !there && blocks {
        notes.push(Note::IndexMissing {
            path: path.to_path_buf(),
        });
    }
    let why = match open_whole(path, files.magic, cache) {
        Ok(opened) => return Ok(opened),
        Err(Unusable::Error(error)) => return Err(error),
        Err(Unusable::Damaged(why)) => why,
    };
    let kept = set_aside(path)?;
    notes.push(Note::IndexDamaged {
        path: path.to_path_buf(),
        kept,
        why,
    });
    open_whole(path, files.magic, cache).map_err(|unusable| match unusable {
        Unusable::Error(error) => error,
        Unusable::Damaged(what) => OpenError::Damaged {
            what: format!("a new index cannot be read: {what}"),
            path: path.to_path_buf(),
            remedy: "Check the disk",
        },
    })
}

fn open_whole(path: &Path, magic: Magic, cache: usize) -> Result<(Index, Vec<Place>), Unusable> {
    let index = Index::open(path, magic, cache)?;
    let mut places = match index.places() {
        Err(StoreError::Index { why, .. }) => return Err(Unusable::Damaged(why)),
        places => places?,
    };
    places.sort_unstable();
    let frames = MIN_FRAME as u64..=MAX_FRAME as u64;
    if places
        .iter()
        .any(|place| !frames.contains(&u64::from(place.length)))
    {
        return Err(Unusable::Damaged("a block has an impossible length".into()));
    }
    let overlap = |pair: &[Place]| match pair {
        [one, next] => one.file == next.file && end(one) > next.offset,
        _ => false,
    };
    if places.windows(2).any(overlap) {
        return Err(Unusable::Damaged("two blocks are in one place".into()));
    }
    Ok((index, places))
}

/// Gives a damaged index another name, so that a new one can be made.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |error| StoreError::io(path, "rename", error);
    let mut kept = path.with_extension("redb.damaged");
    let mut number = 1;
    while kept.try_exists().map_err(failed)? {
        number += 1;
        kept = path.with_extension(format!("redb.damaged.{number}"));
    }
    fs::rename(path, &kept).map_err(failed)?;
    if let Some(dir) = path.parent() {
        sync_directory(dir)?;
    }
    Ok(kept)
}

fn missing(path: &Path, blocks: usize) -> OpenError {
    OpenError::Damaged {
        what: format!("it is missing, and {blocks} blocks with it"),
        path: path.to_path_buf(),
        remedy: "Bring it back (is the disk mounted?), or remove index.redb: then the blocks that are left are indexed anew, \
                 and the others are downloaded again",
    }
}
