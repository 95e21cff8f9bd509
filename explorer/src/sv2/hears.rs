//! What a client must be told.

use super::model::{self, Expected, Model, tip};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sockman_sv2::wire::{Constraints, Message, NewTemplate, PrevHash};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Instant;

/// What a client has asked for, and not been answered. (All times are the provider's clock.)
#[derive(Debug)]
pub(super) enum Asked {
    /// To be taken: the answer is this.
    Setup(Message),
    /// Templates for such room.
    Room {
        room: Constraints,
        /// There was work then.
        had_work: bool,
        /// Tips that it had been told.
        tips: usize,
    },
    /// The transactions of a template.
    Data { template: u64, at: Instant },
    /// A solution: that has no answer, but what follows it is answered later.
    Solution {
        number: u64,
        template: u64,
        is_right: bool,
        at: Instant,
    },
}

/// A template that it was told.
pub(super) struct Told {
    pub(super) template: NewTemplate,
    /// Its tip, as it was told.
    pub(super) prev: PrevHash,
    /// The first work that makes such a template.
    pub(super) work: usize,
    expected: Expected,
    /// When it was told of another tip.
    outdated: Option<Instant>,
}

pub(super) struct Hears {
    model: Rc<RefCell<Model>>,
    /// Numbers of templates are above this.
    pub(super) floor: u64,
    pub(super) is_agreed: bool,
    pub(super) asked: VecDeque<Asked>,
    pub(super) told: Vec<Told>,
    /// A future template whose tip comes next.
    future: Option<NewTemplate>,
    /// What its templates may be made for: what it has said last, and before that is not certain to be over.
    rooms: Vec<Constraints>,
    /// How often it has said so.
    constrained: usize,
    /// Tips that it was told, and how many of them it knew.
    tips: usize,
    again: usize,
}

impl Hears {
    pub(super) fn new(model: &Rc<RefCell<Model>>, floor: u64) -> Hears {
        Hears {
            model: model.clone(),
            floor,
            is_agreed: false,
            asked: VecDeque::new(),
            told: Vec::new(),
            future: None,
            rooms: Vec::new(),
            constrained: 0,
            tips: 0,
            again: 0,
        }
    }

    pub(super) fn constrains(&mut self, room: Constraints) {
        let had_work = self.model.borrow().latest().is_some();
        let tips = self.tips;
        self.asked.push_back(Asked::Room { room, had_work, tips });
        self.rooms.push(room);
        self.constrained += 1;
    }

    pub(super) fn requests(&mut self, template: u64) {
        let at = self.model.borrow().now();
        self.asked.push_back(Asked::Data { template, at });
    }

    pub(super) fn submits(&mut self, number: u64, template: u64, is_right: bool) {
        let at = self.model.borrow().now();
        self.asked.push_back(Asked::Solution {
            number,
            template,
            is_right,
            at,
        });
    }

    /// The largest number that it was told, or that was told before it came.
    pub(super) fn number(&self) -> u64 {
        let last = self.told.last().map_or(0, |told| told.template.template);
        let future = self.future.as_ref().map_or(0, |future| future.template);
        self.floor.max(last).max(future)
    }

    pub(super) fn hear(&mut self, message: Message, unix: u64) {
        if let Message::SetNewPrevHash(prev) = message {
            let future = self.future.take();
            let named = future.filter(|future| future.template == prev.template);
            let named = named.unwrap_or_else(|| {
                panic!(
                    "a tip names {}, which is not the future template before it",
                    prev.template
                )
            });
            return self.tip(named, prev, unix);
        }
        assert!(
            self.future.is_none(),
            "a future template is not followed by its tip, but by {message:?}"
        );
        match message {
            Message::NewTemplate(template) => self.template(template),
            Message::RequestTransactionDataSuccess {
                template,
                excess,
                transactions,
            } => {
                let asked = self.answered(template);
                self.check_data(template, asked, &excess, &transactions);
            }
            Message::RequestTransactionDataError { template, code } => {
                self.answered(template);
                self.check_error(template, &code);
            }
            other => match self.asked.pop_front() {
                Some(Asked::Setup(expected)) => {
                    assert_eq!(other, expected, "the answer to the set-up");
                    self.is_agreed = matches!(other, Message::SetupConnectionSuccess { .. });
                }
                asked => panic!("{other:?} is no answer to {asked:?}"),
            },
        }
    }

    fn template(&mut self, template: NewTemplate) {
        assert!(self.is_agreed, "a template, and nothing is agreed on");
        assert!(
            template.template > self.number(),
            "template {} comes after {}",
            template.template,
            self.number()
        );
        if template.future {
            self.future = Some(template);
            return;
        }
        let last = self.told.last().expect("there is no template without a tip");
        let model = self.model.borrow();
        let settings = &model.settings;
        let found = model.find(&template, BlockHash::from_byte_array(last.prev.hash), &self.rooms);
        let (work, _, expected) = found
            .unwrap_or_else(|| panic!("no work of the tip makes this of {:?}: {template:?}", self.rooms));
        assert!(
            expected.value >= last.expected.value + settings.fee_delta,
            "a template that pays {} after one of {}",
            expected.value,
            last.expected.value
        );
        // It was sent when its work was given, or later.
        let earliest = model.works[last.work]
            .given
            .map(|given| given + settings.interval);
        assert!(
            earliest <= Some(model.now()),
            "a template of the same tip comes before the interval is over"
        );
        let prev = last.prev;
        drop(model);
        self.told.push(Told {
            template,
            prev,
            work,
            expected,
            outdated: None,
        });
    }

    fn tip(&mut self, template: NewTemplate, prev: PrevHash, unix: u64) {
        let model = self.model.borrow();
        let hash = BlockHash::from_byte_array(prev.hash);
        let found = model.find(&template, hash, &self.rooms);
        let (work, _, expected) =
            found.unwrap_or_else(|| panic!("no work of {hash} makes this of {:?}: {template:?}", self.rooms));
        let made = &model.works[work];
        assert!(
            model::is_tip_right(&prev, &made.work, unix),
            "a tip is wrong: {prev:?}"
        );
        self.tips += 1;
        let now = model.now();
        let same = |told: &Told| told.prev.hash == prev.hash;
        if self.told.last().is_some_and(same) {
            self.again += 1;
            assert!(
                self.again < self.constrained,
                "a tip is told {} times again, with constraints {} times",
                self.again,
                self.constrained
            );
        }
        for told in self.told.iter_mut().filter(|told| !same(told)) {
            told.outdated.get_or_insert(now);
        }
        drop(model);
        self.told.push(Told {
            template,
            prev,
            work,
            expected,
            outdated: None,
        });
    }

    /// A request is answered: it is the next one, and what was said before it has been taken.
    fn answered(&mut self, answer: u64) -> Instant {
        let mut last = None;
        loop {
            match self.asked.pop_front() {
                Some(Asked::Data { template, at }) => {
                    assert_eq!(answer, template, "requests are answered in order");
                    if let Some((room, tips)) = last {
                        self.constrained(room, tips);
                    }
                    return at;
                }
                Some(Asked::Room { room, had_work, tips }) => {
                    assert!(!had_work || self.tips > tips, "nothing is told of constraints");
                    last = Some((room, tips));
                }
                Some(Asked::Solution {
                    number,
                    template,
                    is_right,
                    at,
                }) => self.submitted(number, template, is_right, at),
                asked => panic!("an answer about {answer}, and it waits for {asked:?}"),
            }
        }
    }

    /// Constraints have been taken: what it was told last is made for them, if anything was told since then.
    fn constrained(&mut self, room: Constraints, tips: usize) {
        let is_room = |asked: &&Asked| matches!(asked, Asked::Room { .. });
        let waiting = self.asked.iter().filter(is_room).count();
        // (What it has said last is the last of them, and this comes before those that wait.)
        self.rooms.drain(..self.rooms.len() - 1 - waiting);
        if self.tips > tips
            && let Some(told) = self.told.last()
        {
            let hash = BlockHash::from_byte_array(told.prev.hash);
            let found = self.model.borrow().find(&told.template, hash, &[room]);
            assert!(
                found.is_some(),
                "what is told after {room:?} is not made for it: {:?}",
                told.template
            );
        }
    }

    /// Whether it must be known at `now`, and whether it can be, if that was asked at `at`.
    fn known(&self, template: u64, at: Instant) -> (bool, bool) {
        let place = self
            .told
            .iter()
            .position(|told| told.template.template == template);
        let Some(told) = place.map(|place| &self.told[place]) else {
            return (false, false);
        };
        let model = self.model.borrow();
        let settings = &model.settings;
        let superseded = model.works[told.work].superseded;
        let may_be_stale = superseded.is_some_and(|since| model.now() >= since + settings.stale_for);
        let must_be_stale = told
            .outdated
            .is_some_and(|since| at >= since + settings.stale_for);
        let newer = self.told.len() - 1 - place.unwrap_or(0);
        let may_be_evicted = newer + 1 >= settings.templates.max(2);
        (!may_be_stale && !may_be_evicted, !must_be_stale)
    }

    fn submitted(&self, number: u64, template: u64, is_right: bool, at: Instant) {
        let (must, may) = self.known(template, at);
        let handed = self.model.borrow().handed(number);
        assert!(
            handed == 1 || !is_right || !must,
            "a block was found by template {template}, and nobody was told"
        );
        assert!(
            handed == 0 || may,
            "a block was found by template {template}, which should be forgotten"
        );
    }

    fn check_data(&self, template: u64, at: Instant, excess: &[u8], transactions: &[sockman::Bytes]) {
        let (_, may) = self.known(template, at);
        assert!(
            may,
            "there is no template {template} any more, and its transactions are told"
        );
        let told = self.told.iter().find(|told| told.template.template == template);
        let told = told.expect("it was told");
        let model = self.model.borrow();
        let work = &model.works[told.work].work;
        let expected = &work.transactions()[..told.expected.count];
        let right = expected.iter().map(|tx| &tx.bytes).eq(transactions.iter());
        assert!(right, "other transactions than those of template {template}");
        let reserved = if work.basis().segwit { 32 } else { 0 };
        assert_eq!(
            excess,
            vec![0; reserved],
            "the excess data of template {template}"
        );
    }

    fn check_error(&self, template: u64, code: &str) {
        let is_told = self.told.iter().any(|told| told.template.template == template);
        let (must, _) = self.known(template, self.model.borrow().now());
        assert!(!must, "template {template} is not told: {code}");
        let right = if is_told {
            "stale-template-id"
        } else {
            "template-id-not-found"
        };
        assert_eq!(code, right, "template {template}");
    }

    /// Whether it has all its answers, and knows the latest.
    pub(super) fn is_content(&self) -> bool {
        let model = self.model.borrow();
        if !self.asked.is_empty() || !model.is_settled {
            return false;
        }
        let (Some(latest), Some(told), Some(&room)) = (model.latest(), self.told.last(), self.rooms.last())
        else {
            return false;
        };
        let pays = model::expected(&latest.work, room).map_or(0, |expected| expected.value);
        let least = told.expected.value + model.settings.fee_delta.max(1);
        told.prev.hash == tip(&latest.work).to_byte_array() && pays < least
    }
}

impl fmt::Display for Hears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.told.last().map(|told| told.template.template);
        let asked = self.asked.front();
        write!(
            f,
            "told {last:?} and {} tips, waits for {} answers, first {asked:?}",
            self.tips,
            self.asked.len()
        )
    }
}
