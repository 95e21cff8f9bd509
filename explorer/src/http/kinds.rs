//! What requests are about: told in their targets, so that the server's application does what the client's model expects.

/// What a request is about, and with which numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct What {
    pub(super) kind: Kind,
    /// Its number, unlike any other's.
    pub(super) number: u32,
    /// Bytes of the answer's body, or of each of its pieces.
    pub(super) size: usize,
    /// Pieces.
    pub(super) count: usize,
    /// Milliseconds to wait.
    pub(super) ms: u64,
    /// A flag: what it means depends on the kind.
    pub(super) flag: bool,
}

/// Kinds of request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// An answer at once.
    #[default]
    Now,
    /// A large one, sent from where it lies.
    Shared,
    /// The body of the request comes back.
    Echo,
    /// An answer from another thread; with the flag nobody gives it.
    Deferred,
    /// One from another thread, piece by piece; with the flag it breaks off.
    Written,
    /// One from a source, whose length with the flag is known.
    Stream,
    /// A body that is taken piece by piece, with `count` stops.
    Upload,
    /// A body that nobody wants.
    Nothing,
    /// An answer that is held back.
    After,
    /// A status (`size`) that has no body.
    Status,
    /// The application has the connection closed.
    Close,
}

impl Kind {
    pub(super) const ALL: [Kind; 11] = [
        Kind::Now,
        Kind::Shared,
        Kind::Echo,
        Kind::Deferred,
        Kind::Written,
        Kind::Stream,
        Kind::Upload,
        Kind::Nothing,
        Kind::After,
        Kind::Status,
        Kind::Close,
    ];
}

impl What {
    /// As a target.
    pub(super) fn target(&self) -> String {
        let What {
            kind,
            number,
            size,
            count,
            ms,
            flag,
        } = self;
        format!(
            "/{}/{number}/{size}/{count}/{ms}/{}",
            *kind as u8,
            u8::from(*flag)
        )
    }

    /// From a target.
    pub(super) fn parse(target: &str) -> What {
        let mut numbers = target.split('/').skip(1).map(str::parse::<u64>);
        let mut next = || {
            let number = numbers.next();
            number
                .and_then(Result::ok)
                .unwrap_or_else(|| panic!("{target:?} was never asked for"))
        };
        What {
            kind: Kind::ALL[next() as usize],
            number: next() as u32,
            size: next() as usize,
            count: next() as usize,
            ms: next(),
            flag: next() == 1,
        }
    }

    /// A piece of its answer: each place of it tells where it is, and of which request.
    pub(super) fn piece(&self, piece: usize) -> Vec<u8> {
        text(self.number ^ ((piece as u32) << 24), self.size)
    }

    /// All pieces of its answer.
    pub(super) fn pieces(&self) -> Vec<u8> {
        (0..self.count).flat_map(|piece| self.piece(piece)).collect()
    }
}

/// So many bytes that no other number has.
pub(super) fn text(number: u32, size: usize) -> Vec<u8> {
    let byte = |place: usize| {
        let word = ((u64::from(number) << 32) ^ (place as u64 / 8)).wrapping_add(1);
        let word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (word ^ (word >> 29)).to_be_bytes()[place % 8]
    };
    (0..size).map(byte).collect()
}
