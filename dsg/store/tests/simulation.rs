//! Many users on one repository, for as many seeds as one has time for.
//!
//! From a seed follows everything: who edits what, who syncs when, where a sync is cut off, how a
//! conflict is answered. An oracle with a log of its own looks after each sync whether anything was
//! lost, touched or made up, and in the end whether all agree. `make soak` runs many seeds:
//! `DSG_SEEDS` says how many, `DSG_FIRST_SEED` where to begin; `DSG_FOLDER` is where the worlds are
//! made, `DSG_KEEP` keeps the one of a seed that failed.

mod simulation {
    mod actions;
    mod client;
    mod disk;
    mod foreign;
    mod merge;
    mod names;
    mod oracle;
    mod overlap;
    mod random;
    mod resolve;
    mod seeds;
    mod sequence;
    mod view;
    mod world;

    /// How many seeds run when nobody asks for more.
    const SEEDS: u64 = 200;

    fn number(variable: &str, otherwise: u64) -> u64 {
        match std::env::var(variable) {
            Ok(text) => text.parse().expect("a number"),
            Err(_) => otherwise,
        }
    }

    #[test]
    fn many_users_lose_nothing_and_agree_in_the_end() {
        let (first, count) = (number("DSG_FIRST_SEED", 1), number("DSG_SEEDS", SEEDS));
        let total = seeds::run(first, count);
        println!(
            "simulation: {} seeds, {} syncs, {} crashes, {} with overlapping processes",
            total.seeds, total.syncs, total.crashes, total.overlapping
        );
        assert!(total.failures.is_empty(), "\n{}", total.failures.join("\n"));
    }

    /// What a process of the simulation does. It is a test because the simulation starts its own
    /// program again, and that is one that runs tests.
    #[test]
    #[ignore = "is started by the simulation"]
    fn part() {
        if let Some(part) = seeds::Part::of_this_process() {
            part.run();
        }
    }
}
