//! What serving templates takes.

use super::authority;
use super::patience::Patience;
use crate::args::node::NodeArgs;
use crate::command::warn;
use crate::failure::Failure;
use sockman_node::templates::{Feed, Follower, Templates};
use sockman_p2p::chain::Id;
use sockman_p2p::coins::Coins;
use sockman_p2p::state::Handle;
use sockman_p2p::store::Disk;
use sockman_sv2::wire::{Authority, Chance};
use std::path::Path;

/// The authority's key, and what makes templates.
pub(super) struct Sv2Parts {
    pub(super) authority: Authority,
    pub(super) feed: Feed,
    pub(super) templates: Option<Templates<Disk>>,
    pub(super) follower: Option<Follower<Disk>>,
}

/// Opens what is in the chain's directory. Where templates are not wanted, nothing is made, and the provider, which listens nowhere,
/// has a key that nobody will see.
pub(super) fn open(
    args: &NodeArgs,
    dir: &Path,
    handle: &Handle<Disk>,
    seed: [u8; 32],
) -> Result<Sv2Parts, Failure> {
    let mut chance = Chance::new(seed);
    if !args.sv2.is_on() {
        return Ok(Sv2Parts {
            authority: Authority::generate(&mut chance),
            feed: Feed::none(),
            templates: None,
            follower: None,
        });
    }
    let authority = authority::load(&args.sv2.key_file(dir), &mut chance)?;
    let genesis = handle.with(|state| state.chain.entry(Id::GENESIS).hash);
    let path = dir.join("coins.redb");
    let patience = Patience::start(&path, "all of it is read", args.progress_every())?;
    let (coins, remade) = Coins::open(&path, genesis, args.pool.coins())?;
    drop(patience);
    if let Some(remade) = remade {
        warn(&remade);
    }
    let (templates, follower) = Templates::new(handle.clone(), coins, args.pool.settings())?;
    Ok(Sv2Parts {
        authority,
        feed: templates.feed(),
        templates: Some(templates),
        follower: Some(follower),
    })
}
