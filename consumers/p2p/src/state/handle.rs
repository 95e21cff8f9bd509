//! All of it under one lock.

use super::{
    AcceptError, Accepted, BanError, Bans, Chain, Count, Counters, Discouraged, Kind, Peers, Phase, Refused,
    Target, Targets, Tip,
};
use crate::chain::{BlockError, HeaderError, Id, Rules, check_block, peek_header};
use crate::mutant::{Mutant, planted};
use crate::settings::Settings;
use crate::store::Store;
use crate::sync::Download;
use crate::wire::{self, Command as Name};
use sockman::{Conn, Endpoint, Remote};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a node knows.
pub struct State<D: Store> {
    /// The chain.
    pub chain: Chain<D>,
    /// Whom we are connected to.
    pub peers: Peers,
    /// Whom we want to be connected to.
    pub targets: Targets,
    /// Whom we do not talk to.
    pub bans: Bans,
    /// Whom we would rather not talk to.
    pub discouraged: Discouraged,
    /// Whose address is one from which a download was held up, by somebody who had dialled us.
    pub(crate) stalled: Discouraged,
    /// Which blocks are asked for.
    pub download: Download,
    /// What has been counted.
    pub counters: Counters,
    /// Bytes received from and sent to peers.
    pub bytes: (u64, u64),
    /// Where we listen.
    pub listening: Vec<Endpoint>,
    /// Why the last block could not be stored, or why the node cannot go on otherwise.
    pub(crate) failed: Option<String>,
    /// Whether the node has been told to stop.
    pub stopping: bool,
    /// The loop's time, when it last did something.
    pub(crate) now: Instant,
    /// What other threads want the loop to do.
    pub(crate) commands: VecDeque<Command>,
    /// The tip has changed and not been announced yet.
    pub(crate) fresh: bool,
    /// The store [was found swamped](Store::is_swamped): some wait until it is so no longer.
    pub swamped: bool,
    /// Blocks were handed in that peers owed us: they, and whoever waited for those, can be asked for others.
    pub(crate) ask: bool,
}

impl<D: Store> State<D> {
    /// Whether the chain is as long as any that our peers have, and has the work that any must have: all whom we were told to
    /// connect to have told all their headers, or could not be reached or do not serve blocks; one at least has told; and all
    /// blocks of the chain with the most work among those are there.
    pub fn is_synced(&self) -> bool {
        let work = |id| self.chain.entry(id).work;
        let tip = work(self.chain.tip());
        let mut told = self
            .peers
            .iter()
            .filter(|(_, peer)| !peer.gone && peer.headers.is_complete())
            .peekable();
        tip >= self.chain.params().minimum_work
            && told.peek().is_some()
            && told.all(|(_, peer)| peer.best.is_none_or(|best| work(best) <= tip))
            && self.targets.iter().all(|target| self.has_been_heard(target))
    }

    fn has_been_heard(&self, target: &Target) -> bool {
        match target.phase {
            Phase::Connected(conn) => self.peers.get(conn).is_none_or(|peer| {
                peer.gone || peer.headers.is_complete() || (peer.ready && !peer.is_source())
            }),
            _ => target.failed,
        }
    }

    /// Why no more blocks can be stored, or what else keeps the node from going on, if that is so. It should be stopped then.
    pub fn failure(&self) -> Option<String> {
        let index = || self.chain.store().failed().map(|why| why.to_string());
        self.failed.clone().or_else(index)
    }
}

impl<D: Store> State<D> {
    /// Whether nothing should be recorded for now that can wait. Whoever waits is told.
    pub(crate) fn is_swamped(&mut self) -> bool {
        let is = self.chain.store().is_swamped();
        self.swamped |= is;
        is
    }

    /// A block that was handed in is stored: nobody need send it any more.
    fn landed(&mut self, accepted: Accepted) {
        self.fresh |= accepted.new_tip;
        // The first that is missing is asked of somebody, if anybody has it. So whoever is held up by the window is held up by
        // a block that somebody owes.
        if self.peers.iter().any(|(_, peer)| peer.is_asked_for(accepted.id)) {
            self.download.landed(&mut self.peers, accepted.id, self.now);
            self.ask = true;
        }
    }

    /// Takes the header of a block that is handed in, for which there is always room.
    fn prepare(&mut self, frame: &[u8], now: u64, most: usize) -> Result<(Id, Rules), Refused> {
        match self.chain.prepare(frame, now) {
            Err(Refused::Header(HeaderError::Full)) => {
                if let Some(greedy) = self.make_room(most, None) {
                    self.commands.push_back(Command::Disconnect(greedy));
                }
                self.chain.prepare(frame, now)
            }
            prepared => prepared,
        }
    }
}

/// What another thread wants the loop to do.
#[derive(Debug)]
pub enum Command {
    /// Hang up on a peer.
    Disconnect(Conn),
    /// Hang up on all peers that are banned.
    DropBanned,
    /// Send a ping to every peer.
    Ping,
    /// A name was looked up.
    Resolved {
        /// Whose name: the number of the target.
        target: u64,
        /// What came of it.
        addresses: Result<Vec<SocketAddr>, String>,
    },
}

/// What the loop and other threads share.
pub(crate) struct Shared<D: Store> {
    state: Mutex<State<D>>,
    /// Something has happened that somebody may wait for.
    happened: Condvar,
    /// The loop, once it runs.
    remote: Mutex<Option<Remote>>,
    /// Held by who changes the bans.
    saving: Mutex<()>,
    pub(crate) reader: D::Reader,
    settings: Settings,
}

impl<D: Store> Shared<D> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<D>> {
        // Whoever panicked with the lock held had not begun to change anything that others rely on: see `Chain`.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell_waiters(&self) {
        self.happened.notify_all();
    }

    pub(crate) fn runs_on(&self, remote: Remote) {
        let of_store = remote.clone();
        let tell = Arc::new(move || of_store.wake());
        self.lock().chain.store_mut().when_ready(tell);
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner) = Some(remote);
    }

    fn is_running(&self) -> bool {
        self.remote
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    pub(crate) fn wake(&self) {
        if let Some(remote) = &*self.remote.lock().unwrap_or_else(PoisonError::into_inner) {
            remote.wake();
        }
    }
}

/// Where a block is whose parent is not known: what is wrong with it there, is so for another reason.
const NOWHERE: Rules = Rules {
    height: 0,
    median_time: 0,
};

/// Tips that are looked at in one go, which takes a millisecond at most, and the pause before the next.
const TIPS: usize = 500;
const BREATH: Duration = Duration::from_micros(100);

/// Why somebody is not dialled who was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// That is done already.
    #[error("Error: Node already added")]
    Already,
    /// So many are dialled, which is the [most](Settings::targets).
    #[error("Error: {0} peers are dialled, which is the most")]
    Full(usize),
}

/// Why a block that was handed in was not taken.
pub type SubmitError = AcceptError;

/// A node, for other threads.
pub struct Handle<D: Store>(pub(crate) Arc<Shared<D>>);

impl<D: Store> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Handle(self.0.clone())
    }
}

impl<D: Store> Handle<D> {
    pub(crate) fn new(mut chain: Chain<D>, mut bans: Bans, settings: Settings) -> Handle<D> {
        bans.set_limit(settings.bans);
        chain.limit_headers(settings.headers);
        let reader = chain.reader();
        let chain_port = chain.params().default_port;
        let state = State {
            chain,
            peers: Peers::default(),
            targets: Targets::new(chain_port),
            bans,
            discouraged: Discouraged::new(settings.discourage, settings.discouraged),
            stalled: Discouraged::new(settings.discourage, settings.discouraged),
            download: Download::default(),
            counters: Counters::default(),
            bytes: (0, 0),
            listening: Vec::new(),
            failed: None,
            stopping: false,
            now: settings.clock.begin(),
            commands: VecDeque::new(),
            fresh: false,
            swamped: false,
            ask: false,
        };
        Handle(Arc::new(Shared {
            state: Mutex::new(state),
            happened: Condvar::new(),
            remote: Mutex::new(None),
            saving: Mutex::new(()),
            reader,
            settings,
        }))
    }

    /// Looks at the state, or changes it. The loop waits meanwhile, so this is to be short.
    pub fn with<R>(&self, look: impl FnOnce(&mut State<D>) -> R) -> R {
        look(&mut self.0.lock())
    }

    /// Reads blocks.
    pub fn reader(&self) -> &D::Reader {
        &self.0.reader
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Unix seconds.
    pub fn unix(&self) -> u64 {
        self.0.settings.clock.unix(self.0.lock().now)
    }

    /// Hands in a block: its bytes, without a message's header. It is checked on this thread. A new tip is announced at once.
    ///
    /// Fails with [`Refused::Duplicate`] if it is there already. Of a block that would not be valid anywhere, the header is not taken
    /// either (as by Core): whoever hands it in vouches for it, and another may have the block that the header is for.
    pub fn submit(&self, block: &[u8]) -> Result<Accepted, SubmitError> {
        let taken = self.hand_in(block);
        let new_tip = taken.as_ref().is_ok_and(|accepted| accepted.new_tip);
        if new_tip {
            self.0.tell_waiters();
        }
        // Whatever came of the block: making room for its header may have cost a peer its place.
        let wanted = new_tip || {
            let state = self.0.lock();
            state.ask || !state.commands.is_empty()
        };
        if wanted && !planted(Mutant::WakeLost) {
            self.0.wake();
        }
        taken
    }

    fn hand_in(&self, block: &[u8]) -> Result<Accepted, SubmitError> {
        // It is the loop that is told when the store is ready.
        if self.0.is_running() {
            self.wait(None, |state| (!state.is_swamped()).then_some(()));
        }
        let now = self.unix();
        let most = self.0.settings.headers;
        let (header, _) = peek_header(block).map_err(|why| Refused::from(BlockError::from(why)))?;
        let (params, mut rules) = {
            let state = self.0.lock();
            let tree = state.chain.tree();
            let parent = tree.find(&header.prev_blockhash);
            (tree.params().clone(), parent.map(|parent| tree.rules(parent)))
        };
        let frame = wire::frame(params.magic, Name::BLOCK, block);
        loop {
            let checked = check_block(&params, rules.unwrap_or(NOWHERE), block);
            let mut state = self.0.lock();
            if let Err(why) = &checked
                && why.is_anywhere()
            {
                state.counters.add(Count::blocks_refused);
                return Err(Refused::from(*why).into());
            }
            let (id, placed) = state.prepare(&frame, now, most)?;
            // Meanwhile its parent may have come.
            if rules != Some(placed) {
                rules = Some(placed);
                continue;
            }
            let taken = state.chain.finish(id, &frame, checked);
            match &taken {
                Ok(accepted) => state.landed(*accepted),
                Err(AcceptError::Refused(Refused::Block(_))) => state.counters.add(Count::blocks_refused),
                Err(AcceptError::Store(why)) => {
                    state.failed.get_or_insert_with(|| why.to_string());
                }
                Err(AcceptError::Refused(_)) => {}
            }
            return taken;
        }
    }

    /// The ends of all chains of headers, as Core's `getchaintips` tells them: highest first. There may be as many as headers, so
    /// this takes time, and is not for the loop, which goes on meanwhile: what changes then is told as it was or as it is.
    pub fn tips(&self) -> Vec<Tip> {
        let (mut tips, mut after) = (Vec::new(), None);
        loop {
            let (share, next) = self.with(|state| state.chain.other_tips(after, TIPS));
            tips.extend(share);
            if next.is_none() {
                break;
            }
            after = next;
            // Or the loop, which waits for the lock, would hardly ever get it.
            thread::sleep(BREATH);
        }
        let active = self.with(|state| state.chain.active_tip());
        // It may have become so meanwhile.
        tips.retain(|tip| tip.hash != active.hash);
        tips.push(active);
        tips.sort_by_key(|tip| Reverse(tip.height));
        tips
    }

    /// Waits until `look` finds what it looks for: it is called at once, and whenever the tip has changed, the store is no longer
    /// swamped, the node stops, or somebody [asks for it](Handle::look_again).
    /// `None` when `until` has passed, or when the node stops and `look` has found nothing even then.
    pub fn wait<R>(
        &self,
        until: Option<Instant>,
        mut look: impl FnMut(&mut State<D>) -> Option<R>,
    ) -> Option<R> {
        let mut state = self.0.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            if state.stopping {
                return None;
            }
            state = match until {
                None => self
                    .0
                    .happened
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let waited = self.0.happened.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Has all who [wait](Handle::wait) look again: for what another thread has changed before that is no part of the state.
    pub fn look_again(&self) {
        // Whoever has looked already waits by the time that this is locked, and so is woken.
        drop(self.0.lock());
        self.0.tell_waiters();
    }

    /// The node cannot go on, for this reason: see [`State::failure`]. The first one counts.
    pub fn fail(&self, why: &str) {
        self.0.lock().failed.get_or_insert_with(|| why.to_owned());
    }

    /// Has the loop do something.
    pub fn command(&self, command: Command) {
        self.0.lock().commands.push_back(command);
        self.0.wake();
    }

    /// Dials somebody, at once and (unless `kind` is [`Kind::Once`]) again and again.
    pub fn add_node(&self, name: &str, kind: Kind) -> Result<(), AddError> {
        let Settings {
            targets: most,
            retry_after,
            ..
        } = self.0.settings;
        {
            let mut state = self.0.lock();
            if kind != Kind::Once && state.targets.has(name, kind) {
                return Err(AddError::Already);
            }
            if state.targets.len() >= most {
                return Err(AddError::Full(most));
            }
            let now = state.now;
            state.targets.add(name, kind, now, retry_after);
        }
        self.0.wake();
        Ok(())
    }

    /// Does not dial somebody any more who was [added](Kind::Added). A connection that is there stays. Says whether it was added.
    pub fn remove_node(&self, name: &str) -> bool {
        !self.0.lock().targets.remove(name).is_empty()
    }

    /// Changes the bans, and puts them on the disk; then hangs up on all who are banned. The loop does not wait for the disk. If
    /// they cannot be written, they are as before.
    pub fn change_bans(
        &self,
        change: impl FnOnce(&mut Bans, u64) -> Result<(), BanError>,
    ) -> Result<(), BanError> {
        let now = self.unix();
        // So that the file is as the last change left it.
        let _saving = self.0.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bans = self.0.lock().bans.clone();
        change(&mut bans, now)?;
        bans.save()?;
        self.0.lock().bans = bans;
        self.command(Command::DropBanned);
        Ok(())
    }

    /// Ends what waits ([`wait`](Handle::wait)): the node stops.
    pub fn stop_waiting(&self) {
        self.0.lock().stopping = true;
        self.0.tell_waiters();
    }
}
