//! What is answered.

use super::path::{Asked, Format, Refusal, What};
use crate::node::context::Context;
use crate::node::json::{Block, Detail, Headline, Text};
use crate::node::rpc::{chain_info, hash_at};
use crate::node::view::{self, NoBlock};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{BlockHash, consensus};
use bytes::Bytes;
use serde::Serialize;
use sockman_http::http::StatusCode;
use sockman_p2p::store::Store;

/// A body, and its type.
pub(in crate::node) struct Answer {
    pub(in crate::node) body: Bytes,
    pub(in crate::node) media_type: &'static str,
}

impl Answer {
    fn new(body: impl Into<Bytes>, media_type: &'static str) -> Self {
        let body = body.into();
        Answer { body, media_type }
    }

    fn binary(body: impl Into<Bytes>) -> Self {
        Answer::new(body, "application/octet-stream")
    }

    fn text(text: String) -> Self {
        Answer::new(text + "\n", "text/plain")
    }

    fn hex(bytes: &[u8]) -> Self {
        Answer::text(bytes.to_lower_hex_string())
    }

    fn json(value: &impl Serialize) -> Result<Self, Refusal> {
        let mut body = serde_json::to_vec(value)
            .map_err(|why| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()))?;
        body.push(b'\n');
        Ok(Answer::new(body, "application/json"))
    }
}

/// Answers. Not for the loop: it may read from the disk.
pub(in crate::node) fn answer<D: Store>(context: &Context<D>, asked: &Asked) -> Result<Answer, Refusal> {
    let format = |available: &str| {
        let message = format!("output format not found (available: {available})");
        asked.format.ok_or(Refusal::new(StatusCode::NOT_FOUND, message))
    };
    let any = || format(".bin, .hex, .json");
    match &asked.what {
        What::ChainInfo => match asked.format {
            Some(Format::Json) => Answer::json(&chain_info(context)),
            _ => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "output format not found (available: json)",
            )),
        },
        What::Headers { from, count } => {
            let headers = headers(context, from, *count);
            Ok(match any()? {
                Format::Json => return Answer::json(&headers),
                Format::Binary => Answer::binary(joined(&headers)),
                Format::Hex => Answer::hex(&joined(&headers)),
            })
        }
        What::Block { hash, has_details } => {
            let raw = view::block(context, hash).map_err(|why| no_block(hash, &why))?;
            Ok(match any()? {
                Format::Binary => Answer::binary(raw.bytes),
                Format::Hex => Answer::hex(&raw.bytes),
                Format::Json => {
                    let detail = if *has_details {
                        Detail::Full(context.params().network)
                    } else {
                        Detail::Ids
                    };
                    let block = consensus::deserialize(&raw.bytes)
                        .map_err(|why| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()))?;
                    return Answer::json(&Block::new(&raw.headline, &block, detail));
                }
            })
        }
        What::HashByHeight(height) => {
            let out_of_range = Refusal::new(StatusCode::NOT_FOUND, "Block height out of range");
            let hash = hash_at(context, (*height).into()).ok_or(out_of_range)?;
            Ok(match any()? {
                Format::Binary => Answer::binary(hash.to_byte_array().to_vec()),
                Format::Hex => Answer::text(hash.to_string()),
                Format::Json => {
                    return Answer::json(&Found {
                        blockhash: Text(hash),
                    });
                }
            })
        }
    }
}

#[derive(Serialize)]
struct Found {
    blockhash: Text<BlockHash>,
}

fn no_block(hash: &BlockHash, why: &NoBlock) -> Refusal {
    let message = match why {
        NoBlock::NotYet => format!("{hash} not available (not fully downloaded)"),
        NoBlock::Unknown | NoBlock::Unreadable => format!("{hash} not found"),
    };
    Refusal::new(StatusCode::NOT_FOUND, message)
}

/// Headers of the active chain from this one on; none if it is not part of it.
fn headers<D: Store>(context: &Context<D>, from: &BlockHash, count: usize) -> Vec<Headline> {
    context.handle().with(|state| {
        let chain = &state.chain;
        let first = chain.tree().find(from).filter(|id| chain.is_active(*id));
        let Some(first) = first.map(|id| chain.entry(id).height) else {
            return Vec::new();
        };
        let ids = (first..=chain.height()).filter_map(|height| chain.at(height));
        ids.take(count).map(|id| view::headline(chain, id)).collect()
    })
}

fn joined(headers: &[Headline]) -> Vec<u8> {
    headers
        .iter()
        .flat_map(|headline| consensus::serialize(&headline.header))
        .collect()
}
