//! `explore` and `scale` from end to end.
#![cfg(feature = "sim")]

use std::process::{Command, Output};

fn explore(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_explore"));
    command.args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_search_says_what_it_did() {
    let output = explore(&[
        "--handler",
        "echo",
        "--seeds",
        "40",
        "--first",
        "7",
        "--jobs",
        "2",
    ]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    for word in [
        "40 scenarios of `echo` in ",
        "seeds a second",
        "connections opened",
        "ShortRead ",
        "nothing is violated",
    ] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
}

/// A seed in whose run the server reads something.
fn lively() -> String {
    let mut seeds = (0..20).map(|seed: u32| seed.to_string());
    let found = seeds.find(|seed| text(&explore(&["--seed", seed]).stdout).contains("h0 read"));
    found.expect("one of twenty")
}

#[test]
fn a_replay_prints_everything_and_is_the_same_again() {
    let seed = lively();
    let output = explore(&["--seed", &seed]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    for word in [
        "h0 listen",
        "h1 dial",
        "h0 accept",
        "h1 write",
        "nothing is violated",
    ] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    assert_eq!(told, text(&explore(&["--seed", &seed]).stdout));
    let calm = text(&explore(&["--seed", &seed, "--faults", "none"]).stdout);
    assert!(calm.contains(&format!("seed {seed}: 0 faults")), "{calm}");
    let one = text(&explore(&["--seed", &seed, "--faults", "ReadAgain@0"]).stdout);
    assert!(one.contains("FAULT     ReadAgain@0"), "{one}");
    assert!(one.contains(&format!("seed {seed}: 1 faults")), "{one}");
}

#[test]
fn wrong_arguments_are_told_apart() {
    for (arguments, word) in [
        (
            &["--handler", "nothing"][..],
            "no handler `nothing`: there is echo",
        ),
        (&["--seed", "1", "--faults", "Rain@1"], "`Rain@1` is no fault"),
        (&["--faults", "none"], "--seed"),
        (&["--seeds", "0"], "--seeds"),
        (&["--seed", "1", "--seeds", "5"], "cannot be used with"),
    ] {
        let output = explore(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let told = text(&output.stderr);
        assert!(told.contains(word), "{word} is not in {told}");
    }
}

#[test]
fn scale_prints_a_row_for_each_number() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scale"));
    let output = command
        .args(["--idle", "10,2000", "--rounds", "2", "--messages", "50"])
        .output()
        .expect("it starts");
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}{}", text(&output.stderr));
    let rows: Vec<Vec<&str>> = told
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (row, idle) in rows[1..].iter().zip(["10", "2000"]) {
        // A wait, a read and a write for each message, and one turn.
        assert_eq!((row[0], row[5], row[6]), (idle, "3.00", "1.00"), "{told}");
        // A table has a few free places, which weigh more where there are few connections.
        let bytes = |place: usize| row[place].parse::<f64>().expect("a number");
        assert!(bytes(1) > 50.0 && bytes(1) < 5_000.0 && bytes(2) > 50.0, "{told}");
    }
}
