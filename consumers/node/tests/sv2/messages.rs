//! Every message of the protocol.

use crate::peer::{Greeting, Peer, Template, Tip, constraints, dial, request, setup, solution};
use crate::served::{BITS, SUBSIDY, Served, TIME, block_hash, settings, transactions, work};
use bitcoin::block::Header;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, Block, BlockHash, CompactTarget, ScriptBuf, Target, TxMerkleNode, TxOut, consensus};
use common_messages_sv2::Protocol;
use parsers_sv2::CommonMessages;
use sockman_backends::sockman::Backend;
use sockman_sv2::wire::{Authority, Chance};
use sockman_sv2::{Count, Settings};
use std::io::Write;
use std::time::Duration;

/// Only the authority that the client knows can vouch for the server.
pub(crate) fn certificates<B: Backend>() {
    let served = Served::start::<B>(settings(), work(101, Vec::new()));
    Peer::ready(served.at, &served.key);
    let other = Authority::generate(&mut Chance::new([9; 32]));
    let greeting = Greeting::new(&other.key().to_string());
    let mut stream = dial(served.at);
    stream.write_all(&greeting.hello).expect("the server reads");
    assert!(greeting.finish(stream).is_err(), "anybody's certificate is taken");
    // Nobody else is concerned.
    Peer::ready(served.at, &served.key);
    assert_eq!(served.count(Count::handshakes), 3);
}

/// A client that wants to speak something else is told why not, and hung up on; what it says after that changes nothing.
pub(crate) fn refusals<B: Backend>() {
    let served = Served::start::<B>(settings(), work(101, Vec::new()));
    let templates = Protocol::TemplateDistributionProtocol;
    let cases = [
        (
            setup(Protocol::JobDeclarationProtocol, (2, 2), 0),
            "unsupported-protocol",
            0,
        ),
        (
            setup(Protocol::MiningProtocol, (2, 2), 1),
            "unsupported-protocol",
            0,
        ),
        (setup(templates, (3, 9), 0), "protocol-version-mismatch", 0),
        (setup(templates, (0, 1), 0), "protocol-version-mismatch", 0),
        (setup(templates, (2, 2), 5), "unsupported-feature-flags", 5),
    ];
    let count = cases.len() as u64;
    for (message, code, flags) in cases {
        let mut peer = Peer::shaken(served.at, &served.key);
        let first = peer.seal(message);
        let more = [peer.seal(constraints(0, 0)), peer.seal(request(1))];
        peer.write(&[&first[..], &more.concat()].concat());
        let mut answer = peer.hear();
        let CommonMessages::SetupConnectionError(refused) = answer.common() else {
            panic!("not refused: {:?}", answer.common());
        };
        assert_eq!(refused.error_code.as_bytes(), code.as_bytes());
        assert_eq!(refused.flags, flags, "{code}");
        assert!(peer.perhaps().is_none(), "{code}: not hung up on");
    }
    // A range of versions that has ours is as good.
    let mut peer = Peer::shaken(served.at, &served.key);
    peer.say(setup(templates, (1, 7), 0));
    assert!(matches!(
        peer.hear().common(),
        CommonMessages::SetupConnectionSuccess(_)
    ));
    assert_eq!(served.count(Count::setup_errors), count);
}

/// The first template, its transactions, and what is not to be had; unknown extensions between them.
pub(crate) fn templates<B: Backend>() {
    let list = transactions(100, 77);
    let served = Served::start::<B>(settings(), work(101, list.clone()));
    let mut peer = Peer::ready(served.at, &served.key);
    let (template, tip) = peer.begin();
    let outputs: TxOut = consensus::deserialize(&template.outputs).expect("an output");
    assert_eq!(outputs.value, Amount::ZERO);
    assert!(template.future && tip.id == template.id);
    assert_eq!(template.value, SUBSIDY + 100 * 77);
    assert_eq!(
        (template.version, template.coinbase_version, template.lock_time),
        (0x2000_0000, 2, 0)
    );
    assert_eq!(template.prefix, [1, 101], "BIP 34");
    assert_eq!(template.sequence, u32::MAX);
    assert_eq!((template.outputs_count, template.path.len()), (1, 7));
    assert_eq!(tip.hash, block_hash(100).to_byte_array());
    assert_eq!((tip.time, tip.bits), (TIME, BITS));
    let target = Target::from_compact(CompactTarget::from_consensus(BITS));
    assert_eq!(tip.target, target.to_le_bytes());

    let data = peer.data(template.id).expect("it has just come");
    assert_eq!(data.excess, [0; 32]);
    assert!(data.transactions.iter().eq(list.iter().map(|tx| &tx.bytes)));
    assert_eq!(
        peer.data(template.id + 1),
        Err("template-id-not-found".to_owned())
    );

    // Frames of extensions that nobody has agreed to, and of types that are not known.
    for (kind, extension) in [(0x70, 3), (0x01, 0x7fff), (0x7f, 0)] {
        let ignored = peer.seal_as(kind, extension, constraints(9, 9));
        peer.write(&ignored);
    }
    peer.data(template.id).expect("what is unknown is ignored");
    assert_eq!(served.count(Count::frames_ignored), 3);

    // Constraints that come again are answered again, and a larger room leaves less for others.
    peer.say(constraints(1_000_000 - 10_000, 0));
    let again = Template::of(peer.hear().templates());
    let tip = Tip::of(peer.hear().templates());
    assert!(again.future && again.id > template.id && tip.id == again.id);
    let left = peer.data(again.id).expect("it has just come").transactions;
    assert!(!left.is_empty() && left.len() < 100, "{}", left.len());
    assert_eq!(again.value, SUBSIDY + 77 * left.len() as u64);
}

/// A new tip is told at once, to each client; what was before is served for a while yet, and then not any more.
pub(crate) fn tips<B: Backend>() {
    let settings = Settings {
        stale_for: Duration::from_secs(5),
        ..settings()
    };
    let served = Served::start::<B>(settings, work(101, transactions(3, 10)));
    let mut peers: Vec<_> = (0..3).map(|_| Peer::ready(served.at, &served.key)).collect();
    let mut before: Vec<_> = peers.iter_mut().map(|peer| peer.begin().0).collect();
    for height in 102..=104 {
        served.tell(work(height, transactions(height - 100, 10)));
        for (peer, before) in peers.iter_mut().zip(&mut before) {
            let new = Template::of(peer.hear().templates());
            let tip = Tip::of(peer.hear().templates());
            assert!(new.future && new.id > before.id && tip.id == new.id);
            assert_eq!(tip.hash, block_hash(height - 1).to_byte_array());
            let data = peer.data(new.id).expect("it has just come");
            assert_eq!(data.transactions.len() as u32, height - 100);
            *before = new;
        }
    }
    served.tell(work(105, Vec::new()));
    let (peer, old) = (&mut peers[0], before[0].id);
    Template::of(peer.hear().templates());
    Tip::of(peer.hear().templates());
    let data = peer.data(old).expect("it was the last");
    assert_eq!(data.transactions.len(), 4);
    let gone = loop {
        match peer.data(old) {
            Ok(_) => std::thread::sleep(Duration::from_millis(20)),
            Err(code) => break code,
        }
    };
    assert_eq!(gone, "stale-template-id");
}

/// Better fees are told when they are worth it, without a new tip.
pub(crate) fn fees<B: Backend>() {
    let settings = Settings {
        interval: Duration::from_millis(50),
        fee_delta: 1_000,
        ..settings()
    };
    let served = Served::start::<B>(settings, work(101, transactions(10, 100)));
    let mut peer = Peer::ready(served.at, &served.key);
    let (first, tip) = peer.begin();
    // Not enough: what comes next is what comes for the next.
    served.tell(work(101, transactions(19, 100)));
    served.until(|stats| stats.remote_wakeups > 0);
    served.tell(work(101, transactions(20, 100)));
    let better = Template::of(peer.hear().templates());
    assert!(!better.future && better.id > first.id);
    assert_eq!(better.value, SUBSIDY + 20 * 100);
    assert_eq!(peer.data(better.id).expect("it is there").transactions.len(), 20);
    assert_eq!(
        peer.data(first.id)
            .expect("its tip is the last")
            .transactions
            .len(),
        10
    );
    assert_eq!(tip.id, first.id);
    let counts = [Count::templates, Count::prev_hashes].map(|what| served.count(what));
    assert_eq!(counts, [2, 1]);
}

/// A block that was really mined comes to the source, and is one.
pub(crate) fn solutions<B: Backend>() {
    for count in [0, 1, 100] {
        let list = transactions(count, 10);
        let served = Served::start::<B>(settings(), work(101, list.clone()));
        let mut peer = Peer::ready(served.at, &served.key);
        let (template, tip) = peer.begin();
        let coinbase = coinbase(&template);
        let found = mine(&template, &tip, &coinbase);
        let fields = (
            found.version.to_consensus().cast_unsigned(),
            found.time,
            found.nonce,
        );
        let bytes = consensus::serialize(&coinbase);
        // One with too little work, and one of a template that there never was, come to nothing.
        let (version, time, nonce) = unsolved(&found);
        peer.say(solution(template.id, (version, time, nonce), &bytes));
        peer.say(solution(template.id + 1, fields, &bytes));
        peer.say(solution(template.id, fields, &bytes));
        let solved = served
            .solved
            .recv_timeout(Duration::from_secs(60))
            .expect("a solution");
        let block: Block = consensus::deserialize(&solved.block()).expect("a block");
        assert_eq!(block.header, found);
        assert_eq!((solved.hash(), solved.height()), (found.block_hash(), 101));
        assert!(block.check_merkle_root() && block.check_witness_commitment());
        let target = Target::from_compact(CompactTarget::from_consensus(BITS));
        assert_eq!(block.header.validate_pow(target), Ok(found.block_hash()));
        assert_eq!(block.header.prev_blockhash, block_hash(100));
        assert_eq!(block.txdata[0], coinbase);
        let rest = block.txdata[1..].iter().map(consensus::serialize);
        assert!(rest.eq(list.iter().map(|tx| tx.bytes.to_vec())));
        assert_eq!(block.bip34_block_height(), Ok(101));
        let counts = [
            Count::solutions,
            Count::solutions_refused,
            Count::solutions_unknown,
        ];
        assert_eq!(counts.map(|what| served.count(what)), [1, 1, 1]);
    }
}

/// The coinbase that a pool makes for a template, which pays all to one script.
fn coinbase(template: &Template) -> bitcoin::Transaction {
    let extra_nonce = [0xab; 8];
    let script = [&template.prefix[..], &[extra_nonce.len() as u8], &extra_nonce].concat();
    let pays = TxOut {
        value: Amount::from_sat(template.value),
        script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
    };
    let mut outputs = vec![pays];
    let mut rest = &template.outputs[..];
    for _ in 0..template.outputs_count {
        outputs.push(consensus::Decodable::consensus_decode(&mut rest).expect("an output"));
    }
    assert!(rest.is_empty());
    bitcoin::Transaction {
        version: bitcoin::transaction::Version(template.coinbase_version.cast_signed()),
        lock_time: bitcoin::absolute::LockTime::from_consensus(template.lock_time),
        input: vec![bitcoin::TxIn {
            previous_output: bitcoin::OutPoint::null(),
            script_sig: ScriptBuf::from_bytes(script),
            sequence: bitcoin::Sequence(template.sequence),
            witness: bitcoin::Witness::from_slice(&[[0; 32]]),
        }],
        output: outputs,
    }
}

/// Finds a header whose hash is below the target.
fn mine(template: &Template, tip: &Tip, coinbase: &bitcoin::Transaction) -> Header {
    let first = coinbase.compute_txid().to_byte_array();
    let root = template.path.iter().fold(first, |hash, beside| {
        sha256d::Hash::hash(&[hash, *beside].concat()).to_byte_array()
    });
    let header = |nonce| Header {
        version: bitcoin::block::Version::from_consensus(template.version.cast_signed()),
        prev_blockhash: BlockHash::from_byte_array(tip.hash),
        merkle_root: TxMerkleNode::from_byte_array(root),
        time: tip.time,
        bits: CompactTarget::from_consensus(tip.bits),
        nonce,
    };
    let target = Target::from_le_bytes(tip.target);
    let below = |header: &Header| target.is_met_by(header.block_hash());
    (0..=u32::MAX)
        .map(header)
        .find(below)
        .expect("every other hash is")
}

/// The version, time and nonce of one beside it that is not.
fn unsolved(found: &Header) -> (u32, u32, u32) {
    let target = found.target();
    let nonces = (0..=u32::MAX).map(|nonce| Header { nonce, ..*found });
    let above = nonces
        .into_iter()
        .find(|header| !target.is_met_by(header.block_hash()));
    let above = above.expect("every other hash is");
    (
        above.version.to_consensus().cast_unsigned(),
        above.time,
        above.nonce,
    )
}
