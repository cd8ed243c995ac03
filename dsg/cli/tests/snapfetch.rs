//! `dsg snapfetch`.

use std::fs;

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// Five snapshots in which a file grows and another comes and goes.
fn five_snapshots() -> (World, Person, Person) {
    let (world, alice, bob) =
        World::started(DSG, &[("input/a.csv", &version(1)), ("input/d/x", "x")]);
    for number in 2..=5 {
        alice.write("input/a.csv", &version(number));
        if number == 3 {
            alice.remove("input/d/x");
        }
        alice.run(&["sync"]).succeeded();
    }
    (world, alice, bob)
}

fn version(number: usize) -> String {
    format!("line of {number}\n").repeat(number * 1000)
}

#[test]
fn any_version_comes_back_byte_by_byte() {
    let (_world, alice, _) = five_snapshots();
    for number in 1..=5 {
        let snapshot = format!("s{number}");
        alice.run(&["snapfetch", "input/a.csv", "--number", &snapshot]).succeeded().says("1 file");
        assert_eq!(alice.read(&format!("a.csv.{snapshot}")), version(number));
        let printed =
            alice.run(&["snapfetch", "input/a.csv", "-n", &snapshot, "-o", "-"]).succeeded();
        assert_eq!(printed.stdout, version(number));
    }
    alice.run(&["snapfetch", "input/d/x", "--number", "s2", "-o", "input/d-x"]).succeeded();
    assert_eq!(alice.read("input/d-x"), "x");
    let value = alice.run(&["snapfetch", "input/d/x", "-n", "s2", "--json"]).succeeded().json();
    assert_eq!(
        (&value["files"], &value["bytes"], &value["number"]),
        (&1.into(), &1.into(), &"s2".into())
    );
    let names: Vec<_> =
        fs::read_dir(alice.project()).expect("listed").flatten().map(|e| e.file_name()).collect();
    assert!(
        names.iter().all(|name| !name.to_string_lossy().starts_with(".dsg-fetch")),
        "{names:?}"
    );
}

#[test]
fn a_version_over_a_tracked_path_is_an_ordinary_change() {
    let (_world, alice, bob) = five_snapshots();
    let file = ["snapfetch", "input/a.csv", "--number", "s2", "-o", "input/a.csv"];
    alice.run(&file).ended(2).says("is there already").says("--force");
    assert_eq!(alice.read("input/a.csv"), version(5));
    alice.run(&[&file[..], &["--force"]].concat()).succeeded();
    assert_eq!(alice.read("input/a.csv"), version(2));
    alice.run(&["status", "--short"]).succeeded().says("modified locally");
    alice.run(&["sync"]).succeeded();
    bob.run(&["sync"]).succeeded();
    assert_eq!(bob.read("input/a.csv"), version(2));
    alice.run(&["blame", "input/a.csv"]).succeeded().says("revert to s2");
}

#[test]
fn a_directory_comes_whole_and_only_to_a_free_name() {
    let (_world, alice, _) = five_snapshots();
    alice.run(&["snapfetch", "input", "--number", "s2"]).succeeded().says("2 files");
    assert_eq!(alice.read("input.s2/a.csv"), version(2));
    assert_eq!(alice.read("input.s2/d/x"), "x");
    alice.run(&["snapfetch", "input", "--number", "s4", "-o", "input.s2", "--force"]).ended(2);
    alice.run(&["snapfetch", ".", "--number", "s1"]).ended(2).says("-o");
    alice.run(&["snapfetch", ".", "--number", "s1", "-o", "all"]).succeeded();
    assert_eq!(alice.read("all/input/d/x"), "x");
    alice.run(&["snapfetch", "input", "--number", "s1", "-o", "-"]).ended(2);
}

#[test]
fn what_is_not_there_is_an_error_and_leaves_nothing() {
    let (_world, alice, _) = five_snapshots();
    alice.run(&["snapfetch", "input/d/x", "--number", "s4"]).ended(2).says("dsg log input/d/x");
    alice.run(&["snapfetch", "input/a.csv", "--number", "s9"]).ended(2).says("the newest is s5");
    alice
        .run(&["snapfetch", "input/a.cvs", "--number", "s1"])
        .ended(2)
        .says("the newest snapshot has names like it\n    input/a.csv\n");
    let below = alice.at(alice.project().join("input"));
    below.run(&["snapfetch", "-n", "s1", "--", "a b"]).ended(2).says("`dsg log 'a b'` lists");
    below.run(&["snapfetch", "-n", "s1", "--", "-x"]).ended(2).says("`dsg log -- -x` lists");
    alice.run(&["snapfetch", "input/a.csv"]).ended(2).says("--number");
    alice.run(&["snapfetch", "input/a.csv", "-n", "s1", "-o", "-", "--json"]).ended(2);
    assert!(!alice.has("x.s4") && !alice.has("a.csv.s9"));
}

#[test]
fn a_damaged_version_is_never_delivered() {
    let (world, alice, _) = five_snapshots();
    let objects = world.path("repositories/SV/.dsg-repository/objects");
    for object in fs::read_dir(objects).expect("listed").flatten() {
        let mut bytes = fs::read(object.path()).expect("read");
        bytes[0] ^= 1;
        fs::write(object.path(), bytes).expect("written");
    }
    let outcome = alice.run(&["snapfetch", "input/a.csv", "-n", "s2"]).ended(8);
    outcome.says("DSG-I01");
    assert!(!alice.has("a.csv.s2"));
    assert_eq!(alice.run(&["snapfetch", "input/a.csv", "-n", "s2", "-o", "-"]).ended(8).stdout, "");
}
