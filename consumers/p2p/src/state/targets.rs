//! Whom we want to be connected to.

use sockman::Conn;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Why somebody is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `--connect`: again and again.
    Connect,
    /// `--addnode`, or the RPC `addnode add`: again and again.
    Added,
    /// The RPC `addnode onetry`: once.
    Once,
}

/// Where we are with somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// To be dialled then.
    Waiting(Instant),
    /// Its name is being looked up, on another thread.
    Resolving,
    /// It is being dialled.
    Dialling(Conn),
    /// It is connected.
    Connected(Conn),
}

/// Somebody whom we dial.
#[derive(Debug)]
pub struct Target {
    /// Counts up from 0, never the same again.
    pub id: u64,
    /// An address and a port, or a name and a port.
    pub name: String,
    /// Why.
    pub kind: Kind,
    /// How far we are.
    pub phase: Phase,
    /// How long we wait after the next failure.
    pub(crate) backoff: Duration,
    /// What of its addresses is tried next, if a name has several.
    pub(crate) turn: usize,
    /// It could not be reached, or the connection has ended, once at least.
    pub(crate) failed: bool,
    /// Why it could not be reached the first time that it could not, and whether that has been [told](Targets::unreached).
    pub(crate) unreached: Option<(String, bool)>,
    /// Not wanted any more, once what is under way has ended.
    pub(crate) removed: bool,
}

impl Target {
    /// It could not be reached. Says whether that is the first time.
    pub(crate) fn cannot_be_reached(&mut self, why: &str) -> bool {
        let is_first = self.unreached.is_none();
        self.unreached.get_or_insert_with(|| (why.to_owned(), false));
        is_first
    }
}

/// All whom we dial.
#[derive(Debug)]
pub struct Targets {
    list: Vec<Target>,
    next: u64,
    /// The port of those that are called by a name without one.
    port: u16,
}

impl Targets {
    /// None, yet. Names without a port are of this one.
    pub(crate) fn new(port: u16) -> Targets {
        let (list, next) = (Vec::new(), 0);
        Targets { list, next, port }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.list.iter().filter(|target| !target.removed)
    }

    /// How many there are, those included with whom something is still under way though they are not wanted any more.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// One of them, by its number.
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Target> {
        self.list.iter_mut().find(|target| target.id == id)
    }

    /// One of them, by its number.
    pub fn get(&self, id: u64) -> Option<&Target> {
        self.list.iter().find(|target| target.id == id)
    }

    /// Whether somebody by this name is dialled, and why.
    pub fn has(&self, name: &str, kind: Kind) -> bool {
        let name = with_port(name, self.port);
        self.iter()
            .any(|target| target.kind == kind && with_port(&target.name, self.port) == name)
    }

    /// Who could not be reached, and why: each once, after the first time.
    pub fn unreached(&mut self) -> Vec<(String, String)> {
        let mut unreached = Vec::new();
        for target in &mut self.list {
            if let Some((why, told @ false)) = &mut target.unreached {
                *told = true;
                unreached.push((target.name.clone(), why.clone()));
            }
        }
        unreached
    }

    /// One more, to be dialled at once.
    pub(crate) fn add(&mut self, name: &str, kind: Kind, now: Instant, backoff: Duration) -> u64 {
        let id = self.next;
        self.next += 1;
        self.list.push(Target {
            id,
            name: name.to_owned(),
            kind,
            phase: Phase::Waiting(now),
            backoff,
            turn: 0,
            failed: false,
            unreached: None,
            removed: false,
        });
        id
    }

    /// Not this one any more, if it was [added](Kind::Added): gives the numbers of those that were called so.
    pub(crate) fn remove(&mut self, name: &str) -> Vec<u64> {
        let mut removed = Vec::new();
        let name = with_port(name, self.port);
        for target in &mut self.list {
            let added = target.kind == Kind::Added && !target.removed;
            if added && with_port(&target.name, self.port) == name {
                target.removed = true;
                removed.push(target.id);
            }
        }
        self.sweep();
        removed
    }

    /// What was under way with somebody has ended: wait, and try again.
    pub(crate) fn ended(&mut self, id: u64, at: Instant) {
        if let Some(target) = self.get_mut(id) {
            target.phase = Phase::Waiting(at);
            target.failed = true;
            target.removed |= target.kind == Kind::Once;
        }
        self.sweep();
    }

    /// Forgets those that are not wanted any more.
    fn sweep(&mut self) {
        self.list
            .retain(|target| !target.removed || !matches!(target.phase, Phase::Waiting(_)));
    }

    /// Who is to be dialled by now.
    pub(crate) fn due(&self, now: Instant) -> Vec<u64> {
        let due = |target: &&Target| matches!(target.phase, Phase::Waiting(at) if at <= now);
        self.list.iter().filter(due).map(|target| target.id).collect()
    }

    /// When the next is to be dialled.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let at = |target: &Target| match target.phase {
            Phase::Waiting(at) => Some(at),
            _ => None,
        };
        self.list.iter().filter_map(at).min()
    }
}

/// A name with its port: the chain's own where none is given.
pub(crate) fn with_port(name: &str, port: u16) -> String {
    if let Ok(ip) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return SocketAddr::new(ip, port).to_string();
    }
    let has_port = name
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port {
        name.to_owned()
    } else {
        format!("{name}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn names(targets: &Targets) -> Vec<&str> {
        targets.iter().map(|target| target.name.as_str()).collect()
    }

    #[test]
    fn due_at_once_and_later_and_never_while_something_is_under_way() {
        let now = Instant::now();
        let mut all = Targets::new(8333);
        assert_eq!((all.due(now), all.next_due()), (vec![], None));
        let one = all.add("one:1", Kind::Connect, now, SECOND);
        let two = all.add("two:1", Kind::Added, now + SECOND, SECOND);
        assert_eq!((all.due(now), all.next_due()), (vec![one], Some(now)));
        all.get_mut(one).unwrap().phase = Phase::Resolving;
        assert_eq!((all.due(now), all.next_due()), (vec![], Some(now + SECOND)));
        assert_eq!(all.due(now + SECOND), [two]);
        all.ended(one, now + 2 * SECOND);
        assert_eq!(all.due(now + 2 * SECOND), [one, two]);
        assert!(all.has("one:1", Kind::Connect) && !all.has("one", Kind::Connect));
    }

    #[test]
    fn once_is_once_and_not_again_and_again() {
        let now = Instant::now();
        let mut all = Targets::new(8333);
        let one = all.add("one:1", Kind::Once, now, SECOND);
        assert!(!all.has("one:1", Kind::Added), "it may be added, too");
        all.get_mut(one).unwrap().phase = Phase::Resolving;
        all.ended(one, now);
        assert!(names(&all).is_empty() && all.next_due().is_none());
        all.ended(one, now);
        assert!(all.get(one).is_none());
    }

    #[test]
    fn who_is_removed_is_forgotten_when_what_is_under_way_has_ended() {
        let now = Instant::now();
        let mut all = Targets::new(8333);
        let one = all.add("one:1", Kind::Added, now, SECOND);
        all.add("one:1", Kind::Connect, now, SECOND);
        all.add("two:1", Kind::Added, now, SECOND);
        all.get_mut(one).unwrap().phase = Phase::Resolving;
        assert_eq!(all.remove("one:1"), [one], "not who is to be connected to anyway");
        assert_eq!(names(&all), ["one:1", "two:1"]);
        assert!(all.get(one).is_some());
        assert!(all.remove("one:1").is_empty(), "it was already");
        all.ended(one, now);
        assert!(all.get(one).is_none());
    }

    #[test]
    fn who_could_not_be_reached_is_told_once() {
        let now = Instant::now();
        let mut all = Targets::new(8333);
        let one = all.add("one:1", Kind::Connect, now, SECOND);
        all.add("two:1", Kind::Connect, now, SECOND);
        assert!(all.unreached().is_empty());
        all.get_mut(one).unwrap().cannot_be_reached("refused");
        assert_eq!(all.unreached(), [("one:1".to_owned(), "refused".to_owned())]);
        all.get_mut(one).unwrap().cannot_be_reached("refused");
        assert!(all.unreached().is_empty());
    }

    #[test]
    fn names_get_the_port_they_lack() {
        assert_eq!(with_port("10.0.0.1", 8333), "10.0.0.1:8333");
        assert_eq!(with_port("10.0.0.1:1", 8333), "10.0.0.1:1");
        assert_eq!(with_port("::1", 8333), "[::1]:8333");
        assert_eq!(with_port("[::1]", 8333), "[::1]:8333");
        assert_eq!(with_port("[::1]:1", 8333), "[::1]:1");
        assert_eq!(with_port("seed.example", 8333), "seed.example:8333");
        assert_eq!(with_port("seed.example:1", 8333), "seed.example:1");
    }
}
