//! State of one's own for each connection.

use crate::id::{Conn, Id, RawId};
use crate::shared::grow;

/// A map from [`Conn`] to `T` that costs an array load: for state that other callbacks than the connection's own must
/// reach, such as a peer table, a layer's keys, or the list of whom to broadcast to.
///
/// An entry is found only by the very id it was put in with; an id whose slot has been given to a newer connection
/// finds nothing. Memory follows the highest slot ever used, one `T` and 4 to 8 bytes a slot.
///
/// ```
/// # use sockman::{ConnMap, Id, RawId, Conn};
/// # let conn = Conn::from_raw(RawId::new(0, 3, 1).unwrap());
/// let mut names = ConnMap::new();
/// names.insert(conn, "alice");
/// assert_eq!(names.get(conn), Some(&"alice"));
/// assert_eq!(names.remove(conn), Some("alice"));
/// assert_eq!(names.len(), 0);
/// ```
pub struct ConnMap<T> {
    slots: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> ConnMap<T> {
    /// An empty map; it allocates with its first entry.
    pub const fn new() -> Self {
        ConnMap {
            slots: Vec::new(),
            len: 0,
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

    /// Puts `value` in for `conn` and returns what was there for the same connection. An entry that an older connection
    /// left in the slot is dropped.
    pub fn insert(&mut self, conn: Conn, value: T) -> Option<T> {
        let raw = conn.raw();
        while raw.slot() >= self.slots.len() {
            grow(&mut self.slots);
            self.slots.push(None);
        }
        match self.slots[raw.slot()].replace((raw.generation(), value)) {
            Some((generation, old)) => (generation == raw.generation()).then_some(old),
            None => {
                self.len += 1;
                None
            }
        }
    }

    /// The entry of `conn`.
    #[inline]
    pub fn get(&self, conn: Conn) -> Option<&T> {
        let raw = conn.raw();
        match self.slots.get(raw.slot()) {
            Some(Some((generation, value))) if *generation == raw.generation() => Some(value),
            _ => None,
        }
    }

    /// The entry of `conn`.
    #[inline]
    pub fn get_mut(&mut self, conn: Conn) -> Option<&mut T> {
        let raw = conn.raw();
        match self.slots.get_mut(raw.slot()) {
            Some(Some((generation, value))) if *generation == raw.generation() => Some(value),
            _ => None,
        }
    }

    /// Whether `conn` has an entry.
    pub fn contains(&self, conn: Conn) -> bool {
        self.get(conn).is_some()
    }

    /// Takes the entry of `conn` out.
    pub fn remove(&mut self, conn: Conn) -> Option<T> {
        self.get(conn)?;
        self.len -= 1;
        self.slots[conn.raw().slot()].take().map(|(_, value)| value)
    }

    /// Takes every entry out.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.len = 0;
    }

    /// Every entry with its connection, in the order of slots.
    pub fn iter(&self) -> impl Iterator<Item = (Conn, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, entry)| {
            let (generation, value) = entry.as_ref()?;
            Some((Conn::from_raw(RawId::new(Conn::KIND, slot, *generation)?), value))
        })
    }

    /// Every entry with its connection, in the order of slots.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Conn, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(slot, entry)| {
            let (generation, value) = entry.as_mut()?;
            Some((Conn::from_raw(RawId::new(Conn::KIND, slot, *generation)?), value))
        })
    }
}

impl<T> Default for ConnMap<T> {
    fn default() -> Self {
        ConnMap::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conn(slot: usize, generation: u32) -> Conn {
        Conn::from_raw(RawId::new(Conn::KIND, slot, generation).expect("in range"))
    }

    #[test]
    fn a_newer_connection_does_not_see_the_older_ones_entry() {
        let mut map = ConnMap::new();
        map.insert(conn(4, 1), "old");
        assert_eq!(map.get(conn(4, 2)), None);
        assert_eq!(map.insert(conn(4, 2), "new"), None);
        assert_eq!(map.get(conn(4, 1)), None);
        assert_eq!(map.remove(conn(4, 1)), None);
        assert_eq!(map.len(), 1);
        assert_eq!(map.iter().collect::<Vec<_>>(), [(conn(4, 2), &"new")]);
    }

    #[test]
    fn insert_returns_the_same_connections_entry() {
        let mut map = ConnMap::new();
        assert_eq!(map.insert(conn(0, 1), 1), None);
        assert_eq!(map.insert(conn(0, 1), 2), Some(1));
        assert_eq!(map.len(), 1);
        for (_, value) in map.iter_mut() {
            *value += 1;
        }
        assert_eq!(map.remove(conn(0, 1)), Some(3));
        assert!(map.is_empty() && !map.contains(conn(0, 1)));
    }
}
