//! Fields: lists and tokens (RFC 9110 section 5.6).

/// A set of bytes: letters, digits and these.
pub(super) const fn set(others: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut place = 0;
    while place < others.len() {
        set[others[place] as usize] = true;
        place += 1;
    }
    set
}

/// Whether this is a `tchar` (RFC 9110 section 5.6.2).
#[inline]
pub(super) fn is_token_char(byte: u8) -> bool {
    const TOKEN: [bool; 256] = set(b"!#$%&'*+-.^_`|~");
    TOKEN[usize::from(byte)]
}

/// Whether this is a token.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token_char(*byte))
}

/// Whether `name` is `other` for those who take underscores for hyphens, as gateways do that make variables of fields (RFC 3875
/// section 4.1.18).
pub(super) fn is_taken_for(name: &str, other: &str) -> bool {
    let pairs = name.bytes().zip(other.bytes());
    let alike = |(a, b): (u8, u8)| a.eq_ignore_ascii_case(&b) || (a, b) == (b'_', b'-');
    name.len() == other.len() && pairs.into_iter().all(alike)
}

/// Without white space around it (RFC 9110 section 5.6.3).
pub(super) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The members of a list that are not empty (RFC 9110 section 5.6.1). (No list that is read here has quoted members.)
pub(super) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trimmed)
        .filter(|member| !member.is_empty())
}
