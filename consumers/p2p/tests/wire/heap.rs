//! What is allocated: nothing for a number that is only declared, and nothing at all for what is not decoded.

use super::counting::ASKED;
use super::{MAIN, compact, named, payload, samples, whole};
use sockman_p2p::wire::{Command, HEADER, MAX_PAYLOAD, Message, Next, checksum, decode, encode, next};

/// Bytes that are asked for meanwhile.
fn asked<R>(work: impl FnOnce() -> R) -> usize {
    let before = ASKED.get();
    drop(work());
    ASKED.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(asked(|| Vec::<u8>::with_capacity(1_000)), 1_000);
}

#[test]
fn framing_a_checksum_and_a_block_allocate_nothing() {
    let bytes = whole(&Message::Block(&vec![1; 100_000]));
    let mut longest = bytes[..HEADER].to_vec();
    longest[16..20].copy_from_slice(&(MAX_PAYLOAD as u32).to_le_bytes());
    let work = || {
        assert_eq!(next(&longest, MAIN), Ok(Next::Wants(HEADER + MAX_PAYLOAD)));
        let Ok(Next::Whole(frame)) = next(&bytes, MAIN) else {
            panic!("it is there");
        };
        assert!(frame.is_intact());
        assert!(matches!(frame.decode(), Ok(Message::Block(_))));
    };
    assert_eq!(asked(work), 0);
}

/// Of a message with items: its command, what comes before their number, how many there may be, and one of them.
fn counted() -> Vec<(&'static str, usize, u64, Vec<u8>)> {
    let item = |message: Message<'_>| payload(&message).split_off(1);
    let entry = item(Message::Inv(vec![samples::entries()[1]]));
    let hash = vec![1; 32];
    vec![
        ("inv", 0, 50_000, entry.clone()),
        ("getdata", 0, 50_000, entry.clone()),
        ("notfound", 0, 50_000, entry),
        (
            "headers",
            0,
            2_000,
            item(Message::Headers(vec![samples::header()])),
        ),
        (
            "addr",
            0,
            1_000,
            item(Message::Addr(vec![(0, samples::address())])),
        ),
        (
            "addrv2",
            0,
            1_000,
            item(Message::AddrV2(vec![samples::addresses()[0].clone()])),
        ),
        ("getheaders", 4, 101, hash.clone()),
        ("getblocks", 4, 101, hash),
    ]
}

#[test]
fn a_count_above_the_limit_allocates_nothing() {
    for (command, before, limit, item) in counted() {
        for count in [limit + 1, 1 << 20, u64::MAX] {
            let bytes = [&vec![0; before][..], &compact(count), &item.repeat(200)].concat();
            assert_eq!(asked(|| decode(named(command), &bytes).is_err()), 0, "{command}");
        }
    }
}

/// What is taken for items is bounded by what the bytes that are there could be: at most eight times as much (an address of the
/// second kind may be short on the wire), however many are declared.
#[test]
fn a_count_that_is_only_declared_allocates_for_what_is_there() {
    for (command, before, limit, item) in counted() {
        for items in [0, 1, 20] {
            let bytes = [&vec![0; before][..], &compact(limit), &item.repeat(items)].concat();
            let found = asked(|| decode(named(command), &bytes).is_err());
            assert!(
                found <= 8 * bytes.len(),
                "{command}: {found} for {} bytes",
                bytes.len()
            );
        }
    }
}

#[test]
fn strings_and_addresses_that_are_only_declared_allocate_nothing() {
    let version = payload(&Message::Version(samples::version()));
    let agent = [&version[..80], &compact(256)].concat();
    assert_eq!(asked(|| decode(Command::VERSION, &agent).is_err()), 0);
    let address = [&[1, 0, 0, 0, 0, 0, 99][..], &compact(512)].concat();
    let one = size_of::<sockman_p2p::wire::AddrV2Message>();
    assert!(asked(|| decode(Command::ADDRV2, &address).is_err()) <= one);
}

/// A buffer that is used again makes writing free; the checksum needs no other one.
#[test]
fn encoding_into_a_buffer_with_room_allocates_nothing() {
    let mut buffer = Vec::with_capacity(10_000);
    for message in samples::all() {
        buffer.clear();
        assert_eq!(asked(|| encode(&mut buffer, MAIN, &message)), 0);
        assert_eq!(checksum(&buffer[HEADER..]), buffer[20..HEADER]);
    }
}
