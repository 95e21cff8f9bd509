//! Chains without enough work, and those of which it is not known yet.

use super::support::{LATER, at, child, remine};
use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Network, Target, Work};
use sockman_p2p::chain::{
    HeaderError, Id, LowWork, LowWorkError, MARK_PERIOD, Params, Step, Tree, claimed_work,
};

/// Headers in a message.
const MESSAGE: usize = 150;

/// A network where difficulty does not change.
fn fixed() -> Params {
    Params {
        min_difficulty: false,
        ..Params::of(Network::Regtest)
    }
}

/// Headers upwards from `parent`, which need not be in the tree of who gets them.
fn headers(parent: Id, count: u32, mark: u32, tree: &mut Tree) -> Vec<Header> {
    let mut at = parent;
    let mut make = |_| {
        let header = child(tree, at, 600, mark);
        at = tree.accept(&header, LATER).expect("a good one").id;
        header
    };
    (0..count).map(&mut make).collect()
}

/// The work of a chain of so many blocks on top of genesis.
fn work_of(blocks: u32) -> Work {
    let one = Params::of(Network::Regtest).pow_limit.to_work();
    (0..blocks).fold(one, |work, _| work + one)
}

/// What a peer with this chain answers.
fn answer(chain: &[Header], locator: &[BlockHash]) -> Vec<Header> {
    let find = |hash: &BlockHash| chain.iter().position(|header| header.block_hash() == *hash);
    let from = locator.iter().find_map(find).map_or(0, |index| index + 1);
    chain[from..].iter().take(MESSAGE).copied().collect()
}

/// Asks a peer with this chain until it is over; what was given. `other` is the chain that it has when it is asked for it again.
fn ask(
    low: &mut LowWork,
    tree: &Tree,
    chain: &[Header],
    other: &[Header],
) -> Result<Vec<Header>, LowWorkError> {
    let mut given = Vec::new();
    let mut locator = tree.locator(low.fork());
    let (mut chain, mut first) = (chain, true);
    loop {
        let message = answer(chain, &locator);
        let Step { give, next } = low.feed(tree, &message, message.len() == MESSAGE)?;
        // No more is held back than from one mark to the next.
        assert!(give.len() <= MARK_PERIOD as usize + MESSAGE);
        given.extend(give);
        match next {
            None => return Ok(given),
            // It begins again from the fork.
            Some(next) if next == tree.locator(low.fork()) && !first => (chain, locator) = (other, next),
            Some(next) => locator = next,
        }
        first = false;
    }
}

#[test]
fn a_long_chain_with_enough_work_is_given_out_in_the_end() {
    let mut theirs = Tree::new(fixed());
    let chain = headers(Id::GENESIS, 1300, 1, &mut theirs);
    for (below, need) in [(0, 1100), (0, 500), (0, 499), (0, 501), (3, 1300), (700, 1250)] {
        let mut tree = Tree::new(fixed());
        let mut fork = Id::GENESIS;
        for header in &chain[..below] {
            fork = tree.accept(header, LATER).expect("a good one").id;
        }
        let mut low = LowWork::start(&tree, fork, work_of(need), 42);
        assert_eq!((low.fork(), low.height()), (fork, below as u32));
        let given = ask(&mut low, &tree, &chain, &chain).expect("the chain has the work");
        assert_eq!(
            low.height(),
            need,
            "how far it was followed, though it has come again since"
        );
        for header in &given {
            assert!(tree.accept(header, LATER).expect("it follows").new);
        }
        // All up to where there is enough, and the rest of the last message.
        let height = tree.entry(tree.best()).height;
        assert!(
            height >= need && height < need + MESSAGE as u32,
            "{height} for {need}"
        );
        assert_eq!(tree.entry(tree.best()).header, chain[height as usize - 1]);
    }
}

#[test]
fn a_chain_without_enough_work_leaves_nothing() {
    let mut theirs = Tree::new(fixed());
    let chain = headers(Id::GENESIS, 700, 1, &mut theirs);
    let tree = Tree::new(fixed());
    let mut low = LowWork::start(&tree, Id::GENESIS, work_of(701), 42);
    assert_eq!(ask(&mut low, &tree, &chain, &chain), Ok(Vec::new()));
    let mut low = LowWork::start(&tree, Id::GENESIS, work_of(700), 42);
    assert_eq!(ask(&mut low, &tree, &chain, &chain), Ok(chain.clone()));

    let mut low = LowWork::start(&tree, Id::GENESIS, work_of(701), 42);
    low.set_limit(699);
    let over = ask(&mut low, &tree, &chain, &chain);
    assert_eq!(over, Err(LowWorkError::TooLong));
    let mut low = LowWork::start(&tree, Id::GENESIS, work_of(701), 42);
    low.set_limit(700);
    assert_eq!(ask(&mut low, &tree, &chain, &chain), Ok(Vec::new()));
}

/// A peer shows the work of one chain, and then tells another: nothing of that is given out.
#[test]
fn a_peer_cannot_show_one_chain_and_tell_another() {
    let mut theirs = Tree::new(fixed());
    let chain = headers(Id::GENESIS, 1200, 1, &mut theirs);
    let tree = Tree::new(fixed());
    for at in [0_usize, 1, 499, 500, 501, 999, 1000, 1149] {
        let from = at.checked_sub(1).map(|index| chain[index].block_hash());
        let from = from.map_or(Id::GENESIS, |hash| theirs.find(&hash).expect("it is there"));
        let mut other = chain[..at].to_vec();
        other.extend(headers(from, 1300 - at as u32, 2 + at as u32, &mut theirs));
        let mut low = LowWork::start(&tree, Id::GENESIS, work_of(1150), 42);
        let mut given = Vec::new();
        let mut locator = tree.locator(Id::GENESIS);
        let mut again = false;
        let why = loop {
            let message = answer(if again { &other } else { &chain }, &locator);
            match low.feed(&tree, &message, message.len() == MESSAGE) {
                Ok(Step { give, next }) => {
                    given.extend(give);
                    let next = next.expect("it is not over");
                    again |= next == tree.locator(Id::GENESIS);
                    locator = next;
                }
                Err(why) => break why,
            }
        };
        assert_eq!(why, LowWorkError::Changed, "{at}");
        assert!(given.len() <= at, "{} of {at}", given.len());
        assert_eq!(given, chain[..given.len()], "{at}");
    }
    // Nor can it tell less than it has shown.
    let mut low = LowWork::start(&tree, Id::GENESIS, work_of(1150), 42);
    let over = ask(&mut low, &tree, &chain, &chain[..1100]);
    assert_eq!(over, Err(LowWorkError::Changed));
}

#[test]
fn headers_are_followed_only_while_they_keep_the_rules() {
    let params = Params {
        retarget: true,
        pow_timespan: 10 * 600,
        ..fixed()
    };
    let mut theirs = Tree::new(params.clone());
    let chain = headers(Id::GENESIS, 30, 1, &mut theirs);
    let tree = Tree::new(params);
    let start = || LowWork::start(&tree, Id::GENESIS, work_of(1000), 42);
    let feed = |headers: &[Header]| start().feed(&tree, headers, true).map(|step| step.give);
    assert_eq!(feed(&chain), Ok(Vec::new()));
    assert_eq!(feed(&chain[1..]), Err(LowWorkError::Unconnected));
    assert_eq!(feed(&[chain[0], chain[2]]), Err(LowWorkError::Unconnected));

    let mut lazy = chain[5];
    while lazy.target().is_met_by(lazy.block_hash()) {
        lazy.nonce += 1;
    }
    let with = |header| [&chain[..5], &[header]].concat();
    assert_eq!(feed(&with(lazy)), Err(LowWorkError::ProofOfWork));
    let mut easy = chain[5];
    easy.bits = CompactTarget::from_consensus(0x2100_ffff);
    assert_eq!(feed(&with(easy)), Err(LowWorkError::ProofOfWork));

    // Difficulty changes where a period begins, and by four at most.
    let harder = |height: usize, times: u32| {
        let mut header = chain[height - 1];
        let mut target = Target::from_compact(chain[height - 2].bits);
        for _ in 0..times {
            target = target.min_transition_threshold();
        }
        header.bits = target.to_compact_lossy();
        remine(&mut header);
        [&chain[..height - 1], &[header]].concat()
    };
    assert_eq!(feed(&harder(9, 1)), Err(LowWorkError::Difficulty));
    assert_eq!(feed(&harder(11, 1)), Err(LowWorkError::Difficulty));
    assert_eq!(feed(&harder(10, 2)), Err(LowWorkError::Difficulty));
    assert_eq!(feed(&harder(10, 1)), Ok(Vec::new()));
}

#[test]
fn work_is_counted_only_where_it_was_done() {
    let params = Params::of(Network::Regtest);
    let mut tree = Tree::new(params.clone());
    let chain = headers(Id::GENESIS, 5, 1, &mut tree);
    assert_eq!(claimed_work(&params, &chain), Ok(work_of(4)));
    assert_eq!(claimed_work(&params, &[]).map(|work| work < work_of(0)), Ok(true));
    let gap = [chain[0], chain[2]];
    assert_eq!(claimed_work(&params, &gap), Err(HeaderError::UnknownParent));
    let mut bold = at(&tree, Id::GENESIS, 2_000_000_000, 1);
    bold.bits = CompactTarget::from_consensus(0x0300_0001);
    assert_eq!(claimed_work(&params, &[bold]), Err(HeaderError::ProofOfWork));
    bold.bits = CompactTarget::from_consensus(0);
    assert_eq!(claimed_work(&params, &[bold]), Err(HeaderError::ProofOfWork));
}
