//! A client of which every message is sent by hand.

use crate::world::{World, ms};
use sockman_backends::sim::Plain;
use sockman_sv2::Job;
use sockman_sv2::wire::{
    Chance, Constraints, Encoder, HELLO, Initiator, Message, NewTemplate, PrevHash, REPLY, Setup, Transport,
};
use std::io;
use std::time::Duration;

/// What most clients need.
pub(crate) const ROOM: Constraints = Constraints { size: 100, sigops: 4 };

/// A frame of ours may be as long as any.
const ANY: usize = 1 << 24;

pub(crate) struct Raw {
    plain: Plain,
    pub(crate) unread: Vec<u8>,
    waiting: Option<Initiator>,
    pub(crate) transport: Option<Transport>,
    encoder: Encoder,
    /// The time of day.
    unix: u64,
    /// What was heard and not yet taken.
    pub(crate) heard: Vec<Message>,
    /// All bytes that were read.
    pub(crate) bytes: Vec<u8>,
    pub(crate) closed: bool,
    /// It does not read while this is set.
    pub(crate) deaf: bool,
}

impl Raw {
    /// Dials.
    pub(crate) fn dial(world: &mut World) -> Raw {
        let mut raw = Raw::dial_only(world);
        raw.pass(world, ms(1));
        raw
    }

    /// Dials, and no time passes.
    pub(crate) fn dial_only(world: &World) -> Raw {
        Raw {
            plain: world.network.host().connect(&world.endpoint()).unwrap(),
            unread: Vec::new(),
            waiting: None,
            transport: None,
            encoder: Encoder::default(),
            unix: world.unix(),
            heard: Vec::new(),
            bytes: Vec::new(),
            closed: false,
            deaf: false,
        }
    }

    /// Begins a handshake: what is to be sent.
    pub(crate) fn begin(&mut self, world: &mut World) -> [u8; HELLO] {
        world.clients = world.clients.wrapping_add(1);
        let mut chance = Chance::new([world.clients; 32]);
        let (hello, waiting) = Initiator::new(Some(world.key), &mut chance).unwrap();
        self.waiting = Some(waiting);
        hello
    }

    pub(crate) fn hello(&mut self, world: &mut World) {
        let hello = self.begin(world);
        self.write(world, &hello);
    }

    /// Dials and goes through the handshake.
    pub(crate) fn shaken(world: &mut World) -> Raw {
        let mut raw = Raw::dial(world);
        raw.hello(world);
        raw.pass(world, ms(2));
        assert!(raw.transport.is_some(), "no handshake");
        raw
    }

    /// Dials, goes through the handshake, and says what it speaks.
    pub(crate) fn ready(world: &mut World) -> Raw {
        let mut raw = Raw::shaken(world);
        raw.send(
            world,
            &Message::SetupConnection(Setup::template_distribution("raw")),
        );
        raw.pass(world, ms(2));
        assert_eq!(
            raw.take(),
            [Message::SetupConnectionSuccess { version: 2, flags: 0 }]
        );
        raw
    }

    /// The same, and asks for templates.
    pub(crate) fn fed(world: &mut World) -> Raw {
        let mut raw = Raw::ready(world);
        raw.constrain(world, ROOM);
        raw
    }

    pub(crate) fn constrain(&mut self, world: &mut World, room: Constraints) {
        self.send(world, &Message::CoinbaseOutputConstraints(room));
        self.pass(world, ms(2));
    }

    /// A message as it is on the wire.
    pub(crate) fn sealed(&mut self, message: &Message) -> Vec<u8> {
        let transport = self.transport.as_mut().unwrap();
        transport.seal(&mut self.encoder, message).unwrap()
    }

    /// A frame with any payload.
    pub(crate) fn frame(&mut self, extension: u16, kind: u8, payload: &[u8]) -> Vec<u8> {
        let transport = self.transport.as_mut().unwrap();
        transport
            .seal_payload(&mut self.encoder, extension, kind, payload)
            .unwrap()
    }

    /// Says what it speaks, also if there is no such protocol.
    pub(crate) fn set_up(&mut self, setup: &Setup) -> Vec<u8> {
        let mut payload = vec![setup.protocol];
        payload.extend(setup.min_version.to_le_bytes());
        payload.extend(setup.max_version.to_le_bytes());
        payload.extend(setup.flags.to_le_bytes());
        payload.push(u8::try_from(setup.host.len()).unwrap());
        payload.extend(setup.host.as_bytes());
        payload.extend(setup.port.to_le_bytes());
        for text in [&setup.vendor, &setup.hardware, &setup.firmware, &setup.device] {
            payload.push(u8::try_from(text.len()).unwrap());
            payload.extend(text.as_bytes());
        }
        self.frame(0, 0, &payload)
    }

    pub(crate) fn send(&mut self, world: &mut World, message: &Message) {
        let frame = self.sealed(message);
        self.write(world, &frame);
    }

    pub(crate) fn request(&mut self, world: &mut World, template: u64) -> Message {
        self.send(world, &Message::RequestTransactionData { template });
        self.pass(world, ms(1));
        let mut heard = self.take();
        assert_eq!(heard.len(), 1, "one answer: {heard:?}");
        heard.remove(0)
    }

    /// Asks for the transactions of the template that it has just been told, and no time passes.
    pub(crate) fn ask_now(&mut self) {
        let template = self.tip().0.template;
        let ask = self.sealed(&Message::RequestTransactionData { template });
        assert_eq!(self.try_write(&ask), ask.len());
    }

    /// Writes, with time passing until all has been taken, or it is clear that it will not be.
    pub(crate) fn write(&mut self, world: &mut World, mut bytes: &[u8]) {
        for _ in 0..10_000 {
            bytes = &bytes[self.try_write(bytes)..];
            if bytes.is_empty() || self.closed {
                return;
            }
            self.pass(world, ms(1));
        }
    }

    /// As much as is taken at once.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> usize {
        match self.plain.write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.closed = true;
                0
            }
        }
    }

    /// Says that it sends nothing any more.
    pub(crate) fn finish(&self) {
        self.plain.finish().unwrap();
    }

    /// Ends the connection by RST.
    pub(crate) fn reset(self) {
        self.plain.reset();
    }

    /// Lets time pass, reading meanwhile.
    pub(crate) fn pass(&mut self, world: &mut World, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = ms(1).max(time / 50).min(left);
            world.pass(step);
            left -= step;
            self.unix = world.unix();
            self.hear();
        }
    }

    /// Lets time pass until nothing more comes, or the end has come.
    pub(crate) fn drain(&mut self, world: &mut World) {
        let mut quiet = 0;
        while quiet < 20 && !self.closed {
            let before = self.bytes.len();
            self.pass(world, ms(1));
            quiet = if self.bytes.len() > before { 0 } else { quiet + 1 };
        }
    }

    /// Reads what is there.
    pub(crate) fn hear(&mut self) {
        let mut buffer = [0; 16 << 10];
        while !self.deaf && !self.closed {
            match self.plain.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    self.unread.extend_from_slice(&buffer[..count]);
                    self.bytes.extend_from_slice(&buffer[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.closed = true,
            }
        }
        self.understand();
    }

    fn understand(&mut self) {
        if self.waiting.is_some()
            && let Some(reply) = self.unread.first_chunk::<REPLY>()
        {
            let transport = self.waiting.take().unwrap().finish(*reply, self.unix);
            self.transport = Some(transport.unwrap());
            self.unread.drain(..REPLY);
        }
        let Some(transport) = &mut self.transport else {
            return;
        };
        loop {
            let opened = transport.open(&self.unread, ANY).unwrap();
            self.unread.drain(..opened.taken);
            let Some(frame) = opened.frame else { break };
            self.heard
                .push(frame.message().unwrap().expect("one of this protocol"));
        }
    }

    /// What was heard, which is then forgotten.
    pub(crate) fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.heard)
    }

    /// What was heard is one future template with the tip that names it.
    pub(crate) fn tip(&mut self) -> (NewTemplate, PrevHash) {
        let heard = self.take();
        match &heard[..] {
            [Message::NewTemplate(template), Message::SetNewPrevHash(prev)]
                if template.future && prev.template == template.template =>
            {
                (template.clone(), *prev)
            }
            _ => panic!("no tip: {heard:?}"),
        }
    }

    /// What was heard is one template of the same tip.
    pub(crate) fn better(&mut self) -> NewTemplate {
        let heard = self.take();
        match &heard[..] {
            [Message::NewTemplate(template)] if !template.future => template.clone(),
            _ => panic!("no template of the same tip: {heard:?}"),
        }
    }
}

/// A job by this template that is solved.
pub(crate) fn solved(template: &NewTemplate, prev: &PrevHash) -> Job {
    let mut job = Job::new(template, prev, vec![0x51].into(), b"raw").unwrap();
    assert!(job.solve(1_000));
    job
}
