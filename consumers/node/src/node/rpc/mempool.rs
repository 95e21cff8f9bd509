//! Transactions that wait for a block, and coins.

use super::params::{hash, invalid, verbosity};
use super::waiting::{Shown, amount};
use crate::node::context::Context;
use crate::node::json::{ScriptPubKey, Text};
use crate::node::view;
use crate::templates::NotReady;
use bitcoin::{Block, BlockHash, OutPoint, Transaction, TxOut, Txid, consensus};
use serde::{Serialize, Serializer};
use sockman_http::rpc::{Amount, Call, Done, Method, Out, RpcError, code};
use sockman_p2p::coins::CoinsError;
use sockman_p2p::pool::{Confirmed as _, Pool};
use sockman_p2p::store::Store;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 4] {
    // Whoever adds to the pool may hold it for as long as it takes to read coins.
    [
        Method::new("getrawmempool", getrawmempool)
            .optional("verbose")
            .optional("mempool_sequence")
            .on_worker()
            .help(
                "Blockchain",
                "Returns a list of the ids of all transactions that wait for a block, parents before their children; or (verbose) an \
                 object with what is known of each; or (mempool_sequence) the list and how often it has changed.",
            ),
        Method::new("getmempoolentry", getmempoolentry)
            .required("txid")
            .on_worker()
            .help("Blockchain", "Returns what is known of a transaction that waits for a block."),
        Method::new("getmempoolinfo", getmempoolinfo).on_worker().help(
            "Blockchain",
            "Returns how many transactions wait for a block, how large they are, and what the limits are.",
        ),
        Method::new("gettxout", gettxout)
            .required("txid")
            .required("n")
            .optional("include_mempool")
            .on_worker()
            .help(
                "Blockchain",
                "Returns an output of a transaction that has not been spent, or null. Transactions that wait for a block count, unless \
                 include_mempool is false.",
            ),
    ]
}

impl From<NotReady> for RpcError {
    fn from(why: NotReady) -> Self {
        let code = match why {
            NotReady::Behind { .. } => code::CLIENT_IN_INITIAL_DOWNLOAD,
            NotReady::Stopping => code::CLIENT_NOT_CONNECTED,
        };
        RpcError::new(code, why.to_string())
    }
}

/// The index of the coins cannot be read.
pub(super) fn unreadable(why: &CoinsError) -> RpcError {
    RpcError::new(code::DATABASE_ERROR, why.to_string())
}

/// All that wait, as an object.
struct All(Vec<(Txid, Shown)>);

impl Serialize for All {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(txid, shown)| (Text(txid), shown)))
    }
}

#[derive(Serialize)]
struct Numbered {
    txids: Vec<Text<Txid>>,
    mempool_sequence: u64,
}

fn ids(pool: &Pool) -> Vec<Text<Txid>> {
    let all = pool.in_order();
    all.iter().map(|entry| Text(entry.transaction().txid)).collect()
}

fn getrawmempool<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let is_verbose = verbosity(call, 0, 0)? != 0;
    let is_numbered = call.get::<Option<bool>>(1)?.unwrap_or(false);
    let templates = context.templates()?;
    match (is_verbose, is_numbered) {
        (true, true) => {
            let why = "Verbose results cannot contain mempool sequence values.";
            Err(invalid(why.to_owned()))
        }
        (true, false) => out.json(&All(templates.look(|pool| {
            let all = pool.in_order();
            let shown = all
                .iter()
                .map(|entry| (entry.transaction().txid, Shown::new(entry)));
            shown.collect()
        }))),
        (false, true) => out.json(&templates.look(|pool| Numbered {
            txids: ids(pool),
            mempool_sequence: pool.changes(),
        })),
        (false, false) => out.json(&templates.look(ids)),
    }
}

fn getmempoolentry<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let txid: Txid = hash(call, 0, "txid")?;
    let shown = context.templates()?.look(|pool| pool.get(&txid).map(Shown::new));
    match shown {
        Some(shown) => out.json(&shown),
        None => Err(RpcError::new(
            code::INVALID_ADDRESS_OR_KEY,
            "Transaction not in mempool",
        )),
    }
}

#[derive(Serialize)]
struct Info {
    loaded: bool,
    size: usize,
    bytes: u64,
    usage: usize,
    total_fee: Amount,
    maxmempool: usize,
    mempoolminfee: Amount,
    minrelaytxfee: Amount,
    incrementalrelayfee: Amount,
    unbroadcastcount: usize,
    fullrbf: bool,
}

fn getmempoolinfo<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let info = context.templates()?.look(|pool| {
        let settings = pool.settings();
        let least = amount(settings.min_feerate);
        Info {
            loaded: true,
            size: pool.len(),
            bytes: pool.total().vsize,
            usage: pool.bytes(),
            total_fee: amount(pool.total().fee),
            maxmempool: settings.bytes,
            mempoolminfee: least,
            minrelaytxfee: least,
            incrementalrelayfee: Amount(0),
            unbroadcastcount: pool.len(),
            fullrbf: false,
        }
    });
    out.json(&info)
}

#[derive(Serialize)]
struct Unspent<'a> {
    bestblock: Text<BlockHash>,
    confirmations: u32,
    value: Amount,
    #[serde(rename = "scriptPubKey")]
    script: ScriptPubKey<'a>,
    coinbase: bool,
}

/// Where an output is that has not been spent.
enum Found {
    InPool(TxOut),
    InBlock {
        block: BlockHash,
        confirmations: u32,
        coinbase: bool,
    },
}

fn gettxout<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let (txid, index): (Txid, i64) = (hash(call, 0, "txid")?, call.get(1)?);
    let with_pool = call.get::<Option<bool>>(2)?.unwrap_or(true);
    let Ok(vout) = u32::try_from(index) else {
        return out.null();
    };
    let outpoint = OutPoint { txid, vout };
    let (bestblock, found) = context.templates()?.with(|pool, confirmed| {
        let found = find(pool, outpoint, with_pool, || {
            let coin = confirmed.coin(&outpoint)?;
            Ok(coin.and_then(|coin| {
                Some(Found::InBlock {
                    block: confirmed.block(coin.height)?,
                    confirmations: confirmed.at().height.saturating_sub(coin.height) + 1,
                    coinbase: coin.coinbase,
                })
            }))
        });
        (confirmed.at().hash, found)
    })?;
    let found = found.map_err(|why| unreadable(&why))?;
    let (output, confirmations, coinbase) = match found {
        None => return out.null(),
        Some(Found::InPool(output)) => (output, 0, false),
        Some(Found::InBlock {
            block,
            confirmations,
            coinbase,
        }) => match output_in(context, block, outpoint)? {
            Some(output) => (output, confirmations, coinbase),
            None => return out.null(),
        },
    };
    out.json(&Unspent {
        bestblock: Text(bestblock),
        confirmations,
        value: amount(output.value.to_sat()),
        script: ScriptPubKey::new(&output.script_pubkey, context.params().network),
        coinbase,
    })
}

fn find(
    pool: &Pool,
    outpoint: OutPoint,
    with_pool: bool,
    in_blocks: impl FnOnce() -> Result<Option<Found>, CoinsError>,
) -> Result<Option<Found>, CoinsError> {
    if with_pool {
        if pool.spender(&outpoint).is_some() {
            return Ok(None);
        }
        if let Some(entry) = pool.get(&outpoint.txid) {
            let tx: Option<Transaction> = consensus::deserialize(&entry.transaction().bytes).ok();
            let output = tx.and_then(|tx| tx.output.into_iter().nth(outpoint.vout as usize));
            return Ok(output.map(Found::InPool));
        }
    }
    in_blocks()
}

/// The index does not keep scripts: the block is read that made the output.
fn output_in<D: Store>(
    context: &Context<D>,
    block: BlockHash,
    outpoint: OutPoint,
) -> Result<Option<TxOut>, RpcError> {
    let raw = view::block(context, &block)?;
    let block: Block = consensus::deserialize(&raw.bytes)
        .map_err(|why| RpcError::new(code::DESERIALIZATION_ERROR, format!("Block decode failed: {why}")))?;
    let tx = block
        .txdata
        .into_iter()
        .find(|tx| tx.compute_txid() == outpoint.txid);
    Ok(tx.and_then(|tx| tx.output.into_iter().nth(outpoint.vout as usize)))
}
