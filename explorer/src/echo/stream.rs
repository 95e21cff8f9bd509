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
    /// It consumes nothing, to see what becomes of it.
    pub(super) hoards: bool,
}

impl Stream {
    pub(super) fn new(number: u32) -> Stream {
        Stream {
            number,
            sent: 0,
            heard: 0,
            is_high: false,
            is_finished: false,
            hoards: false,
        }
    }

    /// The next so many bytes to send.
    pub(super) fn next(&self, count: usize) -> Vec<u8> {
        let mut data = vec![0; count];
        fill(self.number, self.sent, &mut data);
        data
    }

    /// Checks that these are the bytes that follow what was heard, and that so many were sent.
    pub(super) fn check(&self, data: &[u8]) {
        let mut expected = [0; 64];
        let end = self.heard + data.len() as u64;
        assert!(
            end <= self.sent,
            "stream {}: {end} bytes came back of {} that were sent",
            self.number,
            self.sent
        );
        let mut from = self.heard;
        for piece in data.chunks(expected.len()) {
            let expected = &mut expected[..piece.len()];
            fill(self.number, from, expected);
            assert!(
                piece == expected,
                "stream {}: other bytes than were sent, behind byte {from}",
                self.number
            );
            from += piece.len() as u64;
        }
    }
}

fn fill(number: u32, from: u64, into: &mut [u8]) {
    for (place, byte) in (from..).zip(into) {
        let word = (u64::from(number) << 40 ^ place / 8).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        *byte = (word ^ word >> 29).to_be_bytes()[(place % 8) as usize];
    }
}
