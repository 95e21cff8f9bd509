//! The downloader's process.

use super::sink::Sink;
use super::talk::{Role, Talk};
use super::{IDLE, Part, SLOW, Shape};
use crate::cli::DownloadArgs;
use crate::serve::{Unable, say};
use crate::{Failure, subject, sys};
use std::net::SocketAddr;

/// What a subject is to do: to whom to talk, and about what.
pub struct Download {
    /// Whom to dial, each for what it is there for; the first is to be downloaded from, when all have been dialled.
    pub peers: Vec<(SocketAddr, Role)>,
    /// What to say.
    pub talk: Talk,
}

/// Runs the process: it downloads everything, says what that cost, and ends.
pub fn run(args: &DownloadArgs) -> Result<(), Failure> {
    let subject = subject::find(&args.subject).ok_or("no such subject")?;
    let Part { download, .. } = subject.part.ok_or("it does not do this work")?;
    if let Some(core) = args.pin {
        sys::pin(core)?;
    }
    sys::raise_descriptor_limit();
    let sink = Sink::new(args.level, &args.folder)?;
    let mut peers = vec![(args.at, Role::Download)];
    if args.shape == Shape::Crowd {
        peers.extend([(args.at, Role::Idle); IDLE]);
        peers.extend([(args.at, Role::Slow); SLOW]);
    }
    peers.extend(args.bystander.map(|at| (at, Role::Bystander)));
    let work = Download {
        peers,
        talk: Talk::new(sink, args.shape.in_flight(), args.blocks),
    };
    match download(work) {
        Ok(report) => say(&serde_json::to_string(&report)?),
        Err(error) => match error.downcast::<Unable>() {
            Ok(why) => why.say(),
            Err(error) => return Err(error),
        },
    }
    Ok(())
}
