//! What a template provider's clients wait for: the work `sv2`.
//!
//! A server gives templates, and one client asks, one thing at a time; or another thread makes a new tip, and the client is told.
//! The floor is a thread for each connection that blocks, with the same codec.
//!
//! - here: what there is to measure ([`Ask`], and how large templates are)
//! - [`templates`]: the work that all servers have; [`client`]: the client, the same for all
//! - [`asking`]: the load's process; [`tip`]: the client that is told of tips by [`wake`](crate::wake)
//! - `backend`: the provider on a sockman backend; the floor is in [`rivals::sv2`](crate::rivals::sv2)

pub mod asking;
#[cfg(any_backend)]
pub mod backend;
pub mod client;
pub mod templates;
pub mod tip;

use crate::serve::Ready;
use clap::ValueEnum;
use std::io;

/// Serves templates with transactions of so many bytes, until the process ends.
pub type Serve = fn(usize, Ready<'_>) -> io::Result<()>;

/// What is asked, time and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ask {
    /// The transactions of a template
    Data,
    /// Those of a template that there is not
    Error,
    /// A template, and what activates it
    Template,
    /// The answer to a set-up, on a new connection each time
    Setup,
    /// A connection, and the answer to its handshake
    Handshake,
    /// Nothing: another thread makes a new tip
    Tip,
}

impl Ask {
    /// As in arguments and rows.
    pub fn name(self) -> &'static str {
        match self {
            Ask::Data => "data",
            Ask::Error => "error",
            Ask::Template => "template",
            Ask::Setup => "setup",
            Ask::Handshake => "handshake",
            Ask::Tip => "tip",
        }
    }

    /// For people to read.
    pub fn text(self) -> &'static str {
        match self {
            Ask::Data => "RequestTransactionData to .Success",
            Ask::Error => "RequestTransactionData to .Error",
            Ask::Template => "CoinbaseOutputConstraints to NewTemplate and SetNewPrevHash",
            Ask::Setup => "SetupConnection to .Success",
            Ask::Handshake => "connecting to the handshake's answer",
            Ask::Tip => "a tip made by another thread to NewTemplate and SetNewPrevHash",
        }
    }

    /// Bytes of transactions with which it is measured, if none are given: an empty template, a hundred transactions, a full block.
    fn sizes(self) -> &'static [usize] {
        match self {
            Ask::Data => &[0, 100 * templates::TRANSACTION, 1_000_000],
            Ask::Template | Ask::Tip => &[0, 1_000_000],
            Ask::Error | Ask::Setup | Ask::Handshake => &[0],
        }
    }

    /// How many make a measurement.
    pub fn count(self, size: usize, quick: bool) -> u64 {
        match self {
            _ if quick => 20,
            // All rounds together have more than a thousand.
            Ask::Setup | Ask::Handshake => 300,
            Ask::Data if size > 500_000 => 200,
            _ => 1_000,
        }
    }
}

/// What is to be measured: of these, or of all, each with these sizes, or with its own.
pub fn groups(asks: &[Ask], sizes: &[usize]) -> Vec<(Ask, usize)> {
    let asks = if asks.is_empty() {
        Ask::value_variants()
    } else {
        asks
    };
    let sizes_of = |ask: Ask| if sizes.is_empty() { ask.sizes() } else { sizes };
    asks.iter()
        .flat_map(|ask| sizes_of(*ask).iter().map(|size| (*ask, *size)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_arguments() {
        for ask in Ask::value_variants() {
            assert_eq!(Ask::from_str(ask.name(), false).as_ref(), Ok(ask));
        }
    }

    #[test]
    fn what_is_given_is_all_there_is() {
        assert_eq!(groups(&[], &[]).len(), 3 + 1 + 2 + 1 + 1 + 2);
        assert_eq!(
            groups(&[Ask::Error, Ask::Tip], &[7]),
            [(Ask::Error, 7), (Ask::Tip, 7)]
        );
    }
}
