//! Two misfortunes at once: a sync is cut off here, and the server is put back to the state before
//! it.

use crate::world::own_process::{self, How};

#[test]
fn a_crash_and_a_restored_repository_lose_nothing() {
    if !cfg!(feature = "faults") {
        own_process::skipped("the feature faults to fail at a step");
    } else if own_process::is_own() {
        #[cfg(feature = "faults")]
        armed::every_step();
    } else {
        let name = "crash_and_restore::a_crash_and_a_restored_repository_lose_nothing";
        own_process::run(name, &How::Alone);
    }
}

#[cfg(feature = "faults")]
mod armed {
    use std::fs;

    use dsg_core::conflict::Choice;
    use dsg_store::error::Code;
    use dsg_store::monitor::Silent;
    use dsg_store::sync::SyncOutcome;
    use dsg_store::system::fault;

    use crate::world::{World, look};

    pub(super) fn every_step() {
        let mut cut_off = 0;
        for step in 1.. {
            if at_step(step) {
                break;
            }
            cut_off = step;
        }
        assert!(cut_off > 50, "{cut_off} steps");
    }

    /// Everything fails from this step of a sync on; says whether the sync was done before.
    fn at_step(step: u64) -> bool {
        let world = World::new();
        let (alice, bob) = (world.project("alice"), world.project("bob"));
        alice.write("input/both", "agreed");
        alice.write("input/other", "agreed");
        alice.sync();
        bob.sync();
        alice.write("input/both", "of alice");
        alice.write("input/other", "of alice");
        alice.sync();
        let backup = world.folder().join("backup");
        look::copy(&world.repository(), &backup);
        // Bob takes alice's copy for his own, and has something to commit.
        bob.write("input/both", "only bob has this");
        bob.write("input/new", "of bob");
        let options = bob.settled(&[("input/both", Choice::Remote)]);
        fault::arm(step);
        let outcome = bob.sync_as(&options, &Silent);
        fault::disarm();
        if outcome.is_ok() {
            return true;
        }
        fs::remove_dir_all(world.repository()).expect("removes");
        look::copy(&backup, &world.repository());
        match bob.try_sync() {
            Ok(SyncOutcome::Done(_) | SyncOutcome::Conflicts(_)) => {}
            // He may have seen the commit that is no more.
            Err(error) => assert_eq!(error.code, Code::RepositoryRolledBack, "{step}: {error:?}"),
        }
        let kept = look::contents(&bob.root).values().any(|bytes| bytes == b"only bob has this");
        assert!(kept || look::is_in_trash(&bob.root, "only bob has this"), "step {step}");
        assert_eq!(bob.read("input/new"), "of bob");
        false
    }
}
