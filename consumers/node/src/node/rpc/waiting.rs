//! Transactions that wait, as Core shows them.

use crate::node::json::Text;
use bitcoin::{Txid, Wtxid};
use serde::Serialize;
use sockman_http::rpc::Amount;
use sockman_p2p::pool::Entry;

/// Satoshis, as an amount.
pub(super) fn amount(satoshis: u64) -> Amount {
    Amount(i64::try_from(satoshis).unwrap_or(i64::MAX))
}

/// What is paid for 1,000 virtual bytes, by who pays so much for so many.
pub(super) fn feerate(fee: u64, vsize: u64) -> Amount {
    amount(fee.saturating_mul(1000).checked_div(vsize).unwrap_or(0))
}

#[derive(Serialize)]
struct Fees {
    base: Amount,
    modified: Amount,
    ancestor: Amount,
    descendant: Amount,
}

/// A transaction of the pool (Core's `entryToJSON`).
#[derive(Serialize)]
pub(super) struct Shown {
    vsize: u64,
    weight: u64,
    time: u64,
    height: u32,
    descendantcount: u64,
    descendantsize: u64,
    ancestorcount: u64,
    ancestorsize: u64,
    wtxid: Text<Wtxid>,
    fees: Fees,
    depends: Vec<Text<Txid>>,
    spentby: Vec<Text<Txid>>,
    #[serde(rename = "bip125-replaceable")]
    replaceable: bool,
    unbroadcast: bool,
}

impl Shown {
    pub(super) fn new(entry: &Entry) -> Shown {
        let (own, ancestors, descendants) = (entry.own(), entry.ancestors(), entry.descendants());
        Shown {
            vsize: own.vsize,
            weight: own.weight,
            time: entry.time(),
            height: entry.height(),
            descendantcount: descendants.count,
            descendantsize: descendants.vsize,
            ancestorcount: ancestors.count,
            ancestorsize: ancestors.vsize,
            wtxid: Text(entry.transaction().wtxid),
            fees: Fees {
                base: amount(own.fee),
                modified: amount(own.fee),
                ancestor: amount(ancestors.fee),
                descendant: amount(descendants.fee),
            },
            depends: entry.parents().map(Text).collect(),
            spentby: entry.children().map(Text).collect(),
            // Nothing is replaced here, and peers are told of nothing.
            replaceable: false,
            unbroadcast: true,
        }
    }
}
