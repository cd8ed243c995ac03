//! Large contents: what the server has does not travel again.

use std::sync::atomic::Ordering;

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
