//! Ids: what names a connection, a listener or a timer.
//!
//! An id is 64 bits: 4 bits of *kind*, a 28-bit slot index and a 32-bit generation. The slot finds the state by one
//! array load, the generation tells whether the id is still the one the slot was given out for. The kind lets one
//! `u64` (an epoll key, an `io_uring` `user_data`) say what it stands for.

use std::fmt;
use std::num::NonZeroU64;

/// Slots are numbered below this, so at most this many connections (or listeners, or timers) exist at once.
pub const MAX_SLOTS: usize = 1 << 28;

const SLOT_SHIFT: u32 = 32;
const KIND_SHIFT: u32 = 60;

/// The part that ids of every sort share: kind, slot and generation in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawId(NonZeroU64);

impl RawId {
    /// Packs the three parts. `None` when the generation is 0 or a part is out of its range.
    pub fn new(kind: u8, slot: usize, generation: u32) -> Option<RawId> {
        if generation == 0 || slot >= MAX_SLOTS || kind > 15 {
            return None;
        }
        let bits = u64::from(kind) << KIND_SHIFT | (slot as u64) << SLOT_SHIFT | u64::from(generation);
        NonZeroU64::new(bits).map(RawId)
    }

    /// The id in a word that [`to_bits`](RawId::to_bits) made; `None` when no id has these bits.
    pub fn from_bits(bits: u64) -> Option<RawId> {
        RawId::new(
            (bits >> KIND_SHIFT) as u8,
            (bits >> SLOT_SHIFT) as usize & (MAX_SLOTS - 1),
            bits as u32,
        )
    }

    /// The word to hand to a kernel interface.
    pub fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// The kind, 0 to 15.
    pub fn kind(self) -> u8 {
        (self.0.get() >> KIND_SHIFT) as u8
    }

    /// The same slot and generation under another kind (its low 4 bits count).
    #[must_use]
    pub fn with_kind(self, kind: u8) -> RawId {
        let low = self.0.get() & ((1 << KIND_SHIFT) - 1);
        // The generation is not 0, so neither is the word.
        NonZeroU64::new(low | u64::from(kind & 15) << KIND_SHIFT).map_or(self, RawId)
    }

    /// The slot index.
    pub fn slot(self) -> usize {
        (self.0.get() >> SLOT_SHIFT) as usize & (MAX_SLOTS - 1)
    }

    /// The generation, never 0.
    pub fn generation(self) -> u32 {
        self.0.get() as u32
    }
}

/// What an id type needs so that [`Slots`](crate::shared::Slots) can give it out.
pub trait Id: Copy {
    /// The kind that ids of this type carry.
    const KIND: u8;
    /// Wraps a raw id; its kind is replaced by [`KIND`](Id::KIND).
    fn from_raw(raw: RawId) -> Self;
    /// The raw id.
    fn raw(self) -> RawId;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:expr, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(RawId);

        impl Id for $name {
            const KIND: u8 = $kind;
            #[inline]
            fn from_raw(raw: RawId) -> Self {
                $name(raw.with_kind($kind))
            }
            #[inline]
            fn raw(self) -> RawId {
                self.0
            }
        }

        /// The letter, the slot and the generation, as `c7.3`.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}.{}"), self.0.slot(), self.0.generation())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id! {
    /// A connection. Never valid again once it is closed: an operation on a dead id does nothing or says [`Gone`](crate::Gone).
    Conn, 0, "c"
}
id! {
    /// A listening socket.
    Listener, 1, "l"
}
id! {
    /// A timer set with [`SockMan::set_timer`](crate::SockMan::set_timer).
    Timer, 2, "t"
}

impl Timer {
    /// The id that its slot's last timer would have; a slot retires before that one is given out.
    pub(crate) const fn dead() -> Timer {
        Timer(RawId(NonZeroU64::MIN.saturating_add(
            ((Timer::KIND as u64) << KIND_SHIFT) | (u32::MAX as u64 - 1),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_packing() {
        for (kind, slot, generation) in [(0, 0, 1), (15, MAX_SLOTS - 1, u32::MAX), (3, 77, 9)] {
            let id = RawId::new(kind, slot, generation).expect("in range");
            assert_eq!((id.kind(), id.slot(), id.generation()), (kind, slot, generation));
            assert_eq!(RawId::from_bits(id.to_bits()), Some(id));
        }
    }

    #[test]
    fn out_of_range_is_no_id() {
        assert_eq!(RawId::new(0, 0, 0), None);
        assert_eq!(RawId::new(16, 0, 1), None);
        assert_eq!(RawId::new(0, MAX_SLOTS, 1), None);
        assert_eq!(RawId::from_bits(0), None);
    }

    #[test]
    fn kind_is_replaced_alone() {
        let id = RawId::new(2, 5, 6).expect("in range");
        let other = id.with_kind(9);
        assert_eq!((other.kind(), other.slot(), other.generation()), (9, 5, 6));
    }

    #[test]
    fn an_id_fits_its_option() {
        assert_eq!(size_of::<Option<Conn>>(), 8);
    }
}
