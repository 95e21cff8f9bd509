//! A script, operation by operation.

/// An operation: its code, and what it pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Op<'a> {
    pub(super) code: u8,
    /// Empty if it pushes nothing from the script itself.
    pub(super) data: &'a [u8],
}

/// The script ends inside an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

/// `OP_PUSHDATA1`, and the two after it: the length follows in 1, 2 or 4 bytes.
const PUSHDATA1: u8 = 0x4c;
pub(super) const PUSHDATA4: u8 = 0x4e;
/// `OP_1` and `OP_16`; what is between them pushes the numbers between.
const ONE: u8 = 0x51;
const SIXTEEN: u8 = 0x60;

impl Op<'_> {
    /// Whether it pushes what stands in the script. `OP_0`, the empty push, is one.
    pub(super) fn is_data(self) -> bool {
        self.code <= PUSHDATA4
    }

    /// The number that an operation pushes which stands for a number from 1 to 16.
    pub(super) fn small_number(self) -> Option<u8> {
        (ONE..=SIXTEEN).contains(&self.code).then(|| self.code - ONE + 1)
    }

    /// Whether nothing shorter would push the same.
    pub(super) fn is_minimal(self) -> bool {
        match self.data {
            [] => self.code == 0,
            [1..=16 | 0x81] => false,
            data if data.len() < usize::from(PUSHDATA1) => usize::from(self.code) == data.len(),
            data if data.len() <= 0xff => self.code == PUSHDATA1,
            data if data.len() <= 0xffff => self.code == PUSHDATA1 + 1,
            _ => true,
        }
    }
}

/// The operations of a script. After a [`Cut`] there is nothing more.
#[derive(Clone, Debug)]
pub(super) struct Ops<'a>(&'a [u8]);

impl<'a> Ops<'a> {
    pub(super) fn new(script: &'a [u8]) -> Self {
        Ops(script)
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Result<Op<'a>, Cut>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&code, rest) = self.0.split_first()?;
        let split = match code {
            ..PUSHDATA1 => rest.split_at_checked(code.into()),
            PUSHDATA1..=PUSHDATA4 => {
                let width = 1 << (code - PUSHDATA1);
                rest.split_at_checked(width).and_then(|(length, rest)| {
                    let mut bytes = [0; 4];
                    bytes[..width].copy_from_slice(length);
                    rest.split_at_checked(u32::from_le_bytes(bytes) as usize)
                })
            }
            _ => Some((&[][..], rest)),
        };
        let Some((data, rest)) = split else {
            self.0 = &[];
            return Some(Err(Cut));
        };
        self.0 = rest;
        Some(Ok(Op { code, data }))
    }
}

/// A number as scripts have it: little-endian, the last byte's highest bit its sign. Up to 4 bytes.
pub(super) fn number(bytes: &[u8]) -> Option<i64> {
    let (&last, _) = match bytes {
        [] => return Some(0),
        bytes if bytes.len() > 4 => return None,
        bytes => bytes.split_last()?,
    };
    let magnitude = bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | i64::from(*byte));
    let sign = 0x80 << (8 * (bytes.len() - 1));
    Some(if last & 0x80 == 0 {
        magnitude
    } else {
        sign - magnitude
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &[u8]) -> Vec<Result<(u8, usize), Cut>> {
        Ops::new(script)
            .map(|op| op.map(|op| (op.code, op.data.len())))
            .collect()
    }

    #[test]
    fn pushes_of_every_form() {
        assert_eq!(read(&[]), []);
        assert_eq!(read(&[0, 0x51, 0xac]), [Ok((0, 0)), Ok((0x51, 0)), Ok((0xac, 0))]);
        assert_eq!(read(&[2, 7, 7, 0x4c, 1, 7]), [Ok((2, 2)), Ok((0x4c, 1))]);
        assert_eq!(
            read(&[0x4d, 1, 0, 7, 0x4e, 1, 0, 0, 0, 7]),
            [Ok((0x4d, 1)), Ok((0x4e, 1))]
        );
        let long = [&[0x4d, 0, 1][..], &[7; 256]].concat();
        assert_eq!(read(&long), [Ok((0x4d, 256))]);
    }

    #[test]
    fn a_script_that_ends_early() {
        for script in [
            &[1][..],
            &[75, 7],
            &[0x4c],
            &[0x4c, 1],
            &[0x4d, 1],
            &[0x4d, 1, 0],
            &[0x4e, 1, 0, 0],
            &[0x4e, 0xff, 0xff, 0xff, 0xff, 7],
        ] {
            assert_eq!(read(script), [Err(Cut)], "{script:?}");
        }
        assert_eq!(read(&[0xac, 5, 1]), [Ok((0xac, 0)), Err(Cut)]);
    }

    #[test]
    fn numbers_have_their_sign_in_the_last_byte() {
        for (bytes, expected) in [
            (&[][..], Some(0)),
            (&[0], Some(0)),
            (&[0x80], Some(0)),
            (&[1], Some(1)),
            (&[0x81], Some(-1)),
            (&[0xff, 0x00], Some(255)),
            (&[0xff, 0x80], Some(-255)),
            (&[0xff, 0xff, 0xff, 0x7f], Some(i64::from(i32::MAX))),
            (&[0xff, 0xff, 0xff, 0xff], Some(-i64::from(i32::MAX))),
            (&[1, 0, 0, 0, 0], None),
        ] {
            assert_eq!(number(bytes), expected, "{bytes:?}");
        }
    }
}
