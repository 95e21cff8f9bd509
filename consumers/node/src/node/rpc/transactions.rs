//! Transactions that are to be mined.

use super::mempool::unreadable;
use super::params::invalid;
use super::waiting::{amount, feerate};
use crate::node::context::Context;
use crate::node::json::Text;
use bitcoin::hex::FromHex as _;
use bitcoin::{OutPoint, Txid, Wtxid};
use serde::Serialize;
use sockman_http::rpc::{Amount, Call, Done, Method, Out, RpcError, code};
use sockman_p2p::coins::is_unspendable;
use sockman_p2p::pool::{AcceptError, Candidate, Confirmed, MAX_WEIGHT, Pool, Refused, Sums};
use sockman_p2p::store::Store;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 2] {
    [
        Method::new("sendrawtransaction", sendrawtransaction)
            .required("hexstring")
            .optional("maxfeerate")
            .optional("maxburnamount")
            .on_worker()
            .help(
                "Rawtransactions",
                "Hands in a transaction, as hexadecimal text, to be mined by those who get their templates here; returns its id. It may \
                 pay at most maxfeerate (0.1 by default; 0 for any) for 1000 virtual bytes, and give up at most maxburnamount (0 by \
                 default). Its scripts are not checked, so be sure that it is valid: a block with one that is not is refused by all \
                 others. It is not sent to peers.",
            ),
        Method::new("testmempoolaccept", testmempoolaccept)
            .required("rawtxs")
            .optional("maxfeerate")
            .on_worker()
            .help(
                "Rawtransactions",
                "Tells of a list of transactions, as hexadecimal texts, parents before their children, whether sendrawtransaction would \
                 take them. Their scripts are not checked.",
            ),
    ]
}

/// What 1,000 virtual bytes may pay, in satoshis, if nothing is said of it (Core's `DEFAULT_MAX_RAW_TX_FEE_RATE`).
const MOST_FEERATE: u64 = 10_000_000;

/// Transactions that can be asked about at once (Core's `MAX_PACKAGE_COUNT`).
const MOST_TESTED: usize = 25;

fn decode(hex: &str) -> Option<Candidate> {
    Candidate::decode(Vec::from_hex(hex).ok()?).ok()
}

/// An amount that is not negative (Core's `AmountFromValue`).
fn satoshis(amount: Amount) -> Result<u64, RpcError> {
    u64::try_from(amount.0)
        .ok()
        .filter(|amount| *amount <= bitcoin::Amount::MAX_MONEY.to_sat())
        .ok_or_else(|| RpcError::new(code::TYPE_ERROR, "Amount out of range"))
}

/// What 1,000 virtual bytes may pay (Core's `ParseFeeRate`); none for any.
fn most_feerate(call: &Call<'_>, index: usize) -> Result<Option<u64>, RpcError> {
    const ONE: u64 = 100_000_000;

    let given = call.get::<Option<Amount>>(index)?;
    let most = given.map_or(Ok(MOST_FEERATE), satoshis)?;
    if most >= ONE {
        let why = "Fee rates larger than or equal to 1BTC/kvB are not accepted";
        return Err(invalid(why.to_owned()));
    }
    Ok(Some(most).filter(|most| *most > 0))
}

/// Whether a fee is within what was said.
fn is_within(most: Option<u64>, own: Sums) -> bool {
    most.is_none_or(|most| own.fee <= most.saturating_mul(own.vsize).div_ceil(1000))
}

/// What came of handing in a transaction.
enum Outcome {
    /// It is there: it was before, or it came in.
    There,
    /// Its outputs can be spent already.
    Confirmed,
    /// It pays more than was meant.
    TooDear,
}

fn hand_in(
    pool: &mut Pool,
    confirmed: &impl Confirmed,
    candidate: &Candidate,
    most: Option<u64>,
    now: u64,
) -> Result<Outcome, AcceptError> {
    let txid = candidate.txid();
    for vout in 0..candidate.tx().output.len() as u32 {
        if confirmed.coin(&OutPoint { txid, vout })?.is_some() {
            return Ok(Outcome::Confirmed);
        }
    }
    if pool.get(&txid).is_some() {
        return Ok(Outcome::There);
    }
    let verdict = pool.judge(candidate, confirmed)?;
    if !is_within(most, verdict.own) {
        return Ok(Outcome::TooDear);
    }
    pool.take_in(candidate, &verdict, now)?;
    Ok(Outcome::There)
}

fn sendrawtransaction<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let hex: String = call.get(0)?;
    let most_burnt = call.get::<Option<Amount>>(2)?.map_or(Ok(0), satoshis)?;
    let candidate = decode(&hex).ok_or_else(|| {
        let why = "TX decode failed. Make sure the tx has at least one input.";
        RpcError::new(code::DESERIALIZATION_ERROR, why)
    })?;
    let mut outputs = candidate.tx().output.iter();
    if outputs.any(|output| is_unspendable(&output.script_pubkey) && output.value.to_sat() > most_burnt) {
        let why = "Unspendable output exceeds maximum configured by user (maxburnamount)";
        return Err(RpcError::new(code::VERIFY_ERROR, why));
    }
    let most = most_feerate(call, 1)?;
    let now = context.handle().unix();
    let templates = context.templates()?;
    // Each output is looked for among the coins, and all others who want the pool wait: what is too heavy for it anyhow is not worth
    // that, even if it is in a block.
    let handed_in = if candidate.weight() > MAX_WEIGHT {
        Err(Refused::TooHeavy.into())
    } else {
        templates.with(|pool, confirmed| hand_in(pool, confirmed, &candidate, most, now))?
    };
    match handed_in {
        Ok(Outcome::There) => out.json(&Text(candidate.txid())),
        Ok(Outcome::Confirmed) => Err(RpcError::new(
            code::VERIFY_ALREADY_IN_UTXO_SET,
            "Transaction outputs already in utxo set",
        )),
        Ok(Outcome::TooDear) => Err(RpcError::new(
            code::VERIFY_ERROR,
            "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
        )),
        Err(AcceptError::Refused(why @ Refused::MissingInputs)) => {
            Err(RpcError::new(code::VERIFY_ERROR, why.to_string()))
        }
        Err(AcceptError::Refused(why)) => Err(RpcError::new(code::VERIFY_REJECTED, why.to_string())),
        Err(AcceptError::Coins(why)) => Err(unreadable(&why)),
    }
}

#[derive(Serialize)]
struct TestedFees {
    base: Amount,
    #[serde(rename = "effective-feerate")]
    effective_feerate: Amount,
    #[serde(rename = "effective-includes")]
    effective_includes: [Text<Wtxid>; 1],
}

/// What `testmempoolaccept` tells of one.
#[derive(Serialize)]
struct Tested {
    txid: Text<Txid>,
    wtxid: Text<Wtxid>,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    vsize: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fees: Option<TestedFees>,
    #[serde(rename = "reject-reason", skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(rename = "reject-details", skip_serializing_if = "Option::is_none")]
    details: Option<String>,
}

impl Tested {
    fn refused(candidate: &Candidate, reason: String, details: Option<String>) -> Tested {
        Tested {
            txid: Text(candidate.txid()),
            wtxid: Text(candidate.wtxid()),
            allowed: false,
            vsize: None,
            fees: None,
            reason: Some(reason),
            details,
        }
    }

    fn allowed(candidate: &Candidate, own: Sums) -> Tested {
        Tested {
            txid: Text(candidate.txid()),
            wtxid: Text(candidate.wtxid()),
            allowed: true,
            vsize: Some(own.vsize),
            fees: Some(TestedFees {
                base: amount(own.fee),
                effective_feerate: feerate(own.fee, own.vsize),
                effective_includes: [Text(candidate.wtxid())],
            }),
            reason: None,
            details: None,
        }
    }
}

/// Takes one into a pool that is thrown away.
fn test(
    pool: &mut Pool,
    confirmed: &impl Confirmed,
    candidate: &Candidate,
    most: Option<u64>,
    now: u64,
) -> Result<Tested, RpcError> {
    match pool.accept(candidate, confirmed, now) {
        Ok(verdict) if is_within(most, verdict.own) => Ok(Tested::allowed(candidate, verdict.own)),
        Ok(_) => Ok(Tested::refused(candidate, "max-fee-exceeded".to_owned(), None)),
        Err(AcceptError::Refused(Refused::MissingInputs)) => {
            Ok(Tested::refused(candidate, "missing-inputs".to_owned(), None))
        }
        Err(AcceptError::Refused(why)) => Ok(Tested::refused(candidate, why.reason(), Some(why.to_string()))),
        Err(AcceptError::Coins(why)) => Err(unreadable(&why)),
    }
}

fn testmempoolaccept<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let texts: Vec<String> = call.get(0)?;
    if !(1..=MOST_TESTED).contains(&texts.len()) {
        let why = format!("Array must contain between 1 and {MOST_TESTED} transactions.");
        return Err(invalid(why));
    }
    let most = most_feerate(call, 1)?;
    let decoded = texts.iter().map(|text| {
        decode(text).ok_or_else(|| {
            let why = format!("TX decode failed: {text} Make sure the tx has at least one input.");
            RpcError::new(code::DESERIALIZATION_ERROR, why)
        })
    });
    let candidates = decoded.collect::<Result<Vec<_>, _>>()?;
    let now = context.handle().unix();
    let tested = context.templates()?.with(|pool, confirmed| {
        let mut trial = pool.clone();
        let each = candidates
            .iter()
            .map(|candidate| test(&mut trial, confirmed, candidate, most, now));
        each.collect::<Result<Vec<_>, _>>()
    })?;
    out.json(&tested?)
}
