//! The slab that gives out ids.

use crate::id::{Id, MAX_SLOTS, RawId};
use crate::mutant::{Mutant, planted};
use std::marker::PhantomData;

/// Makes room for one more by an eighth rather than by doubling: idle connections are what there are most of, and tables
/// of them should not be half empty. (A large table is moved by remapping its pages, not by copying.)
pub(crate) fn grow<T>(table: &mut Vec<T>) {
    if table.len() == table.capacity() {
        table.reserve_exact((table.len() / 8).max(16));
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// A slab whose keys are ids with generations: a removed entry's id never finds anything again.
///
/// A slot whose generation has run through all 2³² − 1 values is retired, so an id is never given out twice.
pub struct Slots<I, T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    len: usize,
    id: PhantomData<I>,
}

impl<I: Id, T> Slots<I, T> {
    /// An empty slab; it allocates with its first entry.
    pub fn new() -> Self {
        Slots {
            slots: Vec::new(),
            free: Vec::new(),
            len: 0,
            id: PhantomData,
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` into a free slot and returns its id; gives the value back when all [`MAX_SLOTS`] are taken.
    pub fn insert(&mut self, value: T) -> Result<I, T> {
        let index = match self.free.pop() {
            Some(index) => index as usize,
            None if self.slots.len() < MAX_SLOTS => {
                grow(&mut self.slots);
                self.slots.push(Slot {
                    generation: 1,
                    value: None,
                });
                self.slots.len() - 1
            }
            None => return Err(value),
        };
        let slot = &mut self.slots[index];
        let Some(raw) = RawId::new(I::KIND, index, slot.generation) else {
            return Err(value);
        };
        slot.value = Some(value);
        self.len += 1;
        Ok(I::from_raw(raw))
    }

    /// The entry of `id`, if it is still there.
    #[inline]
    pub fn get(&self, id: I) -> Option<&T> {
        let raw = id.raw();
        let slot = self.slots.get(raw.slot())?;
        if slot.generation == raw.generation() {
            slot.value.as_ref()
        } else {
            None
        }
    }

    /// The entry of `id`, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        let raw = id.raw();
        let slot = self.slots.get_mut(raw.slot())?;
        if slot.generation == raw.generation() || planted(Mutant::StaleId) {
            slot.value.as_mut()
        } else {
            None
        }
    }

    /// Takes the entry of `id` out; the id is dead from here on.
    pub fn remove(&mut self, id: I) -> Option<T> {
        let raw = id.raw();
        let slot = self.slots.get_mut(raw.slot())?;
        if slot.generation != raw.generation() {
            return None;
        }
        let value = slot.value.take()?;
        self.len -= 1;
        slot.generation = slot.generation.wrapping_add(1);
        if slot.generation != 0 {
            self.free.push(raw.slot() as u32);
        }
        Some(value)
    }

    /// Every entry with its id, in the order of slots.
    pub fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let value = slot.value.as_ref()?;
            Some((I::from_raw(RawId::new(I::KIND, index, slot.generation)?), value))
        })
    }

    /// The ids of every entry, in the order of slots.
    pub fn ids(&self) -> Vec<I> {
        self.iter().map(|(id, _)| id).collect()
    }
}

impl<I: Id, T> Default for Slots<I, T> {
    fn default() -> Self {
        Slots::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Conn;

    #[test]
    fn a_reused_slot_has_another_id() {
        let mut slots: Slots<Conn, u8> = Slots::new();
        let first = slots.insert(1).expect("room");
        assert_eq!(slots.remove(first), Some(1));
        let second = slots.insert(2).expect("room");
        assert_eq!(first.raw().slot(), second.raw().slot());
        assert_ne!(first, second);
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut 2));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn a_slot_retires_when_its_generation_wraps() {
        let mut slots: Slots<Conn, u8> = Slots::new();
        let first = slots.insert(1).expect("room");
        slots.slots[first.raw().slot()].generation = u32::MAX;
        let last = Conn::from_raw(RawId::new(0, first.raw().slot(), u32::MAX).expect("in range"));
        assert_eq!(slots.remove(last), Some(1));
        let next = slots.insert(2).expect("room");
        assert_ne!(next.raw().slot(), first.raw().slot());
    }
}
