//! Emptied buffers, kept for reuse.

/// A buffer that a [`Pool`] keeps.
pub trait Reuse: Default {
    /// Empties it and tells how many bytes of memory keeping it keeps.
    fn recycle(&mut self) -> usize;
}

/// Keeps emptied buffers up to a number of bytes, so that a connection that has work takes one and an idle one owns none.
/// Buffers are boxed, so that taking, keeping and giving back move one pointer.
#[allow(clippy::vec_box, reason = "a connection holds the box itself")]
pub struct Pool<T> {
    kept: Vec<(Box<T>, usize)>,
    bytes: usize,
    limit: usize,
}

impl<T: Reuse> Pool<T> {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Pool {
            kept: Vec::new(),
            bytes: 0,
            limit,
        }
    }

    /// An empty buffer.
    #[inline]
    pub fn take(&mut self) -> Box<T> {
        match self.kept.pop() {
            Some((buffer, size)) => {
                self.bytes -= size;
                buffer
            }
            None => Box::default(),
        }
    }

    /// Keeps `buffer`, or frees it.
    #[inline]
    pub fn put(&mut self, mut buffer: Box<T>) {
        let size = buffer.recycle();
        if self.bytes + size <= self.limit {
            self.bytes += size;
            self.kept.push((buffer, size));
        }
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Buffer(Vec<u8>);

    impl Reuse for Buffer {
        fn recycle(&mut self) -> usize {
            self.0.clear();
            self.0.capacity()
        }
    }

    #[test]
    fn keeps_up_to_its_limit_and_gives_back_empty() {
        let mut pool: Pool<Buffer> = Pool::new(100);
        for size in [60, 60, 30] {
            let mut buffer = Box::new(Buffer(Vec::with_capacity(size)));
            buffer.0.push(1);
            pool.put(buffer);
        }
        assert_eq!((pool.kept.len(), pool.bytes()), (2, 90));
        assert!(pool.take().0.is_empty());
        assert_eq!(pool.bytes(), 60);
    }
}
