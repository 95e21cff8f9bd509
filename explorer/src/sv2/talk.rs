//! What one client says, and the way it goes wrong.

use super::hears::{Asked, Hears};
use super::model::{self, Model};
use super::place::PATIENCE;
use bitcoin::{Amount, ScriptBuf};
use fastrand::Rng;
use sockman_sv2::Job;
use sockman_sv2::wire::{
    AuthorityKey, Chance, Constraints, Encoder, HEADER, Initiator, Message, REPLY, Setup, Transport,
};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A frame of the provider's may be as long as any.
const ANY: usize = 1 << 24;

/// What a client has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// To do all as it should.
    Honest,
    /// To say only some of its key.
    Stall,
    /// To speak something else.
    Foreign,
    /// To send what ends the connection, some time.
    Wrong,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Hello,
    Reply,
    Setup,
    Room,
    Talk,
    /// It has asked for the last time.
    Last,
    /// What it has sent ends the connection.
    Doomed,
}

pub(super) struct Talk {
    random: Rng,
    model: Rc<RefCell<Model>>,
    key: AuthorityKey,
    plan: Plan,
    step: Step,
    /// Bytes to be sent.
    out: Vec<u8>,
    waiting: Option<Initiator>,
    transport: Option<Transport>,
    encoder: Encoder,
    unread: Vec<u8>,
    pub(super) hears: Hears,
    /// Its end has come, and was judged.
    has_ended: bool,
    /// Whatever may still come is nobody's.
    pub(super) is_aborted: bool,
    /// The queue is above its mark.
    pub(super) is_high: bool,
    pub(super) is_finished: bool,
}

impl Talk {
    /// `floor` is the largest number of a template that was told to anybody before this client dialled.
    pub(super) fn new(random: &mut Rng, model: &Rc<RefCell<Model>>, key: AuthorityKey, floor: u64) -> Talk {
        let plan = match random.u8(0..20) {
            0 => Plan::Stall,
            1 => Plan::Foreign,
            2..=4 => Plan::Wrong,
            _ => Plan::Honest,
        };
        Talk {
            random: random.fork(),
            model: model.clone(),
            key,
            plan,
            step: Step::Hello,
            out: Vec::new(),
            waiting: None,
            transport: None,
            encoder: Encoder::default(),
            unread: Vec::new(),
            hears: Hears::new(model, floor),
            has_ended: false,
            is_aborted: false,
            is_high: false,
            is_finished: false,
        }
    }

    /// The next bytes to send, so many at most.
    pub(super) fn next(&mut self, most: usize) -> Vec<u8> {
        let count = most.min(self.out.len());
        self.out.drain(..count).collect()
    }

    /// Whether all has been sent that it has said.
    pub(super) fn is_sent(&self) -> bool {
        self.out.is_empty()
    }

    /// Whether it has nothing to say or to wait for any more: it knows the latest, and has all its answers.
    pub(super) fn is_content(&self) -> bool {
        match self.step {
            Step::Doomed => false,
            Step::Last => self.hears.is_content(),
            _ => self.plan == Plan::Stall && self.step > Step::Hello,
        }
    }

    /// Says something more, if it can; `last` when it comes to its end.
    pub(super) fn say(&mut self, last: bool) {
        match self.step {
            Step::Hello => self.hello(),
            Step::Setup => self.set_up(),
            Step::Room => self.constrain(),
            Step::Talk if last => {
                let template = self.hears.told.last().map_or(0, |told| told.template.template);
                self.request(template);
                self.step = Step::Last;
            }
            Step::Talk => self.talk(),
            Step::Reply | Step::Last | Step::Doomed => {}
        }
    }

    fn hello(&mut self) {
        let mut chance = Chance::new([self.random.u8(..); 32]);
        let (hello, waiting) = Initiator::new(Some(self.key), &mut chance).expect("there are keys enough");
        let length = match self.plan {
            Plan::Stall => self.random.usize(..hello.len()),
            _ => hello.len(),
        };
        self.out.extend_from_slice(&hello[..length]);
        self.waiting = Some(waiting);
        self.step = Step::Reply;
    }

    fn send(&mut self, message: &Message) {
        if let Some(transport) = &mut self.transport {
            let frame = transport.seal(&mut self.encoder, message).expect("it fits");
            self.out.extend(frame);
        }
    }

    fn frame(&mut self, extension: u16, kind: u8, length: usize) {
        let payload: Vec<u8> = (0..length).map(|_| self.random.u8(..)).collect();
        if let Some(transport) = &mut self.transport {
            let frame = transport.seal_payload(&mut self.encoder, extension, kind, &payload);
            self.out.extend(frame.expect("it fits"));
        }
    }

    fn set_up(&mut self) {
        let mut setup = Setup::template_distribution("explorer");
        if self.random.u8(0..4) == 0 {
            self.ignored();
        }
        let (flags, code) = match self.random.u8(0..3) {
            _ if self.plan != Plan::Foreign => {
                setup.min_version = self.random.u16(0..=2);
                setup.max_version = self.random.u16(2..);
                self.send(&Message::SetupConnection(setup));
                let agreed = Message::SetupConnectionSuccess { version: 2, flags: 0 };
                self.hears.asked.push_back(Asked::Setup(agreed));
                self.step = Step::Room;
                return;
            }
            0 => {
                setup.protocol = self.random.u8(0..2);
                (0, "unsupported-protocol")
            }
            1 => {
                (setup.min_version, setup.max_version) = (3, self.random.u16(..));
                (0, "protocol-version-mismatch")
            }
            _ => {
                setup.flags = self.random.u32(1..);
                (setup.flags, "unsupported-feature-flags")
            }
        };
        self.send(&Message::SetupConnection(setup));
        let code = code.to_owned();
        let refused = Message::SetupConnectionError { flags, code };
        self.hears.asked.push_back(Asked::Setup(refused));
        // It does not wait for that.
        for _ in 0..self.random.u8(0..3) {
            self.frame(0, 0x70, 6);
        }
        self.step = Step::Doomed;
    }

    fn constrain(&mut self) {
        let size = [0, 100, 1_000, 500_000, 900_000][self.random.usize(0..5)];
        let sigops = [0, 4, 400, 15_000][self.random.usize(0..4)];
        let room = Constraints { size, sigops };
        self.send(&Message::CoinbaseOutputConstraints(room));
        self.hears.constrains(room);
        self.step = Step::Talk;
    }

    /// Asks for the transactions of what it was told last, if it was told anything.
    pub(super) fn ask(&mut self) {
        if self.step == Step::Talk
            && let Some(told) = self.hears.told.last()
        {
            let template = told.template.template;
            self.request(template);
        }
    }

    fn request(&mut self, template: u64) {
        self.send(&Message::RequestTransactionData { template });
        self.hears.requests(template);
    }

    fn ignored(&mut self) {
        let most = self.model.borrow().settings.frame.min(4_000) - HEADER;
        let length = match self.random.u8(0..4) {
            0 => most,
            _ => self.random.usize(0..200),
        };
        let (extension, kind) = match self.random.u8(0..3) {
            0 => (self.random.u16(1..0x8000), self.random.u8(..)),
            _ => (0, [0x03, 0x04, 0x50, 0x77, 0xff][self.random.usize(0..5)]),
        };
        self.frame(extension, kind, length);
    }

    fn talk(&mut self) {
        match self.random.u8(0..20) {
            0..=1 => self.constrain(),
            2..=3 => self.ignored(),
            4..=8 => self.mine(),
            9 if self.plan == Plan::Wrong => self.wrong(),
            10..=11 => {
                // (Numbers that are never told to it.)
                let numbers = [0, 1, self.hears.floor, u64::MAX];
                let number = numbers[self.random.usize(0..4)];
                self.request(number);
            }
            _ => {
                let told = self.random.usize(0..self.hears.told.len().max(1));
                if let Some(told) = self.hears.told.get(told) {
                    let template = told.template.template;
                    self.request(template);
                }
            }
        }
    }

    /// Sends what ends the connection.
    fn wrong(&mut self) {
        let frame = self.model.borrow().settings.frame;
        match self.random.u8(0..5) {
            0 if frame < 10_000 => self.frame(0, 0x77, frame - HEADER + 1),
            0 | 1 => {
                let noise: Vec<u8> = (0..200).map(|_| self.random.u8(..)).collect();
                self.out.extend(noise);
            }
            2 => self.frame(0, 0x76, 20),
            3 => self.send(&Message::SetupConnectionSuccess { version: 2, flags: 0 }),
            _ => {
                if self.model.borrow().latest().is_none() {
                    // Without work that is not known yet.
                    return;
                }
                let (size, sigops) = (u32::MAX, 0);
                self.send(&Message::CoinbaseOutputConstraints(Constraints { size, sigops }));
            }
        }
        self.step = Step::Doomed;
    }

    /// Hands in a block, right or not.
    fn mine(&mut self) {
        let which = self.random.usize(0..self.hears.told.len().max(1));
        let Some(told) = self.hears.told.get(which) else {
            return;
        };
        let mut model = self.model.borrow_mut();
        let number = model.number();
        let basis = model.works[told.work].work.basis().clone();
        let script = ScriptBuf::from_bytes(vec![0x51]);
        let job = Job::new(&told.template, &told.prev, script, &number.to_le_bytes());
        let mut job = job.expect("the outputs can be read");
        let (mut is_right, mut solves) = (true, true);
        match self.random.u8(0..12) {
            0 => solves = false,
            1 => job.coinbase.output[0].value += Amount::from_sat(1),
            2 if basis.segwit => {
                job.coinbase.output.pop();
            }
            3 => job.header.version = bitcoin::block::Version::from_consensus(0x2000_0001),
            4 => job.header.time = basis.least_time - 1,
            5 if basis.segwit => {
                // One that commits to other witnesses.
                let last = job.coinbase.output.len() - 1;
                let mut script = job.coinbase.output[last].script_pubkey.to_bytes();
                script[10] ^= 1;
                job.coinbase.output[last].script_pubkey = script.into();
            }
            6 => {
                job.coinbase.input[0].witness.clear();
                job.header.version = bitcoin::block::Version::from_consensus(0x3fff_e000);
            }
            _ => {
                job.coinbase.output[0].value = Amount::from_sat(self.random.u64(0..=told.template.value));
            }
        }
        let changed = [
            job.coinbase.output[0].value > Amount::from_sat(told.template.value),
            basis.segwit && model::outputs(&job.coinbase.output[1..]) != told.template.outputs,
            job.header.version.to_consensus() == 0x2000_0001,
            job.header.time < basis.least_time,
            !solves,
        ];
        is_right &= !changed.contains(&true);
        job.seal();
        while job.header.target().is_met_by(job.header.block_hash()) != solves {
            job.header.nonce += 1;
        }
        model.submit(number, is_right);
        let template = told.template.template;
        drop(model);
        self.send(&Message::SubmitSolution(job.submission()));
        self.hears.submits(number, template, is_right);
    }

    /// Takes what has come.
    pub(super) fn hear(&mut self, data: &[u8], unix: u64) {
        self.unread.extend_from_slice(data);
        if self.waiting.is_some()
            && let Some(&reply) = self.unread.first_chunk::<REPLY>()
            && let Some(waiting) = self.waiting.take()
        {
            let transport = waiting.finish(reply, unix);
            self.transport = Some(transport.expect("it knows the provider"));
            self.unread.drain(..REPLY);
            self.step = Step::Setup;
        }
        let Some(transport) = &mut self.transport else {
            return;
        };
        let mut taken = 0;
        loop {
            let opened = transport.open(&self.unread[taken..], ANY);
            let opened = opened.expect("it can be decrypted");
            taken += opened.taken;
            let Some(frame) = opened.frame else { break };
            let message = frame.message().expect("it can be read");
            self.hears
                .hear(message.expect("it is one of this protocol"), unix);
        }
        self.unread.drain(..taken);
    }

    /// The provider has finished, or the connection is no more: that has a reason.
    pub(super) fn end(&mut self, is_excused: bool) {
        if std::mem::replace(&mut self.has_ended, true) || self.is_aborted || self.is_finished || is_excused {
            return;
        }
        let settings = &self.model.borrow().settings;
        let hasty = settings.handshake_within.min(settings.setup_within) < PATIENCE;
        let may = match self.step {
            Step::Doomed => true,
            Step::Hello | Step::Reply => hasty || settings.max_clients < 10,
            _ if !self.hears.is_agreed => hasty,
            // It may not have read in time.
            _ => settings.taken_within < PATIENCE,
        };
        assert!(may, "it is hung up on, and there is no reason; {self}");
        if self.plan == Plan::Foreign && !hasty && self.step == Step::Doomed {
            assert!(
                self.hears.asked.is_empty(),
                "it is refused, and not told why; {self}"
            );
        }
    }
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plan, step, left) = (self.plan, self.step, self.out.len());
        write!(f, "{plan:?} at {step:?}, {left} bytes to send; {}", self.hears)
    }
}
