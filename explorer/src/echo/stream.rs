//! What one connection of a client sends, and hears back.

/// The stream of one connection: every place of it tells where it is, and of which connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) number: u32,
    /// Bytes that were given to the loop.
    pub(super) sent: u64,
    /// Bytes that have come back and were consumed.
    pub(super) heard: u64,
    /// Above the high-water mark: nothing more is sent until drained.
    pub(super) is_high: bool,
    /// Our side is finished.
    pub(super) is_finished: bool,
    /// The server's last word, as far as it has not been heard.
    pub(super) last: &'static [u8],
    /// It consumes nothing, to see what becomes of it.
    pub(super) hoards: bool,
}

impl Stream {
    pub(super) fn new(number: u32, last: &'static [u8]) -> Stream {
        Stream {
            number,
            sent: 0,
            heard: 0,
            is_high: false,
            is_finished: false,
            last,
            hoards: false,
        }
    }

    /// The next so many bytes to send.
    pub(super) fn next(&self, count: usize) -> Vec<u8> {
        let mut data = vec![0; count];
        fill(self.number, self.sent, &mut data);
        data
    }

    /// Checks that these are the bytes that follow what was heard: those that were sent, and then the server's last word, if
    /// we have finished.
    pub(super) fn check(&self, data: &[u8]) {
        let mut expected = [0; 64];
        let echo = data.len().min((self.sent - self.heard) as usize);
        let (data, last) = data.split_at(echo);
        let end = self.heard + (echo + last.len()) as u64;
        assert!(
            last.is_empty() || self.is_finished && self.last.starts_with(last),
            "stream {}: {end} bytes came back of {} that were sent",
            self.number,
            self.sent
        );
        let mut from = self.heard;
        for piece in data.chunks(expected.len()) {
            let expected = &mut expected[..piece.len()];
            fill(self.number, from, expected);
            if let Some(place) = piece
                .iter()
                .zip(&*expected)
                .position(|(came, right)| came != right)
            {
                let (number, at) = (self.number, from + place as u64);
                panic!(
                    "stream {number}: instead of what stands at byte {at} came {}",
                    self.find(&piece[place..])
                );
            }
            from += piece.len() as u64;
        }
    }

    /// So many bytes are consumed.
    pub(super) fn consume(&mut self, count: usize) {
        let echo = count.min((self.sent - self.heard) as usize);
        self.heard += echo as u64;
        self.last = &self.last[count - echo..];
    }

    /// Whether everything has been heard once these bytes are, which come last.
    pub(super) fn is_complete(&self, unread: usize) -> bool {
        self.heard + unread as u64 == self.sent + self.last.len() as u64
    }

    /// What these bytes are, which are not those that were expected.
    fn find(&self, piece: &[u8]) -> String {
        let mut all = self.next(0);
        all.resize(self.sent as usize, 0);
        fill(self.number, 0, &mut all);
        match all.windows(piece.len()).position(|window| window == piece) {
            Some(place) => format!("what stands at byte {place}"),
            None => "what was never sent".to_owned(),
        }
    }
}

fn fill(number: u32, from: u64, into: &mut [u8]) {
    for (place, byte) in (from..).zip(into) {
        let word = ((u64::from(number) << 40) ^ (place / 8))
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *byte = (word ^ word >> 29).to_be_bytes()[(place % 8) as usize];
    }
}
