//! Files that are not what was written: the index is made anew, and said to be.

use crate::rig::{World, small};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use sockman_p2p::chain::Id;
use sockman_p2p::coins::{Coins, CoinsError};
use std::fs;

/// An index of some blocks, and its bytes.
fn made() -> (World, Vec<u8>) {
    let mut world = World::new();
    world.grow(Id::GENESIS, 12, 0);
    let mut coins = world.open(small());
    world.follow(&mut coins);
    drop(coins);
    let bytes = fs::read(world.path()).unwrap();
    (world, bytes)
}

/// Opens what is there, and goes on to the end. Whether it was made anew.
fn open_and_follow(world: &World) -> bool {
    let (mut coins, remade) = Coins::open(&world.path(), world.genesis(), small()).unwrap();
    world.follow(&mut coins);
    world.check(&coins);
    remade.is_some()
}

#[test]
fn bytes_that_are_wrong_are_found() {
    let (world, bytes) = made();
    let mut remade = 0;
    let places: Vec<usize> = (0..bytes.len()).step_by(bytes.len() / 150).collect();
    for &place in &places {
        let mut wrong = bytes.clone();
        for byte in &mut wrong[place..(place + 16).min(bytes.len())] {
            *byte ^= 0x5a;
        }
        fs::write(world.path(), &wrong).unwrap();
        remade += usize::from(open_and_follow(&world));
    }
    // There are pages that mean nothing.
    assert!(remade > 3, "{remade} of {}", places.len());
    fs::write(world.path(), &bytes).unwrap();
    assert!(!open_and_follow(&world), "as it was, it is good");
}

#[test]
fn a_file_that_ends_early_is_found() {
    let (world, bytes) = made();
    for part in 1..16 {
        fs::write(world.path(), &bytes[..bytes.len() * part / 16]).unwrap();
        open_and_follow(&world);
    }
    fs::write(world.path(), &bytes[..bytes.len() / 16]).unwrap();
    assert!(open_and_follow(&world));
}

#[test]
fn what_is_no_index_at_all_is_replaced() {
    let (world, _) = made();
    fs::write(world.path(), vec![0x5a; 100_000]).unwrap();
    let (coins, remade) = Coins::open(&world.path(), world.genesis(), small()).unwrap();
    let said = remade.unwrap().to_string();
    assert!(said.contains("coins.redb cannot be used"), "{said}");
    assert_eq!(coins.at().height, 0);
}

#[test]
fn an_index_of_another_chain_is_replaced() {
    let (world, _) = made();
    let other = BlockHash::from_byte_array([7; 32]);
    let (coins, remade) = Coins::open(&world.path(), other, small()).unwrap();
    assert!(remade.unwrap().why.contains("another chain"));
    assert_eq!(coins.at().hash, other);
}

#[test]
fn a_folder_in_its_place_is_told() {
    let world = World::new();
    fs::create_dir(world.path()).unwrap();
    let why = Coins::open(&world.path(), world.genesis(), small()).unwrap_err();
    assert!(matches!(why, CoinsError::Disk(_)), "{why}");
}
