//! Messages, written by one end and read by the other.

use super::{ANY, ends, message, read, write};
use proptest::collection::vec;
use proptest::prelude::*;
use sockman_sv2::wire::{Broken, Encoder, HEADER, Message};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_written_is_read(messages in vec(message(), 1..8)) {
        let (mut client, mut server) = ends();
        let bytes = write(&mut client, &messages);
        prop_assert_eq!(read(&mut server, &bytes), messages.clone());
        let bytes = write(&mut server, &messages);
        prop_assert_eq!(read(&mut client, &bytes), messages);
    }

    /// However it is cut: what is not taken comes again, with what is behind it.
    #[test]
    fn every_cut_gives_the_same(messages in vec(message(), 1..5), cuts in vec(1..2_000_usize, 1..30)) {
        let (mut client, mut server) = ends();
        let bytes = write(&mut client, &messages);
        let (mut start, mut end, mut heard) = (0, 0, Vec::new());
        let mut cuts = cuts.into_iter().cycle();
        while end < bytes.len() {
            end = (end + cuts.next().unwrap()).min(bytes.len());
            loop {
                let wants = server.wants();
                let opened = server.open(&bytes[start..end], ANY).unwrap();
                prop_assert!(opened.taken == 0 || end - start >= wants);
                start += opened.taken;
                match opened.frame {
                    Some(frame) => heard.push(frame.message().unwrap().unwrap()),
                    None => break,
                }
            }
            prop_assert!(end - start < server.wants() && server.wants() <= 65_535);
        }
        prop_assert_eq!(heard, messages);
    }

    /// Whatever a frame has in it is a message, or none of this protocol, or malformed: and then it is written as it was read.
    #[test]
    fn any_payload_can_be_read_or_not(
        extension in prop_oneof![9 => Just(0_u16), 1 => any::<u16>()],
        kind in prop_oneof![Just(0_u8), Just(1), Just(2), 0x70..=0x76_u8, any::<u8>()],
        payload in vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..200),
    ) {
        let (mut client, mut server) = ends();
        let frame = client.seal_payload(&mut Encoder::default(), extension, kind, &payload).unwrap();
        let opened = server.open(&frame, ANY).unwrap();
        prop_assert_eq!(opened.taken, frame.len());
        let frame = opened.frame.unwrap();
        prop_assert_eq!((frame.kind(), frame.length()), (kind, payload.len()));
        prop_assert_eq!(frame.extension(), extension & 0x7fff);
        if let Ok(Some(message)) = frame.message() {
            prop_assert_eq!(extension & 0x7fff, 0);
            let known = matches!(kind, 0..=2 | 0x70..=0x76);
            prop_assert!(known);
            let is_text = matches!(message, Message::SetupConnection(_) | Message::SetupConnectionError { .. } | Message::RequestTransactionDataError { .. });
            if !is_text {
                let bytes = write(&mut client, std::slice::from_ref(&message));
                prop_assert_eq!(read(&mut server, &bytes), [message]);
            }
        }
    }

    /// Messages that are cut off are malformed, wherever.
    #[test]
    fn what_is_cut_off_is_malformed(message in message(), cut in any::<prop::sample::Index>()) {
        let (mut client, mut server) = ends();
        let bytes = write(&mut client, std::slice::from_ref(&message));
        let opened = server.open(&bytes, ANY).unwrap();
        let frame = opened.frame.unwrap();
        let (kind, length) = (frame.kind(), frame.length());
        let payload = plain(&message, kind, length);
        let cut = cut.index(length);
        let frame = client.seal_payload(&mut Encoder::default(), 0, kind, &payload[..cut]).unwrap();
        let frame = server.open(&frame, ANY).unwrap().frame.unwrap();
        prop_assert!(frame.message().is_err());
    }

    #[test]
    fn a_frame_has_as_many_bytes_as_it_may(length in 0..200_000_usize, more in 0..3_usize) {
        let (mut client, mut server) = ends();
        let bytes = client.seal_payload(&mut Encoder::default(), 9, 9, &vec![1; length]).unwrap();
        let frame = HEADER + length;
        let most = (frame + 1).saturating_sub(more);
        let mut taken = 0;
        let fits = frame <= most;
        loop {
            match server.open(&bytes[taken..], most) {
                Ok(opened) => {
                    taken += opened.taken;
                    if opened.frame.is_some() {
                        prop_assert!(fits && taken == bytes.len());
                        break;
                    }
                }
                Err(why) => {
                    prop_assert_eq!(why, Broken::TooLong { limit: most });
                    prop_assert!(!fits);
                    break;
                }
            }
        }
    }
}

/// The payload of a message, not encrypted, as the specification has it.
fn plain(message: &Message, kind: u8, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.as_bytes());
    };
    let long = |bytes: &mut Vec<u8>, data: &[u8]| {
        bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(data);
    };
    let expected = match message {
        Message::SetupConnection(setup) => {
            bytes.push(setup.protocol);
            bytes.extend(setup.min_version.to_le_bytes());
            bytes.extend(setup.max_version.to_le_bytes());
            bytes.extend(setup.flags.to_le_bytes());
            text(&mut bytes, &setup.host);
            bytes.extend(setup.port.to_le_bytes());
            for said in [&setup.vendor, &setup.hardware, &setup.firmware, &setup.device] {
                text(&mut bytes, said);
            }
            0x00
        }
        Message::SetupConnectionSuccess { version, flags } => {
            bytes.extend(version.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            0x01
        }
        Message::SetupConnectionError { flags, code } => {
            bytes.extend(flags.to_le_bytes());
            text(&mut bytes, code);
            0x02
        }
        Message::CoinbaseOutputConstraints(room) => {
            bytes.extend(room.size.to_le_bytes());
            bytes.extend(room.sigops.to_le_bytes());
            0x70
        }
        Message::NewTemplate(new) => {
            bytes.extend(new.template.to_le_bytes());
            bytes.push(new.future.into());
            bytes.extend(new.version.to_le_bytes());
            bytes.extend(new.coinbase_version.to_le_bytes());
            bytes.push(u8::try_from(new.coinbase_prefix.len()).unwrap());
            bytes.extend(&new.coinbase_prefix);
            bytes.extend(new.coinbase_sequence.to_le_bytes());
            bytes.extend(new.value.to_le_bytes());
            bytes.extend(new.outputs_count.to_le_bytes());
            long(&mut bytes, &new.outputs);
            bytes.extend(new.coinbase_locktime.to_le_bytes());
            bytes.push(u8::try_from(new.merkle_path.len()).unwrap());
            bytes.extend(new.merkle_path.concat());
            0x71
        }
        Message::SetNewPrevHash(prev) => {
            bytes.extend(prev.template.to_le_bytes());
            bytes.extend(prev.hash);
            bytes.extend(prev.time.to_le_bytes());
            bytes.extend(prev.bits.to_le_bytes());
            bytes.extend(prev.target);
            0x72
        }
        Message::RequestTransactionData { template } => {
            bytes.extend(template.to_le_bytes());
            0x73
        }
        Message::RequestTransactionDataSuccess {
            template,
            excess,
            transactions,
        } => {
            bytes.extend(template.to_le_bytes());
            long(&mut bytes, excess);
            bytes.extend(u16::try_from(transactions.len()).unwrap().to_le_bytes());
            for tx in transactions {
                bytes.extend(&u32::try_from(tx.len()).unwrap().to_le_bytes()[..3]);
                bytes.extend(tx);
            }
            0x74
        }
        Message::RequestTransactionDataError { template, code } => {
            bytes.extend(template.to_le_bytes());
            text(&mut bytes, code);
            0x75
        }
        Message::SubmitSolution(found) => {
            bytes.extend(found.template.to_le_bytes());
            bytes.extend(found.version.to_le_bytes());
            bytes.extend(found.time.to_le_bytes());
            bytes.extend(found.nonce.to_le_bytes());
            long(&mut bytes, &found.coinbase);
            0x76
        }
    };
    assert_eq!((kind, length), (expected, bytes.len()), "{message:?}");
    bytes
}
