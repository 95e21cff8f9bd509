//! Nodes that download from each other, with miners among them, on a network that parts and heals, with peers that do what they
//! should not.
//!
//! - this file: how a run goes: nodes are started, things happen, all is healed, and then they must agree
//! - `world`: the nodes and villains with what connects them; `events`: what happens; `end`: what must hold at the end
//! - `place`: where an honest node lives, and its settings; `watch`: what must hold of it after each of its turns
//! - `blocks`: the blocks that were made; `villain`: the peers that do what they should not
//!
//! The node's own promises: whatever happens, a node's active chain is valid, never has less work than before, and nothing that was
//! stored is lost or asked for again; what is asked for stays within its bounds, and what an honest peer was asked for is waited
//! for; nobody honest is discouraged. And when all is healed, all come to the chain with the most work, and then are quiet.

mod blocks;
mod end;
mod events;
mod place;
mod villain;
mod watch;
mod world;

use crate::case::Run;
use sockman_backends::sim::{Sim, SimLevel, Simulated};
use world::World;

pub(crate) fn scenario(run: &mut Run) {
    if run.random.bool() {
        explore::<Sim>(run);
    } else {
        explore::<SimLevel>(run);
    }
}

fn explore<B: Simulated>(run: &mut Run) {
    let mut world = World::<B>::new(run);
    world.begin();
    world.goes_on();
    world.heals();
    world.agrees();
    world.is_quiet();
    world.finish(run);
}
