//! The loop itself, which all servers have in common.

use super::values::{Seconds, Size};
use sockman_backends::sockman::Config;
use std::num::NonZeroUsize;
use std::str::FromStr;

fn default() -> Config {
    Config::default()
}

/// For what cannot be 0.
fn some(text: &str) -> Result<Size, String> {
    match Size::from_str(text)? {
        Size(0) => Err("must be above 0".to_owned()),
        size => Ok(size),
    }
}

fn nonzero(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The loop")]
pub(crate) struct EngineArgs {
    /// Bytes read from, and written to, one connection before others have their turn.
    #[arg(long, value_name = "SIZE", value_parser = some, default_value_t = Size(default().byte_budget))]
    byte_budget: Size,
    /// Connections accepted from one listener before others have their turn.
    #[arg(long, value_name = "N", default_value_t = nonzero(default().accept_budget))]
    accept_budget: NonZeroUsize,
    /// How many seconds a listener rests when there are no descriptors left, unless a connection closes sooner.
    #[arg(long, value_name = "SECS", default_value_t = Seconds(default().accept_backoff))]
    accept_backoff: Seconds,
    /// The buffer that is received into.
    #[arg(long, value_name = "SIZE", value_parser = some, default_value_t = Size(default().read_buffer))]
    read_buffer: Size,
    /// From this size on, what is sent is offered to the kernel before it is copied.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().direct_write))]
    direct_write: Size,
    /// Events of the kernel taken in one turn.
    #[arg(long, value_name = "N", default_value_t = nonzero(default().events))]
    events: NonZeroUsize,
    /// Emptied buffers that are kept for reuse.
    #[arg(long, value_name = "SIZE", default_value_t = Size(default().spare_buffers))]
    spare_buffers: Size,
    /// `uring`: from so many events in a turn on, sends are handed over together; 0 for always.
    #[arg(long, value_name = "N", default_value_t = default().batch_from)]
    batch_from: usize,
    /// `uring`: buffers lent to the kernel.
    #[arg(long, value_name = "SIZE", value_parser = some, default_value_t = Size(default().lent_buffers))]
    lent_buffers: Size,
}

impl EngineArgs {
    pub(crate) fn config(&self) -> Config {
        Config {
            byte_budget: self.byte_budget.0,
            accept_budget: self.accept_budget.get(),
            accept_backoff: self.accept_backoff.0,
            read_buffer: self.read_buffer.0,
            direct_write: self.direct_write.0,
            events: self.events.get(),
            spare_buffers: self.spare_buffers.0,
            batch_from: self.batch_from,
            lent_buffers: self.lent_buffers.0,
            ..default()
        }
    }
}
