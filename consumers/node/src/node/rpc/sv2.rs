//! The template provider. Core has no such method.

use crate::node::context::Context;
use crate::node::json::Text;
use serde::Serialize;
use sockman_http::rpc::{Call, Done, Method, Out, RpcError, code};
use sockman_p2p::store::Store;
use sockman_sv2::ClientInfo;
use sockman_sv2::wire::AuthorityKey;
use std::collections::BTreeMap;

pub(super) fn methods<D: Store>() -> [Method<Context<D>>; 1] {
    [Method::new("getsv2info", getsv2info).on_worker().help(
        "Mining",
        "Tells of the Stratum V2 template provider: the key of its authority, its clients, and what has been counted.",
    )]
}

#[derive(Serialize)]
struct Info {
    authority_public_key: Text<AuthorityKey>,
    clients: Vec<Client>,
    /// Templates that are kept, for all clients together.
    templates: usize,
    counters: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Client {
    addr: String,
    /// Seconds since it connected.
    conntime: u64,
    stage: &'static str,
    vendor: Option<String>,
    device_id: Option<String>,
    /// Bytes that its coinbase outputs take.
    coinbase_output_max_additional_size: Option<u32>,
    coinbase_output_max_additional_sigops: Option<u16>,
    /// The last template that it was sent.
    template_id: Option<u64>,
    /// What that pays, in satoshis.
    coinbase_tx_value_remaining: Option<u64>,
    /// Templates that are kept for it.
    templates: usize,
    /// Whether it has not taken what it was sent.
    behind: bool,
}

impl From<ClientInfo> for Client {
    fn from(info: ClientInfo) -> Client {
        let (vendor, device_id) = info.setup.map(|setup| (setup.vendor, setup.device)).unzip();
        Client {
            addr: info.peer.to_string(),
            conntime: info.age.as_secs(),
            stage: info.stage.name(),
            vendor,
            device_id,
            coinbase_output_max_additional_size: info.constraints.map(|room| room.size),
            coinbase_output_max_additional_sigops: info.constraints.map(|room| room.sigops),
            template_id: info.template,
            coinbase_tx_value_remaining: info.value,
            templates: info.templates,
            behind: info.behind,
        }
    }
}

fn getsv2info<D: Store>(context: &Context<D>, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
    let Some(sv2) = context.sv2() else {
        let why = "there is no template provider: start the node with --sv2-bind";
        return Err(RpcError::new(code::MISC_ERROR, why));
    };
    let clients: Vec<Client> = sv2.handle.clients().into_iter().map(Client::from).collect();
    out.json(&Info {
        authority_public_key: Text(sv2.authority),
        templates: clients.iter().map(|client| client.templates).sum(),
        clients,
        counters: sv2.handle.counters().iter().collect(),
    })
}
