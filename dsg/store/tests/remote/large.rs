//! Large contents: what the server has does not travel again.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use dsg_store::remote::Role;

use crate::line::{Cut, Person, World};

const SIZE: usize = 32 << 20;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Bytes both ways during a sync.
fn traffic(person: &Person) -> u64 {
    let count = || {
        let (up, down) = &*person.line.passed;
        up.load(Ordering::SeqCst) + down.load(Ordering::SeqCst)
    };
    let before = count();
    person.sync();
    count() - before
}

fn committed(world: &World, path: &str, bytes: &[u8]) {
    assert!(std::fs::read(world.repository().join(path)).expect("reads") == bytes, "{path}");
    world.assert_whole();
}

#[test]
fn a_small_change_of_a_large_file_travels_as_a_difference() {
    let world = World::new();
    let alice = world.person("alice");
    let mut bytes = noise(1, SIZE);
    alice.write("input/large", &bytes);
    assert!(traffic(&alice) > SIZE as u64);
    bytes[SIZE / 2..SIZE / 2 + 4096].copy_from_slice(&noise(2, 4096));
    alice.write("input/large", &bytes);
    let changed = traffic(&alice);
    assert!(changed < 1 << 20, "{changed}");
    committed(&world, "input/large", &bytes);
    // Now the list of chunks is here.
    bytes.splice(1000..1000, noise(3, 77));
    alice.write("input/large", &bytes);
    let inserted = traffic(&alice);
    assert!(inserted < 1 << 20, "{inserted}");
    committed(&world, "input/large", &bytes);
    bytes.extend_from_slice(&noise(4, 100_000));
    alice.write("input/large", &bytes);
    let appended = traffic(&alice);
    assert!(appended < 1 << 20, "{appended}");
    committed(&world, "input/large", &bytes);
    bytes.truncate(SIZE / 3);
    alice.write("input/large", &bytes);
    assert!(traffic(&alice) < 1 << 20);
    committed(&world, "input/large", &bytes);
}

#[test]
fn many_large_files_that_change_at_once_do_not_disturb_each_other() {
    let world = World::new();
    let alice = world.person("alice");
    let large = |number: u64| noise(number, (1 << 20) + 4096 * number as usize);
    let files = 24;
    for number in 0..files {
        alice.write(&format!("input/{number}"), large(number));
    }
    alice.sync();
    // Whoever asks for a list of chunks must not do it in the middle of what another thread sends.
    for number in 0..files {
        let changed = [noise(100 + number, 50), large(number)].concat();
        alice.write(&format!("input/{number}"), changed);
    }
    let changed = traffic(&alice);
    assert!(changed < 16 << 20, "{changed}");
    for number in 0..files {
        let bytes = std::fs::read(world.repository().join(format!("input/{number}")));
        assert!(bytes.expect("reads")[50..] == large(number), "{number}");
    }
    world.assert_whole();
}

#[test]
fn a_list_of_chunks_that_is_damaged_costs_a_transfer_and_no_content() {
    let world = World::new();
    let alice = world.person("alice");
    let mut bytes = noise(5, 4 << 20);
    alice.write("input/large", &bytes);
    alice.sync();
    for seed in [6, 7] {
        bytes[100..200].copy_from_slice(&noise(seed, 100));
        alice.write("input/large", &bytes);
        alice.sync();
        // Marks that name other bytes than those which are there.
        let chunks = alice.root.join(".dsg/chunks");
        for list in std::fs::read_dir(&chunks).expect("lists") {
            let path = list.expect("one").path();
            let mut text = std::fs::read(&path).expect("reads");
            text.rotate_left(19);
            std::fs::write(&path, text).expect("writes");
        }
    }
    bytes[5000..5010].copy_from_slice(&noise(8, 10));
    alice.write("input/large", &bytes);
    alice.sync();
    committed(&world, "input/large", &bytes);
}

#[test]
fn what_a_broken_upload_brought_does_not_travel_again() {
    let world = World::new();
    let mut alice = world.person("alice");
    for number in 0..50 {
        alice.write(&format!("input/small/{number}"), noise(number, 20_000));
    }
    alice.write("input/zlarge", noise(99, 16 << 20));
    let whole = (50 * 20_000 + (16 << 20)) as u64;
    alice.line.cut = Cut::Up { message: 150 + 50, half: true };
    assert!(alice.try_sync().is_err());
    alice.line.cut = Cut::Never;
    let rest = traffic(&alice);
    assert!(rest < whole - (4 << 20), "{rest} of {whole}");
    committed(&world, "input/zlarge", &noise(99, 16 << 20));
    assert_eq!(world.head(), 1);
}

#[test]
fn what_a_broken_upload_brought_and_the_next_has_no_use_for_goes_first() {
    let world = World::new();
    let mut alice = world.person("alice");
    alice.write("input/a", noise(1, 20_000));
    alice.write("input/zlarge", noise(99, 16 << 20));
    alice.line.cut = Cut::Up { message: 50, half: true };
    assert!(alice.try_sync().is_err());
    assert!(staged_bytes(&world) > 4 << 20, "{}", staged_bytes(&world));
    // It is replaced by another, which is cut off at its beginning.
    std::fs::remove_file(alice.root.join("input/zlarge")).expect("removes");
    alice.write("input/other", noise(100, 16 << 20));
    alice.line.cut = Cut::Up { message: 10, half: true };
    assert!(alice.try_sync().is_err());
    assert!(staged_bytes(&world) < 4 << 20, "{}", staged_bytes(&world));
    alice.line.cut = Cut::Never;
    alice.sync();
    assert_eq!((world.head(), staged_bytes(&world)), (1, 0));
}

/// The bytes of all that waits in staging.
fn staged_bytes(world: &World) -> u64 {
    let mut stack = vec![world.repository().join(".dsg-repository/staging")];
    let mut bytes = 0;
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).expect("lists") {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("is there");
            match metadata.is_dir() {
                true => stack.push(entry.path()),
                false => bytes += metadata.len(),
            }
        }
    }
    bytes
}

#[test]
fn a_small_change_of_a_large_file_comes_as_a_difference() {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    let mut bytes = noise(1, SIZE);
    alice.write("input/large", &bytes);
    alice.sync();
    assert!(traffic(&bob) > SIZE as u64);
    let changes: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[SIZE / 2..SIZE / 2 + 4096].copy_from_slice(&noise(2, 4096)),
        |bytes| drop(bytes.splice(1000..1000, noise(3, 77))),
        |bytes| bytes.extend_from_slice(&noise(4, 100_000)),
        |bytes| bytes.truncate(SIZE / 3),
    ];
    for (number, change) in changes.iter().enumerate() {
        change(&mut bytes);
        alice.write("input/large", &bytes);
        alice.sync();
        let changed = traffic(&bob);
        assert!(changed < 1 << 20, "{number}: {changed}");
        assert!(std::fs::read(bob.root.join("input/large")).expect("reads") == bytes, "{number}");
    }
}

#[test]
fn an_older_content_that_the_repository_does_not_have_costs_a_transfer() {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    alice.write("input/large", noise(1, 2 << 20));
    alice.sync();
    bob.sync();
    let objects = world.repository().join(".dsg-repository/objects");
    alice.write("input/large", noise(2, 2 << 20));
    alice.sync();
    for object in std::fs::read_dir(&objects).expect("lists") {
        std::fs::remove_file(object.expect("one").path()).expect("removes");
    }
    bob.sync();
    assert!(std::fs::read(bob.root.join("input/large")).expect("reads") == noise(2, 2 << 20));
}

/// What downloads that were cut off left.
fn left_over(person: &Person) -> Vec<PathBuf> {
    let below = |path: PathBuf| std::fs::read_dir(path).expect("lists").map(|it| it.expect("one"));
    below(person.root.join(".dsg/tx")).flat_map(|it| below(it.path())).map(|it| it.path()).collect()
}

const SMALL: u64 = 50;
const LARGE: usize = 16 << 20;

/// Bob, whose download broke in the middle of the large file.
fn cut_off() -> (World, Person) {
    let world = World::new();
    let (alice, mut bob) = (world.person("alice"), world.person("bob"));
    for number in 0..SMALL {
        alice.write(&format!("input/small/{number}"), noise(number, 20_000));
    }
    let first = alice.root.join("input/small/0");
    std::fs::set_permissions(first, std::fs::Permissions::from_mode(0o755)).expect("sets");
    alice.write("input/zlarge", noise(99, LARGE));
    alice.sync();
    bob.line.cut = Cut::Down { message: 3 * SMALL + 200, half: true };
    assert!(bob.try_sync().is_err());
    bob.line.cut = Cut::Never;
    assert!(left_over(&bob).len() as u64 > SMALL);
    (world, bob)
}

fn assert_all_there(bob: &Person) {
    let read = |path: &str| std::fs::read(bob.root.join(path)).expect("reads");
    assert!(read("input/zlarge") == noise(99, LARGE));
    for number in 0..SMALL {
        assert!(read(&format!("input/small/{number}")) == noise(number, 20_000), "{number}");
        let path = bob.root.join(format!("input/small/{number}"));
        let mode = std::fs::metadata(path).expect("is there").permissions().mode();
        assert_eq!(mode & 0o100 != 0, number == 0, "{number}");
    }
    assert_eq!(left_over(bob), [] as [PathBuf; 0]);
}

#[test]
fn what_a_broken_download_brought_does_not_travel_again() {
    let (_world, bob) = cut_off();
    let rest = traffic(&bob);
    assert!(rest < 8 << 20, "{rest}");
    assert_all_there(&bob);
}

#[test]
fn what_a_broken_download_brought_is_not_believed() {
    let (_world, bob) = cut_off();
    for path in left_over(&bob) {
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[0] ^= 1;
        std::fs::write(&path, bytes).expect("writes");
    }
    bob.sync();
    assert_all_there(&bob);
}

#[test]
fn a_download_that_is_cut_off_again_and_again_comes_to_an_end() {
    let (_world, mut bob) = cut_off();
    let mut attempts = 0;
    loop {
        bob.line.cut = Cut::Down { message: 12, half: true };
        attempts += 1;
        if bob.try_sync().is_ok() {
            break;
        }
        assert!(attempts < 64, "it starts again each time");
    }
    assert!(attempts > 1);
    assert_all_there(&bob);
}

#[test]
fn a_reader_whose_download_was_cut_off_goes_on_too() {
    let (_world, mut bob) = cut_off();
    bob.line.role = Role::Reader;
    bob.line.cut = Cut::Down { message: 40, half: true };
    assert!(bob.try_sync().is_err());
    bob.line.cut = Cut::Never;
    bob.sync();
    assert_all_there(&bob);
    assert_eq!(bob.sync().snapshot, None);
}

#[test]
fn what_is_of_no_use_makes_room_before_anything_comes() {
    let (world, mut bob) = cut_off();
    let old = noise(99, LARGE);
    let beginning = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("reads");
        bytes.len() > 1 << 20 && old.starts_with(&bytes)
    };
    assert!(left_over(&bob).iter().any(beginning));
    let alice = world.person("alice-2");
    alice.sync();
    alice.write("input/zlarge", noise(100, LARGE));
    alice.sync();
    bob.line.cut = Cut::Down { message: 20, half: true };
    assert!(bob.try_sync().is_err());
    assert!(!left_over(&bob).iter().any(beginning));
}
