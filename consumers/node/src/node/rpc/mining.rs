//! Blocks from outside, and blocks made here.

use super::descriptor;
use crate::node::context::Context;
use crate::node::json::Text;
use bitcoin::block::Header;
use bitcoin::hex::FromHex as _;
use bitcoin::{Address, Block, BlockHash, ScriptBuf, Witness, consensus};
use sockman_http::rpc::{Call, Done, Instance, Method, Out, RpcError, code};
use sockman_p2p::chain::{BlockError, mine, template};
use sockman_p2p::state::{AcceptError, Refused};
use sockman_p2p::store::Store;
use std::time::Duration;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 3] {
    [
        Method::new("submitblock", submitblock)
            .required("hexdata")
            .optional("dummy")
            .on_worker()
            .help(
                "Mining",
                "Hands in a block, as hexadecimal text. Returns null if it was taken, and otherwise why it was not (BIP 22).",
            ),
        Method::new("generatetoaddress", generatetoaddress)
            .required("nblocks")
            .required("address")
            .optional("maxtries")
            .on_worker()
            .help(
                "Generating",
                "Mines blocks that pay to this address, in so many tries for all of them (1000000 by default), and returns a list of \
                 their hashes.",
            ),
        Method::new("generatetodescriptor", generatetodescriptor)
            .required("num_blocks")
            .required("descriptor")
            .optional("maxtries")
            .on_worker()
            .help(
                "Generating",
                "Mines blocks that pay to this descriptor, in so many tries for all of them (1000000 by default), and returns a list of \
                 their hashes.",
            ),
    ]
}

fn submitblock<D: Store>(context: &Context<D>, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let hex: String = call.get(0)?;
    let undecodable = || RpcError::new(code::DESERIALIZATION_ERROR, "Block decode failed");
    let mut bytes = Vec::from_hex(&hex).map_err(|_| undecodable())?;
    // What comes behind the block is nobody's, and left out, as by Core.
    let (block, length): (Block, usize) =
        consensus::deserialize_partial(&bytes).map_err(|_| undecodable())?;
    bytes.truncate(length);
    let bytes = with_reserved_value(block).unwrap_or(bytes);
    match context.handle().submit(&bytes) {
        Ok(accepted) if accepted.new_tip => out.null(),
        // It may become part of the chain, once other blocks have come.
        Ok(_) => out.json("inconclusive"),
        Err(AcceptError::Refused(Refused::Block(BlockError::Decode(_)))) => Err(undecodable()),
        Err(AcceptError::Refused(why)) => out.json(&Text(why)),
        Err(why @ AcceptError::Store(_)) => Err(RpcError::new(code::VERIFY_ERROR, why.to_string())),
    }
}

/// Gives a coinbase that commits to witnesses and has none itself the one that it needs, which says nothing: miners may leave it
/// out (Core's `UpdateUncommittedBlockStructures`). The block's bytes then, if that was so.
fn with_reserved_value(mut block: Block) -> Option<Vec<u8>> {
    const RESERVED: [u8; 32] = [0; 32];
    /// What the script of the output that commits begins with (BIP 141).
    const COMMITS: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

    let coinbase = block.txdata.first_mut()?;
    let is_committed = coinbase.output.iter().any(|output| {
        output.script_pubkey.len() >= 38 && output.script_pubkey.as_bytes().starts_with(&COMMITS)
    });
    let input = coinbase.input.first_mut()?;
    if !is_committed || !input.witness.is_empty() {
        return None;
    }
    input.witness = Witness::from_slice(&[RESERVED]);
    Some(consensus::serialize(&block))
}

/// Tries before mining gives up, if nothing is said of it (Core's `DEFAULT_MAX_TRIES`).
const TRIES: u64 = 1_000_000;

fn generatetoaddress<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let (blocks, address): (i64, String) = (call.get(0)?, call.get(1)?);
    let network = context.params().network;
    let address = address.parse::<Address<_>>().ok();
    let address = address.and_then(|address| address.require_network(network).ok());
    let address =
        address.ok_or_else(|| RpcError::new(code::INVALID_ADDRESS_OR_KEY, "Error: Invalid address"))?;
    generate(context, call, blocks, &address.script_pubkey(), out)
}

fn generatetodescriptor<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let (blocks, descriptor): (i64, String) = (call.get(0)?, call.get(1)?);
    let script = descriptor::script(&descriptor, context.params().network)?;
    generate(context, call, blocks, &script, out)
}

fn generate<D: Store>(
    context: &Context<D>,
    call: &Call<'_>,
    blocks: i64,
    script: &ScriptBuf,
    out: Out<'_>,
) -> Result<Done, RpcError> {
    let mut tries = call.get::<Option<u64>>(2)?.unwrap_or(TRIES);
    let handle = context.handle();
    let mut hashes: Vec<Text<BlockHash>> = Vec::new();
    let mut left = u64::try_from(blocks).unwrap_or(0);
    while left > 0 {
        let now = handle.unix();
        let mut block = handle.with(|state| {
            let (tree, tip) = (state.chain.tree(), state.chain.tip());
            template(tree, tip, script.clone(), now, Vec::new())
        });
        match search(&mut block.header, &mut tries, call.instance()) {
            Search::Found => {}
            Search::Exhausted => continue,
            Search::GaveUp => break,
        }
        match handle.submit(&consensus::serialize(&block)) {
            // Somebody else has made the very same block at the same time.
            Ok(_) | Err(AcceptError::Refused(Refused::Duplicate(_))) => {}
            Err(why) => {
                let why = format!("ProcessNewBlock, block not accepted: {why}");
                return Err(RpcError::new(code::INTERNAL_ERROR, why));
            }
        }
        hashes.push(Text(block.block_hash()));
        left -= 1;
    }
    out.json(&hashes)
}

/// What came of looking for a nonce.
enum Search {
    Found,
    /// There are no more nonces; at another time there are others.
    Exhausted,
    /// No tries are left, or the server stops.
    GaveUp,
}

fn search(header: &mut Header, tries: &mut u64, instance: &Instance) -> Search {
    /// Tries between two looks at whether the server stops.
    const SLICE: u64 = 1 << 16;

    let mut left = u64::from(u32::MAX) + 1;
    while left > 0 {
        let slice = SLICE.min(left).min(*tries);
        if slice == 0 || !instance.wait(Duration::ZERO) {
            return Search::GaveUp;
        }
        let from = header.nonce;
        if mine(header, slice) {
            *tries -= u64::from(header.nonce.wrapping_sub(from));
            return Search::Found;
        }
        *tries -= slice;
        left -= slice;
    }
    Search::Exhausted
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;
    use bitcoin::constants::genesis_block;

    /// As in Core, the nonces that are no good are counted, and the one that is is not.
    #[test]
    fn tries_are_counted_to_the_last() {
        let mut header = genesis_block(Network::Regtest).header;
        let instance = Instance::new("test");
        let mut spent = 0;
        let mut tries = 1_000;
        for nonce in 0..200 {
            header.nonce = nonce;
            let before = tries;
            assert!(matches!(
                search(&mut header, &mut tries, &instance),
                Search::Found
            ));
            assert_eq!(before - tries, u64::from(header.nonce - nonce));
            spent += before - tries;
        }
        assert!(spent > 0 && tries > 0);
        let mut none = 0;
        assert!(matches!(
            search(&mut header, &mut none, &instance),
            Search::GaveUp
        ));
    }
}
