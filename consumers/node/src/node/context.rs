//! What methods and pages work on.

use crate::templates::{Figures, Templates};
use sockman_http::rpc::{RpcError, code};
use sockman_p2p::chain::Params;
use sockman_p2p::state::Handle;
use sockman_p2p::store::Store;
use sockman_sv2::wire::AuthorityKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A template provider beside the node.
#[derive(Clone)]
pub struct Sv2 {
    /// What it knows.
    pub handle: sockman_sv2::Handle,
    /// Who vouches for it.
    pub authority: AuthorityKey,
}

/// A node, and what serving it to clients takes. Clones share it.
pub struct Context<D: Store>(Arc<Inner<D>>);

struct Inner<D: Store> {
    handle: Handle<D>,
    params: Arc<Params>,
    /// Calls that wait for a block.
    waiting: AtomicUsize,
    most_waiting: usize,
    sv2: Option<Sv2>,
    templates: Option<Templates<D>>,
    /// The chain has caught up once.
    caught_up: AtomicBool,
}

impl<D: Store> Clone for Context<D> {
    fn clone(&self) -> Self {
        Context(self.0.clone())
    }
}

impl<D: Store> Context<D> {
    /// Of this node. `most_waiting`: calls that may wait for a block at once; there should be more workers than that. `sv2`,
    /// `templates`: its template provider and its pool of transactions, if it has them.
    pub fn new(
        handle: Handle<D>,
        most_waiting: usize,
        sv2: Option<Sv2>,
        templates: Option<Templates<D>>,
    ) -> Self {
        let params = handle.with(|state| state.chain.tree().params().clone());
        Context(Arc::new(Inner {
            handle,
            params,
            waiting: AtomicUsize::new(0),
            most_waiting,
            sv2,
            templates,
            caught_up: AtomicBool::new(false),
        }))
    }

    /// The node.
    pub fn handle(&self) -> &Handle<D> {
        &self.0.handle
    }

    /// The rules of its chain.
    pub fn params(&self) -> &Params {
        &self.0.params
    }

    /// The template provider, if there is one.
    pub fn sv2(&self) -> Option<&Sv2> {
        self.0.sv2.as_ref()
    }

    /// Figures of the pool of transactions, if there is one.
    pub(super) fn figures(&self) -> Option<Figures> {
        self.0.templates.as_ref().map(Templates::figures)
    }

    /// The pool of transactions. Fails if there is none.
    pub(super) fn templates(&self) -> Result<&Templates<D>, RpcError> {
        let none = || {
            let why = "There is no mempool: the node has one when it is started with --sv2-bind";
            RpcError::new(code::CLIENT_MEMPOOL_DISABLED, why)
        };
        self.0.templates.as_ref().ok_or_else(none)
    }

    /// Whether the chain has still to catch up; once it has, never again (Core's `IsInitialBlockDownload`). `caught_up` says
    /// whether it has by now.
    pub(super) fn is_catching_up(&self, caught_up: impl FnOnce() -> bool) -> bool {
        let caught_up = self.0.caught_up.load(Ordering::Relaxed) || caught_up();
        if caught_up {
            self.0.caught_up.store(true, Ordering::Relaxed);
        }
        !caught_up
    }

    /// Enters a call among those that wait, until what it gives is dropped. Fails if too many do.
    pub(super) fn enter_waiting(&self) -> Result<Waiting<'_, D>, RpcError> {
        let most = self.0.most_waiting;
        let entered = self
            .0
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < most).then_some(count + 1)
            });
        match entered {
            Ok(_) => Ok(Waiting(self)),
            Err(_) => {
                let why = format!("{most} calls are waiting already");
                Err(RpcError::new(code::MISC_ERROR, why))
            }
        }
    }
}

/// A call among those that wait.
pub(super) struct Waiting<'a, D: Store>(&'a Context<D>);

impl<D: Store> Drop for Waiting<'_, D> {
    fn drop(&mut self) {
        self.0.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::node::recorded::node;

    #[test]
    fn those_who_wait_are_counted() {
        let context = node(1_700_000_000);
        let first = context.enter_waiting().map_err(drop).expect("the first");
        let why = context.enter_waiting().map(drop).expect_err("one is the most");
        assert_eq!(why.to_string(), "1 calls are waiting already (-1)");
        drop(first);
        assert!(context.enter_waiting().is_ok());
    }

    #[test]
    fn what_has_caught_up_does_not_fall_behind() {
        let context = node(1_700_000_000);
        assert!(context.is_catching_up(|| false));
        assert!(!context.is_catching_up(|| true));
        assert!(!context.is_catching_up(|| false));
    }
}
