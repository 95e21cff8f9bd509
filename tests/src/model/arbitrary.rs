//! Steps made of a fuzzer's bytes, in the ranges of those that chance makes.

use super::{Operation, PeerDoes, Step, Way};
use arbitrary::{Arbitrary, Result, Unstructured};
use sockman::Disconnect;
use std::time::Duration;

/// Which connection.
fn which(u: &mut Unstructured<'_>) -> Result<usize> {
    u.int_in_range(0..=63)
}

/// How many bytes: few, some, or many.
fn size(u: &mut Unstructured<'_>) -> Result<usize> {
    let most = *u.choose(&[20, 5_000, 300_000])?;
    u.int_in_range(0..=most)
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Step> {
        Ok(match u.int_in_range(0..=6_u8)? {
            0 => Step::Connect,
            1 => Step::Peer(which(u)?, u.arbitrary()?),
            2 => Step::Send(
                which(u)?,
                size(u)?,
                *u.choose(&[Way::Copied, Way::Shared, Way::Posted, Way::Remote])?,
            ),
            3 => Step::Do(which(u)?, u.arbitrary()?),
            4 => Step::RemoteDisconnect(which(u)?),
            5 => Step::Timer(u.int_in_range(0..=19)?, u.arbitrary()?),
            _ => Step::Turn,
        })
    }
}

impl<'a> Arbitrary<'a> for PeerDoes {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<PeerDoes> {
        Ok(match u.int_in_range(0..=4_u8)? {
            0 => PeerDoes::Write(size(u)?),
            1 => PeerDoes::Read,
            2 => PeerDoes::Finish,
            3 => PeerDoes::Close,
            _ => PeerDoes::Reset,
        })
    }
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Operation> {
        Ok(match u.int_in_range(0..=7_u8)? {
            0 => Operation::Disconnect(Disconnect::Now),
            1 => Operation::Disconnect(Disconnect::Reset),
            2 => Operation::Disconnect(Disconnect::Flush {
                within: Duration::from_millis(u.int_in_range(0..=29)?),
            }),
            3 => Operation::Finish,
            4 => Operation::Pause,
            5 => Operation::Resume,
            6 => Operation::Want(size(u)?),
            _ => Operation::Deadline(if u.arbitrary()? {
                Some(u.int_in_range(0..=19)?)
            } else {
                None
            }),
        })
    }
}
