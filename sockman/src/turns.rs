//! Work that takes turns.

use crate::id::Conn;
use std::collections::VecDeque;

/// Connections that wait for work that takes long, such as answers of megabytes.
///
/// So much of it is done in one turn of the loop, for all connections together, and those that wait are served in the order in which
/// they came to wait, in a later turn than that. So nobody has to wait who wants nothing of the kind, and nobody is overtaken. What
/// the amounts are is the protocol's affair; bytes, mostly. At least one piece of work is done in a turn.
///
/// It sets no timer itself. Whenever [`wait`](Turns::wait) or [`end`](Turns::end) says so, one is to be set for the present; when that
/// fires, between [`begin`](Turns::begin) and [`end`](Turns::end), those who [are next](Turns::pop) are served.
#[derive(Debug)]
pub struct Turns {
    most: usize,
    /// Each with the turn in which it came to wait.
    waiting: VecDeque<(Conn, u64)>,
    /// What was spent in the turn of this number.
    spent: usize,
    turn: u64,
    /// The timer is set.
    armed: bool,
    /// Those who wait are being served.
    serving: bool,
}

impl Turns {
    /// With so much for a turn.
    pub fn new(most: usize) -> Turns {
        Turns {
            most: most.max(1),
            waiting: VecDeque::new(),
            spent: 0,
            turn: 0,
            armed: false,
            serving: false,
        }
    }

    /// Whether work may be done now: there is something left for this turn, and nobody waits (or it is those who are being served).
    /// `turn` is the number of the turn, [`Stats::turns`](crate::Stats::turns).
    pub fn is_free(&mut self, turn: u64) -> bool {
        self.enter(turn);
        (self.serving || self.waiting.is_empty()) && self.spent < self.most
    }

    /// Counts work that was done.
    pub fn spend(&mut self, amount: usize) {
        self.spent = self.spent.saturating_add(amount);
    }

    /// Has a connection wait for a turn later than that of this number, behind all others; one that waits already stays where it is. Says
    /// whether the timer is to be set.
    #[must_use]
    pub fn wait(&mut self, conn: Conn, turn: u64) -> bool {
        self.enter(turn);
        if !self.waiting.iter().any(|(waiting, _)| *waiting == conn) {
            self.waiting.push_back((conn, self.turn));
        }
        !std::mem::replace(&mut self.armed, true)
    }

    /// The timer has fired, in the turn of this number.
    pub fn begin(&mut self, turn: u64) {
        self.enter(turn);
        (self.armed, self.serving) = (false, true);
    }

    /// Who is served next, if there is anything left for this turn and somebody waits for longer: each is served once in a turn at most,
    /// however soon it waits again. Connections that are gone meanwhile are named too.
    pub fn pop(&mut self) -> Option<Conn> {
        let &(conn, since) = self.waiting.front()?;
        if self.spent >= self.most || since == self.turn {
            return None;
        }
        self.waiting.pop_front();
        Some(conn)
    }

    /// Nobody else is served in this turn. Says whether the timer is to be set.
    #[must_use]
    pub fn end(&mut self) -> bool {
        self.serving = false;
        !self.waiting.is_empty() && !std::mem::replace(&mut self.armed, true)
    }

    fn enter(&mut self, turn: u64) {
        if self.turn != turn {
            (self.turn, self.spent) = (turn, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Id, RawId};

    fn conn(number: usize) -> Conn {
        Conn::from_raw(RawId::new(0, number, 1).expect("it is small"))
    }

    /// Serves those who wait, with work of this amount for each.
    fn serve(turns: &mut Turns, turn: u64, amount: usize) -> (Vec<Conn>, bool) {
        turns.begin(turn);
        let served = std::iter::from_fn(|| {
            let next = turns.pop();
            turns.spend(if next.is_some() { amount } else { 0 });
            next
        });
        let served = served.collect();
        (served, turns.end())
    }

    #[test]
    fn a_turn_has_so_much_and_the_next_as_much_again() {
        let mut turns = Turns::new(10);
        for turn in 1..5 {
            assert!(turns.is_free(turn));
            turns.spend(9);
            assert!(turns.is_free(turn));
            turns.spend(100);
            assert!(!turns.is_free(turn));
        }
    }

    #[test]
    fn who_waits_first_is_served_first_and_nobody_before_them() {
        let mut turns = Turns::new(10);
        let [a, b, c] = [1, 2, 3].map(conn);
        assert!(turns.wait(a, 0), "the timer is to be set once");
        assert!(!turns.wait(b, 0) && !turns.wait(c, 0) && !turns.wait(a, 0));
        assert!(!turns.is_free(1), "others are first");
        assert_eq!(serve(&mut turns, 2, 6), (vec![a, b], true));
        assert!(!turns.is_free(2) && !turns.is_free(3));
        assert!(!turns.wait(a, 3), "it is set already");
        assert_eq!(serve(&mut turns, 3, 6), (vec![c], true), "it came in this turn");
        assert_eq!(serve(&mut turns, 4, 6), (vec![a], false));
        assert!(turns.is_free(5));
    }

    #[test]
    fn who_is_served_may_work_and_wait_again() {
        let mut turns = Turns::new(10);
        let [a, b] = [1, 2].map(conn);
        assert!(turns.wait(a, 0) && !turns.wait(b, 0));
        turns.begin(1);
        assert_eq!(turns.pop(), Some(a));
        assert!(turns.is_free(1), "although another waits");
        turns.spend(4);
        assert!(turns.wait(a, 1));
        assert_eq!(turns.pop(), Some(b));
        turns.spend(4);
        assert_eq!(
            turns.pop(),
            None,
            "there is something left, but everybody was served"
        );
        assert!(!turns.end(), "the timer is set already");
        assert_eq!(serve(&mut turns, 2, 4), (vec![a], false));
    }

    #[test]
    fn one_piece_of_work_is_done_in_any_turn() {
        let mut turns = Turns::new(0);
        let [a, b] = [1, 2].map(conn);
        assert!(turns.wait(a, 0) && !turns.wait(b, 0));
        assert_eq!(serve(&mut turns, 1, 1_000_000), (vec![a], true));
        assert_eq!(serve(&mut turns, 2, 1_000_000), (vec![b], false));
    }
}
